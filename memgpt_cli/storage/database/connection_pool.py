"""A pool of connections to one database, opened by a given function."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from memgpt_cli.errors import StorageError


class ConnectionPool:
    """Thread-safe; the connections must be too. Each is used by one borrower at a time."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._lock = Lock()

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection without an open transaction; after `close` it is not kept.

        Raises StorageError for SQLite's errors, because borrowers run on threads without their own error reporting.
        """
        with self._lock:
            idle = self._idle.pop() if self._idle else None
        connection = idle or self._connect()
        try:
            yield connection
        except sqlite3.Error as error:
            connection.close()
            raise StorageError(f"the vectors cannot be read or written: {error}", hint="memgpt doctor") from error
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close idle connections now, and borrowed ones when they are returned."""
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop().close()
