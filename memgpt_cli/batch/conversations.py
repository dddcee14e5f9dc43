"""The input of a batch as values: conversations, their messages and their expectations."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ConversationId = str | int
"""As in the input; the output repeats it unchanged."""


class Expected(StrEnum):
    """The kinds of expectations."""

    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    REGEX = "regex"
    FUNCTION_CALLED = "function_called"
    MEMORY_CONTAINS = "memory_contains"
    MAX_PROMPT_TOKENS = "max_prompt_tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One expectation. `value` is a text, a pattern, a function's name or, for the last kind, tokens."""

    kind: Expected
    value: str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedMessage:
    """A message or a question; `created_at` None is the current time."""

    content: str
    name: str | None = None
    created_at: datetime | None = None
    expect: tuple[Expectation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBlock:
    """A core memory block of the input; None keeps the agent's value, or the default."""

    label: str
    value: str
    description: str | None = None
    limit: int | None = None
    read_only: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedConversation:
    """One conversation. `index` counts from 0, `line` from 1; `agent` names an existing agent.

    `documents` are files, folders or patterns. `expect` applies to all turns together.
    """

    index: int
    id: ConversationId
    line: int
    messages: tuple[ScriptedMessage, ...]
    asks: tuple[ScriptedMessage, ...] = ()
    agent: str | None = None
    blocks: tuple[GivenBlock, ...] = ()
    documents: tuple[str, ...] = ()
    expect: tuple[Expectation, ...] = ()

    @property
    def turns(self) -> int:
        """Return the number of turns, questions included."""
        return len(self.messages) + len(self.asks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error in the input: its 1-based line and its field (`messages[2].role`)."""

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        """Return one line for people."""
        return f"line {self.line}: {self.field}: {self.message}" if self.field else f"line {self.line}: {self.message}"
