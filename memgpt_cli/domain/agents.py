"""An agent's data: its name, model and protocol, its epochs and its turns."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from memgpt_cli.domain.chat import PromptMessage, Usage
from memgpt_cli.domain.trust import Origin


class Protocol(StrEnum):
    """How replies and control flow are expressed (DESIGN §4)."""

    NATIVE = "native"
    PAPER = "paper"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """An agent's own settings; None uses the configuration's value. `window` is in tokens.

    `profile` names a profile in the user's settings. An agent has either a profile or a model and a base URL.
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
    """The time between two evictions.

    `head` is the stored beginning of every prompt in it, byte for byte; `fingerprint` identifies the rest of the head's
    inputs besides memory (model, protocol, instructions, schemas): another fingerprint requires another epoch.
    `summary` is the recursive summary of `hidden` messages. `seen_blocks` maps each block's label to the version that
    the model has been shown. `warned`: this epoch's memory-pressure alert has been given. `origin` is
    what the summary was derived from.
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
    origin: Origin | None = None


class TurnState(StrEnum):
    """`OPEN` until it is answered, also after a crash; `JOINED` if a later turn's reply answered it too.

    `UNDONE` if it was undone: its messages are no longer in recall storage.
    """

    OPEN = "open"
    DONE = "done"
    INTERRUPTED = "interrupted"
    JOINED = "joined"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Everything from an event until the agent yields. `joined` is the later turn that answered a `JOINED` one."""

    id: int
    started_at: datetime
    state: TurnState = TurnState.OPEN
    epoch: int = 0
    joined: int | None = None
    evicted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One model call with its token counts: `counted_tokens` is our count of the prompt, `usage` the server's.

    `repeated_tokens` is our count of the prefix shared with the previous request. `cost_usd` is None if no price is
    known. `duration_s` is the wall time of the model call. `purpose` is `reply`, `summary` for a call of the
    summariser, or `picture` for the description of a picture.
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
    """The sum of several calls. `cost_usd` is None if the price of any of them is unknown."""

    calls: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """How full the window was at the end of a turn: the tokens of its last prompt, and how many messages it evicted."""

    turn: int
    at: datetime
    prompt_tokens: int
    epoch: int
    evicted: int
