"""A million messages in one agent: `pytest -m benchmark -s tests/benchmarks/test_million_messages.py`.

Prints CPU times beside those of plain SQLite in the same run; MEMGPT_BENCH_MESSAGES sets another size. The corpus is
made up (`made_up_talk`). Every question names a message that exists, in 8 to 14 words of which half are stop words.
"""

import os
import random
import re
import resource
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from benchmarks.made_up_talk import Talk

from memgpt_cli.domain.messages import Message
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.domain.settings import SearchSettings
from memgpt_cli.domain.times import to_text
from memgpt_cli.external_context.recall import RecallStorage
from memgpt_cli.llm.static_embedder import StaticEmbedder
from memgpt_cli.storage.database.connection import connect
from memgpt_cli.storage.lexical import bm25
from memgpt_cli.storage.store import SQLiteStore
from memgpt_cli.storage.vectors.index import AgentVectorIndex
from memgpt_cli.text.vocabulary import STOP_WORDS

pytestmark = pytest.mark.benchmark

SIZE = int(os.environ.get("MEMGPT_BENCH_MESSAGES", "1000000"))
QUESTIONS = 100
PLAIN_QUESTIONS = 20
BATCH = 20_000
INSERT = "INSERT INTO messages (id, role, name, text, created_at, evicted_by) VALUES (?, ?, ?, ?, ?, 0)"


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU."""
    start = time.process_time()
    work()
    return time.process_time() - start


def spread(work: Callable[[str], object], questions: Iterable[str]) -> str:
    """Median and 95th percentile, in milliseconds of CPU."""
    times = sorted(1000 * cpu(lambda question=question: work(question)) for question in questions)
    return f"p50 {times[len(times) // 2]:7.1f} ms   p95 {times[int(0.95 * len(times))]:7.1f} ms"


def batches(messages: Iterator[Message]) -> Iterator[list[Message]]:
    while batch := list(islice(messages, BATCH)):
        yield batch


def rows(batch: Iterable[Message]) -> Iterator[tuple[object, ...]]:
    return ((m.id, m.role.value, m.name, m.text, to_text(m.created_at)) for m in batch)


def fill_plain(path: Path) -> float:
    """Raw sqlite3 with the same rows and the same full-text words; only its own work is counted."""
    spent = 0.0
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(
            "CREATE TABLE messages (id INTEGER PRIMARY KEY, role TEXT, name TEXT, text TEXT, created_at TEXT,"
            " evicted_by INTEGER)"
        )
        db.execute("CREATE INDEX messages_time ON messages (created_at, id)")
        db.execute("CREATE VIRTUAL TABLE plain USING fts5 (words, content = '', tokenize = 'porter unicode61')")
        for batch in batches(Talk().messages(SIZE)):

            def write(batch: list[Message] = batch) -> None:
                db.execute("BEGIN")
                db.executemany(INSERT, rows(batch))
                db.executemany("INSERT INTO plain (rowid, words) VALUES (?, ?)", ((m.id, m.text) for m in batch))
                db.execute("COMMIT")

            spent += cpu(write)
    return spent


def fill(store: SQLiteStore) -> float:
    """The record, by the path that imports take."""
    spent = 0.0
    for batch in batches(Talk().messages(SIZE)):

        def write(batch: list[Message] = batch) -> None:
            with store.transaction():
                store.connection.executemany(INSERT, rows(batch))
                store.lexical.add_messages(batch)

        spent += cpu(write)
    return spent


def plain_search(db: sqlite3.Connection, question: str, *, stop: frozenset[str] = frozenset()) -> list[int]:
    words = [word for word in re.findall(r"\w+", question.lower()) if word not in stop]
    match = " OR ".join(f'"{word}"' for word in words)
    found = db.execute("SELECT rowid FROM plain WHERE plain MATCH ? ORDER BY bm25(plain) LIMIT 10", (match,))
    return [row[0] for row in found]


def test_a_million_messages(tmp_path: Path) -> None:
    raw, ours = fill_plain(tmp_path / "plain.db"), 0.0
    talk = Talk()
    for _ in talk.messages(SIZE):
        pass
    with closing(SQLiteStore(tmp_path / "agent.db")) as store, closing(sqlite3.connect(tmp_path / "plain.db")) as db:
        ours = fill(store)
        print(f"\n{SIZE:,} messages")
        print(f"import            {SIZE / ours:9,.0f} a CPU second; raw sqlite3 {SIZE / raw:9,.0f} ({raw / ours:.0%})")
        print(f"copy of common words {cpu(store.lexical.refresh):6.1f} s")
        ids = random.Random(3).sample(range(1, SIZE + 1), QUESTIONS)
        questions = talk.questions([message.text for message in store.messages.get(ids)])
        search = store.lexical.search_messages

        def words(question: str) -> list[int]:
            return [hit.id for hit in search(question, RecallFilters(), 100)]

        some = questions[:PLAIN_QUESTIONS]
        print("plain FTS5        ", spread(lambda question: plain_search(db, question), some))
        print("FTS5, stop words  ", spread(lambda question: plain_search(db, question, stop=STOP_WORDS), some))
        print("words, first      ", spread(words, questions[:1]))
        print("words             ", spread(words, questions))
        quick = [words(question)[:10] for question in questions]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bm25, "_EXACT", SIZE)
            patch.setattr(bm25, "_STRIDE", 1)
            whole = [words(question)[:10] for question in questions]
        same = sum(len(set(a) & set(b)) for a, b in zip(quick, whole, strict=True)) / sum(map(len, whole))
        print(f"of the exhaustive top ten {same:.1%}; its own message first for", end=" ")
        print(f"{sum(hits[0] == own for hits, own in zip(quick, ids, strict=True))} of {QUESTIONS}")
        assert same >= 0.95
        _whole_search(store, tmp_path, questions)
        _lists(store)
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        sizes = {path.name: path.stat().st_size // 1_000_000 for path in tmp_path.glob("*.db")}
        print("MB on disk", sizes)


def _whole_search(store: SQLiteStore, folder: Path, questions: list[str]) -> None:
    """Every message that the questions can reach has its vector, which is all that a search in so many reads."""
    embedder = StaticEmbedder()
    index = AgentVectorIndex(
        connect=lambda: connect(store.path, any_thread=True), embedder=embedder, folder=folder / "v", writer=False
    )
    recall = RecallStorage(store, index, embedder, settings=SearchSettings(), zone=UTC)
    reached = {hit.id for q in questions for hit in store.lexical.search_messages(q, RecallFilters(), 200)}
    places = store.lexical.session_places(sorted(reached)).values()
    around = {near for place in places for near, _ in place.neighbours}
    with store.transaction():
        store.messages.evict(sorted(reached | around), epoch=0)
    index.flush()
    recall.search(questions[0], query_vector=recall.embed_query(questions[0]))
    print(
        "whole search      ",
        spread(lambda question: recall.search(question, query_vector=recall.embed_query(question)), questions),
    )
    index.close()


def _lists(store: SQLiteStore) -> None:
    begun = datetime(2000, 1, 1, tzinfo=UTC)
    middle = begun + timedelta(hours=6 * (SIZE // 48))
    week = RecallFilters(start=middle, end=middle + timedelta(days=7))
    for name, work in (
        ("the 50 newest", lambda: store.messages.page(RecallFilters(), limit=50)),
        ("a week long ago", lambda: store.messages.page(week, limit=50)),
        ("a page long ago", lambda: store.messages.page(RecallFilters(), limit=50, before=(middle, SIZE))),
    ):
        print(f"{name:18} {1000 * cpu(work):7.2f} ms")
