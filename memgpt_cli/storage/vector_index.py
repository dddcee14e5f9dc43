"""The vectors of one agent, made searchable: what waits gets embedded, SQLite keeps the vectors, an index finds them.

Up to a number of vectors a search is exact over SQLite. It knows nothing of words, ranking or what an item is.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Event, Lock
from typing import Final

from memgpt_cli.domain.vectors import Collection, EmbedderIdentity, StoredVector, Vector
from memgpt_cli.errors import APIKeyError, EmbedderMismatchError, ModelError
from memgpt_cli.ports import Embedder
from memgpt_cli.storage.exact_index import ExactIndex, scan, similarities
from memgpt_cli.storage.vectors import Vectors, check_identity

_KEEP: Final = 2
"""A matrix is kept in memory up to this many times `exact_vectors`; beyond, a search scans and keeps nothing."""

Progress = Callable[[str, int, int], None]
"""Called with the stage (`embed` or `index`), what is done of it and its total."""


class AgentVectorIndex:
    """ports.VectorIndex for one agent. Every method may be called from any thread.

    `connect` opens a connection to the agent's database in autocommit mode; each operation has one of its own.
    `folder` is where Chroma lives. `writer` says that this process holds the agent's lock: only then Chroma is opened.
    `chroma` False keeps it closed for good (agents that will be discarded). `exact_vectors` is the number of vectors in
    a collection up to which a search is exact. `batch` texts are embedded and committed at a time.
    """

    def __init__(
        self,
        *,
        connect: Callable[[], sqlite3.Connection],
        embedder: Embedder,
        folder: Path,
        writer: bool,
        chroma: bool = True,
        exact_vectors: int = 20_000,
        batch: int = 256,
    ) -> None:
        self._connect = connect
        self._embedder = embedder
        self._folder = folder
        self._writes_chroma = writer and chroma
        self._exact_vectors = exact_vectors
        self._batch = batch
        self._matrices: dict[Collection, ExactIndex] = {}
        self._generation = -1
        self._searching = Lock()
        self._flushing = Lock()
        self._closing = Event()

    def check(self) -> None:
        """Raise EmbedderMismatchError when the stored vectors come from another embedder than the configured one.

        A remote embedder that does not know its dimensions yet asks its server (ModelError, APIKeyError).
        """
        with self._reading() as vectors:
            _check(vectors.identity(), self._embedder)

    def search(self, collection: Collection, query: Vector, limit: int) -> list[tuple[int, float]]:
        """The ids nearest to `query` with their cosines, best first, at most `limit`.

        Raises EmbedderMismatchError when `query` is not of the space of the stored vectors.
        """
        with self._searching, self._reading() as vectors:
            stored = vectors.identity()
            if stored is None:
                return []
            self._check_query(stored, query)
            if vectors.exceeds(collection, _KEEP * self._exact_vectors):
                return scan(vectors, collection, query, limit)
            return self._matrix(vectors, collection, stored.dimensions).search(query, limit)

    def similarities(self, collection: Collection, query: Vector, ids: Sequence[int]) -> dict[int, float]:
        """The exact cosines of these items to `query`, best first; items without a vector are left out."""
        with self._reading() as vectors:
            found = vectors.vectors_of(collection, ids)
        entries = [StoredVector(0, item_id, vector) for item_id, vector in found.items()]
        return similarities(entries, query, limit=len(entries))

    def pending(self, collection: Collection) -> int:
        """How many items still wait for a vector, and so cannot be found here."""
        with self._reading() as vectors:
            return vectors.waiting_count(collection)

    def flush(self, *, progress: Progress | None = None) -> int:
        """Embed what waits in the outbox; returns how many items got their vector.

        Raises what the embedder raises, and EmbedderMismatchError; what was done until then stays done, the rest goes
        on waiting. Ends early, without an error, when the index is closed meanwhile.
        """
        with self._flushing, closing(self._connect()) as connection:
            return self._embed_waiting(Vectors(connection), progress)

    def reindex(self, embedder: Embedder | None = None, *, progress: Progress | None = None) -> int:
        """With an embedder: let it embed everything anew; returns how many items got their vector.

        Killed at any point and called again with the same embedder, it goes on where it stopped.
        """
        if embedder is not None:
            embedder.embed(["a wrong key or model shows here, before anything is dropped"])
            with self._flushing, closing(self._connect()) as connection:
                vectors = Vectors(connection)
                if vectors.identity() != embedder.identity:
                    vectors.restart(embedder.identity)
                self._embedder = embedder
        return self.flush(progress=progress)

    def close(self) -> None:
        """Let a running flush finish its batch and release what is held; what waits stays in the outbox."""
        self._closing.set()
        with self._flushing, self._searching:
            self._matrices.clear()

    def _embed_waiting(self, vectors: Vectors, progress: Progress | None) -> int:
        total = sum(vectors.waiting_count(collection) for collection in Collection)
        if total == 0:
            return 0
        identity = _check(vectors.identity(), self._embedder)
        done = 0
        for collection in (Collection.PASSAGES, Collection.MESSAGES):
            while items := vectors.waiting(collection, self._batch):
                if self._closing.is_set():
                    return done
                embedded = self._embedder.embed([item.text for item in items])
                done += vectors.put(collection, zip(items, embedded, strict=True), identity=identity)
                if progress is not None:
                    progress("embed", done, max(done, total))
        if done < total:
            vectors.prune()
        return done

    def _matrix(self, vectors: Vectors, collection: Collection, dimensions: int) -> ExactIndex:
        generation = vectors.generation()
        if generation != self._generation:
            self._matrices.clear()
            self._generation = generation
        matrix = self._matrices.get(collection)
        if matrix is None:
            matrix = self._matrices[collection] = ExactIndex(collection, dimensions=dimensions)
        matrix.follow(vectors)
        return matrix

    def _check_query(self, stored: EmbedderIdentity, query: Vector) -> None:
        # An endpoint that is away cannot say what it is; the query's length still speaks.
        with suppress(ModelError, APIKeyError):
            _check(stored, self._embedder)
        if len(query) != 4 * stored.dimensions:
            raise EmbedderMismatchError(
                f"the stored vectors have {stored.dimensions} dimensions, the query has {len(query) // 4}",
                hint="memgpt archival reindex --embedder NAME",
            )

    @contextmanager
    def _reading(self) -> Iterator[Vectors]:
        """One connection and one snapshot: what is read together belongs together."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN")
            yield Vectors(connection)
            connection.execute("COMMIT")


def _check(stored: EmbedderIdentity | None, embedder: Embedder) -> EmbedderIdentity:
    identity = embedder.identity
    check_identity(stored, provider=identity.provider, model=identity.model, dimensions=identity.dimensions)
    return identity
