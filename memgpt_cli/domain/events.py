"""What goes into the agent and what comes out of it while a turn runs.

An `Event` wakes the agent; `Happening`s are what a terminal or a batch run watches. Neither prints anything.
"""

from dataclasses import dataclass
from datetime import datetime

from memgpt_cli.domain.agents import StepRecord, TurnState
from memgpt_cli.domain.messages import FunctionCall
from memgpt_cli.domain.pictures import Picture
from memgpt_cli.domain.results import FunctionResult


@dataclass(frozen=True, slots=True, kw_only=True)
class UserMessage:
    """A person wrote something. `external_id` makes a repeated delivery harmless; `created_at` None means now.

    A `picture` beside it is described by the model before it answers. `advice` is what it should mind, told
    by the program, so that the message stays what the person said.
    """

    text: str
    name: str | None = None
    created_at: datetime | None = None
    external_id: str | None = None
    picture: Picture | None = None
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on with the turn that a crash or a failure left open, if there is one."""


Event = UserMessage | Resume


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The message is on disk; nothing that follows can lose it."""

    turn: int


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """The next piece of text from the model. Whether it is reply or thought shows at the end of the step."""

    text: str


@dataclass(frozen=True, slots=True)
class ThoughtText:
    """Reasoning of the model, whole: text beside calls, or what the server reports apart."""

    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why the model does not answer at the moment (rate limited, loading); an empty text ends the wait."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionReturned:
    """One call of the committed step with its result."""

    call: FunctionCall
    result: FunctionResult

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.result.ok


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPressure:
    """The queue manager warned the model: `used` of `limit` tokens."""

    used: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evicting:
    """`messages` messages are about to leave the queue; summarising them may take a while."""

    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evicted:
    """`messages` messages left the queue; `summarised_by` names the model, or `extractive`."""

    messages: int
    tokens_before: int
    tokens_after: int
    summarised_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PagedOut:
    """A message too large for the queue went to archival storage as `passages` passages."""

    message_id: int
    passages: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the person should know that is not an error."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCommitted:
    """A whole step is on disk. `text` is what the model wrote; `final` tells that it is the reply."""

    record: StepRecord
    text: str
    final: bool
    functions: tuple[FunctionReturned, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """The agent yields. `reply` is what the person reads; `repeated` when it was stored by an earlier delivery."""

    turn: int
    reply: str
    state: TurnState
    evicted: int = 0
    repeated: bool = False


Happening = (
    TurnStarted
    | ReplyDelta
    | ThoughtText
    | Waiting
    | FunctionReturned
    | MemoryPressure
    | Evicting
    | Evicted
    | PagedOut
    | Notice
    | StepCommitted
    | TurnEnded
)
