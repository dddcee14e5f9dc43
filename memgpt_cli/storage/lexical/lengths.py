"""The lengths of rows in tokens, kept in memory: 4 bytes a row."""

import sqlite3
from typing import Final

from memgpt_cli.storage.lexical.bm25 import Lengths, grown
from memgpt_cli.storage.lexical.common_words import CommonWords
from memgpt_cli.storage.lexical.occurrences import as_numbers

GENERATION: Final = "words_generation"
"""The key in `meta` that counts renumberings of rows."""

CHANGED: Final = "words_changed"
"""The key in `meta` that counts removals and returns of rows."""

_UNSURE: Final = 1_000
"""The newest rows are read every time: those of the running transaction may be rolled back."""


class RowLengths:
    """The lengths of all rows of one table, extended as rows are added; `number` is the column of row numbers."""

    def __init__(self, table: str, number: str, *, kind: str, reach: int) -> None:
        self._rows = f"SELECT group_concat({number}), group_concat(length) FROM {table} WHERE {number} > ?"  # noqa: S608
        self._kind = kind
        self._reach = reach
        self._state: tuple[object, ...] = ()
        self._sure = 0
        self._lengths: Lengths | None = None

    def read(self, db: sqlite3.Connection) -> Lengths:
        """Return the current lengths."""
        sql = "SELECT key || value FROM meta WHERE key IN (?, ?) ORDER BY key"
        state = tuple(row[0] for row in db.execute(sql, (GENERATION, CHANGED)))
        if self._lengths is None or state != self._state:
            self._lengths, self._sure, self._state = None, 0, state
            if copied := CommonWords(db).lengths(self._kind):
                known, self._sure = copied
                self._lengths = grown(None, known.nonzero()[0], known[known > 0], above=0, reach=self._reach)
        numbers, tokens = (as_numbers(joined) for joined in db.execute(self._rows, (self._sure,)).fetchone())
        self._lengths = grown(self._lengths, numbers, tokens, above=self._sure, reach=self._reach)
        self._sure = max(self._sure, int(numbers[-1]) - _UNSURE if len(numbers) else 0)
        return self._lengths


def numbering(db: sqlite3.Connection) -> str | None:
    """Return a value that changes when rows are renumbered."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (GENERATION,)).fetchone()
    return None if row is None else str(row[0])
