"""Vectors: where they are kept and how the nearest are found."""

from collections.abc import Callable, Iterable
from typing import Protocol

from memgpt_cli.domain.vectors import Collection, EmbedderIdentity, StoredVector, Vector, WaitingItem

Progress = Callable[[str, int, int], None]
"""Called with the stage (`embed` or `index`), what is done of it and its total."""


class VectorStore(Protocol):
    """Vectors and the outbox as rows: what `VectorIndex` adapters stand on.

    The vectors of a collection are a log: every change gets the next `seq`, so an index that has seen all up to some
    `seq` need only ask for what came after. What an external index has been given is one such number.
    """

    def identity(self) -> EmbedderIdentity | None:
        """The embedder whose vectors are stored; None before the first."""
        ...

    def restart(self, identity: EmbedderIdentity) -> None:
        """Drop every vector and let all items wait for one from this embedder, in one transaction."""
        ...

    def enqueue(self, collection: Collection, ids: Iterable[int]) -> None:
        """Let these items wait for a (new) vector of their text."""
        ...

    def remove(self, collection: Collection, ids: Iterable[int]) -> None:
        """Forget the vectors of these items and stop waiting for any."""
        ...

    def waiting(self, collection: Collection, limit: int) -> list[WaitingItem]:
        """Items that wait for their vector and have a text, oldest first."""
        ...

    def waiting_count(self, collection: Collection) -> int:
        """How many wait for their vector."""
        ...

    def put(
        self, collection: Collection, rows: Iterable[tuple[WaitingItem, Vector]], *, identity: EmbedderIdentity
    ) -> int:
        """Store vectors and take their items out of the outbox, in one transaction; returns how many were stored.

        A vector whose item was changed or removed meanwhile is not stored. Raises EmbedderMismatchError when the
        stored vectors are another embedder's.
        """
        ...

    def count(self, collection: Collection) -> int:
        """How many vectors are stored."""
        ...

    def generation(self) -> int:
        """Grows when the log begins anew: whatever was read of it before is void."""
        ...

    def changes(self, collection: Collection, *, after: int, limit: int) -> list[StoredVector]:
        """The log after this `seq`, in its order."""
        ...

    def vectors_of(self, collection: Collection, ids: Iterable[int]) -> dict[int, Vector]:
        """The stored vectors of these items; those without one are left out."""
        ...

    def indexed_upto(self, collection: Collection) -> int:
        """The `seq` up to which the external index has been given the log."""
        ...

    def mark_indexed(self, collection: Collection, upto: int) -> None:
        """The external index has been given the log up to this `seq`."""
        ...

    def reset_indexed(self) -> None:
        """The external index is gone: the whole log is to be given to it again."""
        ...

    def unindexed_count(self, collection: Collection) -> int:
        """How many entries of the log the external index has not been given."""
        ...


class VectorIndex(Protocol):
    """Nearest neighbours over the vectors of one agent. Disposable: the store holds the vectors."""

    def search(self, collection: Collection, query: Vector, limit: int) -> list[tuple[int, float]]:
        """The ids nearest to `query` with their cosines, best first, at most `limit`."""
        ...

    def similarities(self, collection: Collection, query: Vector, ids: Iterable[int]) -> dict[int, float]:
        """The exact cosines of these items to `query`; items without a vector are left out."""
        ...

    def pending(self, collection: Collection) -> int:
        """How many items still wait for a vector or for the index, and so cannot be found here."""
        ...

    def check(self) -> None:
        """Raise EmbedderMismatchError when the stored vectors come from another embedder than the configured one."""
        ...

    def flush(self, *, progress: Progress | None = None, within_s: float | None = None) -> int:
        """Embed and index what waits in the outbox; returns how many items got their vector.

        After `within_s` seconds it ends with the batch that it is at. Raises what the embedder raises; what was done
        until then stays done, the rest goes on waiting.
        """
        ...

    def settle(self, *, progress: Progress | None = None) -> int:
        """`flush`, and leave nothing that the index lacks, however little it is: for the end of a load."""
        ...

    def close(self) -> None:
        """Release files and threads; what waits stays in the outbox."""
        ...
