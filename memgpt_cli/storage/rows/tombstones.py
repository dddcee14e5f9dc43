"""Delete and restore messages: rows of `tombstones` replace rows of `messages`.

A deleted message is in no list, no search and no queue; its tombstone keeps its content until it is restored or
forgotten. The summary that may mention it is marked here (`summary_from`), and the queue manager rewrites it.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.history import FRESH_START, SUMMARY_FROM, Change, Tombstone
from memgpt_cli.domain.kinds import Collection, Kind
from memgpt_cli.domain.times import from_text, to_text
from memgpt_cli.storage.database.filters import SPOKEN_SQL
from memgpt_cli.storage.lexical.index import FullText
from memgpt_cli.storage.rows.journal import Journal
from memgpt_cli.storage.rows.messages import IMPORTED, message_of
from memgpt_cli.storage.rows.turns import Epochs
from memgpt_cli.storage.vectors.log import Vectors

_SUMMARY_FROM: Final = f"note.{SUMMARY_FROM}"

_COLUMNS: Final = (
    "id", "turn", "step", "role", "name", "text", "stub", "calls", "call_id", "ok", "interrupted", "created_at",
    "session", "external_id", "opaque", "evicted_by", "effects", "origin",
)  # fmt: skip
_AT_ONCE: Final = 10_000
"""Messages held in memory during a deletion."""

_MANY: Final = 2_000
"""From this many messages on, the full-text index is rebuilt instead of updated one by one."""


class Tombstones:
    """Deleted messages on one connection. Writes join the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, words: FullText, journal: Journal, epochs: Epochs) -> None:
        self._db = connection
        self._words = words
        self._journal = journal
        self._epochs = epochs

    def get(self, message_id: int) -> Tombstone | None:
        """Return the tombstone of a message, if it has one."""
        row = self._db.execute("SELECT * FROM tombstones WHERE message = ?", (message_id,)).fetchone()
        return None if row is None else _tombstone(row)

    def of_turn(self, turn: int) -> list[Tombstone]:
        """Return those of one turn, in order."""
        rows = self._db.execute("SELECT * FROM tombstones WHERE turn = ? ORDER BY message", (turn,))
        return [_tombstone(row) for row in rows]

    def delete(self, ids: Iterable[int], *, at: datetime, provenance: Provenance, anew: bool = True) -> int:
        """Take messages out of recall storage; returns how many there were. Whole turns are the caller's concern.

        If they were in the queue or may be in the summary, the next prompt begins a new epoch, unless `anew` is False.
        """
        found: list[int] = []
        evicted_by: list[int | None] = []
        wanted = iter(ids)
        while chunk := list(islice(wanted, _AT_ONCE)):
            rows = self._rows(chunk)
            found += [int(row["id"]) for row in rows]
            evicted_by += [row["evicted_by"] for row in rows]
            self._delete_rows(rows, at=at, provenance=provenance)
        for first, last in runs(found):
            change = Change(kind=Kind.MESSAGE, first=first, last=last, before=1, after=0)
            self._journal.record(change, at=at, provenance=provenance)
        if anew:
            self._rewrite_the_past(evicted_by, at=at, cause="messages deleted")
        return len(found)

    def restore(self, ids: Iterable[int], *, at: datetime, provenance: Provenance) -> int:
        """Restore deleted messages to their places; returns how many could be restored."""
        found = self._db.execute(
            "SELECT content FROM tombstones WHERE message IN (SELECT value FROM json_each(?)) AND content IS NOT NULL"
            " ORDER BY message",
            (json.dumps(list(ids)),),
        )
        contents = [kept_message(row["content"]) for row in found]
        marks = ", ".join("?" * len(_COLUMNS))
        self._db.executemany(
            f"INSERT INTO messages ({', '.join(_COLUMNS)}) VALUES ({marks})",  # noqa: S608 - our own names
            ([content[column] for column in _COLUMNS] for content in contents),
        )
        back = [int(content["id"]) for content in contents]
        self._settle(contents)
        self._db.executemany("DELETE FROM tombstones WHERE message = ?", ((message_id,) for message_id in back))
        self._into_index(contents)
        self._await_vectors(back)
        for first, last in runs(back):
            change = Change(kind=Kind.MESSAGE, first=first, last=last, before=0, after=1)
            self._journal.record(change, at=at, provenance=provenance)
        evicted_by = [row["evicted_by"] for row in self._rows(back)]
        self._rewrite_the_past(evicted_by, at=at, cause="messages restored")
        return len(back)

    def is_there(self, first: int, last: int) -> bool:
        """Whether all messages from one id to another are in recall storage, except forgotten ones."""
        there = self._db.execute("SELECT count(*) FROM messages WHERE id BETWEEN ? AND ?", (first, last)).fetchone()[0]
        gone = self._db.execute(
            "SELECT count(*) FROM tombstones WHERE message BETWEEN ? AND ? AND content IS NULL", (first, last)
        ).fetchone()[0]
        return int(there + gone) == last - first + 1

    def is_gone(self, first: int, last: int) -> bool:
        """Whether none of the messages from one id to another is in recall storage."""
        row = self._db.execute("SELECT 1 FROM messages WHERE id BETWEEN ? AND ? LIMIT 1", (first, last)).fetchone()
        return row is None

    def _delete_rows(self, rows: Sequence[sqlite3.Row], *, at: datetime, provenance: Provenance) -> None:
        found = [int(row["id"]) for row in rows]
        self._from_index(found)
        self._db.executemany(
            "INSERT OR REPLACE INTO tombstones (message, at, author, command, turn, content) VALUES (?, ?, ?, ?, ?, ?)",
            (
                (row["id"], to_text(at), provenance.author, provenance.command, row["turn"], self._content(row))
                for row in rows
            ),
        )
        Vectors(self._db).remove(Collection.MESSAGES, found)
        self._db.executemany("DELETE FROM messages WHERE id = ?", ((message_id,) for message_id in found))

    def _rows(self, ids: Iterable[int]) -> list[sqlite3.Row]:
        return self._db.execute(
            "SELECT m.*, p.place, p.session AS place_session FROM messages m"
            " LEFT JOIN message_places p ON p.message = m.id"
            " WHERE m.id IN (SELECT value FROM json_each(?)) ORDER BY m.id",
            (json.dumps(list(ids)),),
        ).fetchall()

    def _content(self, row: sqlite3.Row) -> str:
        kept = {column: row[column] for column in (*_COLUMNS, "place", "place_session")}
        return json.dumps({**kept, "places": self._words.generation()}, ensure_ascii=False)

    def _from_index(self, ids: Sequence[int]) -> None:
        for message_id in ids:
            self._words.remove_message(message_id)

    def _into_index(self, contents: Sequence[dict[str, Any]]) -> None:
        if len(contents) > _MANY:
            self._words.rebuild_messages()
            return
        for content in contents:
            message = message_of(content)
            if content["place"] is None:
                self._words.add_message(message)
            else:
                place, session = content["place"], content["place_session"]
                self._words.return_message(message, place=place, session=session, generation=content["places"])

    def _settle(self, contents: Sequence[dict[str, Any]]) -> None:
        """Put restored messages back into the queue only if nothing later has been evicted since."""
        newest = self._db.execute("SELECT max(id) FROM messages WHERE evicted_by > ?", (IMPORTED,)).fetchone()[0]
        current = self._epochs.current()
        if newest is not None and current is not None:
            self._db.executemany(
                "UPDATE messages SET evicted_by = ? WHERE id = ? AND evicted_by IS NULL AND id < ?",
                ((current.id, content["id"], newest) for content in contents),
            )

    def _await_vectors(self, ids: Sequence[int]) -> None:
        wanted = self._db.execute(
            "SELECT id FROM messages WHERE id IN (SELECT value FROM json_each(?)) AND evicted_by IS NOT NULL"  # noqa: S608
            f" AND role IN ({SPOKEN_SQL}) AND text <> ''",
            (json.dumps(list(ids)),),
        ).fetchall()
        Vectors(self._db).enqueue(Collection.MESSAGES, [row["id"] for row in wanted])

    def _rewrite_the_past(self, evicted_by: Sequence[int | None], *, at: datetime, cause: str) -> None:
        """Begin a new epoch if the prompt or the summary mentions these messages."""
        evicted = [epoch for epoch in evicted_by if epoch is not None]
        told = [epoch for epoch in evicted if epoch > self._last_fresh_start()]
        current = self._epochs.current()
        if current is None or not (told or len(evicted) < len(evicted_by)):
            return
        if told:
            self.doubt_summary(min(told))
        summary = "" if told else current.summary
        self._epochs.ask_for_new(cause, at=at, summary=summary, hidden=self.hidden(), origin=current.origin)

    def doubt_summary(self, evicted_by: int) -> None:
        """Mark every summary since this epoch for rewriting."""
        base = self._db.execute("SELECT max(id) FROM epochs WHERE id < ?", (evicted_by,)).fetchone()[0] or 0
        known = self._db.execute("SELECT value FROM meta WHERE key = ?", (_SUMMARY_FROM,)).fetchone()
        base = base if known is None or not known["value"] else min(base, int(known["value"]))
        self._db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_SUMMARY_FROM, str(base)))

    def _last_fresh_start(self) -> int:
        """Return the last epoch that started without a summary: earlier evictions are no longer mentioned."""
        row = self._db.execute("SELECT max(id) FROM epochs WHERE cause = ?", (FRESH_START,)).fetchone()
        return max(IMPORTED, int(row[0] or 0))

    def hidden(self) -> int:
        """Return how many user and assistant messages have left the queue."""
        return int(
            self._db.execute(
                f"SELECT count(*) FROM messages WHERE evicted_by > ? AND role IN ({SPOKEN_SQL}) AND text <> ''",  # noqa: S608
                (IMPORTED,),
            ).fetchone()[0]
        )


def runs(ids: Iterable[int]) -> list[tuple[int, int]]:
    """Return ascending ids as ranges without gaps."""
    found: list[tuple[int, int]] = []
    for number in sorted(ids):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def kept_message(content: str) -> dict[str, Any]:
    """Return the row of a deleted message. A column that is newer than the deletion is None."""
    return {**dict.fromkeys(_COLUMNS), **json.loads(content)}


def _tombstone(row: sqlite3.Row) -> Tombstone:
    return Tombstone(
        id=row["message"],
        at=from_text(row["at"]),
        provenance=Provenance(author=Author(row["author"]), command=row["command"]),
        turn=row["turn"],
        message=None if row["content"] is None else message_of(kept_message(row["content"])),
    )
