"""Undo and redo operations, and undo a whole turn.

They use the states that the histories keep: the state before an operation becomes current again, as a new version.
Items that were changed since stay as they are.
"""

import json
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from typing_extensions import override

from memgpt_cli.domain.agents import TurnState
from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.history import Change, Operation, UndoneTurn
from memgpt_cli.domain.kinds import Collection, Kind
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import UsageError
from memgpt_cli.ports import UndoStore
from memgpt_cli.storage.kinds.kind import Rows
from memgpt_cli.storage.kinds.registry import Kinds
from memgpt_cli.storage.vectors.log import Vectors


class Undo(UndoStore):
    """Undo and redo on one connection. Writes join the caller's transaction."""

    def __init__(self, rows: Rows, kinds: Kinds) -> None:
        self._db: sqlite3.Connection = rows.connection
        self._rows = rows
        self._kinds = kinds
        self._journal = rows.journal

    @override
    def undo(self, *, at: datetime, provenance: Provenance) -> Operation | None:
        last = self._journal.undoable(limit=1)
        if not last:
            return None
        if not self._take_back(last[0], at=at, provenance=provenance):
            raise UsageError(
                "the items of the last operation were changed since, without a record",
                hint="check `memgpt memory log` and `memgpt archival log`, and make the change by hand",
            )
        self._journal.mark_undone(last[0].id, at=at)
        return last[0]

    @override
    def redo(self, *, at: datetime, provenance: Provenance) -> Operation | None:
        found = self._journal.undone(limit=1)
        if not found:
            return None
        changes = found[0].changes
        if not all(self._is_in(change, change.before) for change in _last_changes(changes[::-1])):
            raise UsageError("the items were changed since", hint="make the change by hand")
        with self._journal.silence():
            for change in changes:
                self._kinds[change.kind].move(change, change.after, at=at, provenance=provenance)
        for kind in {change.kind for change in changes}:
            self._kinds[kind].after_redoing(found[0])
        self._journal.mark_redone(found[0].id)
        return found[0]

    @override
    def last_turn(self) -> int | None:
        row = self._db.execute("SELECT max(id) FROM turns WHERE state <> 'undone'").fetchone()
        return None if row[0] is None else int(row[0])

    @override
    def undo_turn(self, turn: int, *, at: datetime, provenance: Provenance) -> UndoneTurn:
        """Take back the last turn: its messages leave recall, what it changed is undone, what it evicted returns.

        The prompt is the same as before the turn: the head of the epoch in which it began is current again. The caller
        must hold the agent's lock. Raises UsageError if it is not the last turn.
        """
        if turn != self.last_turn():
            raise UsageError(f"turn {turn} is not the last one", hint="only the last turn can be undone")
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
        messages = self._rows.messages.of_turn(turn)
        with self._journal.silence():
            self._rows.tombstones.delete([m.id for m in messages], at=at, provenance=provenance, anew=False)
        returned = self._return_evicted(row["first_epoch"])
        self._epoch_before(row, at=at)
        reopened = tuple(r["id"] for r in self._db.execute("SELECT id FROM turns WHERE joined = ?", (turn,)))
        self._db.execute("UPDATE turns SET state = 'open', joined = NULL WHERE joined = ?", (turn,))
        self._db.execute("UPDATE turns SET state = ? WHERE id = ?", (TurnState.UNDONE, turn))
        return UndoneTurn(
            turn=turn,
            messages=tuple(messages),
            operations=tuple(operations),
            kept=tuple(kept),
            returned=returned,
            reopened=reopened,
        )

    def _take_back(self, operation: Operation, *, at: datetime, provenance: Provenance) -> bool:
        """Make the states before it current; False, without a change, if the current states are not those after it."""
        if not all(self._is_in(change, change.after) for change in _last_changes(operation.changes)):
            return False
        with self._journal.silence():
            for change in reversed(operation.changes):
                self._kinds[change.kind].take_back(operation, change, at=at, provenance=provenance)
        for kind in {change.kind for change in operation.changes}:
            self._kinds[kind].after_taking_back(operation)
        return True

    def _is_in(self, change: Change, state: int) -> bool:
        return self._kinds[change.kind].is_in(change, state)

    def _return_evicted(self, first_epoch: int) -> int:
        """Return messages evicted by epochs later than this one to the queue."""
        back = [
            row["id"]
            for row in self._db.execute("SELECT id FROM messages WHERE evicted_by > ?", (first_epoch,)).fetchall()
        ]
        self._db.executemany("UPDATE messages SET evicted_by = NULL WHERE id = ?", ((i,) for i in back))
        Vectors(self._db).remove(Collection.MESSAGES, back)
        return len(back)

    def _epoch_before(self, turn: sqlite3.Row, *, at: datetime) -> None:
        """Make the head of the epoch in which the turn began current again, with the versions the model had seen."""
        row = self._db.execute("SELECT * FROM epochs WHERE id = ?", (turn["first_epoch"],)).fetchone()
        if row is None:
            return
        seen = {label: self._seen_now(label, version) for label, version in json.loads(turn["seen_before"]).items()}
        self._db.execute(
            "INSERT INTO epochs (started_at, cause, head, fingerprint, summary, hidden, seen_blocks, warned, origin)"
            " VALUES (?, 'undo', ?, ?, ?, ?, ?, ?, ?)",
            (
                to_text(at),
                row["head"],
                row["fingerprint"],
                row["summary"],
                row["hidden"],
                json.dumps(seen, ensure_ascii=False),
                turn["warned_before"],
                row["origin"],
            ),
        )

    def _seen_now(self, label: str, version: int) -> int:
        """Return the version to record: a block with the text that the model saw needs no notice."""
        now = self._rows.blocks.get(label)
        return now.version if now is not None and self._rows.blocks.is_as_in(label, version) else version


def _last_changes(changes: Sequence[Change]) -> Iterator[Change]:
    """Yield the last change of each item: a passage that left one document and then another has two."""
    labels: set[tuple[Kind, str]] = set()
    claimed: dict[Kind, list[range]] = {}
    for change in reversed(changes):
        if change.label is not None:
            if (change.kind, change.label) not in labels:
                labels.add((change.kind, change.label))
                yield change
            continue
        for part in _claim(change.numbers, claimed.setdefault(change.kind, [])):
            yield replace(change, first=part.start, last=part.stop - 1)


def _claim(numbers: range, claimed: list[range]) -> list[range]:
    """Add numbers to the claimed ranges (ascending, disjoint); returns those not claimed before."""
    first = bisect_left(claimed, numbers.start, key=lambda stretch: stretch.stop)
    last = bisect_right(claimed, numbers.stop, key=lambda stretch: stretch.start)
    edges = [numbers.start, *(edge for s in claimed[first:last] for edge in (s.start, s.stop)), numbers.stop]
    claimed[first:last] = [range(min(edges), max(edges))]
    return [range(start, stop) for start, stop in zip(edges[::2], edges[1::2], strict=True) if start < stop]
