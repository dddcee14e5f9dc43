"""Interfaces for storing vectors and for finding the nearest ones."""

from collections.abc import Callable, Iterable
from typing import Protocol

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.vectors import EmbedderIdentity, StoredVector, Vector, WaitingItem

Progress = Callable[[str, int, int], None]
"""Called with the stage (`embed` or `index`), the number of items done and the total."""


class VectorStore(Protocol):
    """Vectors and the outbox as rows, for `VectorIndex` adapters.

    The vectors of a collection are a log: every change gets the next `seq`, so an index that has read up to some `seq`
    only needs the later entries. One such number records how far the external index is.
    """

    def identity(self) -> EmbedderIdentity | None:
        """Return the embedder whose vectors are stored; None before the first."""
        ...

    def restart(self, identity: EmbedderIdentity) -> None:
        """Delete every vector and queue all items for this embedder, in one transaction."""
        ...

    def enqueue(self, collection: Collection, ids: Iterable[int]) -> None:
        """Queue these items for a (new) vector of their text."""
        ...

    def remove(self, collection: Collection, ids: Iterable[int]) -> None:
        """Delete the vectors of these items and remove them from the outbox."""
        ...

    def waiting(self, collection: Collection, limit: int) -> list[WaitingItem]:
        """Return items with a text that have no vector yet, oldest first."""
        ...

    def waiting_count(self, collection: Collection) -> int:
        """Return how many items have no vector yet."""
        ...

    def put(
        self, collection: Collection, rows: Iterable[tuple[WaitingItem, Vector]], *, identity: EmbedderIdentity
    ) -> int:
        """Store vectors and remove their items from the outbox, in one transaction; returns how many were stored.

        The vector of an item that has changed or been removed meanwhile is not stored. Raises EmbedderMismatchError if
        the stored vectors come from another embedder.
        """
        ...

    def count(self, collection: Collection) -> int:
        """Return how many vectors are stored."""
        ...

    def generation(self) -> int:
        """Return a number that grows when the log restarts; everything read from the log before is then invalid."""
        ...

    def changes(self, collection: Collection, *, after: int, limit: int) -> list[StoredVector]:
        """Return the log after this `seq`, in order."""
        ...

    def vectors_of(self, collection: Collection, ids: Iterable[int]) -> dict[int, Vector]:
        """Return the stored vectors of these items; those without one are skipped."""
        ...

    def indexed_upto(self, collection: Collection) -> int:
        """Return the `seq` up to which the external index has received the log."""
        ...

    def mark_indexed(self, collection: Collection, upto: int) -> None:
        """Record that the external index has received the log up to this `seq`."""
        ...

    def reset_indexed(self) -> None:
        """Record that the external index is empty and must receive the whole log again."""
        ...

    def unindexed_count(self, collection: Collection) -> int:
        """Return how many log entries the external index has not received."""
        ...


class VectorIndex(Protocol):
    """Nearest neighbours over the vectors of one agent. Disposable: the store holds the vectors."""

    def search(self, collection: Collection, query: Vector, limit: int) -> list[tuple[int, float]]:
        """Return the ids nearest to `query` with their cosines, best first, at most `limit`."""
        ...

    def similarities(self, collection: Collection, query: Vector, ids: Iterable[int]) -> dict[int, float]:
        """The exact cosines of these items to `query`; items without a vector are left out."""
        ...

    def pending(self, collection: Collection) -> int:
        """Return how many items cannot be found yet because they have no vector or are not in the index."""
        ...

    def check(self) -> None:
        """Raise EmbedderMismatchError if the stored vectors come from another embedder than the configured one."""
        ...

    def flush(self, *, progress: Progress | None = None, within_s: float | None = None) -> int:
        """Embed and index the outbox; returns how many items got their vector.

        After `within_s` seconds it stops at the end of the current batch. Raises the embedder's errors; finished
        batches stay stored, the rest stays in the outbox.
        """
        ...

    def settle(self, *, progress: Progress | None = None) -> int:
        """Flush, and give the index everything it lacks, even if it is little: for the end of a load."""
        ...

    def close(self) -> None:
        """Release files and threads; unfinished items stay in the outbox."""
        ...
