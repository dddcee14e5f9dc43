"""The agent's input (events) and output (happenings) during a turn.

An `Event` starts a turn. A terminal or a batch run displays the `Happening`s. Neither prints anything.
"""

from dataclasses import dataclass
from datetime import datetime

from memgpt_cli.domain.agents import StepRecord, TurnState
from memgpt_cli.domain.messages import FunctionCall
from memgpt_cli.domain.pictures import Picture
from memgpt_cli.domain.results import FunctionResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Text that the person shows but did not write, such as that of a file `name`."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserMessage:
    """A message from the user. `external_id` makes a repeated delivery harmless; `created_at` None means now.

    `attachments` precede it, each as a message of its own, quoted to the model; with them `text` may be empty.

    The model describes a `picture` before it answers. `advice` is an instruction from the program, kept apart so that
    the message stays exactly what the user wrote.
    """

    text: str
    name: str | None = None
    created_at: datetime | None = None
    external_id: str | None = None
    picture: Picture | None = None
    advice: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Resume:
    """Continue the turn that a crash or an error left open, if there is one."""


Event = UserMessage | Resume


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The message is on disk; no later error can lose it."""

    turn: int


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """The next piece of text from the model. The end of the step shows whether it was the reply or a thought."""

    text: str


@dataclass(frozen=True, slots=True)
class ThoughtText:
    """Complete reasoning of the model: text beside calls, or reasoning that the server reports separately."""

    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why the model does not answer yet (rate limited, loading); an empty text ends the wait."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionReturned:
    """One call of the committed step, with its result."""

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
    """`messages` messages are about to leave the queue; summarising them may take some time."""

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
    """A notice for the user that is not an error."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCommitted:
    """A step was committed. `text` is the model's text; `final` means that it is the reply."""

    record: StepRecord
    text: str
    final: bool
    functions: tuple[FunctionReturned, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """The agent yields. `reply` is the text for the user; `repeated` if an earlier delivery stored it."""

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
