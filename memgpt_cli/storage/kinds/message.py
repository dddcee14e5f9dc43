"""Messages as a kind of memory: recall storage, the queue, and deleted messages in `tombstones`."""

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.history import Change, ItemState
from memgpt_cli.domain.kinds import PREFIXES, Collection, Kind
from memgpt_cli.domain.messages import Role
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.domain.times import to_text
from memgpt_cli.storage.kinds.found import Findings
from memgpt_cli.storage.kinds.kind import GONE, KindOfMemory
from memgpt_cli.storage.rows.tombstones import kept_message

_CITED: Final = re.compile(rf"(?<![\w])\[([{PREFIXES}]\d+) ")
_TEXTS: Final = ("text", "stub", "calls", "name", "session", "external_id", "opaque", "origin")
_PAGE: Final = 1_000


class MessageMemory(KindOfMemory):
    """Messages. Their states are 1 (exists) and 0 (deleted)."""

    kind = Kind.MESSAGE
    tables = ("messages", "tombstones")
    numbered = ("messages",)
    said = (("messages", "text"), ("messages", "calls"))
    collection = Collection.MESSAGES

    def existed(self, number: int) -> bool:
        """Whether this message or its tombstone exists."""
        return super().existed(number) or self._rows.tombstones.get(number) is not None

    def state(self, item: int | str, version: int) -> ItemState | None:
        """Return its text, also of a deleted message; a forgotten one has none."""
        if not version:
            return None
        found = self._rows.messages.get([int(item)])
        tombstone = None if found else self._rows.tombstones.get(int(item))
        message = found[0] if found else tombstone.message if tombstone else None
        return ItemState(text=message.text if message else "")

    def is_in(self, change: Change, state: int) -> bool:
        """Whether all of them exist, or all are deleted."""
        is_so = self._rows.tombstones.is_there if state else self._rows.tombstones.is_gone
        return is_so(change.first, change.last)

    def move(self, change: Change, state: int, *, at: datetime, provenance: Provenance) -> None:
        """Delete or restore them."""
        move = self._rows.tombstones.restore if state else self._rows.tombstones.delete
        move(change.numbers, at=at, provenance=provenance)

    def find(self, found: Findings) -> None:
        """Find messages by text, id and date, whole turns of selected ones, and deleted ones."""
        messages = found.items[self.kind]
        turns: set[int] = set()
        for row in self._db.execute("SELECT * FROM messages") if found.sought else ():
            if found.holds(*(row[column] for column in _TEXTS)):
                messages[row["id"]] = _said(row)
        named = found.wanted.items.get(self.kind, ())
        for row in self._named(found, named):
            messages[row["id"]] = _said(row)
            if row["turn"] is not None:
                turns.add(row["turn"])
        for turn in turns:  # whole turns: an answer reveals its question
            for row in self._db.execute("SELECT * FROM messages WHERE turn = ?", (turn,)):
                messages[row["id"]] = _said(row)
        for row in self._db.execute("SELECT message, turn, content FROM tombstones WHERE content IS NOT NULL"):
            kept = kept_message(row["content"])
            is_named = row["message"] in named or row["turn"] in turns
            if is_named or found.holds(*(kept[column] for column in _TEXTS)):
                messages[row["message"]] = _said(kept)

    def _named(self, found: Findings, ids: Iterable[int]) -> Iterable[sqlite3.Row]:
        wanted = found.wanted
        if wanted.source is not None:
            yield from (row for row in self._attached() if wanted.is_from(json.loads(row["origin"])["name"]))
        yield from self._db.execute(f"SELECT * FROM messages WHERE id IN {GONE}", (json.dumps(list(ids)),))  # noqa: S608
        if wanted.start is not None or wanted.end is not None:
            start = to_text(wanted.start) if wanted.start else ""
            end = to_text(wanted.end) if wanted.end else "9"
            yield from self._db.execute("SELECT * FROM messages WHERE created_at >= ? AND created_at < ?", (start, end))

    def _attached(self) -> list[sqlite3.Row]:
        """The messages that hold an attached text."""
        sql = "SELECT * FROM messages WHERE role = 'user' AND json_extract(origin, '$.name') IS NOT NULL"
        return self._db.execute(sql).fetchall()

    def find_derived(self, found: Findings) -> None:
        """Results of functions that cite what goes, and what the agent derived from it."""
        for row in self._db.execute("SELECT * FROM messages WHERE origin IS NOT NULL").fetchall():
            if row["role"] != Role.USER and found.derives(row["origin"]):
                found.add_derived(self.kind, row["id"], _said(row))
        gone = found.refs()
        for row in self._db.execute("SELECT * FROM messages WHERE role = 'tool'"):
            if gone & set(_CITED.findall(row["text"])):
                found.add_derived(self.kind, row["id"], _said(row))

    def purge(self, found: Findings, *, at: datetime, provenance: Provenance) -> None:
        """Leave tombstones without content; the rest of their turns leaves the queue."""
        messages = found.items[self.kind]
        ids = json.dumps(list(messages))
        turns = {
            row["turn"]
            for row in self._db.execute(f"SELECT DISTINCT turn FROM messages WHERE id IN {GONE}", (ids,))  # noqa: S608
        } - {None}
        self._db.execute(
            "INSERT OR REPLACE INTO tombstones (message, at, author, command, turn, content)"  # noqa: S608
            f" SELECT id, ?, ?, ?, turn, NULL FROM messages WHERE id IN {GONE}",
            (to_text(at), provenance.author, provenance.command, ids),
        )
        self._db.execute(f"UPDATE tombstones SET content = NULL WHERE message IN {GONE}", (ids,))  # noqa: S608
        self._remove_vectors(messages)
        self._db.execute(f"DELETE FROM messages WHERE id IN {GONE}", (ids,))  # noqa: S608
        self._remove_opaque(min(messages, default=None))
        self._leave_queue(turns)

    def _remove_opaque(self, first: int | None) -> None:
        """Remove the opaque fields of every later reply: encrypted reasoning may repeat the text."""
        if first is not None:
            self._db.execute("UPDATE messages SET opaque = NULL WHERE id > ?", (first,))
            kept = "json_remove(content, '$.opaque')"
            self._db.execute(f"UPDATE tombstones SET content = {kept} WHERE message > ?", (first,))  # noqa: S608

    def _leave_queue(self, turns: set[int]) -> None:
        """Remove the rest of a turn from the queue: no call may be there without its result."""
        current = self._rows.epochs.current()
        if current is None:
            return
        for turn in turns:
            rest = [
                row["id"]
                for row in self._db.execute("SELECT id FROM messages WHERE turn = ? AND evicted_by IS NULL", (turn,))
            ]
            self._rows.messages.evict(rest, epoch=current.id)
            self._db.execute("UPDATE turns SET state = 'interrupted' WHERE id = ? AND state = 'open'", (turn,))

    def reindex(self) -> None:
        """Rebuild the words of all messages."""
        self._rows.lexical.rebuild_messages()

    def check(self) -> None:
        """Check every message, and every deleted one."""
        offset = 0
        while page := self._rows.messages.page(RecallFilters(roles=tuple(Role)), limit=_PAGE, offset=offset):
            offset += len(page)
        for (message,) in self._db.execute("SELECT message FROM tombstones").fetchall():
            self._rows.tombstones.get(message)


def _said(row: sqlite3.Row | Mapping[str, object]) -> str:
    """Return the content of a message: its text, or its calls."""
    return str(row["text"] or row["calls"] or "")
