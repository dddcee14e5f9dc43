"""Import of JSON lines beside raw sqlite3: `pytest -m benchmark -s tests/benchmarks/test_import_speed.py`.

Prints messages a CPU second; MEMGPT_BENCH_MESSAGES sets another size. Both read the same file. The floor writes
the same rows, with the same words into a full-text table, and nothing else: it looks for no id that is there already,
knows no sessions, queues nothing for embedding and has nothing to undo.
"""

import json
import os
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC
from itertools import islice
from pathlib import Path

import pytest
from benchmarks.made_up_talk import SESSION, Talk

from memgpt_cli.bootstrap.adapters import SystemClock
from memgpt_cli.documents.conversations import ConversationFile
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.domain.times import to_text
from memgpt_cli.external_context.importing import BATCH, Importer, export_lines
from memgpt_cli.storage.store import SQLiteStore

pytestmark = pytest.mark.benchmark

SIZE = int(os.environ.get("MEMGPT_BENCH_MESSAGES", "200000"))
ROUNDS = 3


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU."""
    start = time.process_time()
    work()
    return time.process_time() - start


def write_lines(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for number, message in enumerate(Talk().messages(SIZE)):
            line = {
                "role": message.role,
                "content": message.text,
                "name": message.name,
                "created_at": to_text(message.created_at),
                "session": f"s{number // SESSION}",
                "id": f"made-up/{number}",
            }
            file.write(json.dumps(line) + "\n")


def batches(path: Path) -> Iterator[list[dict[str, str]]]:
    with path.open("rb") as file:
        values = map(json.loads, file)
        while batch := list(islice(values, BATCH)):
            yield batch


def write_plainly(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(target, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(
            "CREATE TABLE messages (id INTEGER PRIMARY KEY, role TEXT, name TEXT, text TEXT, created_at TEXT,"
            " session TEXT, external_id TEXT)"
        )
        db.execute("CREATE INDEX messages_time ON messages (created_at, id)")
        db.execute("CREATE VIRTUAL TABLE plain USING fts5 (words, content = '', tokenize = 'porter unicode61')")
        for batch in batches(source):
            db.execute("BEGIN")
            db.executemany(
                "INSERT INTO messages (role, name, text, created_at, session, external_id)"
                " VALUES (:role, :name, :content, :created_at, :session, :id)",
                batch,
            )
            db.executemany("INSERT INTO plain (words) VALUES (:content)", batch)
            db.execute("COMMIT")


def test_import_beside_raw_sqlite3(tmp_path: Path) -> None:
    source = tmp_path / "history.jsonl"
    write_lines(source)
    best = {"raw sqlite3": 0.0, "import": 0.0, "import again": 0.0, "export": 0.0}

    def measured(name: str, work: Callable[[], object]) -> None:
        best[name] = max(best[name], SIZE / cpu(work))

    for number in range(ROUNDS):
        measured("raw sqlite3", lambda number=number: write_plainly(source, tmp_path / f"plain{number}.db"))
        with closing(SQLiteStore(tmp_path / f"agent{number}.db")) as store:

            def bring(store: SQLiteStore = store) -> None:
                *_, (done, _) = Importer(store, SystemClock()).run(ConversationFile(source, UTC))
                assert done.read == SIZE

            measured("import", bring)
            measured("import again", bring)
            measured("export", lambda store=store: sum(1 for _ in export_lines(store)))
            assert store.messages.count(RecallFilters()) == SIZE
    print(f"\n{SIZE:,} messages, the best of {ROUNDS} rounds, a CPU second")
    for name, speed in best.items():
        print(f"{name:14} {speed:9,.0f}  {speed / best['raw sqlite3']:5.0%}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    assert best["import"] >= 0.5 * best["raw sqlite3"]
