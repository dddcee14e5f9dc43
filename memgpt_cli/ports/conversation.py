"""What the record keeps of a conversation: messages, epochs, turns and what they cost."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from memgpt_cli.domain.agents import Epoch, Filling, StepRecord, Totals, Turn, TurnState
from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.history import Tombstone
from memgpt_cli.domain.messages import Message
from memgpt_cli.domain.search import Candidate, RecallFilters


class MessageStore(Protocol):
    """Recall storage as rows."""

    def append(self, message: Message) -> Message:
        """Store it and return it with its id; indexes its words in the same transaction."""
        ...

    def get(self, ids: Sequence[int]) -> list[Message]:
        """The messages with these ids, in the order asked for; unknown ids are left out."""
        ...

    def candidates(self, ids: Iterable[int], filters: RecallFilters) -> list[Candidate]:
        """Those of these messages that pass the filters, by id, without their texts."""
        ...

    def extend(self, messages: Sequence[Message], *, at: datetime, provenance: Provenance) -> int:
        """Store messages that were said elsewhere, out of the queue, each external id once.

        Their `external_id` must be given. Returns how many are new.
        """
        ...

    def known(self, external_ids: Sequence[str]) -> dict[str, str]:
        """Those of these external ids under which a message is stored, each with its text."""
        ...

    def oldest_first(self, filters: RecallFilters) -> Iterator[Message]:
        """All that match, by (time, id), one after the other."""
        ...

    def by_external_id(self, external_id: str) -> Message | None:
        """The message once stored under this id, if any."""
        ...

    def queue(self) -> list[Message]:
        """What stands in the FIFO queue, oldest first."""
        ...

    def evict(self, ids: Sequence[int], *, epoch: int) -> None:
        """Take these out of the queue, on behalf of the epoch that begins; they wait for embedding."""
        ...

    def evicted(self, *, after: int, limit: int) -> list[Message]:
        """The newest messages evicted on behalf of later epochs than `after`, oldest first."""
        ...

    def set_stub(self, message_id: int, stub: str) -> None:
        """Let the queue show `stub` in place of the text, which stays as it is."""
        ...

    def of_turn(self, turn: int) -> list[Message]:
        """All messages of one turn, oldest first."""
        ...

    def page(
        self, filters: RecallFilters, *, limit: int, before: tuple[datetime, int] | None = None, offset: int = 0
    ) -> list[Message]:
        """Newest first by (time, id); `before` continues after the last row of a page."""
        ...

    def count(self, filters: RecallFilters | None = None) -> int:
        """How many messages match; None counts all."""
        ...

    def speakers(self) -> tuple[str, ...]:
        """The distinct names of user messages, most frequent first."""
        ...


class TombstoneStore(Protocol):
    """Messages that were taken out of recall storage. Writes join the caller's transaction."""

    def get(self, message_id: int) -> Tombstone | None:
        """The tombstone of a message, if it has one."""
        ...

    def of_turn(self, turn: int) -> list[Tombstone]:
        """Those of one turn, in order."""
        ...

    def bury(self, ids: Iterable[int], *, at: datetime, provenance: Provenance) -> int:
        """Take messages out of recall storage; returns how many there were. Whole turns are the caller's concern."""
        ...


class EpochStore(Protocol):
    """The epochs; the last one is the present."""

    def current(self) -> Epoch | None:
        """None before the first turn."""
        ...

    def get(self, epoch_id: int) -> Epoch | None:
        """One epoch."""
        ...

    def begin(self, epoch: Epoch) -> Epoch:
        """Store a new epoch; returns it with its id."""
        ...

    def update(self, epoch: Epoch) -> None:
        """Store what changed in it (`seen_blocks`, `warned`)."""
        ...


class TurnStore(Protocol):
    """Turns and their steps."""

    def begin(self, at: datetime, *, epoch: int) -> Turn:
        """A new open turn."""
        ...

    def update(self, turn: Turn) -> None:
        """Store its new state."""
        ...

    def get(self, turn_id: int) -> Turn | None:
        """One turn."""
        ...

    def open_turns(self) -> list[Turn]:
        """Turns that were never answered, oldest first."""
        ...

    def close_open(self, state: TurnState, *, joined: int | None = None) -> None:
        """Give every open turn before `joined` (all, when None) this state."""
        ...

    def add_step(self, record: StepRecord) -> None:
        """Store one counted model call."""
        ...

    def steps(self, turn_id: int) -> list[StepRecord]:
        """The steps of a turn, in order."""
        ...

    def last_step(self) -> StepRecord | None:
        """The newest step of all."""
        ...


class LedgerStore(Protocol):
    """What turns have cost."""

    def totals(self, *, turn: int | None = None, epoch: int | None = None) -> Totals:
        """The calls of one turn, of one epoch, or of all time."""
        ...

    def fillings(self, *, limit: int) -> list[Filling]:
        """How full the window was at the end of each of the last turns, oldest first."""
        ...
