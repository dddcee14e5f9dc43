"""Recall storage as rows of `messages`, with their words in the full-text index."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from memgpt_cli.domain.effects import Effects
from memgpt_cli.domain.history import Change
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.messages import SPOKEN, FunctionCall, Message, Opaque, Role
from memgpt_cli.domain.search import CandidateMessage
from memgpt_cli.domain.times import from_text, to_text
from memgpt_cli.domain.trust import Author, Origin, origin_of
from memgpt_cli.ports import MessageStore
from memgpt_cli.storage.database.filters import SPOKEN_SQL, recall_where

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from memgpt_cli.domain.blocks import Provenance
    from memgpt_cli.domain.search import RecallFilters
    from memgpt_cli.storage.lexical.index import FullText
    from memgpt_cli.storage.rows.journal import Journal

IMPORTED: Final = 0
"""`evicted_by` of messages that were never in the queue."""

_FROM_IMPORT: Final = Origin(least=Author.IMPORT)


class Messages(MessageStore):
    """Messages on one connection. Writes join the caller's transaction; only they need `words`."""

    def __init__(self, connection: sqlite3.Connection, words: Callable[[], FullText], journal: Journal) -> None:
        self._db = connection
        self._words = words
        self._journal = journal

    @override
    def append(self, message: Message) -> Message:
        cursor = self._db.execute(
            "INSERT INTO messages (turn, step, role, name, text, stub, calls, call_id, ok, interrupted, created_at,"
            " session, external_id, opaque, evicted_by, effects, origin)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                message.turn,
                message.step,
                message.role,
                message.name,
                message.text,
                message.stub,
                _calls_to_text(message.calls),
                message.call_id,
                message.ok,
                message.interrupted,
                to_text(message.created_at),
                message.session,
                message.external_id,
                _opaque_to_text(message.opaque),
                None if message.in_context else IMPORTED,
                message.effects.to_text(),
                None if message.lineage is None else message.lineage.to_text(),
            ),
        )
        stored = replace(message, id=cursor.lastrowid or 0)
        self._words().add_message(stored)
        return stored

    @override
    def extend(self, messages: Sequence[Message], *, at: datetime, provenance: Provenance) -> int:
        known = self.known([m.external_id for m in messages if m.external_id])
        fresh: dict[str | None, Message] = {}
        for message in messages:
            if message.external_id not in known:
                fresh.setdefault(message.external_id, message)
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").fetchone()
        start = 1 + (int(row["seq"]) if row else 0)
        if not fresh:
            return 0
        stored = list(enumerate(fresh.values(), start))
        self._db.executemany(
            "INSERT INTO messages (id, role, name, text, created_at, session, external_id, evicted_by)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (row, m.role.value, m.name, m.text, to_text(m.created_at), m.session, m.external_id, IMPORTED)
                for row, m in stored
            ),
        )
        self._words().add_messages(fresh.values(), first=start)
        self._db.executemany(
            "INSERT OR REPLACE INTO outbox (collection, item_id) VALUES (?, ?)",
            (("messages", row) for row, m in stored if m.role in SPOKEN),
        )
        added = Change(kind=Kind.MESSAGE, first=start, last=stored[-1][0], before=0, after=1)
        self._journal.record(added, at=at, provenance=provenance)
        return len(stored)

    @override
    def known(self, external_ids: Sequence[str]) -> dict[str, str]:
        rows = self._db.execute(
            "SELECT external_id, text FROM messages WHERE external_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(external_ids)),),
        )
        return {row["external_id"]: row["text"] for row in rows}

    @override
    def get(self, ids: Sequence[int]) -> list[Message]:
        found: dict[int, Message] = {}
        for start in range(0, len(ids), 500):
            chunk = list(ids[start : start + 500])
            marks = ", ".join("?" * len(chunk))
            for row in self._db.execute(f"SELECT * FROM messages WHERE id IN ({marks})", chunk):  # noqa: S608
                found[row["id"]] = message_of(row)
        return [found[i] for i in ids if i in found]

    @override
    def candidates(self, ids: Iterable[int], filters: RecallFilters) -> list[CandidateMessage]:
        where, values = recall_where(replace(filters, name=None))
        cursor = self._db.cursor()
        cursor.row_factory = None  # plain tuples, because there are many
        rows = cursor.execute(
            "SELECT id, role, name, instr(text, '?') OR instr(text, '？') FROM messages"  # noqa: S608
            f" WHERE id IN (SELECT value FROM json_each(?)) AND {where} ORDER BY id",
            (json.dumps(list(ids)), *values),
        )
        found = list(map(CandidateMessage._make, rows))
        if filters.name is None:
            return found
        wanted = filters.name.casefold()
        return [candidate for candidate in found if (candidate.name or "").casefold() == wanted]

    @override
    def by_external_id(self, external_id: str) -> Message | None:
        row = self._db.execute("SELECT * FROM messages WHERE external_id = ?", (external_id,)).fetchone()
        return None if row is None else message_of(row)

    @override
    def queue(self) -> list[Message]:
        return [message_of(r) for r in self._db.execute("SELECT * FROM messages WHERE evicted_by IS NULL ORDER BY id")]

    @override
    def evict(self, ids: Sequence[int], *, epoch: int) -> None:
        from memgpt_cli.domain.kinds import Collection

        self._db.executemany("UPDATE messages SET evicted_by = ? WHERE id = ?", [(epoch, i) for i in ids])
        self._db.executemany(
            "INSERT OR IGNORE INTO outbox (collection, item_id) SELECT ?, id FROM messages"  # noqa: S608
            f" WHERE id = ? AND role IN ({SPOKEN_SQL}) AND text != ''",
            [(Collection.MESSAGES, i) for i in ids],
        )

    @override
    def evicted(self, *, after: int, limit: int) -> list[Message]:
        rows = self._db.execute(
            "SELECT * FROM messages WHERE evicted_by > ? ORDER BY id DESC LIMIT ?", (max(after, IMPORTED), limit)
        )
        return [message_of(row) for row in rows][::-1]

    @override
    def set_stub(self, message_id: int, stub: str, origin: Origin | None = None) -> None:
        self._db.execute("UPDATE messages SET stub = ? WHERE id = ?", (stub, message_id))
        if origin is not None:
            self._db.execute("UPDATE messages SET origin = ? WHERE id = ?", (origin.to_text(), message_id))

    @override
    def of_turn(self, turn: int) -> list[Message]:
        return [message_of(r) for r in self._db.execute("SELECT * FROM messages WHERE turn = ? ORDER BY id", (turn,))]

    @override
    def page(
        self, filters: RecallFilters, *, limit: int, before: tuple[datetime, int] | None = None, offset: int = 0
    ) -> list[Message]:
        where, values = recall_where(filters)
        if before is not None:
            where += " AND (created_at, id) < (?, ?)"
            values += [to_text(before[0]), before[1]]
        rows = self._db.execute(
            f"SELECT * FROM messages WHERE {where} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?",  # noqa: S608
            [*values, limit, offset],
        )
        return [message_of(row) for row in rows]

    @override
    def oldest_first(self, filters: RecallFilters) -> Iterator[Message]:
        where, values = recall_where(filters)
        rows = self._db.execute(f"SELECT * FROM messages WHERE {where} ORDER BY created_at, id", values)  # noqa: S608
        return (message_of(row) for row in rows)

    @override
    def count(self, filters: RecallFilters | None = None) -> int:
        where, values = ("1", []) if filters is None else recall_where(filters)
        return int(self._db.execute(f"SELECT count(*) FROM messages WHERE {where}", values).fetchone()[0])  # noqa: S608

    @override
    def speakers(self) -> tuple[str, ...]:
        step = "SELECT min(name) FROM messages WHERE role = 'user' AND name IS NOT NULL"
        rows = self._db.execute(
            f"WITH RECURSIVE names (name) AS ({step} UNION ALL"  # noqa: S608
            f" SELECT ({step} AND name > names.name) FROM names WHERE names.name IS NOT NULL)"
            " SELECT name FROM names WHERE name IS NOT NULL LIMIT 1000"
        )
        return tuple(row["name"] for row in rows)


def _calls_to_text(calls: tuple[FunctionCall, ...]) -> str | None:
    if not calls:
        return None
    return json.dumps([[call.id, call.name, call.arguments] for call in calls], ensure_ascii=False)


def _opaque_to_text(opaque: Opaque | None) -> str | None:
    if opaque is None:
        return None
    return json.dumps([opaque.origin, opaque.content, opaque.tokens], ensure_ascii=False)


def _opaque_of(text: str | None) -> Opaque | None:
    if text is None:
        return None
    origin, content, tokens = json.loads(text)
    return Opaque(origin=origin, content=content, tokens=tokens)


def message_of(row: sqlite3.Row | Mapping[str, Any]) -> Message:
    """A row of `messages` as a value."""
    calls = row["calls"]
    return Message(
        id=row["id"],
        turn=row["turn"],
        step=row["step"],
        role=Role(row["role"]),
        name=row["name"],
        text=row["text"],
        stub=row["stub"],
        calls=tuple(FunctionCall(id=i, name=n, arguments=a) for i, n, a in json.loads(calls)) if calls else (),
        call_id=row["call_id"],
        ok=None if row["ok"] is None else bool(row["ok"]),
        interrupted=bool(row["interrupted"]),
        created_at=from_text(row["created_at"]),
        session=row["session"],
        external_id=row["external_id"],
        opaque=_opaque_of(row["opaque"]),
        in_context=row["evicted_by"] is None,
        effects=Effects.from_text(row["effects"]),
        lineage=origin_of(row["origin"]) or (_FROM_IMPORT if row["evicted_by"] == IMPORTED else None),
    )
