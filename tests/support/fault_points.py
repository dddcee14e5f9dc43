"""Fault points: a process dies by SIGKILL at the n-th thing that it does to the disk.

Before and after each rename, unlink, mkdir, rmdir, link, truncation and fsync; before, within and after each write to a
file; before each SQL statement that writes; before and after each copy of a database. Only for processes that were
forked for it.
"""

import builtins
import io
import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, Self

CALLS = ("rename", "replace", "unlink", "remove", "mkdir", "rmdir", "link", "truncate", "ftruncate", "fsync", "write")


class FaultPoints:
    """Counts points in all threads; dies at point `last` (0: never)."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.count = 0
        self.names: list[str] = []
        self._statement = ""
        self._lock = threading.Lock()

    def point(self, name: str) -> None:
        with self._lock:
            self.count += 1
            self.names.append(name)
            if self.count == self.last:
                os.kill(os.getpid(), signal.SIGKILL)

    def statement(self, sql: str) -> None:
        """A point before a statement that writes; of a run of equal ones the first counts."""
        kind = " ".join(sql.split()[:3])
        if not kind.upper().startswith(("SELECT", "--")) and kind != self._statement:
            self.point(f"before {kind}")
        self._statement = kind

    def install(self) -> None:
        """Replace the calls for good in this process."""
        for name in CALLS:
            setattr(os, name, self._around(name, getattr(os, name)))
        opened, of_descriptor, connect = io.open, os.fdopen, sqlite3.connect
        io.open = builtins.open = self._opening(opened)  # type: ignore[assignment]
        os.fdopen = self._opening(of_descriptor)
        points = self

        class Connection(sqlite3.Connection):
            def backup(self, *arguments: Any, **options: Any) -> None:
                points.point("before backup")
                super().backup(*arguments, **options)
                points.point("after backup")

        def connected(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*arguments, **{"factory": Connection, **options})
            connection.set_trace_callback(points.statement)
            return connection

        sqlite3.connect = connected  # type: ignore[assignment]

    def _around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            self.point(f"before {name}")
            result = call(*arguments, **options)
            self.point(f"after {name}")
            return result

        return called

    def _opening(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def opened(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
            found = call(file, mode, *arguments, **options)
            return _Written(found, self) if set(mode) & set("wax+") else found

        return opened


class _Written:
    """A file whose writes reach the kernel at once, in two halves."""

    def __init__(self, file: Any, points: FaultPoints) -> None:
        self._file = file
        self._points = points

    def write(self, data: Any) -> int:
        half = len(data) // 2
        for part in (data[:half], data[half:]):
            self._points.point("before write")
            self._file.write(part)
            self._file.flush()
        self._points.point("after write")
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Self:
        self._file.__enter__()
        return self

    def __exit__(self, *error: object) -> Any:
        return self._file.__exit__(*error)

    def __iter__(self) -> Any:
        return iter(self._file)
