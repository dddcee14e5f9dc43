"""Open SQLite files and write to them in transactions, with plain sqlite3."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from memgpt_cli.errors import StorageError

BUSY_TIMEOUT_MS: Final = 15_000


def connect(path: Path, *, any_thread: bool = False) -> sqlite3.Connection:
    """Open a database in autocommit mode: WAL, every commit synced (synchronous FULL), deleted content overwritten.

    `any_thread` allows use from other threads, one at a time. A database on a read-only disk is opened for reading.
    Raises StorageError if the file cannot be opened or is not a database.
    """
    pragmas = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON")
    try:
        try:
            return _opened(str(path), pragmas, any_thread=any_thread)
        except sqlite3.OperationalError:
            if not path.is_file() or _writable(path.parent):
                raise
        # Without a place for the log files, SQLite needs `immutable`: no process can write to the database.
        return _opened(f"{path.absolute().as_uri()}?immutable=1", (), any_thread=any_thread)
    except sqlite3.Error as error:
        raise StorageError(
            f"{path} cannot be opened: {error}",
            hint="check the file's permissions and the disk, or restore a backup with `memgpt restore`",
        ) from error


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _opened(place: str, pragmas: Sequence[str], *, any_thread: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        place,
        isolation_level=None,
        timeout=BUSY_TIMEOUT_MS / 1000,
        check_same_thread=not any_thread,
        uri=place.startswith("file:"),
    )
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA schema_version")  # reads the file; opening does not
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One atomic write; a nested use joins the outer one.

    BEGIN IMMEDIATE, because a deferred transaction that becomes a write fails under concurrency regardless of the busy
    timeout. Raises StorageError for SQLite's errors, after rolling back.
    """
    if connection.in_transaction:
        yield
        return
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise
    except sqlite3.Error as error:
        raise StorageError(
            f"the record could not be written: {error}", hint="check the disk; `memgpt doctor` looks at the database"
        ) from error


def _roll_back(connection: sqlite3.Connection) -> None:
    """End the transaction; after some errors, such as a full disk, SQLite has already done so."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


@contextmanager
def rehearsal(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that is always rolled back, for previews. Raises StorageError."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            _roll_back(connection)
    except sqlite3.Error as error:
        raise StorageError(
            f"the record cannot be written just now: {error}", hint="try again in a moment, or check the disk"
        ) from error


@contextmanager
def savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    """A part of a transaction that is rolled back by itself if it raises.

    Raises StorageError if the whole transaction is gone: SQLite rolls it back when the disk is full, and later writes
    of the caller would be committed without the earlier ones.
    """
    connection.execute("SAVEPOINT part")
    try:
        yield
    except BaseException as error:
        if not connection.in_transaction:
            raise StorageError(f"the record could not be written: {error}", hint="check the disk") from error
        connection.execute("ROLLBACK TO part")
        connection.execute("RELEASE part")
        raise
    connection.execute("RELEASE part")


@contextmanager
def damage_named(agent: str) -> Iterator[None]:
    """Raise a StorageError that names the agent if its record is damaged."""
    try:
        yield
    except (sqlite3.DatabaseError, sqlite3.OperationalError) as error:
        of_the_file = getattr(error, "sqlite_errorcode", 0) & 0xFF > sqlite3.SQLITE_ERROR
        if type(error) not in {sqlite3.DatabaseError, sqlite3.OperationalError}:
            raise
        if not of_the_file and not str(error).startswith("no such "):
            raise
        raise StorageError(
            f"the record of agent {agent!r} cannot be read: {error}",
            hint="memgpt doctor checks all records; memgpt restore brings back a backup",
        ) from error
