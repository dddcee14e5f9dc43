"""Consistent copies of an agent's record, also while a chat writes to it, and new agents from them.

Vectors are part of the record; Chroma's folder is rebuilt from them.
"""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from memgpt_cli.errors import StorageError
from memgpt_cli.storage.database.connection import connect
from memgpt_cli.storage.store import SQLiteStore
from memgpt_cli.storage.vectors.log import Vectors

_OF_TALKING: Final = ("reviews", "tombstones", "changes", "operations", "steps", "messages", "turns", "epochs")
"""Tables of the conversation, in the order in which they can be emptied."""


def snapshot(source: Path, target: Path) -> None:
    """Copy a record as of one instant, checked. Raises StorageError.

    Uses SQLite's backup in a single step: writers do not wait, and their later commits are not in the copy.
    """
    try:
        with closing(sqlite3.connect(source, timeout=15)) as original, closing(sqlite3.connect(target)) as copy:
            original.backup(copy, pages=-1)
            found = [row[0] for row in copy.execute("PRAGMA quick_check(1)")]
    except sqlite3.Error as error:
        raise StorageError(f"{source} cannot be copied: {error}", hint="memgpt doctor") from error
    if found != ["ok"]:
        raise StorageError(f"{source} is damaged: {found[0]}", hint="restore a backup with `memgpt restore`")


def copy_record(source: Path, target: Path) -> None:
    """Copy a record as of one instant to a new file, unchecked, for work on the copy only.

    Raises StorageError if either cannot be used; then there is no file at `target`.
    """
    try:
        with closing(connect(source)) as original, closing(sqlite3.connect(target)) as copy:
            original.backup(copy)
        with closing(connect(target)) as copy:
            Vectors(copy).reset_indexed()
            copy.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise StorageError(f"{source} cannot be copied: {error}", hint="check the disk; memgpt doctor") from error


def set_name(record: Path, name: str, *, at: datetime | None = None) -> None:
    """Let a record say that its agent is called so, and when given, that it was made at this time."""
    with closing(SQLiteStore(record)) as store:
        config = store.config()
        store.set_config(replace(config, name=name, created_at=at or config.created_at))


def without_messages(record: Path) -> None:
    """Remove the conversation from a record; memory stays, with its history."""
    store = SQLiteStore(record)
    try:
        with store.transaction():
            db = store.connection
            for table in _OF_TALKING:
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            for table in ("vectors", "outbox"):
                db.execute(f"DELETE FROM {table} WHERE collection = 'messages'")  # noqa: S608 - our own names
            for table in _caused_by_messages(store):
                db.execute(f"UPDATE {table} SET message_id = NULL, command = coalesce(command, 'agent clone')"  # noqa: S608
                           " WHERE message_id IS NOT NULL")  # fmt: skip
            db.execute("DELETE FROM sqlite_sequence WHERE name IN ('messages', 'operations')")
            store.kinds.reindex()
            Vectors(db).begin_anew()
        store.connection.execute("VACUUM")
    finally:
        store.close()


def _caused_by_messages(store: SQLiteStore) -> list[str]:
    """Return the tables of memory whose rows name the message that caused them."""
    tables = [table for kind in store.kinds for table in kind.tables if table not in _OF_TALKING]
    named = "SELECT 1 FROM pragma_table_info(?) WHERE name = 'message_id'"
    return [table for table in tables if store.connection.execute(named, (table,)).fetchone()]
