"""Exact nearest neighbours with numpy: a matrix that follows the log of vectors, and a scan without a cache.

All vectors are unit vectors, so a dot product is a cosine. It reads the log of `Vectors`, never writes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.vectors import StoredVector, Vector
from memgpt_cli.storage.vectors.log import Vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BLOCK: Final = 4096
"""Log entries read at once: 4 MB of vectors at 256 dimensions."""


class ExactIndex:
    """The vectors of one collection from a point of its log on, as one growing float32 matrix.

    `start` is the `seq` after which it begins: 0 contains everything. `touched` are the items with entries after it,
    removed ones included. 20,000 vectors of 256 dimensions take 20 MB. Not thread-safe.
    """

    def __init__(self, collection: Collection, *, dimensions: int, start: int = 0) -> None:
        import numpy as np

        self.start = start
        self.seen = start
        self.touched: set[int] = set()
        self._collection = collection
        self._dimensions = dimensions
        self._rows: dict[int, int] = {}
        self._ids: NDArray[np.int64] = np.empty(0, np.int64)
        self._matrix: NDArray[np.float32] = np.empty((0, dimensions), np.float32)
        self._scored: tuple[Vector, NDArray[np.float32]] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def follow(self, store: Vectors) -> None:
        """Read what was added to the log since the last call."""
        while entries := store.changes(self._collection, after=self.seen, limit=_BLOCK):
            self._take(entries)
            self.seen = entries[-1].seq

    def search(self, query: Vector, limit: int) -> list[tuple[int, float]]:
        """Return the ids nearest to `query` with their cosines, best first; equal ones by id."""
        return _best(self._ids[: len(self._rows)], self._scores(query), limit)

    def cosines(self, query: Vector, ids: Iterable[int]) -> dict[int, float]:
        """Return the cosines of these items to `query`; unknown items are skipped."""
        rows = self._rows
        there = [item for item in ids if item in rows]
        return dict(zip(there, self._scores(query)[[rows[item] for item in there]].tolist(), strict=True))

    def _scores(self, query: Vector) -> "NDArray[np.float32]":
        """Return the cosines of all rows; those of the last query are cached, because one search needs them twice."""
        if self._scored is None or self._scored[0] != query:
            self._scored = (query, _products(self._matrix[: len(self._rows)], query))
        return self._scored[1]

    def _take(self, entries: Sequence[StoredVector]) -> None:
        import numpy as np

        self._scored = None
        self.touched.update(entry.id for entry in entries)
        for entry in entries:
            if not entry.vector:
                self._drop(entry.id)
        ids, block = _as_matrix(entries, self._dimensions)
        if not ids:
            return
        slots = [self._rows.setdefault(item_id, len(self._rows)) for item_id in ids]
        self._reserve(len(self._rows))
        self._ids[slots] = np.asarray(ids, np.int64)
        self._matrix[slots] = block

    def _drop(self, item_id: int) -> None:
        """Move the last row to the free place."""
        slot = self._rows.pop(item_id, None)
        if slot is None:
            return
        last = len(self._rows)
        if slot != last:
            moved = int(self._ids[last])
            self._rows[moved] = slot
            self._ids[slot] = moved
            self._matrix[slot] = self._matrix[last]

    def _reserve(self, rows: int) -> None:
        import numpy as np

        if rows <= len(self._ids):
            return
        room = max(rows, len(self._ids) + len(self._ids) // 4)
        ids = np.empty(room, np.int64)
        ids[: len(self._ids)] = self._ids
        matrix = np.empty((room, self._dimensions), np.float32)
        matrix[: len(self._matrix)] = self._matrix
        self._ids, self._matrix = ids, matrix


def scan(store: Vectors, collection: Collection, query: Vector, limit: int) -> list[tuple[int, float]]:
    """Return what `ExactIndex.search` finds, reading the whole log with a few megabytes in memory at a time."""
    best: dict[int, float] = {}
    seen = 0
    while entries := store.changes(collection, after=seen, limit=_BLOCK):
        seen = entries[-1].seq
        best.update(similarities(entries, query, limit=limit))
        best = dict(ranked(best.items(), limit))
    return list(best.items())


def similarities(entries: Sequence[StoredVector], query: Vector, *, limit: int) -> dict[int, float]:
    """Return the cosines of the `limit` nearest entries to `query`, best first."""
    import numpy as np

    ids, block = _as_matrix(entries, len(query) // 4)
    return dict(_best(np.asarray(ids, np.int64), _products(block, query), limit))


def cosines_of(vectors: Mapping[int, Vector], query: Vector) -> dict[int, float]:
    """Return the cosine of each vector to `query`; those of another length are skipped."""
    import numpy as np

    there = {item: vector for item, vector in vectors.items() if len(vector) == len(query)}
    block = np.frombuffer(b"".join(there.values()), dtype="<f4").reshape(len(there), len(query) // 4)
    return dict(zip(there, _products(block, query).tolist(), strict=True))


def _as_matrix(entries: Sequence[StoredVector], dimensions: int) -> "tuple[list[int], NDArray[np.float32]]":
    """Return the ids and vectors of the entries with a vector of this length."""
    import numpy as np

    length = 4 * dimensions
    whole = [entry for entry in entries if len(entry.vector) == length]
    block = np.frombuffer(b"".join(entry.vector for entry in whole), dtype="<f4")
    return [entry.id for entry in whole], block.reshape(len(whole), dimensions)


def _products(matrix: "NDArray[np.float32]", query: Vector) -> "NDArray[np.float32]":
    import numpy as np

    # Not `matrix @ query`: BLAS uses all cores for so small a product and wastes five times the CPU in waiting.
    scores: NDArray[np.float32] = np.einsum("ij,j->i", matrix, np.frombuffer(query, dtype="<f4"))
    return scores


def _best(ids: "NDArray[np.int64]", scores: "NDArray[np.float32]", limit: int) -> list[tuple[int, float]]:
    import numpy as np

    if limit <= 0 or len(ids) == 0:
        return []
    if len(ids) > limit:
        # At the limit, keep all items with the same cosine, so that they are ranked by id.
        edge = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        chosen = np.flatnonzero(scores >= edge)
        ids, scores = ids[chosen], scores[chosen]
    return ranked(zip(ids.tolist(), scores.tolist(), strict=True), limit)


def ranked(pairs: Iterable[tuple[int, float]], limit: int) -> list[tuple[int, float]]:
    """Return the `limit` best pairs of id and cosine; equal ones by id."""
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:limit]
