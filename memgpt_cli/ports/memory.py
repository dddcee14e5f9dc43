"""What the record keeps as memory: blocks, passages, documents, and every change to them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from memgpt_cli.domain.blocks import Author, Block, BlockVersion, Provenance
from memgpt_cli.domain.documents import LoadedDocument, Source
from memgpt_cli.domain.history import ItemState, Operation, PassageVersion, TakenBack
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.pictures import Picture, StoredPicture
from memgpt_cli.domain.search import ArchivalFilters


class BlockStore(Protocol):
    """Core memory as rows, every version kept."""

    def all(self) -> list[Block]:
        """The living blocks, in the order of their creation."""
        ...

    def get(self, label: str) -> Block | None:
        """The living block of this label, if any."""
        ...

    def put(self, block: Block, *, at: datetime, provenance: Provenance) -> Block:
        """Create or change it; returns it with its new version."""
        ...

    def delete(self, label: str, *, at: datetime, provenance: Provenance) -> None:
        """Leave a tombstone."""
        ...

    def restore(self, label: str, version: int, *, at: datetime, provenance: Provenance) -> None:
        """Make an old version current as a new one, deleted if it was."""
        ...

    def history(self, label: str) -> list[BlockVersion]:
        """Every version, oldest first, tombstones included."""
        ...

    def version(self, label: str, number: int) -> BlockVersion | None:
        """One version, a tombstone too, without reading the others."""
        ...


class PassageStore(Protocol):
    """Archival storage as rows."""

    def add(self, passage: Passage) -> tuple[Passage, bool]:
        """Store it; an exact duplicate is not stored again. Returns the stored one and whether it is new."""
        ...

    def get(self, ids: Sequence[int], filters: ArchivalFilters | None = None) -> list[Passage]:
        """The living passages with these ids that pass the filters, in the order asked for."""
        ...

    def page(self, filters: ArchivalFilters, *, limit: int, offset: int = 0) -> list[Passage]:
        """Newest first."""
        ...

    def revise(self, passage: Passage, *, at: datetime, provenance: Provenance | None = None) -> None:
        """Store another text, source, location or tags of a living passage; the state before stays in its history.

        Raises UsageError when a living passage says exactly the new text.
        """
        ...

    def delete(self, ids: Sequence[int], *, at: datetime, provenance: Provenance | None = None) -> int:
        """Leave tombstones, out of every index; returns how many of these were living."""
        ...

    def restore(self, passage_id: int, version: int, *, at: datetime, provenance: Provenance) -> None:
        """Make what an old version said current as a new one, living or deleted as it was.

        Raises UsageError when a living passage says exactly that.
        """
        ...

    def history(self, passage_id: int) -> list[PassageVersion]:
        """Every version, oldest first, deletions included; empty for a passage that there never was."""
        ...

    def count(self, filters: ArchivalFilters | None = None) -> int:
        """How many living passages match; None counts all."""
        ...


class PictureStore(Protocol):
    """Pictures, each beside the message that it was shown with."""

    def keep(self, picture: Picture, *, message_id: int) -> None:
        """Store it with its message."""
        ...

    def describe(self, message_id: int, *, passage: int) -> None:
        """Note which passage describes the picture of this message."""
        ...

    def of_message(self, message_id: int) -> StoredPicture | None:
        """The picture that was shown with a message."""
        ...

    def of_passage(self, passage: int) -> StoredPicture | None:
        """The newest picture that a passage describes."""
        ...


class DocumentStore(Protocol):
    """Which documents are in archival storage, and which passages are theirs. Writes join the caller's transaction.

    Documents share passages of equal text: one is deleted only with the last document that has it.
    """

    def get(self, source: str) -> LoadedDocument | None:
        """What is remembered of a document."""
        ...

    def begin(self, document: LoadedDocument) -> None:
        """Load it, for the first time or anew: until `finish` the passages it had before stay as they are."""
        ...

    def add(self, source: str, passages: Sequence[Passage]) -> int:
        """Give a document that was begun its next passages; returns how many of them were not stored yet."""
        ...

    def finish(self, source: str, *, at: datetime) -> int:
        """All of it is there: delete the passages that it had before and has no more; returns how many."""
        ...

    def delete(self, source: str, *, at: datetime) -> int:
        """Delete the passages of a document or of any other source, and forget the document; returns how many."""
        ...

    def sources(self) -> list[Source]:
        """Every source of a living passage and every document, by name."""
        ...


class KindStore(Protocol):
    """Items of any kind of memory, named by their number or label."""

    def state(self, kind: Kind, item: int | str, version: int) -> ItemState | None:
        """What an item said in a state; None where it did not exist or was deleted."""
        ...

    def existed(self, kind: Kind, number: int) -> bool:
        """Whether there is, or was, an item of this number. A forgotten one was."""
        ...

    def nearest(self, kind: Kind, number: int) -> list[int]:
        """The numbers of up to two present items, nearest first."""
        ...


class JournalStore(Protocol):
    """What was changed in memory, operation by operation. Block, passage and message stores report to it themselves."""

    def operation(self, provenance: Provenance | None = None) -> AbstractContextManager[None]:
        """All changes within are one operation, over several transactions too; nested uses join the outer one."""
        ...

    def standing(self, *, limit: int = 1) -> list[Operation]:
        """The newest operations that stand and can be taken back by themselves, newest first."""
        ...

    def undone(self, *, limit: int = 1) -> list[Operation]:
        """The operations that can be done again, the next one first: those undone after which nothing was done."""
        ...

    def page(self, *, limit: int, offset: int = 0, author: Author | None = None) -> list[Operation]:
        """All operations, or those of one author, newest first."""
        ...

    def of_turn(self, turn: int) -> list[Operation]:
        """What the messages of a turn caused, newest first."""
        ...


class UndoStore(Protocol):
    """Taking back what the journal holds. Writes join the caller's transaction."""

    def undo(self, *, at: datetime, provenance: Provenance) -> Operation | None:
        """Take back the last operation that stands; None when there is none.

        Raises UsageError, and changes nothing, when what it changed is not as it left it.
        """
        ...

    def redo(self, *, at: datetime, provenance: Provenance) -> Operation | None:
        """Do again what was last taken back, unless something was done since; None when there is nothing."""
        ...

    def last_turn(self) -> int | None:
        """The turn that `undo_turn` can take back; None when there is none."""
        ...

    def undo_turn(self, turn: int, *, at: datetime, provenance: Provenance) -> TakenBack:
        """Take back the last turn: its messages leave recall, what it changed is undone, what it evicted returns.

        Only for the holder of the agent's lock. Raises UsageError when it is not the last turn.
        """
        ...
