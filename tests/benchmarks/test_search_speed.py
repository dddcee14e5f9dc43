"""CPU of a whole search beside its floor: `pytest -m benchmark -s tests/benchmarks/test_search_speed.py`.

The floor, in the same run, is what a search cannot do without: embedding the question, FTS5's own ranking over the
same words without stop words, one product with the matrix of all vectors, and reading the ten best rows. The messages
are made up (`made_up_talk`); MEMGPT_BENCH_RECORD names a record that exists, instead of one that is filled here.
"""

import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC
from pathlib import Path

import numpy as np
import pytest
from benchmarks.made_up_talk import Talk

from memgpt_cli.domain.settings import SearchSettings
from memgpt_cli.domain.times import to_text
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.external_context.recall import RecallStorage
from memgpt_cli.llm.static_embedder import StaticEmbedder
from memgpt_cli.storage.database.connection import connect
from memgpt_cli.storage.store import SQLiteStore
from memgpt_cli.storage.vectors.index import AgentVectorIndex
from memgpt_cli.text.words import query_words

pytestmark = pytest.mark.benchmark

QUESTIONS = 100
CANDIDATES = 250
INSERT = "INSERT INTO messages (id, role, name, text, created_at, evicted_by) VALUES (?, ?, ?, ?, ?, 0)"


@pytest.mark.parametrize("size", [600, 10_000])
def test_a_search_costs_little_more_than_its_floor(tmp_path: Path, size: int) -> None:
    path = Path(os.environ.get("MEMGPT_BENCH_RECORD", tmp_path / "agent.db"))
    with closing(SQLiteStore(path)) as store, _vectors(store, tmp_path) as index:
        if not store.messages.count():
            fill(store, size)
            index.flush()
        recall = RecallStorage(store, index, StaticEmbedder(), settings=SearchSettings(), zone=UTC)
        asked = questions(store, QUESTIONS)

        def search(question: str) -> None:
            recall.search(question, page_size=10, query_vector=recall.embed_query(question))

        ours = cpu_ms(search, asked)
        with closing(Floor(store)) as floor:
            plain = cpu_ms(floor.search, asked)
        count = store.messages.count()
    ratio = _middle(ours) / _middle(plain)
    print(f"\n{count:,} messages: search {_spread(ours)}; floor {_spread(plain)}; ratio {ratio:.1f}")


def fill(store: SQLiteStore, size: int) -> None:
    """Made-up messages that wait for their vectors."""

    messages = list(Talk().messages(size))
    with store.transaction():
        store.connection.executemany(
            INSERT, ((m.id, m.role.value, m.name, m.text, to_text(m.created_at)) for m in messages)
        )
        store.lexical.add_messages(messages)
        store.messages.evict([message.id for message in messages], epoch=0)
    store.lexical.refresh()


def questions(store: SQLiteStore, count: int) -> list[str]:
    """Questions about messages of the record."""
    last = store.messages.count()
    ids = random.Random(3).sample(range(1, last + 1), count)
    return Talk().questions([message.text for message in store.messages.get(ids)])


def cpu_ms(work: Callable[[str], object], asked: Sequence[str]) -> list[float]:
    """Milliseconds of CPU for each question, rising; three questions warm up what is read once in a process."""
    for question in asked[:3]:
        work(question)
    times = []
    for question in asked:
        start = time.process_time()
        work(question)
        times.append(1000 * (time.process_time() - start))
    return sorted(times)


class Floor:
    """Plain FTS5 and one product with a matrix, over the same messages."""

    def __init__(self, store: SQLiteStore) -> None:
        self._embedder = StaticEmbedder()
        self._db = sqlite3.connect(":memory:")
        self._db.execute("CREATE VIRTUAL TABLE plain USING fts5 (words, tokenize = 'porter unicode61')")
        rows = store.connection.execute("SELECT id, text FROM messages")
        self._db.executemany("INSERT INTO plain (rowid, words) VALUES (?, ?)", (tuple(row) for row in rows))
        sql = "SELECT vector FROM vectors WHERE collection = 'messages' ORDER BY seq"
        blobs = b"".join(row[0] for row in store.connection.execute(sql))
        self._matrix = np.frombuffer(blobs, "<f4").reshape(-1, self._embedder.identity.dimensions)

    def search(self, question: str) -> list[str]:
        """Candidates of both kinds, and the texts of the ten best by words."""
        vector: Vector = self._embedder.embed([question])[0]
        match = " OR ".join(f'"{word}"' for word in query_words(question))
        sql = "SELECT rowid FROM plain WHERE plain MATCH ? ORDER BY bm25(plain) LIMIT ?"
        found = [row[0] for row in self._db.execute(sql, (match, CANDIDATES))]
        scores = np.einsum("ij,j->i", self._matrix, np.frombuffer(vector, "<f4"))
        np.argpartition(scores, -min(CANDIDATES, len(scores)))
        read = "SELECT words FROM plain WHERE rowid = ?"
        return [self._db.execute(read, (item,)).fetchone()[0] for item in found[:10]]

    def close(self) -> None:
        """Release the database."""
        self._db.close()


@contextmanager
def _vectors(store: SQLiteStore, folder: Path) -> Iterator[AgentVectorIndex]:
    index = AgentVectorIndex(
        connect=lambda: connect(store.path, any_thread=True),
        embedder=StaticEmbedder(),
        folder=folder / "vectors",
        writer=False,
        batch=1024,
    )
    with closing(index):
        yield index


def _middle(times: Sequence[float]) -> float:
    return times[len(times) // 2]


def _spread(times: Sequence[float]) -> str:
    return f"p50 {_middle(times):.1f} ms, p95 {times[int(0.95 * len(times))]:.1f} ms"
