"""Changes to memory and how to undo them: operations, the changes they consist of, and past states.

An operation is the effect of one call or one command. Its changes name states by number: block and passage versions,
and for messages 1 (exists) and 0 (does not). Undoing one makes the state before it current again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.messages import Message
from memgpt_cli.domain.passages import Passage

SUMMARY_FROM: Final = "summary_from"
"""A note of the store: the epoch whose summary is the newest that cannot mention messages deleted since."""

FRESH_START: Final = "new conversation"
"""The cause of an epoch that starts without a summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One item with a `label`, or the numbered items from `first` to `last`, went from one state to another.

    State 0 means that it did not exist; the states of a write that waits for review are those of `ReviewState`.
    """

    kind: Kind
    before: int
    after: int
    label: str | None = None
    first: int = 0
    last: int = 0

    @property
    def count(self) -> int:
        """Return the number of items."""
        return 1 if self.label is not None else self.last - self.first + 1

    @property
    def numbers(self) -> range:
        """The numbers of its items; one that stands for nothing when they have labels."""
        return range(self.first, self.last + 1)

    @property
    def items(self) -> "tuple[str] | range":
        """The label, or the numbers of its items."""
        return self.numbers if self.label is None else (self.label,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemState:
    """What an item said in one state. `settings` are what else belongs to it, as lines for people."""

    text: str
    settings: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """The settings, then the text, line by line."""
        return [*self.settings, *(self.text.split("\n") if self.text else ())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The changes of one function call or one command. `turn` is the turn whose message caused it, if any.

    `undone_at` is None unless it was undone; `undone_with_turn` means that it cannot be redone: it was undone with its
    whole turn, or there have been other changes since.
    """

    id: int
    at: datetime
    provenance: Provenance
    changes: tuple[Change, ...]
    turn: int | None = None
    undone_at: datetime | None = None
    undone_with_turn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageVersion:
    """One version of a passage; the first one is its origin."""

    passage: Passage
    version: int
    at: datetime
    provenance: Provenance
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """The remains of a message that was removed from recall storage.

    `message` is its content as long as the deletion can be undone; None if it was forgotten.
    """

    id: int
    at: datetime
    provenance: Provenance
    turn: int | None
    message: Message | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoneTurn:
    """The result of undoing a turn.

    `messages` were removed from recall storage, the user's own among them, oldest first. `operations` were undone;
    `kept` were not, because the same item was changed since. `returned` messages that the turn had evicted are in the
    queue again. `reopened` are turns that it had answered too and that are now unanswered again.
    """

    turn: int
    messages: tuple[Message, ...]
    operations: tuple[Operation, ...] = ()
    kept: tuple[Operation, ...] = ()
    returned: int = 0
    reopened: tuple[int, ...] = ()
