"""Stores for memory: blocks, passages, pictures, documents, and every change to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from memgpt_cli.domain.blocks import Author, Block, BlockVersion, Provenance
    from memgpt_cli.domain.documents import LoadedDocument, Source
    from memgpt_cli.domain.history import ItemState, Operation, PassageVersion, UndoneTurn
    from memgpt_cli.domain.kinds import Kind
    from memgpt_cli.domain.passages import Passage
    from memgpt_cli.domain.pictures import Picture, StoredPicture
    from memgpt_cli.domain.reviews import Review, ReviewState
    from memgpt_cli.domain.search import ArchivalFilters


class BlockStore(Protocol):
    """Core memory with every version of each block."""

    def all(self) -> list[Block]:
        """Return the existing blocks, in the order of their creation."""
        ...

    def get(self, label: str) -> Block | None:
        """Return the existing block with this label, if any."""
        ...

    def put(self, block: Block, *, at: datetime, provenance: Provenance) -> Block:
        """Create or change a block; returns it with its new version."""
        ...

    def delete(self, label: str, *, at: datetime, provenance: Provenance) -> None:
        """Delete a block and leave a tombstone."""
        ...

    def restore(self, label: str, version: int, *, at: datetime, provenance: Provenance) -> None:
        """Make an old version current as a new version; restoring a tombstone deletes the block."""
        ...

    def history(self, label: str) -> list[BlockVersion]:
        """Return every version, oldest first, tombstones included."""
        ...

    def version(self, label: str, number: int) -> BlockVersion | None:
        """Return one version, also a tombstone, without reading the others."""
        ...


class PassageStore(Protocol):
    """Archival storage."""

    def add(self, passage: Passage) -> tuple[Passage, bool]:
        """Store a passage; an exact duplicate is not stored again. Returns the stored one and whether it is new."""
        ...

    def get(self, ids: Sequence[int], filters: ArchivalFilters | None = None) -> list[Passage]:
        """Return the existing passages with these ids that pass the filters, in the given order."""
        ...

    def page(self, filters: ArchivalFilters, *, limit: int, offset: int = 0) -> list[Passage]:
        """Return a page of passages, newest first."""
        ...

    def revise(self, passage: Passage, *, at: datetime, provenance: Provenance | None = None) -> None:
        """Replace the text, source, location or tags of an existing passage; the history keeps the previous version.

        Raises UsageError if another existing passage has exactly the new text.
        """
        ...

    def delete(self, ids: Sequence[int], *, at: datetime, provenance: Provenance | None = None) -> int:
        """Delete passages and leave tombstones, removed from every index; returns how many existed."""
        ...

    def restore(self, passage_id: int, version: int, *, at: datetime, provenance: Provenance) -> None:
        """Make an old version current as a new version, existing or deleted as it was.

        Raises UsageError if another existing passage has exactly its text.
        """
        ...

    def history(self, passage_id: int) -> list[PassageVersion]:
        """Return every version, oldest first, deletions included; empty for an unknown passage."""
        ...

    def count(self, filters: ArchivalFilters | None = None) -> int:
        """Count the matching passages; None counts all."""
        ...


class ReviewStore(Protocol):
    """Writes to core memory that wait for the person. Writes join the caller's transaction."""

    def add(self, review: Review) -> Review:
        """Store a write that waits; the same one that waits already is not stored again."""
        ...

    def get(self, review_id: int) -> Review | None:
        """One write, whatever became of it."""
        ...

    def page(self, *, limit: int, offset: int = 0, state: ReviewState | None = None) -> list[Review]:
        """Those in a state, or all of them, oldest first."""
        ...

    def count(self, state: ReviewState) -> int:
        """How many are in a state."""
        ...

    def decide(self, reviews: Sequence[Review], state: ReviewState, *, at: datetime, provenance: Provenance) -> None:
        """Give waiting writes the state that the person chose."""
        ...


class PictureStore(Protocol):
    """Pictures, each with the message that it was shown with."""

    def keep(self, picture: Picture, *, message_id: int) -> None:
        """Store a picture with its message."""
        ...

    def describe(self, message_id: int, *, passage: int) -> None:
        """Record which passage describes the picture of this message."""
        ...

    def of_message(self, message_id: int) -> StoredPicture | None:
        """Return the picture that was shown with a message."""
        ...

    def of_passage(self, passage: int) -> StoredPicture | None:
        """Return the newest picture that a passage describes."""
        ...


class DocumentStore(Protocol):
    """The documents in archival storage, and their passages. Writes join the caller's transaction.

    Documents share passages with the same text: one is deleted only with the last document that contains it.
    """

    def get(self, source: str) -> LoadedDocument | None:
        """Return the record of a document."""
        ...

    def begin(self, document: LoadedDocument) -> None:
        """Start loading a document, also again: until `finish` its previous passages stay unchanged."""
        ...

    def add(self, source: str, passages: Sequence[Passage]) -> int:
        """Add the next passages of a document that is being loaded; returns how many were not stored yet."""
        ...

    def finish(self, source: str, *, at: datetime) -> int:
        """End the load: delete previous passages that the document no longer contains; returns how many."""
        ...

    def delete(self, source: str, *, at: datetime) -> int:
        """Delete the passages of a document or of any other source, and the document's record; returns how many."""
        ...

    def sources(self) -> list[Source]:
        """Return every source of an existing passage and every document, by name."""
        ...


class KindStore(Protocol):
    """Items of any kind of memory, named by their number or label."""

    def state(self, kind: Kind, item: int | str, version: int) -> ItemState | None:
        """Return the content of an item in a state; None if it did not exist or was deleted."""
        ...

    def existed(self, kind: Kind, number: int) -> bool:
        """Whether an item with this number exists or existed. A forgotten one did."""
        ...

    def nearest(self, kind: Kind, number: int) -> list[int]:
        """Return the numbers of up to two present items, nearest first."""
        ...


class JournalStore(Protocol):
    """The log of changes to memory, by operation. The block, passage and message stores write to it themselves."""

    def operation(
        self, provenance: Provenance | None = None, *, key: str | None = None
    ) -> AbstractContextManager[None]:
        """Group all changes inside into one operation, also across transactions; nested uses join the outer one.

        With a `key`, an operation of that key that was interrupted goes on, if nothing was changed since.
        """
        ...

    def undoable(self, *, limit: int = 1) -> list[Operation]:
        """Return the newest operations that can be undone on their own, newest first."""
        ...

    def undone(self, *, limit: int = 1) -> list[Operation]:
        """Return the operations that can be redone, the next one first: those undone with no change since."""
        ...

    def page(self, *, limit: int, offset: int = 0, author: Author | None = None) -> list[Operation]:
        """Return all operations, or those of one author, newest first."""
        ...

    def of_turn(self, turn: int) -> list[Operation]:
        """Return the operations caused by the messages of a turn, newest first."""
        ...


class UndoStore(Protocol):
    """Undo the operations in the journal. Writes join the caller's transaction."""

    def undo(self, *, at: datetime, provenance: Provenance) -> Operation | None:
        """Undo the last operation; None if there is none.

        Raises UsageError, and changes nothing, if the state after the operation is no longer the current one.
        """
        ...

    def redo(self, *, at: datetime, provenance: Provenance) -> Operation | None:
        """Redo the last undone operation, unless there was a change since; None if there is nothing to redo."""
        ...

    def last_turn(self) -> int | None:
        """Return the turn that `undo_turn` can undo; None if there is none."""
        ...

    def undo_turn(self, turn: int, *, at: datetime, provenance: Provenance) -> UndoneTurn:
        """Undo the last turn: remove its messages from recall storage, undo its changes, restore what it evicted.

        The caller must hold the agent's lock. Raises UsageError if it is not the last turn.
        """
        ...
