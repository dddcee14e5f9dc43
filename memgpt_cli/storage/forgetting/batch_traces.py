"""Find and delete unfinished batch runs that contain the text: their journals and their records.

A run's folder is useless without its journal or its records, so the whole folder is deleted; the same command starts
the run again.
"""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from memgpt_cli.errors import AgentBusyError

RUNS: Final = "batch"
"""The folder of all runs, beside the agents' folder."""
_LOCK: Final = "lock"

Speaks = Callable[[str], bool]
"""Whether a text contains what is to be deleted."""


def runs_that_speak(root: Path, speaks: Speaks) -> list[Path]:
    """Return the folders of runs below `root` that contain it. Read-only."""
    if not root.is_dir():
        return []
    return [folder for folder in sorted(root.iterdir()) if folder.is_dir() and _run_speaks(folder, speaks)]


def remove_runs(folders: list[Path]) -> None:
    """Delete these folders, all or none. Raises AgentBusyError if one of the runs is in progress."""
    from filelock import FileLock, Timeout

    with ExitStack() as held:
        for folder in folders:
            try:
                held.enter_context(FileLock(folder / _LOCK).acquire(timeout=0))
            except Timeout as error:
                raise AgentBusyError(
                    "a running `memgpt batch` contains it; nothing was deleted",
                    hint="wait until it has ended, or stop it with Ctrl-C",
                ) from error
        for folder in folders:
            for path in folder.iterdir():
                if path.name != _LOCK:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def text_columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return every column of every ordinary table of a record that may contain a text."""
    tables = [
        row["name"]
        for row in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        if "VIRTUAL TABLE" not in (row["sql"] or "")
    ]
    return [
        (table, column["name"])
        for table in tables
        for column in connection.execute(f'PRAGMA table_info("{table}")')
        if column["type"].upper() not in {"INTEGER", "REAL"} and (table, column["name"]) != ("vectors", "vector")
    ]


def _run_speaks(folder: Path, speaks: Speaks) -> bool:
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name.endswith(("-wal", "-shm", "-journal")):
            continue
        texts = _texts_of_record(path) if path.suffix == ".db" else _texts_of_lines(path)
        if any(speaks(text) for text in texts):
            return True
    return False


def _texts_of_record(path: Path) -> Iterator[str]:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            for table, column in text_columns(connection):
                for (value,) in connection.execute(f'SELECT "{column}" FROM "{table}"'):  # noqa: S608 - from the schema
                    yield value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
    except sqlite3.Error:  # damaged by a kill, or deleted meanwhile: the byte search at the end finds what is left
        return


def _texts_of_lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                yield line
                yield from _strings(_parsed(line))
    except FileNotFoundError:
        return


def _parsed(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
