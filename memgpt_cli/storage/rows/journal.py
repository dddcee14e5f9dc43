"""The log of changes to memory, as rows of `operations` and `changes`: author, change, time and cause.

Every store that changes memory writes here, in the same transaction. The log contains numbers of states, never texts,
which are in the histories. `undo` undoes operations.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.history import Change, Operation
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.times import from_text, to_text

_OF_A_PAGE_OUT: Final = "(author = 'user' AND command IS NULL)"
"""Passages of a message too long for the window exist only with its turn, because its stub mentions them."""


_INTERRUPTED: Final = "note.interrupted_operation"
"""The key of `meta` for the operation that is running, and what resumes it: JSON `[id, key]`."""


@dataclass(slots=True)
class _Running:
    """The operation that changes are being added to. `id` is 0 before the first one; `key` is what resumes it."""

    provenance: Provenance | None
    id: int = 0
    change: int = 0
    key: str | None = None


class Journal:
    """The changes, newest first. Writes join the caller's transaction.

    Changes by the system itself (creating an agent) are not operations: they cannot be undone one by one.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._together: _Running | None = None
        self._series: _Running | None = None
        self._silent = False

    @contextmanager
    def operation(self, provenance: Provenance | None = None, *, key: str | None = None) -> Iterator[None]:
        """All changes within are one operation, over several transactions too; nested uses join the outer one.

        Its provenance is the one given, else the first change's own. With a `key`, an operation of that key that was
        interrupted goes on, if nothing was changed since: one undo takes back all of it.
        """
        if self._together is not None:
            yield
            return
        self._together = running = _Running(provenance, key=key)
        try:
            yield
        finally:
            self._together = None
        if key is not None and running.id:
            self._db.execute("DELETE FROM meta WHERE key = ?", (_INTERRUPTED,))

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Do not record the changes inside: an operation is being undone."""
        before, self._silent = self._silent, True
        try:
            yield
        finally:
            self._silent = before

    @property
    def provenance(self) -> Provenance | None:
        """Return the running operation's provenance, if it was given."""
        return None if self._together is None else self._together.provenance

    def record(self, change: Change, *, at: datetime, provenance: Provenance) -> None:
        """Record a change that was just made."""
        if self._silent or provenance.author is Author.SYSTEM:
            return
        running = self._together or self._continued(provenance)
        if running.id and self._extend(running, change):
            return
        if not running.id or not self._exists(running.id):
            running.id = self._resumed(running) or self._begin(running.provenance or provenance, at)
            if running.key is not None:
                note = json.dumps([running.id, running.key])
                self._db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_INTERRUPTED, note))
        cursor = self._db.execute(
            "INSERT INTO changes (operation, kind, label, first, last, before, after) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (running.id, change.kind, change.label, change.first, change.last, change.before, change.after),
        )
        running.change = cursor.lastrowid or 0

    def _resumed(self, running: _Running) -> int | None:
        """The interrupted operation of this key, if it is the newest one."""
        if running.key is None:
            return None
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (_INTERRUPTED,)).fetchone()
        operation, key = json.loads(row[0]) if row is not None else (0, None)
        return operation if key == running.key and self._is_newest(operation) else None

    def _continued(self, provenance: Provenance) -> _Running:
        """Return the operation to continue: loads, imports and page-outs continue until another change."""
        bulk = provenance.author in {Author.DOCUMENT, Author.IMPORT} or (
            provenance.author is Author.USER and provenance.command is None
        )
        series = self._series
        if bulk and series is not None and series.provenance == provenance and self._is_newest(series.id):
            return series
        self._series = _Running(provenance) if bulk else None
        return self._series or _Running(provenance)

    def _extend(self, running: _Running, change: Change) -> bool:
        """Extend the last change by one item, if it is the same change."""
        if change.label is not None:
            return False
        cursor = self._db.execute(
            "UPDATE changes SET last = ? WHERE id = ? AND operation = ? AND kind = ? AND last = ? AND before = ?"
            " AND after = ?",
            (change.last, running.change, running.id, change.kind, change.first - 1, change.before, change.after),
        )
        return cursor.rowcount == 1

    def _begin(self, provenance: Provenance, at: datetime) -> int:
        # Operations undone before this one cannot be redone after it, even if this one is undone.
        self._db.execute(
            "UPDATE operations SET undone_with_turn = 1"
            " WHERE id > (SELECT coalesce(max(id), 0) FROM operations WHERE undone_at IS NULL)"
        )
        cursor = self._db.execute(
            "INSERT INTO operations (at, author, message_id, command, turn)"
            " VALUES (?, ?, ?, ?, (SELECT turn FROM messages WHERE id = ?))",
            (to_text(at), provenance.author, provenance.message_id, provenance.command, provenance.message_id),
        )
        return cursor.lastrowid or 0

    def _exists(self, operation: int) -> bool:
        """Whether its row was not rolled back with the transaction that made it."""
        row = self._db.execute("SELECT 1 FROM operations WHERE id = ? AND undone_at IS NULL", (operation,)).fetchone()
        return row is not None

    def _is_newest(self, operation: int) -> bool:
        return self._exists(operation) and operation == self._db.execute("SELECT max(id) FROM operations").fetchone()[0]

    def undoable(self, *, limit: int = 1) -> list[Operation]:
        """Return the newest operations that can be undone on their own, newest first."""
        rows = self._db.execute(
            f"SELECT * FROM operations WHERE undone_at IS NULL AND NOT {_OF_A_PAGE_OUT} ORDER BY id DESC LIMIT ?",  # noqa: S608
            (limit,),
        )
        return self._read(rows.fetchall())

    def undone(self, *, limit: int = 1) -> list[Operation]:
        """Return the operations that can be redone, the next one first: those undone with no change since."""
        rows = self._db.execute(
            "SELECT * FROM operations WHERE undone_at IS NOT NULL AND NOT undone_with_turn"
            " AND id > (SELECT coalesce(max(id), 0) FROM operations WHERE undone_at IS NULL) ORDER BY id LIMIT ?",
            (limit,),
        )
        return self._read(rows.fetchall())

    def page(self, *, limit: int, offset: int = 0, author: Author | None = None) -> list[Operation]:
        """Return all operations, or those of one author, newest first."""
        rows = self._db.execute(
            "SELECT * FROM operations WHERE coalesce(author = ?, 1) ORDER BY id DESC LIMIT ? OFFSET ?",
            (author, limit, offset),
        )
        return self._read(rows.fetchall())

    def of_turn(self, turn: int) -> list[Operation]:
        """Return the operations caused by the messages of a turn, newest first."""
        return self._read(
            self._db.execute("SELECT * FROM operations WHERE turn = ? ORDER BY id DESC", (turn,)).fetchall()
        )

    def mark_undone(self, operation: int, *, at: datetime, with_turn: bool = False) -> None:
        """Mark it as undone."""
        self._db.execute(
            "UPDATE operations SET undone_at = ?, undone_with_turn = ? WHERE id = ?",
            (to_text(at), with_turn, operation),
        )

    def mark_redone(self, operation: int) -> None:
        """Mark it as redone."""
        self._db.execute("UPDATE operations SET undone_at = NULL, undone_with_turn = 0 WHERE id = ?", (operation,))

    def _read(self, rows: Sequence[sqlite3.Row]) -> list[Operation]:
        return [
            Operation(
                id=row["id"],
                at=from_text(row["at"]),
                provenance=Provenance(
                    author=Author(row["author"]), message_id=row["message_id"], command=row["command"]
                ),
                changes=self._changes(row["id"]),
                turn=row["turn"],
                undone_at=None if row["undone_at"] is None else from_text(row["undone_at"]),
                undone_with_turn=bool(row["undone_with_turn"]),
            )
            for row in rows
        ]

    def _changes(self, operation: int) -> tuple[Change, ...]:
        rows = self._db.execute("SELECT * FROM changes WHERE operation = ? ORDER BY id", (operation,))
        return tuple(
            Change(
                kind=Kind(row["kind"]),
                label=row["label"],
                first=row["first"],
                last=row["last"],
                before=row["before"],
                after=row["after"],
            )
            for row in rows
        )
