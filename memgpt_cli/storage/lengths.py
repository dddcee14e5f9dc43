"""How long rows are, in tokens, kept in memory: 4 bytes a row. No words and no scores here."""

import sqlite3
from typing import Final

from memgpt_cli.storage.bm25 import Lengths, extended
from memgpt_cli.storage.occurrences import as_numbers

GENERATION: Final = "words_generation"
"""The key in `meta` that counts how often rows were numbered anew."""

RETURNED: Final = "words_returned"
"""The key in `meta` that counts how often rows came back that had left."""


class RowLengths:
    """The lengths of all rows of one table, read on as rows are added; `number` names the column of row numbers."""

    def __init__(self, table: str, number: str, *, reach: int) -> None:
        self._rows = f"SELECT group_concat({number}), group_concat(length) FROM {table} WHERE {number} > ?"  # noqa: S608
        self._reach = reach
        self._state: tuple[object, ...] = ()
        self._last = 0
        self._lengths: Lengths | None = None

    def forget(self) -> None:
        """Read everything anew the next time: rows were removed."""
        self._lengths = None

    def read(self, db: sqlite3.Connection) -> Lengths:
        """The lengths as they stand."""
        sql = "SELECT key || value FROM meta WHERE key IN (?, ?) ORDER BY key"
        state = tuple(row[0] for row in db.execute(sql, (GENERATION, RETURNED)))
        if self._lengths is None or state != self._state:
            self._lengths, self._last, self._state = None, 0, state
        numbers, tokens = (as_numbers(joined) for joined in db.execute(self._rows, (self._last,)).fetchone())
        if self._lengths is None or len(numbers):
            self._lengths = extended(self._lengths, numbers, tokens, reach=self._reach)
            self._last = int(numbers[-1]) if len(numbers) else 0
        return self._lengths


def numbering(db: sqlite3.Connection) -> str | None:
    """Changes when rows are numbered anew."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (GENERATION,)).fetchone()
    return None if row is None else str(row[0])
