"""An agent as a record: its name, its model, its protocol, and the epochs and turns it has lived."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from memgpt_cli.domain.chat import PromptMessage, Usage


class Protocol(StrEnum):
    """How replies and control flow are written (DESIGN §4)."""

    NATIVE = "native"
    PAPER = "paper"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """An agent's own settings; None leaves the choice to the configuration. `window` is in tokens.

    `profile` names a profile of the person's settings; an agent has a profile, or a model and a base URL, never both.
    """

    name: str
    created_at: datetime
    model: str | None = None
    base_url: str | None = None
    window: int | None = None
    protocol: Protocol = Protocol.NATIVE
    profile: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """The stretch between two evictions.

    `head` is the stored beginning of every prompt in it, byte for byte; `fingerprint` identifies what the head was made
    of besides memory (model, protocol, instructions, schemas): another fingerprint means another epoch.
    `summary` is the recursive summary, standing for `hidden` messages. `seen_blocks` maps each block's label to the
    version that the model has been shown. `warned` tells whether this epoch's memory-pressure alert has been given.
    """

    id: int
    started_at: datetime
    cause: str
    head: tuple[PromptMessage, ...]
    fingerprint: str
    summary: str = ""
    hidden: int = 0
    seen_blocks: dict[str, int] = field(default_factory=dict)
    warned: bool = False


class TurnState(StrEnum):
    """`OPEN` while it is being answered, and after a crash; `JOINED` when a later turn's reply answered it too.

    `UNDONE` when it was taken back: its messages are in recall storage no more.
    """

    OPEN = "open"
    DONE = "done"
    INTERRUPTED = "interrupted"
    JOINED = "joined"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """From an event until the agent yields. `joined` names the later turn that answered a `JOINED` one."""

    id: int
    started_at: datetime
    state: TurnState = TurnState.OPEN
    epoch: int = 0
    joined: int | None = None
    evicted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One model call as it was counted: `counted_tokens` is our own count of the prompt, `usage` the server's.

    `repeated_tokens` is our count of the prefix shared with the request before. `cost_usd` is None where no price is
    known. `duration_s` is wall time spent in the model call. `purpose` is `reply`, `summary` for a call of the
    summariser, or `picture` for the description of one.
    """

    turn: int
    number: int
    model: str
    epoch: int
    counted_tokens: int
    usage: Usage = field(default_factory=Usage)
    usage_reported: bool = False
    repeated_tokens: int = 0
    cost_usd: float | None = None
    duration_s: float = 0.0
    at: datetime | None = None
    purpose: str = "reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Calls added up. `cost_usd` is None when the price of one of them is not known."""

    calls: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """How full the window was when a turn ended: the tokens of its last prompt, and how many messages it evicted."""

    turn: int
    at: datetime
    prompt_tokens: int
    epoch: int
    evicted: int
