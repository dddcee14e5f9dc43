"""Stores for a conversation: messages, epochs, turns and their cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from memgpt_cli.domain.agents import Epoch, Filling, StepRecord, Totals, Turn, TurnState
    from memgpt_cli.domain.blocks import Provenance
    from memgpt_cli.domain.history import Tombstone
    from memgpt_cli.domain.messages import Message
    from memgpt_cli.domain.search import CandidateMessage, RecallFilters
    from memgpt_cli.domain.trust import Origin


class MessageStore(Protocol):
    """Recall storage as rows."""

    def append(self, message: Message) -> Message:
        """Store a message and return it with its id; indexes its words in the same transaction."""
        ...

    def get(self, ids: Sequence[int]) -> list[Message]:
        """Return the messages with these ids, in the given order; unknown ids are skipped."""
        ...

    def candidates(self, ids: Iterable[int], filters: RecallFilters) -> list[CandidateMessage]:
        """Return those of these messages that pass the filters, by id, without their texts."""
        ...

    def extend(self, messages: Sequence[Message], *, at: datetime, provenance: Provenance) -> int:
        """Store imported messages outside the queue, each external id once.

        Their `external_id` is required. Returns how many are new.
        """
        ...

    def known(self, external_ids: Sequence[str]) -> dict[str, str]:
        """Return those of these external ids that a stored message has, each with the message's text."""
        ...

    def oldest_first(self, filters: RecallFilters) -> Iterator[Message]:
        """Yield all matching messages by (time, id)."""
        ...

    def by_external_id(self, external_id: str) -> Message | None:
        """Return the message with this external id, if any."""
        ...

    def queue(self) -> list[Message]:
        """Return the FIFO queue, oldest first."""
        ...

    def evict(self, ids: Sequence[int], *, epoch: int) -> None:
        """Remove these messages from the queue because epoch `epoch` begins; they are queued for embedding."""
        ...

    def evicted(self, *, after: int, limit: int) -> list[Message]:
        """Return the newest messages evicted by epochs later than `after`, oldest first."""
        ...

    def set_stub(self, message_id: int, stub: str, origin: Origin | None = None) -> None:
        """Show `stub` in the queue instead of the text, which is unchanged.

        `origin` names what the stub shows that the text does not.
        """
        ...

    def of_turn(self, turn: int) -> list[Message]:
        """Return all messages of one turn, oldest first."""
        ...

    def page(
        self, filters: RecallFilters, *, limit: int, before: tuple[datetime, int] | None = None, offset: int = 0
    ) -> list[Message]:
        """Return matching messages, newest first by (time, id); `before` continues after the last row of a page."""
        ...

    def count(self, filters: RecallFilters | None = None) -> int:
        """Count the matching messages; None counts all."""
        ...

    def speakers(self) -> tuple[str, ...]:
        """Return the distinct names of user messages, most frequent first."""
        ...


class TombstoneStore(Protocol):
    """Messages that were removed from recall storage. Writes join the caller's transaction."""

    def get(self, message_id: int) -> Tombstone | None:
        """Return the tombstone of a message, if it has one."""
        ...

    def of_turn(self, turn: int) -> list[Tombstone]:
        """Return those of one turn, in order."""
        ...

    def delete(self, ids: Iterable[int], *, at: datetime, provenance: Provenance) -> int:
        """Remove messages from recall storage; returns how many existed. The caller selects whole turns."""
        ...


class EpochStore(Protocol):
    """The epochs; the last one is the current one."""

    def current(self) -> Epoch | None:
        """Return the current epoch; None before the first turn."""
        ...

    def get(self, epoch_id: int) -> Epoch | None:
        """Return one epoch."""
        ...

    def begin(self, epoch: Epoch) -> Epoch:
        """Store a new epoch; returns it with its id."""
        ...

    def update(self, epoch: Epoch) -> None:
        """Store the changed fields of an epoch (`seen_blocks`, `warned`)."""
        ...


class TurnStore(Protocol):
    """Turns and their steps."""

    def begin(self, at: datetime, *, epoch: int) -> Turn:
        """Store a new open turn."""
        ...

    def update(self, turn: Turn) -> None:
        """Store the turn's new state."""
        ...

    def get(self, turn_id: int) -> Turn | None:
        """Return one turn."""
        ...

    def open_turns(self) -> list[Turn]:
        """Return the turns that were never answered, oldest first."""
        ...

    def close_open(self, state: TurnState, *, joined: int | None = None) -> None:
        """Give every open turn before `joined` (all if None) this state."""
        ...

    def add_step(self, record: StepRecord) -> None:
        """Store one model call."""
        ...

    def steps(self, turn_id: int) -> list[StepRecord]:
        """Return the steps of a turn, in order."""
        ...

    def last_step(self) -> StepRecord | None:
        """Return the newest step."""
        ...


class LedgerStore(Protocol):
    """The cost of turns."""

    def totals(self, *, turn: int | None = None, epoch: int | None = None) -> Totals:
        """Return the sum of the calls of one turn, of one epoch, or of all time."""
        ...

    def fillings(self, *, limit: int) -> list[Filling]:
        """Return how full the window was at the end of each of the last turns, oldest first."""
        ...
