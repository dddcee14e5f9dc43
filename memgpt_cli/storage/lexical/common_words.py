"""Copies of the occurrences of common words as arrays, for fast searches in a million messages.

FTS5 lists an occurrence in 0.13 us, so a word that occurs in a tenth of a million messages costs 13 ms per query. A
copy covers the rows up to some number. FTS5 lists the newer ones, which stay few, because the copy is rebuilt when a
tenth has been added. The copy is disposable: without it, searches only take longer.
"""

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from memgpt_cli.storage.database.connection import transaction
from memgpt_cli.storage.lexical.forms import Form
from memgpt_cli.storage.lexical.occurrences import OCCURRENCE, ROW_BITS, as_numbers, phrase, upto_row
from memgpt_cli.text.vocabulary import STOP_WORDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KINDS: Final = ("message", "passage")
"""Prefixes of the full-text tables."""

_COMMON: Final = 1_000
"""A word is common from this many rows on: FTS5 lists fewer in a tenth of a millisecond."""

_FEW: Final = 20_000
"""Below this many new rows no copy is made: FTS5 alone is fast."""

_BATCH: Final = 500

_LENGTHS: Final = ""
"""A pseudo-term: the lengths of all rows, which a search needs too."""


class CommonWords:
    """Reads occurrences, from the copy if there is one."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def occurrences(
        self, kind: str, form: Form, read: "dict[str, tuple[NDArray[np.int64], int | None]] | None" = None
    ) -> "NDArray[np.int64]":
        """Return the occurrences of a form of a word; positions of common words in the newest rows are all 0.

        `read` caches what was read of each token, for the other forms of one query.
        """
        import numpy as np

        read = {} if read is None else read
        for token in form.tokens:
            if token not in read:
                read[token] = self._of_token(kind, token)
        parts = [read[token] for token in form.tokens]
        edges = [upto for _, upto in parts if upto is not None]
        if not edges:
            return phrase([found for found, _ in parts])
        edge = min(edges)
        copied = phrase([upto_row(found, edge) for found, _ in parts])
        later = as_numbers(
            self._db.execute(
                f"SELECT group_concat(rowid) FROM {kind}_words WHERE {kind}_words MATCH ? AND rowid > ?",  # noqa: S608
                (form.quoted, edge),
            ).fetchone()[0]
        )
        return np.concatenate((copied, later << ROW_BITS)) if len(later) else copied

    def edge(self, kind: str) -> int:
        """Return the number of the last row in the copy; 0 if there is none."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (_edge_key(kind),)).fetchone()
        return 0 if row is None else int(row[0])

    def lengths(self, kind: str) -> "tuple[NDArray[np.float32], int] | None":
        """Return the lengths of rows by their number, and the last row they cover; None without a copy."""
        import numpy as np

        row = self._copied(kind, _LENGTHS)
        return None if row is None else (np.frombuffer(row[0], "<u2").astype(np.float32), row[1])

    def drop_lengths(self, kind: str) -> None:
        """Delete the copy of the lengths after a row was removed. Joins the caller's transaction."""
        self._db.execute("DELETE FROM common_words WHERE kind = ? AND term = ?", (kind, _LENGTHS))

    def drop(self, kind: str) -> None:
        """Delete the copy; joins the caller's transaction."""
        self._db.execute("DELETE FROM common_words WHERE kind = ?", (kind,))
        self._db.execute("DELETE FROM meta WHERE key = ?", (_edge_key(kind),))

    def refresh(self) -> bool:
        """Rebuild the copy if enough was added; returns whether it did. About 4 s of CPU for a million messages.

        Holds the write lock for a fraction of a second at a time, and may be killed at any point.
        """
        done = False
        for kind in KINDS:
            last = self._db.execute(f"SELECT max({_NUMBER[kind]}) FROM {_ROWS[kind]}").fetchone()[0] or 0  # noqa: S608
            edge = self.edge(kind)
            if last - edge > max(_FEW, edge // 10):
                self._copy(kind, last)
                done = True
        return done

    def _copy(self, kind: str, last: int) -> None:
        rows = self._db.execute(f"SELECT term FROM {kind}_vocabulary WHERE doc >= ?", (_COMMON,)).fetchall()  # noqa: S608
        terms = [row[0] for row in rows if row[0] not in STOP_WORDS]
        with transaction(self._db):
            # From here on no message may get a place that the copy covers.
            self._db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_edge_key(kind), str(last)))
            self._put([(kind, _LENGTHS, last, self._row_lengths(kind, last))])
        for start in range(0, len(terms), _BATCH):
            self._copy_terms(kind, terms[start : start + _BATCH], last)

    def _row_lengths(self, kind: str, last: int) -> bytes:
        import numpy as np

        number = _NUMBER[kind]
        rows, tokens = self._db.execute(
            f"SELECT group_concat({number}), group_concat(min(length, 65535)) FROM {_ROWS[kind]} WHERE {number} <= ?",  # noqa: S608
            (last,),
        ).fetchone()
        lengths = np.zeros(last + 1, "<u2")
        lengths[as_numbers(rows)] = as_numbers(tokens)
        return lengths.tobytes()

    def _copy_terms(self, kind: str, terms: Sequence[str], last: int) -> None:
        sql = f"SELECT {OCCURRENCE} FROM {kind}_terms WHERE term = ?"  # noqa: S608 - our own names
        copies = [
            (kind, term, last, upto_row(as_numbers(self._db.execute(sql, (term,)).fetchone()[0]), last).tobytes())
            for term in terms
        ]
        with transaction(self._db):
            self._put(copies)

    def _put(self, copies: Sequence[tuple[str, str, int, bytes]]) -> None:
        sql = "INSERT OR REPLACE INTO common_words (kind, term, upto, occurrences) VALUES (?, ?, ?, ?)"
        self._db.executemany(sql, copies)

    def _copied(self, kind: str, term: str) -> tuple[bytes, int] | None:
        sql = "SELECT occurrences, upto FROM common_words WHERE kind = ? AND term = ?"
        row = self._db.execute(sql, (kind, term)).fetchone()
        return None if row is None else (row[0], row[1])

    def _of_token(self, kind: str, token: str) -> "tuple[NDArray[np.int64], int | None]":
        """Return the occurrences of one token, and the last row they cover if that is not all."""
        import numpy as np

        row = self._copied(kind, token)
        if row is not None:
            return np.frombuffer(row[0], "<i8"), row[1]
        sql = f"SELECT {OCCURRENCE} FROM {kind}_terms WHERE term = ?"  # noqa: S608 - our own names
        return as_numbers(self._db.execute(sql, (token,)).fetchone()[0]), None


_ROWS: Final = {"message": "message_places", "passage": "passage_lengths"}
_NUMBER: Final = {"message": "place", "passage": "passage"}


def _edge_key(kind: str) -> str:
    return f"common_words:{kind}"
