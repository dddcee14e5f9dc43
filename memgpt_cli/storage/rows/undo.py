"""Taking operations back, doing them again, and taking back a whole turn with everything it did.

Works on the states that the histories keep: what stood before an operation becomes current again, as a new version.
What somebody else has changed since is left as it is.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from memgpt_cli.domain.agents import TurnState
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.documents import DocumentState
from memgpt_cli.domain.history import Change, Kind, Operation, TakenBack
from memgpt_cli.domain.times import to_text
from memgpt_cli.domain.vectors import Collection
from memgpt_cli.errors import UsageError
from memgpt_cli.storage.rows.blocks import Blocks
from memgpt_cli.storage.rows.journal import Journal
from memgpt_cli.storage.rows.messages import Messages
from memgpt_cli.storage.rows.passages import Passages
from memgpt_cli.storage.rows.tombstones import Tombstones
from memgpt_cli.storage.rows.turns import Epochs
from memgpt_cli.storage.vectors.log import Vectors


class Undo:
    """ports.UndoStore on one connection. Writes join the caller's transaction."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        journal: Journal,
        *,
        blocks: Blocks,
        passages: Passages,
        messages: Messages,
        tombstones: Tombstones,
        epochs: Epochs,
    ) -> None:
        self._db = connection
        self._journal = journal
        self._blocks = blocks
        self._passages = passages
        self._messages = messages
        self._tombstones = tombstones
        self._epochs = epochs

    def undo(self, *, at: datetime, provenance: Provenance) -> Operation | None:
        """Take back the last operation that stands; None when there is none.

        Raises UsageError, and changes nothing, when what it changed is not as it left it.
        """
        last = self._journal.standing(limit=1)
        if not last:
            return None
        if not self._take_back(last[0], at=at, provenance=provenance):
            raise UsageError(
                "what the last operation changed has been changed since by something that was not recorded",
                hint="look at it with `memgpt memory log`, `memgpt archival log`, and correct it by hand",
            )
        self._journal.mark_undone(last[0].id, at=at)
        return last[0]

    def redo(self, *, at: datetime, provenance: Provenance) -> Operation | None:
        """Do again what was last taken back, unless something was done since; None when there is nothing.

        Raises UsageError, and changes nothing, when what it would change is not as it was.
        """
        found = self._journal.undone(limit=1)
        if not found:
            return None
        changes = found[0].changes
        if not all(self._is_in(change, change.before) for change in _ends(changes[::-1])):
            raise UsageError("what it would change is not as it was then", hint="make the change by hand")
        with self._journal.silence():
            for change in changes:
                self._move(change, change.after, at=at, provenance=provenance)
        self._journal.mark_redone(found[0].id)
        return found[0]

    def last_turn(self) -> int | None:
        """The turn that `undo_turn` can take back; None when there is none."""
        row = self._db.execute("SELECT max(id) FROM turns WHERE state <> 'undone'").fetchone()
        return None if row[0] is None else int(row[0])

    def undo_turn(self, turn: int, *, at: datetime, provenance: Provenance) -> TakenBack:
        """Take back the last turn: its messages leave recall, what it changed is undone, what it evicted returns.

        The prompt is as it was before the turn: the head of the epoch in which it began is current again. Only for the
        holder of the agent's lock. Raises UsageError when it is not the last turn.
        """
        if turn != self.last_turn():
            raise UsageError(f"turn {turn} is not the last one", hint="only the last turn can be taken back")
        row = self._db.execute("SELECT * FROM turns WHERE id = ?", (turn,)).fetchone()
        operations, kept = [], []
        for operation in self._journal.of_turn(turn):
            if operation.undone_at is not None:
                continue
            if self._take_back(operation, at=at, provenance=provenance):
                self._journal.mark_undone(operation.id, at=at, with_turn=True)
                operations.append(operation)
            else:
                kept.append(operation)
        messages = self._messages.of_turn(turn)
        with self._journal.silence():
            self._tombstones.bury([m.id for m in messages], at=at, provenance=provenance, anew=False)
        returned = self._return_evicted(row["first_epoch"])
        self._epoch_before(row, at=at)
        reopened = tuple(r["id"] for r in self._db.execute("SELECT id FROM turns WHERE joined = ?", (turn,)))
        self._db.execute("UPDATE turns SET state = 'open', joined = NULL WHERE joined = ?", (turn,))
        self._db.execute("UPDATE turns SET state = ? WHERE id = ?", (TurnState.UNDONE, turn))
        return TakenBack(
            turn=turn,
            messages=tuple(messages),
            operations=tuple(operations),
            kept=tuple(kept),
            returned=returned,
            reopened=reopened,
        )

    def _take_back(self, operation: Operation, *, at: datetime, provenance: Provenance) -> bool:
        """Make the states before it current; False, and nothing is changed, when they are not as it left them."""
        if not all(self._is_in(change, change.after) for change in _ends(operation.changes)):
            return False
        with self._journal.silence():
            for change in reversed(operation.changes):
                if change.kind is Kind.PASSAGE and change.before == 0:
                    own = self._written_by(operation.provenance.author, change)
                    self._passages.delete(own, at=at, provenance=provenance)
                else:
                    self._move(change, change.before, at=at, provenance=provenance)
        if operation.provenance.author is Author.DOCUMENT:
            self._unsettle_documents(operation)
        return True

    def _is_in(self, change: Change, state: int) -> bool:
        if change.kind is Kind.BLOCK:
            return self._blocks.is_as_in(change.label or "", state)
        if change.kind is Kind.PASSAGE:
            return all(self._passages.is_as_in(number, state) for number in _numbers(change))
        is_there = self._tombstones.is_there if state else self._tombstones.is_gone
        return is_there(change.first, change.last)

    def _move(self, change: Change, state: int, *, at: datetime, provenance: Provenance) -> None:
        if change.kind is Kind.BLOCK:
            self._blocks.restore(change.label or "", state, at=at, provenance=provenance)
        elif change.kind is Kind.PASSAGE:
            for number in _numbers(change):
                self._passages.restore(number, state, at=at, provenance=provenance)
        elif state:
            self._tombstones.unbury(_numbers(change), at=at, provenance=provenance)
        else:
            self._tombstones.bury(_numbers(change), at=at, provenance=provenance)

    def _written_by(self, author: Author, change: Change) -> list[int]:
        """Those of the added passages that nobody else has said outright since."""
        rows = self._db.execute(
            "SELECT id FROM passages WHERE id BETWEEN ? AND ? AND author = ?", (change.first, change.last, author)
        )
        return [row["id"] for row in rows]

    def _unsettle_documents(self, operation: Operation) -> None:
        """A document whose load was taken back is not whole any more: loading it again is to read it again."""
        for change in operation.changes:
            self._db.execute(
                "UPDATE documents SET state = ? WHERE source IN (SELECT source FROM passages WHERE id BETWEEN ? AND ?)",
                (DocumentState.LOADING, change.first, change.last),
            )
        self._db.execute(
            "INSERT OR IGNORE INTO document_passages (document, passage, generation, location)"
            " SELECT d.id, p.id, d.generation, p.location FROM documents d JOIN passages p ON p.source = d.source"
            " WHERE d.state = ? AND p.deleted_at IS NULL",
            (DocumentState.LOADING,),
        )

    def _return_evicted(self, first_epoch: int) -> int:
        """What was evicted on behalf of later epochs than this one stands in the queue again."""
        back = [
            row["id"]
            for row in self._db.execute("SELECT id FROM messages WHERE evicted_by > ?", (first_epoch,)).fetchall()
        ]
        self._db.executemany("UPDATE messages SET evicted_by = NULL WHERE id = ?", ((i,) for i in back))
        Vectors(self._db).remove(Collection.MESSAGES, back)
        return len(back)

    def _epoch_before(self, turn: sqlite3.Row, *, at: datetime) -> None:
        """Make the head of the epoch in which the turn began current again, with what the model had been shown then."""
        row = self._db.execute("SELECT * FROM epochs WHERE id = ?", (turn["first_epoch"],)).fetchone()
        if row is None:
            return
        seen = {label: self._seen_now(label, version) for label, version in json.loads(turn["seen_before"]).items()}
        self._db.execute(
            "INSERT INTO epochs (started_at, cause, head, fingerprint, summary, hidden, seen_blocks, warned)"
            " VALUES (?, 'undo', ?, ?, ?, ?, ?, ?)",
            (
                to_text(at),
                row["head"],
                row["fingerprint"],
                row["summary"],
                row["hidden"],
                json.dumps(seen, ensure_ascii=False),
                turn["warned_before"],
            ),
        )

    def _seen_now(self, label: str, version: int) -> int:
        """A block that says again what the model was shown needs no notice."""
        now = self._blocks.get(label)
        return now.version if now is not None and self._blocks.is_as_in(label, version) else version


def _ends(changes: Sequence[Change]) -> list[Change]:
    """The last change of each thing: a passage that left one document and then another changed twice."""
    passages: set[int] = set()
    others: set[tuple[Kind, str | None, int]] = set()
    found = []
    for change in reversed(changes):
        if change.kind is Kind.PASSAGE:
            left = [number for number in _numbers(change) if number not in passages]
            is_whole = len(left) == change.last + 1 - change.first
            found += [change] if is_whole else [replace(change, first=number, last=number) for number in left]
            passages.update(left)
        elif (thing := (change.kind, change.label, change.first)) not in others:
            others.add(thing)
            found.append(change)
    return found


def _numbers(change: Change) -> Iterable[int]:
    return range(change.first, change.last + 1)
