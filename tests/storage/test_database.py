"""Opening SQLite files: where nothing can be written there is still something to read."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier

import pytest

from memgpt_cli.errors import StorageError
from memgpt_cli.storage.database.connection import connect, rehearsal, savepoint, transaction
from memgpt_cli.storage.database.connection_pool import ConnectionPool
from memgpt_cli.storage.database.schema import VERSION
from memgpt_cli.storage.store import SQLiteStore

NOBODY = 65_534


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may look into, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        path.chmod(0o755)


@contextmanager
def nothing_writable(folder: Path) -> Iterator[None]:
    """Permissions as on a disk that is mounted for reading; root, whom they do not bind, is nobody meanwhile."""
    folder.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        yield


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of another kind")
def test_a_record_where_nothing_can_be_written_is_opened_for_reading(folder: Path) -> None:
    path = folder / "a record#1?.db"
    with closing(connect(path)) as connection, transaction(connection):
        connection.execute("CREATE TABLE said (text)")
        connection.execute("INSERT INTO said VALUES ('hello')")
    path.chmod(0o444)
    with nothing_writable(folder):
        with closing(connect(path)) as connection:
            assert connection.execute("SELECT text FROM said").fetchone()["text"] == "hello"
            with pytest.raises(StorageError, match="could not be written"), transaction(connection):
                connection.execute("DELETE FROM said")
            with pytest.raises(StorageError, match="cannot be written"), rehearsal(connection):
                connection.execute("DELETE FROM said")
        with pytest.raises(StorageError, match="cannot be opened"):
            connect(folder / "none.db")


def test_what_is_no_database_is_said_to_be_none(folder: Path) -> None:
    (folder / "noise.db").write_bytes(os.urandom(5_000))
    with pytest.raises(StorageError, match="cannot be opened: file is not a database"):
        connect(folder / "noise.db")


def test_a_transaction_within_another_is_part_of_it(folder: Path) -> None:
    with closing(connect(folder / "a.db")) as connection:
        connection.execute("CREATE TABLE said (text)")

        def write_and_fail() -> None:
            with transaction(connection):
                with transaction(connection):
                    connection.execute("INSERT INTO said VALUES ('inner')")
                raise LookupError

        with pytest.raises(LookupError):
            write_and_fail()
        assert connection.execute("SELECT count(*) FROM said").fetchone()[0] == 0


def test_a_part_whose_transaction_is_gone_is_an_error_and_not_a_part_that_failed(folder: Path) -> None:
    with closing(connect(folder / "a.db")) as connection:
        connection.execute("CREATE TABLE t (x)")

        def write_and_lose_all() -> None:
            with transaction(connection):
                connection.execute("INSERT INTO t VALUES (1)")
                with savepoint(connection):
                    connection.execute("ROLLBACK")  # as SQLite does by itself when the disk is full
                    raise ValueError("no room")

        with pytest.raises(StorageError, match="could not be written: no room"):
            write_and_lose_all()
        assert connection.execute("SELECT count(*) FROM t").fetchone()[0] == 0


def test_what_fails_on_a_lent_connection_is_an_error_of_storage(folder: Path) -> None:
    pool = ConnectionPool(lambda: connect(folder / "a.db"))
    with pytest.raises(StorageError, match="no such table"), pool.lend() as connection:
        connection.execute("SELECT * FROM nowhere")
    pool.close()


def test_an_empty_file_is_no_record_and_is_left_as_it_is(folder: Path) -> None:
    (folder / "agent.db").touch()
    with pytest.raises(StorageError, match="is empty") as caught:
        SQLiteStore(folder / "agent.db")
    assert "memgpt restore" in caught.value.hint
    SQLiteStore(folder / "new.db").close()


def test_an_old_record_that_several_open_at_once_is_brought_up_to_date_once(folder: Path) -> None:
    from memgpt_cli.storage.database.schema import migrate

    record, together = folder / "agent.db", Barrier(4)
    with closing(connect(record)) as connection:
        migrate(connection, upto=1)

    def opened() -> int:
        together.wait()
        with closing(SQLiteStore(record)) as store:
            return int(store.connection.execute("PRAGMA user_version").fetchone()[0])

    with ThreadPoolExecutor(4) as pool:
        versions = [done.result() for done in [pool.submit(opened) for _ in range(4)]]
    assert versions == [VERSION] * 4
    with closing(sqlite3.connect(folder / f"agent.db.before-{VERSION}")) as before:
        assert before.execute("PRAGMA user_version").fetchone()[0] == 1
    assert not (folder / "agent.db.migrating").exists()
