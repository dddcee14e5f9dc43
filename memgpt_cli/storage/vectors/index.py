"""The vector index of one agent: it embeds the outbox, stores vectors in SQLite, and searches them.

Up to `exact_vectors` vectors in a collection, a search is exact over SQLite, and chromadb is not imported. Above,
Chroma searches its part and the rest is searched exactly. The index does not depend on words, ranking or the kind of
item.
"""

import sqlite3
import struct
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock
from typing import Final

from typing_extensions import override

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.vectors import EmbedderIdentity, IndexStatus, Vector
from memgpt_cli.errors import APIKeyError, EmbedderMismatchError, MemGPTError, ModelError, StorageError
from memgpt_cli.ports import Embedder, Progress, VectorIndex
from memgpt_cli.storage.database.connection_pool import ConnectionPool
from memgpt_cli.storage.vectors.chroma_index import ChromaError, ChromaIndex
from memgpt_cli.storage.vectors.exact_index import ExactIndex, cosines_of, ranked, scan
from memgpt_cli.storage.vectors.log import Vectors, check_identity, snapshot

_KEEP: Final = 2
"""A matrix is kept in memory up to this many times the tail; beyond, it restarts or nothing is kept."""
_GIVEN_AT_ONCE: Final = 4096
"""Chroma accepts 5,461 at most; this many at once cost an eighth less per vector than a thousand."""
_SAMPLES: Final = 128
_REBUILDS: Final = 2
"""After this many failures of Chroma in one session it is no longer used, and searches are exact."""

_PATIENCE_SECONDS: Final = 5.0

Late = Callable[[], bool]
"""Whether it is time to stop and postpone the rest."""


class AgentVectorIndex(VectorIndex):
    """The vector index of one agent. Every method may be called from any thread.

    `connect` opens a connection to the agent's database, in autocommit mode and for use from any thread; each operation
    uses one alone, and idle ones are kept. `folder` is Chroma's. `writer`: this process holds the agent's lock; only
    then is Chroma opened. `chroma` False never opens it (agents that will be discarded). Up to `exact_vectors` in a
    collection a search is exact; above, that many of the newest that Chroma lacks are searched exactly. Above
    `nearest_messages`, Chroma gets no more messages: each takes 6 KB of memory, and they are not searched there.
    `batch` texts are embedded and committed at a time. `flush` opens Chroma if it has `push_at` vectors to add.
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
        nearest_messages: int = 50_000,
        batch: int = 256,
        push_at: int = _GIVEN_AT_ONCE,
    ) -> None:
        self._connections = ConnectionPool(connect)
        self._embedder = embedder
        self._folder = folder
        self._exact_vectors = exact_vectors
        self._nearest_messages = nearest_messages
        self._tail = max(exact_vectors, push_at)
        self._batch = batch
        self._push_at = push_at
        self._writer = writer
        self._chroma_allowed = writer and chroma
        self._rebuilds_left = _REBUILDS if self._chroma_allowed else 0
        self._chroma: ChromaIndex | None = None
        self._matrices: dict[Collection, ExactIndex] = {}
        self._generation = self._chroma_generation = -1
        self._large: set[Collection] = set()
        # Chroma's folder is empty, regardless of the position in SQLite.
        self._void = False
        self._rebuilt = False
        self._searching = Lock()
        self._flushing = Lock()
        self._opening = Lock()
        self._giving = Lock()
        self._closing = Event()

    @override
    def check(self) -> None:
        """Raise EmbedderMismatchError when the stored vectors come from another embedder than the configured one.

        A remote embedder that does not know its dimensions yet asks its server (ModelError, APIKeyError).
        """
        with self._connections.lend() as connection:
            _check(Vectors(connection).identity(), self._embedder)

    @override
    def warm(self) -> None:
        """Do the work of the first search now, on any thread: load the matrices, open Chroma if it is needed."""
        with self._connections.lend() as connection:
            stored = Vectors(connection).identity()
            if stored is not None:
                first_axis = Vector(struct.pack("<f", 1.0) + bytes(4 * (stored.dimensions - 1)))
                for collection in self._held(Vectors(connection)):
                    self._search(connection, collection, first_axis, 1)

    @override
    def search(self, collection: Collection, query: Vector, limit: int) -> list[tuple[int, float]]:
        """Return the ids nearest to `query` with their cosines, best first, at most `limit`. Read-only in SQLite.

        Raises EmbedderMismatchError if `query` is not in the space of the stored vectors.
        """
        with self._connections.lend() as connection:
            stored = Vectors(connection).identity()
            if stored is None:
                return []
            self._check_query(stored, query)
            return self._search(connection, collection, query, limit)

    @override
    def similarities(self, collection: Collection, query: Vector, ids: Iterable[int]) -> dict[int, float]:
        with self._connections.lend() as connection:
            vectors = Vectors(connection)
            with self._searching:
                held = self._matrices.get(collection)
                if held is not None and held.start == 0:
                    return self._matrix(vectors, collection, start=0).cosines(query, ids)
            found = vectors.vectors_of(collection, ids)
        return cosines_of(found, query)

    @override
    def pending(self, collection: Collection) -> int:
        with self._connections.lend() as connection, snapshot(connection):
            vectors = Vectors(connection)
            waiting = vectors.waiting_count(collection)
            if self._needs_chroma(vectors, collection) and not self._void:
                waiting += max(0, vectors.unindexed_count(collection) - self._tail)
            return waiting

    @override
    def status(self) -> IndexStatus:
        """Return the state of the vectors."""
        with self._connections.lend() as connection, snapshot(connection):
            vectors = Vectors(connection)
            return IndexStatus(
                identity=vectors.identity(),
                vectors={collection: vectors.count(collection) for collection in Collection},
                waiting={collection: vectors.waiting_count(collection) for collection in Collection},
                unindexed={collection: vectors.unindexed_count(collection) for collection in Collection},
                rebuilt=self._rebuilt,
            )

    @override
    def flush(self, *, progress: Progress | None = None, within_s: float | None = None) -> int:
        """Embed the outbox and give Chroma what it lacks; returns how many items got their vector.

        Raises the embedder's errors, and EmbedderMismatchError; finished batches stay stored, the rest stays in the
        outbox. Stops early, without an error, if the index is closed meanwhile, and after `within_s` seconds at the end
        of the current batch. Without the agent's lock it embeds and does not use Chroma.
        """
        until = None if within_s is None else time.monotonic() + within_s
        return self._flush(self._push_at, progress, lambda: until is not None and time.monotonic() > until)

    @override
    def settle(self, *, progress: Progress | None = None) -> int:
        return self._flush(1, progress, lambda: False)

    @override
    def reindex(self, embedder: Embedder | None = None, *, progress: Progress | None = None) -> int:
        """Rebuild Chroma from the stored vectors; with an embedder, embed everything again first.

        Returns how many items got their vector. After a kill, the same call with the same embedder continues. Raises
        the embedder's errors, StorageError without the agent's lock.
        """
        if not self._writer:
            raise StorageError("the vector index belongs to the process that holds the agent's lock")
        if embedder is not None:
            embedder.embed(["a wrong key or model fails here, before anything is deleted"])
        with self._flushing, self._connections.lend() as connection:
            vectors = Vectors(connection)
            if embedder is not None and vectors.identity() != embedder.identity:
                vectors.restart(embedder.identity)
            self._embedder = embedder or self._embedder
            if self._chroma_allowed:
                with self._opening:
                    chroma, self._chroma = self._chroma, None
                    (chroma or ChromaIndex(self._folder)).throw_away()
                    self._void = True
                    self._rebuilds_left = _REBUILDS
                self._write_void(vectors)
        return self.settle(progress=progress)

    @override
    def close(self) -> None:
        """Release files and threads; unfinished items stay in the outbox.

        A running flush finishes its batch, but waits at most some seconds for a slow endpoint: its thread then ends
        after its batch, which goes to SQLite only.
        """
        self._closing.set()
        waited = self._flushing.acquire(timeout=_PATIENCE_SECONDS)
        try:
            with self._opening, self._searching:
                chroma, self._chroma = self._chroma, None
                self._matrices.clear()
                if chroma is not None:
                    with self._giving, self._connections.lend() as connection:
                        chroma.close(None if self._void else Vectors(connection).indexed_state())
        finally:
            self._connections.close()
            if waited:
                self._flushing.release()

    def _flush(self, push_at: int, progress: Progress | None, late: Late) -> int:
        with self._flushing, self._connections.lend() as connection:
            vectors = Vectors(connection)
            try:
                done = self._embed_waiting(vectors, progress, late)
            except MemGPTError:
                self._give(vectors, push_at, progress, late)
                raise
            self._give(vectors, push_at, progress, late)
            return done

    def _embed_waiting(self, vectors: Vectors, progress: Progress | None, late: Late) -> int:
        total = sum(vectors.waiting_count(collection) for collection in Collection)
        if total == 0:
            return 0
        identity = _check(vectors.identity(), self._embedder)
        done = 0
        for collection in (Collection.FACTS, Collection.PASSAGES, Collection.MESSAGES):
            while items := vectors.waiting(collection, self._batch):
                if self._closing.is_set() or late():
                    return done
                embedded = self._embedder.embed([item.text for item in items])
                done += vectors.put(collection, zip(items, embedded, strict=True), identity=identity)
                if progress is not None:
                    progress("embed", done, max(done, total))
                self._give(vectors, max(self._push_at, _GIVEN_AT_ONCE), None, late)
        if done < total:
            vectors.prune()
        return done

    def _give(self, vectors: Vectors, at_least: int, progress: Progress | None, late: Late) -> None:
        """Give Chroma the log after its position, if it lacks `at_least` entries."""
        while self._rebuilds_left and not self._closing.is_set() and not late():
            self._write_void(vectors)
            held = self._held(vectors)
            if sum(vectors.unindexed_count(collection) for collection in held) < at_least:
                return
            chroma = self._opened(vectors)
            if chroma is None:
                return
            self._write_void(vectors)
            try:
                total = sum(vectors.unindexed_count(collection) for collection in held)
                done = 0
                for collection in held:
                    while not late() and (given := self._give_some(vectors, chroma, collection)):
                        done += given
                        if progress is not None:
                            progress("index", done, max(done, total))
            except ChromaError:
                self._start_anew(chroma)

    def _give_some(self, vectors: Vectors, chroma: ChromaIndex, collection: Collection) -> int:
        after = vectors.indexed_upto(collection)
        entries = vectors.changes(collection, after=after, limit=_GIVEN_AT_ONCE)
        with self._giving:
            if not entries or self._closing.is_set():
                return 0
            chroma.give(collection, entries)
            vectors.mark_indexed(collection, entries[-1].seq)
        return len(entries)

    def _opened(self, vectors: Vectors) -> ChromaIndex | None:
        """Return Chroma, opened and checked, or empty; None if it cannot be used."""
        with self._opening:
            if self._chroma is not None and self._chroma_generation != vectors.generation():
                self._chroma.close()  # the log restarted: its content is invalid, and opening deletes it
                self._chroma = None
            if self._chroma is None and self._rebuilds_left and not self._closing.is_set():
                chroma = ChromaIndex(self._folder)
                given = vectors.indexed_state(samples=_SAMPLES)
                try:
                    trusted = chroma.open(given)
                except ChromaError:
                    chroma.close()
                    self._rebuilds_left = 0
                    return None
                if not trusted and any(given.upto.values()):
                    self._void = self._rebuilt = True
                self._chroma, self._chroma_generation = chroma, given.generation
            return self._chroma

    def _start_anew(self, failed: ChromaIndex) -> None:
        """Delete the failed index; the next opening finds an empty folder."""
        with self._opening:
            if self._chroma is not failed:
                return
            self._chroma = None
            self._void = self._rebuilt = True
            self._rebuilds_left -= 1
            try:
                failed.throw_away()
            except ChromaError:
                self._rebuilds_left = 0

    def _write_void(self, vectors: Vectors) -> None:
        """Record in SQLite that Chroma is empty. Searches do not, because they may run inside a transaction."""
        if self._void:
            vectors.reset_indexed()
            self._void = False

    def _search(
        self, connection: sqlite3.Connection, collection: Collection, query: Vector, limit: int
    ) -> list[tuple[int, float]]:
        vectors = Vectors(connection)
        chroma = None if self._void or not self._needs_chroma(vectors, collection) else self._opened(vectors)
        if chroma is not None and not self._void:
            try:
                with snapshot(connection):
                    return self._search_both(vectors, chroma, collection, query, limit)
            except ChromaError:
                self._start_anew(chroma)
        with snapshot(connection):
            return self._search_exactly(vectors, collection, query, limit)

    def _search_both(
        self, vectors: Vectors, chroma: ChromaIndex, collection: Collection, query: Vector, limit: int
    ) -> list[tuple[int, float]]:
        """Return Chroma's hits, corrected and completed by the vectors that it lacks."""
        start = vectors.tail_start(collection, newest=self._tail)
        found = chroma.search(collection, query, limit)
        with self._searching:
            tail = self._matrix(vectors, collection, start=start)
            cosines = {item_id: cosine for item_id, cosine in found if item_id not in tail.touched}
            cosines.update(tail.search(query, limit))
        return ranked(cosines.items(), limit)

    def _search_exactly(
        self, vectors: Vectors, collection: Collection, query: Vector, limit: int
    ) -> list[tuple[int, float]]:
        if vectors.exceeds(collection, _KEEP * self._tail):
            return scan(vectors, collection, query, limit)
        with self._searching:
            return self._matrix(vectors, collection, start=0).search(query, limit)

    def _matrix(self, vectors: Vectors, collection: Collection, *, start: int) -> ExactIndex:
        """Return the vectors of the log after `start`, and maybe some before."""
        generation = vectors.generation()
        if generation != self._generation:
            self._matrices.clear()
            self._large.clear()
            self._generation = generation
        matrix = self._matrices.get(collection)
        if matrix is None or matrix.start > start or len(matrix) > _KEEP * self._tail:
            stored = vectors.identity()
            matrix = ExactIndex(collection, dimensions=0 if stored is None else stored.dimensions, start=start)
            self._matrices[collection] = matrix
        matrix.follow(vectors)
        return matrix

    def _needs_chroma(self, vectors: Vectors, collection: Collection) -> bool:
        """Whether the collection is too large for exact search. Counting is slow, and logs rarely become shorter."""
        if not self._rebuilds_left or not self._is_held(vectors, collection):
            return False
        if collection not in self._large and vectors.exceeds(collection, self._exact_vectors):
            self._large.add(collection)
        return collection in self._large

    def _held(self, vectors: Vectors) -> list[Collection]:
        """Return the collections for Chroma: an import that will exceed the limit is not begun."""
        outsized = vectors.expects(Collection.MESSAGES, self._nearest_messages)
        return [c for c in Collection if self._is_held(vectors, c) and not (outsized and c is Collection.MESSAGES)]

    def _is_held(self, vectors: Vectors, collection: Collection) -> bool:
        return collection is not Collection.MESSAGES or not vectors.exceeds(collection, self._nearest_messages)

    def _check_query(self, stored: EmbedderIdentity, query: Vector) -> None:
        # An unavailable endpoint cannot state its dimensions; the query's length is still compared.
        with suppress(ModelError, APIKeyError):
            _check(stored, self._embedder)
        if len(query) != 4 * stored.dimensions:
            raise EmbedderMismatchError(
                f"the stored vectors have {stored.dimensions} dimensions, the query has {len(query) // 4}",
                hint="memgpt archival reindex --embedder NAME",
            )


def _check(stored: EmbedderIdentity | None, embedder: Embedder) -> EmbedderIdentity:
    identity = embedder.identity
    check_identity(stored, provider=identity.provider, model=identity.model, dimensions=identity.dimensions)
    return identity
