"""An agent in one file: every row of its record as JSON lines, in a package (docs/memory.md describes it).

An import only reads data: rows are checked column by column and stored in a new record, and indexes are rebuilt. No
path, SQL or code of the file is used.
"""

import base64
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import DocumentError, UsageError
from memgpt_cli.files.durable import unwritable
from memgpt_cli.files.replacing import Replacements, Step, StepKind
from memgpt_cli.storage.agents.copies import snapshot
from memgpt_cli.storage.agents.import_check import check_rows, distrust_program_texts
from memgpt_cli.storage.agents.packages import Package, new_package, open_package
from memgpt_cli.storage.database.connection import connect, transaction
from memgpt_cli.storage.database.record_check import agent_config
from memgpt_cli.storage.kinds.registry import KINDS
from memgpt_cli.storage.store import SQLiteStore
from memgpt_cli.storage.vectors.log import Vectors

FORMAT: Final = "memgpt-agent"
VERSION: Final = 1

TABLES: Final = (
    "turns", "steps", *(table for kind in KINDS for table in kind.tables),
    "epochs", "operations", "changes", "vectors", "outbox",
)  # fmt: skip
"""The tables of an agent."""

_NUMBERED: Final = (
    *("turns", "epochs", "operations", "vectors", "outbox"),
    *(table for kind in KINDS for table in kind.numbered),
)

_META: Final = ("config", "embedder", "vectors_generation", "note.summary_from", "note.origin")
"""Keys of `meta` that are exported. The last endpoint is not: it has no meaning on another machine."""

_PAGE: Final = 1_000
_LARGEST_ID: Final = 10**15

Progress = Callable[[str, int], None]
"""Called with the table and the number of finished rows."""


def export_agent(  # the parameters are what the file says of itself
    record: Path, target: Path, replacements: Replacements, *, name: str, at: datetime, overwrite: bool, program: str
) -> int:
    """Write an agent, also one that is talking, into one file; returns its size in bytes.

    Raises UsageError when the file exists, StorageError.
    """
    if target.exists() and not overwrite:
        raise UsageError(f"{target} exists already", hint="choose another name, or add --overwrite")
    try:
        with replacements.begin("export", [Step(kind=StepKind.FILE, target=target)]) as running:
            copy = running.scratch / "agent.db"
            snapshot(record, copy)
            about = {"program": program, "exported_at": to_text(at), "agent": name}
            _write_rows(copy, running.new(), about)
            with open_package(running.new(), kind=FORMAT, version=VERSION) as written:
                written.check()
            running.commit()
    except OSError as error:
        raise unwritable(target, error) from error
    return target.stat().st_size


def _write_rows(copy: Path, target: Path, about: Mapping[str, Any]) -> None:
    with closing(sqlite3.connect(copy)) as connection, new_package(target) as package:
        connection.row_factory = sqlite3.Row
        schema = connection.execute("PRAGMA user_version").fetchone()[0]
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        with package.open("meta.json") as write:
            kept = {key: meta[key] for key in _META if key in meta}
            write(json.dumps(kept, ensure_ascii=False, indent=2).encode())
        rows = {}
        for table in TABLES:
            rows[table] = 0
            with package.open(f"tables/{table}.jsonl") as write:
                for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2"):  # noqa: S608 - our own names
                    write(_line(row))
                    rows[table] += 1
        package.finish({"format": FORMAT, "version": VERSION, "schema": schema, **about, "rows": rows})


def agent_in(path: Path) -> str:
    """Return the name of the agent in a file. Raises DocumentError."""
    with open_package(path, kind=FORMAT, version=VERSION) as package:
        return str(package.about.get("agent", ""))


def import_agent(path: Path, record: Path, *, name: str, keep_endpoint: bool, progress: Progress) -> str | None:
    """Create a record from an agent file; returns the file's endpoint, which is used only if requested.

    Raises DocumentError for an invalid file; then no agent is created.
    """
    with open_package(path, kind=FORMAT, version=VERSION) as package:
        package.check()
        try:
            endpoint = _take_rows(record, package, path, name=name, keep_endpoint=keep_endpoint, progress=progress)
            store = SQLiteStore(record)
            try:
                with store.transaction():
                    _look_through(store)
                    store.kinds.reindex()
                    Vectors(store.connection).reset_indexed()
            finally:
                store.close()
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise DocumentError(
                f"{path} holds something that no agent has: {error}", hint="nothing was imported from it"
            ) from error
    return endpoint


def _take_rows(
    record: Path, package: Package, path: Path, *, name: str, keep_endpoint: bool, progress: Progress
) -> str | None:
    """Create a record with the schema version of the file, fill it, and migrate it."""
    from memgpt_cli.storage.database.schema import VERSION as KNOWN
    from memgpt_cli.storage.database.schema import migrate

    schema = package.about.get("schema")
    if not isinstance(schema, int) or not 1 <= schema <= KNOWN:
        raise DocumentError(
            f"{path} was written by another version of memgpt (schema {schema!r}, this one knows up to {KNOWN})",
            hint="pip install --upgrade memgpt-cli",
        )
    with closing(connect(record)) as connection:
        migrate(connection, upto=schema)
        connection.execute("PRAGMA foreign_keys = OFF")  # checked for all rows at the end
        there = {row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        with transaction(connection):
            endpoint = _take_meta(connection, package, name=name, keep_endpoint=keep_endpoint)
            for table in TABLES:
                if table in there:
                    _take_table(connection, package, table, progress)
        migrate(connection)
    return endpoint


def _take_meta(connection: sqlite3.Connection, package: Package, *, name: str, keep_endpoint: bool) -> str | None:
    meta = json.loads(b"".join(package.read("meta.json")))
    config = json.loads(meta.pop("config"))
    endpoint: str | None = config.get("base_url") or config.get("profile")
    config |= {"name": name} if keep_endpoint else {"name": name, "base_url": None, "profile": None}
    if str(config.get("model")).startswith("scripted:"):  # a path on another machine
        config["model"] = None
    values = {"config": json.dumps(config, ensure_ascii=False), **meta}
    agent_config(values["config"])  # raises for invalid settings
    if not set(values) <= set(_META) or not all(isinstance(value, str) for value in values.values()):
        msg = "unknown facts in meta.json"
        raise ValueError(msg)
    connection.executemany("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", values.items())
    return endpoint


def _take_table(connection: sqlite3.Connection, package: Package, table: str, progress: Progress) -> None:
    columns = [row["name"] for row in connection.execute(f"PRAGMA table_info({table})")]
    marks = ", ".join("?" * len(columns))
    done = 0

    def rows() -> Iterator[list[object]]:
        nonlocal done
        for line in package.lines(f"tables/{table}.jsonl"):
            row = json.loads(line)
            if not isinstance(row, dict) or set(row) != set(columns):
                msg = f"a row of {table} has other columns than {', '.join(columns)}"
                raise ValueError(msg)
            done += 1
            if done % _PAGE == 0:
                progress(table, done)
            yield [_value(row[column], table) for column in columns]

    try:
        connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows())  # noqa: S608
    except sqlite3.Error as error:
        msg = f"a row of {table} cannot be stored: {error}"
        raise ValueError(msg) from error
    if done != package.about.get("rows", {}).get(table):
        msg = f"{table} has {done} rows, the manifest says {package.about.get('rows', {}).get(table)}"
        raise ValueError(msg)


def _look_through(store: SQLiteStore) -> None:
    """Check every column, and read everything like the program will."""
    db = store.connection
    check_rows(db, TABLES)
    distrust_program_texts(db)
    if broken := db.execute("PRAGMA foreign_key_check").fetchall():
        msg = f"a row of {broken[0][0]} refers to nothing"
        raise ValueError(msg)
    for kind in store.kinds:
        kind.check()
    offset = 0
    while page := store.journal.page(limit=_PAGE, offset=offset):
        offset += len(page)
    for read, column, table in (
        (store.epochs.get, "id", "epochs"),
        (store.turns.get, "id", "turns"),
        (store.turns.steps, "turn", "steps"),
    ):
        for (key,) in db.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall():  # noqa: S608 - our own names
            read(key)
    store.config()
    _look_at_numbers(db)
    identity = Vectors(db).identity()
    length = 4 * identity.dimensions if identity else 0
    if db.execute("SELECT 1 FROM vectors WHERE length(vector) NOT IN (0, ?) LIMIT 1", (length,)).fetchone():
        msg = "a vector has another length than its embedder gives"
        raise ValueError(msg)


def _look_at_numbers(db: sqlite3.Connection) -> None:
    """Check that ids are in the range that people can type, with space for new ones."""
    for table in _NUMBERED:
        least, most = db.execute(f"SELECT min(rowid), max(rowid) FROM {table}").fetchone()  # noqa: S608 - our own names
        if least is not None and not 0 < least <= most < _LARGEST_ID:
            msg = f"{table} has a row of number {least if least <= 0 else most}"
            raise ValueError(msg)


def _line(row: sqlite3.Row) -> bytes:
    values = {key: _portable(row[key]) for key in row.keys()}  # noqa: SIM118 - a row iterates over its values
    return json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def _portable(value: object) -> object:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _value(value: object, table: str) -> object:
    if isinstance(value, Mapping):
        if set(value) != {"base64"} or not isinstance(value["base64"], str):
            msg = f"{table} holds an object that is not bytes"
            raise ValueError(msg)
        return base64.b64decode(value["base64"], validate=True)
    if value is None or isinstance(value, str | int | float):
        return value
    msg = f"{table} holds a {type(value).__name__}"
    raise ValueError(msg)
