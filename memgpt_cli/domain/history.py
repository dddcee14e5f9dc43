"""What changed in memory, and how it can be taken back: operations, the changes they are made of, past states.

An operation is what one call or one command did. Its changes name states by number: block and passage versions, and for
messages 1 (there) and 0 (not there), so taking one back means making the state before it current again.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.messages import Message
from memgpt_cli.domain.passages import Passage

SUMMARY_FROM: Final = "summary_from"
"""A note of the store: the epoch whose summary is the last one that cannot speak of messages deleted since."""

FRESH_START: Final = "new conversation"
"""The cause of an epoch that takes over no summary."""


class Kind(StrEnum):
    """What was changed."""

    BLOCK = "block"
    PASSAGE = "passage"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One block (`label`), or the passages or messages from `first` to `last`, went from one state to another.

    State 0 means that it did not exist.
    """

    kind: Kind
    before: int
    after: int
    label: str | None = None
    first: int = 0
    last: int = 0

    @property
    def count(self) -> int:
        """How many items it names."""
        return 1 if self.kind is Kind.BLOCK else self.last - self.first + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one call of a function or one command changed. `turn` is the one whose message caused it, if any did.

    `undone_at` is None while it stands; `undone_with_turn` tells that it cannot be done again: it went
    with the whole turn, or something else was done since.
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
    """One state in a passage's history; the first one is its origin."""

    passage: Passage
    version: int
    at: datetime
    provenance: Provenance
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What is left of a message that was taken out of recall storage.

    `message` is what it was, as long as the deletion can be undone; None when it was forgotten for good.
    """

    id: int
    at: datetime
    provenance: Provenance
    turn: int | None
    message: Message | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """What became of a turn that was taken back.

    `messages` were taken out of recall storage, the person's own among them, oldest first. `operations` were undone;
    `kept` were not, because somebody has changed the same thing since. `returned` messages that the turn had evicted
    stand in the queue again. `reopened` are turns that it had answered too and that wait for an answer again.
    """

    turn: int
    messages: tuple[Message, ...]
    operations: tuple[Operation, ...] = ()
    kept: tuple[Operation, ...] = ()
    returned: int = 0
    reopened: tuple[int, ...] = ()
