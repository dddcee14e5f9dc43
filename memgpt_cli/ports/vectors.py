"""The interface for finding the nearest vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memgpt_cli.domain.kinds import Collection
    from memgpt_cli.domain.vectors import IndexStatus, Vector
    from memgpt_cli.ports.models import Embedder

Progress = Callable[[str, int, int], None]
"""Called with the stage (`embed` or `index`), the number of items done and the total."""


class VectorIndex(Protocol):
    """Nearest neighbours over the vectors of one agent. Disposable: the store holds the vectors."""

    def search(self, collection: Collection, query: Vector, limit: int) -> list[tuple[int, float]]:
        """Return the ids nearest to `query` with their cosines, best first, at most `limit`."""
        ...

    def similarities(self, collection: Collection, query: Vector, ids: Iterable[int]) -> dict[int, float]:
        """Return the exact cosines of these items to `query`; items without a vector are skipped."""
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

    def warm(self) -> None:
        """Open what searches need, so that the first one is fast."""
        ...

    def status(self) -> IndexStatus:
        """Return how many vectors are stored, missing and not indexed yet."""
        ...

    def reindex(self, embedder: Embedder | None = None, *, progress: Progress | None = None) -> int:
        """Embed and index everything again, with another embedder if given. Returns the number of vectors.

        An interrupted call is continued by the next one. Only for the holder of the agent's lock.
        """
        ...

    def close(self) -> None:
        """Release files and threads; unfinished items stay in the outbox."""
        ...
