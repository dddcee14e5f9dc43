"""Messages of recall storage: verbatim, with their turn, calls and origin."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from memgpt_cli.domain.effects import NO_EFFECTS, Effects
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.trust import UNTRUSTED, Author, Origin
from memgpt_cli.errors import LimitError


class Role(StrEnum):
    """The author of a message. `SYSTEM` marks what the program itself adds to the queue (alerts, notices)."""

    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    SYSTEM = "system"


LONGEST_MESSAGE: Final = 1_000_000
"""Characters of one message."""

SPOKEN = (Role.USER, Role.ASSISTANT)
"""The roles of the conversation, which are searched by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCall:
    """One call as the model wrote it; `arguments` is its raw text, valid JSON or not."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opaque:
    """Data that a server sent with a reply and may require back unchanged: reasoning, signatures, encrypted items.

    `origin` names the API, the endpoint and the model that sent it; it is returned to that origin only. `content` is
    JSON in the form of the adapter that wrote it, and only that adapter reads it. `tokens` is its cost in a prompt, if
    the server reported it; None means that `content` is counted.
    """

    origin: str
    content: str
    tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of recall storage.

    `id` is 0 until stored; ids grow in the order in which messages entered the queue. `turn` is None for imports.
    `name` is a speaker for a user message and the function's name for a result. `text` is the verbatim text, also of a
    message so large that the queue shows `stub` instead. `ok`: a function result is a success. `session` comes from an
    import; None derives it from the gaps between messages. `opaque` belongs to a reply. `effects` are those of a
    function call, or of an event about core memory. `lineage` is what it was derived from; None for the words of
    the user and of the program.
    """

    role: Role
    text: str
    created_at: datetime
    id: int = 0
    turn: int | None = None
    step: int | None = None
    name: str | None = None
    calls: tuple[FunctionCall, ...] = ()
    call_id: str | None = None
    ok: bool | None = None
    stub: str | None = None
    interrupted: bool = False
    session: str | None = None
    external_id: str | None = None
    opaque: Opaque | None = None
    in_context: bool = True
    effects: Effects = NO_EFFECTS
    lineage: Origin | None = None
    kind: ClassVar[Kind] = Kind.MESSAGE

    @property
    def ref(self) -> str:
        """How it is named to people and models: `m12`."""
        return message_ref(self.id)

    @property
    def origin(self) -> str:
        """Its speaker."""
        return self.name or self.role.value

    @property
    def tags(self) -> tuple[str, ...]:
        """Messages have none."""
        return ()

    @property
    def searchable(self) -> str:
        """Its text."""
        return self.text

    @property
    def least(self) -> Author:
        """The least trusted source that this goes back to."""
        return _SPEAKERS.get(self.role, Author.AGENT) if self.lineage is None else self.lineage.least

    @property
    def untrusted(self) -> bool:
        """Whether it goes back to a document, an import or a tool, and is shown as a quotation."""
        return self.least in UNTRUSTED


_SPEAKERS = {Role.USER: Author.USER, Role.SYSTEM: Author.SYSTEM}


def check_length(text: str) -> None:
    """Raise LimitError for a message that no window can hold, and that would take minutes to page out."""
    if len(text) > LONGEST_MESSAGE:
        raise LimitError(
            f"a message may have {LONGEST_MESSAGE:,} characters; this one has {len(text):,}",
            hint="load long texts into archival storage: memgpt archival load FILE, or - for standard input",
        )


def message_ref(message_id: int) -> str:
    """Return the id of a message as people and models see it: `m12`."""
    return Kind.MESSAGE.ref(message_id)


def clean(text: str) -> str:
    """Return text that can be stored and sent: a lone surrogate, which no encoding accepts, becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
