"""Permanently delete everything the finder matched, from the rows and from the pages of the file.

One transaction empties the rows. Then the file is rewritten, so that nothing is left in free pages, in old segments of
the full-text index or in the write-ahead log. After a crash between the two, `pending` is true and `rewrite_file`
finishes the work.
"""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.errors import StorageError
from memgpt_cli.storage.forgetting.batch_traces import text_columns
from memgpt_cli.storage.forgetting.findings import Finder
from memgpt_cli.storage.forgetting.proof import RowProof
from memgpt_cli.storage.kinds.found import Findings
from memgpt_cli.storage.rows.tombstones import runs
from memgpt_cli.storage.store import SQLiteStore
from memgpt_cli.storage.vectors.log import Vectors

_PENDING: Final = "purge_pending"
_BY: Final = Provenance(author=Author.USER, command="forget")


class Purge:
    """Deletes from one record. The caller holds the agent's lock."""

    def __init__(self, store: SQLiteStore) -> None:
        self._store = store
        self._db = store.connection

    @property
    def pending(self) -> bool:
        """Whether the rows were emptied but the file was not rewritten yet."""
        return self._store.note(_PENDING) == "1"

    def empty_rows(self, finder: Finder, *, at: datetime) -> None:
        """Remove everything that was found from the rows, in one transaction, and request a new epoch."""
        found = finder.found
        with self._store.transaction(), self._store.journal.silence():
            for kind in self._store.kinds:
                kind.purge(found, at=at, provenance=_BY)
            self._empty_epochs(found, at)
            self._forget_operations(found)
            self._forget_commands(found)
            self._store.kinds.reindex()
            Vectors(self._db).begin_anew()
            self._store.set_note(_PENDING, "1")

    def rewrite_file(self) -> None:
        """Rewrite the file and truncate its log. Raises StorageError if another process keeps reading it."""
        try:
            self._db.execute("VACUUM")
            busy = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.Error as error:
            raise StorageError(
                f"the rows are empty, but the file could not be rewritten: {error}",
                hint="run the same command again; it continues there",
            ) from error
        if busy:
            raise StorageError(
                "the rows are empty, but another process reads the record, so its log could not be truncated",
                hint="close other memgpt commands and run the same command again; it continues there",
            )
        self._store.set_note(_PENDING, "")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rows_with(self, finder: Finder) -> list[str]:
        """Return the columns, as `table.column`, in which the text can still be found."""
        if finder.forgotten is None:
            return []
        return list(RowProof(finder.forgotten.text).columns_with(self._db, self.text_columns()))

    def text_columns(self) -> list[tuple[str, str]]:
        """Return every column of every ordinary table that may contain a text."""
        return text_columns(self._db)

    def stands_elsewhere(self, texts: Iterable[str]) -> set[str]:
        """Return those of these texts that remaining rows also contain."""
        left = set(texts)
        said = set()
        for table, column in (place for kind in self._store.kinds for place in kind.said):
            for (value,) in self._db.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"):  # noqa: S608
                here = {text for text in left if text in value}
                said |= here
                left -= here
        schema = self._db.execute("SELECT group_concat(sql) FROM sqlite_master").fetchone()[0].lower()
        return said | {text for text in left if text.lower() in schema}

    def _empty_epochs(self, found: Findings, at: datetime) -> None:
        """Empty the heads, which show core memory and summaries, except summaries that cannot mention it."""
        current = self._store.epochs.current()
        if current is None:
            return
        self._db.executemany("UPDATE epochs SET summary = '' WHERE id = ?", ((epoch,) for epoch in found.epochs))
        self._db.execute("UPDATE epochs SET head = '[]', fingerprint = ''")
        told = found.epochs and current.id in found.epochs and current.summary
        if told:
            self._store.tombstones.doubt_summary(min(found.epochs))
        self._store.epochs.ask_for_new(
            "forget",
            at=at,
            summary="" if told else current.summary,
            hidden=self._store.tombstones.hidden(),
            origin=current.origin,
        )

    def _forget_operations(self, found: Findings) -> None:
        """Remove from the undo history everything that could restore it; other parts of the same operation stay."""
        changed = {kind: found.changed(kind) for kind in Kind}
        for row in self._db.execute("SELECT * FROM changes").fetchall():
            items = changed[Kind(row["kind"])]
            numbers = () if row["label"] is not None else range(row["first"], row["last"] + 1)
            if row["label"] not in items and not any(item in numbers for item in items):
                continue
            self._db.execute("DELETE FROM changes WHERE id = ?", (row["id"],))
            left = runs(number for number in numbers if number not in items)
            self._db.executemany(
                "INSERT INTO changes (operation, kind, first, last, before, after) VALUES (?, ?, ?, ?, ?, ?)",
                ((row["operation"], row["kind"], first, last, row["before"], row["after"]) for first, last in left),
            )
        self._db.execute("DELETE FROM operations WHERE id NOT IN (SELECT operation FROM changes)")

    def _forget_commands(self, found: Findings) -> None:
        for table in (table for table, column in self.text_columns() if column == "command"):
            rows = self._db.execute(f"SELECT DISTINCT command FROM {table} WHERE command IS NOT NULL").fetchall()  # noqa: S608
            gone = [(row[0],) for row in rows if found.holds(row[0])]
            self._db.executemany(f"UPDATE {table} SET command = NULL WHERE command = ?", gone)  # noqa: S608
