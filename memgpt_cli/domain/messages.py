"""Messages as recall storage keeps them: verbatim, with their turn, their calls and their origin."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from memgpt_cli.domain.effects import NO_EFFECTS, Effects


class Role(StrEnum):
    """Who speaks. `SYSTEM` marks what the program itself put into the queue (alerts, notices)."""

    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    SYSTEM = "system"


SPOKEN = (Role.USER, Role.ASSISTANT)
"""What people said: the roles that are searched unless others are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCall:
    """One call as the model wrote it; `arguments` is its raw text, valid JSON or not."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opaque:
    """What a server sent with a reply and may require back unchanged: reasoning, signatures, encrypted items.

    `origin` names the API, the endpoint and the model that sent it; it is returned to that origin only. `content` is
    JSON in the form of the adapter that wrote it, and only that adapter reads it. `tokens` is what it costs in a
    prompt, where the server has reported that; None means that `content` is counted.
    """

    origin: str
    content: str
    tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of recall storage.

    `id` is 0 until stored; ids grow in the order in which messages entered the queue. `turn` is None for imports.
    `name` is a speaker for a user message and the function's name for a result. `text` is the verbatim text, also
    of a message so large that the queue shows `stub` in its place. `ok` tells whether a function result is a success.
    `session` is what an import says; None means: told by the gaps between messages. `opaque` belongs to a reply.
    `effects` is what a function call did, or what an event about core memory tells of.
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


def message_ref(message_id: int) -> str:
    """How a message is named to people and models: `m12`."""
    return f"m{message_id}"


def clean(text: str) -> str:
    """Text that can be stored and sent: a lone surrogate, which no encoding takes, becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
