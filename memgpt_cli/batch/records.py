"""Results of turns and conversations as values, for other processes, the journal and the output."""

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from memgpt_cli.batch.conversations import ConversationId


class TurnKind(StrEnum):
    """Whether it was sent to the agent, or asked of a copy of it."""

    MESSAGE = "message"
    ASK = "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedExpectation:
    """An expectation and whether it passed; `found` describes the actual value in a few words."""

    kind: str
    value: str | int
    ok: bool
    found: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error of the error tree: its code, its message and its hint."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A function call of the model; `arguments` is its raw text."""

    name: str
    arguments: str
    ok: bool
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryChange:
    """A change of a turn in memory.

    `kind` is `block`, with its `label`, its version `before` and `after` and the `text` after; or `passage`, with its
    `id` and `text`. `text` is None after a deletion.
    """

    kind: str
    before: int
    after: int
    text: str | None
    label: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Tokens and money; `cost_usd` is None if the price of any call is unknown."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float | None = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        """Return the sum."""
        unknown = self.cost_usd is None or other.cost_usd is None
        return Spent(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cost_usd=None if unknown else round((self.cost_usd or 0.0) + (other.cost_usd or 0.0), 8),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Start (UTC) and duration in seconds: in total, in the model, and in memgpt.

    Pauses for rate limits and failed calls are not included.
    """

    started_at: str
    seconds: float
    model_seconds: float
    our_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord:
    """One turn. `turn` is 0-based within the conversation, its questions after its messages.

    `largest_prompt` is the longest prompt that was sent, in tokens. `times` is None if times are omitted.
    """

    turn: int
    kind: TurnKind
    content: str
    reply: str | None = None
    state: str | None = None
    steps: int = 0
    functions: tuple[Called, ...] = ()
    memory: tuple[MemoryChange, ...] = ()
    usage: Spent = field(default_factory=Spent)
    largest_prompt: int = 0
    times: Times | None = None
    expect: tuple[CheckedExpectation, ...] = ()
    error: Failure | None = None

    @property
    def ok(self) -> bool:
        """Whether there was no error and all expectations passed."""
        return self.error is None and all(checked.ok for checked in self.expect)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRecord:
    """One finished conversation. `agent` is the existing or kept one. `error` is the error that ended it early."""

    index: int
    id: ConversationId
    agent: str | None
    turns: tuple[TurnRecord, ...]
    expect: tuple[CheckedExpectation, ...] = ()
    error: Failure | None = None

    @property
    def ok(self) -> bool:
        """Whether there was no error and all expectations passed."""
        return self.error is None and all(checked.ok for checked in self.expect) and all(t.ok for t in self.turns)

    @property
    def usage(self) -> Spent:
        """Return the sum of all turns."""
        return sum((turn.usage for turn in self.turns), Spent())

    @property
    def unmet(self) -> int:
        """Return the number of failed expectations."""
        return sum(not c.ok for c in (*self.expect, *(c for turn in self.turns for c in turn.expect)))

    @property
    def has_error(self) -> bool:
        """Whether there was an error, ignoring expectations."""
        return self.error is not None or any(turn.error is not None for turn in self.turns)


def to_json(value: Any) -> Any:
    """Return a record as JSON: its field names in order."""
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {f.name: to_json(getattr(value, f.name)) for f in fields(value)}
    return value


def turn_from_json(value: dict[str, Any]) -> TurnRecord:
    """The inverse of `to_json`."""
    parts = dict(value)
    parts["kind"] = TurnKind(parts["kind"])
    parts["functions"] = tuple(Called(**item) for item in parts["functions"])
    parts["memory"] = tuple(MemoryChange(**item) for item in parts["memory"])
    parts["usage"] = Spent(**parts["usage"])
    parts["times"] = Times(**parts["times"]) if parts["times"] else None
    parts["expect"] = tuple(CheckedExpectation(**item) for item in parts["expect"])
    parts["error"] = Failure(**parts["error"]) if parts["error"] else None
    return TurnRecord(**parts)


def conversation_from_json(value: dict[str, Any]) -> ConversationRecord:
    """The inverse of `to_json`."""
    return ConversationRecord(
        index=value["index"],
        id=value["id"],
        agent=value["agent"],
        turns=tuple(turn_from_json(turn) for turn in value["turns"]),
        expect=tuple(CheckedExpectation(**item) for item in value["expect"]),
        error=Failure(**value["error"]) if value["error"] else None,
    )
