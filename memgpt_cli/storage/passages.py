"""Archival storage as rows of `passages`, with their words in the full-text index and their ids in the outbox."""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.domain.times import from_text, to_text
from memgpt_cli.domain.vectors import Collection
from memgpt_cli.storage.lexical import FullText


class Passages:
    """ports.PassageStore on one connection. Writes join the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, words: FullText) -> None:
        self._db = connection
        self._words = words

    def add(self, passage: Passage) -> tuple[Passage, bool]:
        """Store it; an exact duplicate of a living passage is not stored again."""
        digest = hashlib.sha256(passage.text.encode("utf-8", "surrogatepass")).digest()
        same = self._db.execute(
            "SELECT * FROM passages WHERE content_hash = ? AND deleted_at IS NULL", (digest,)
        ).fetchone()
        if same is not None:
            return _passage(same), False
        cursor = self._db.execute(
            "INSERT INTO passages (text, tags, source, location, author, message_id, command, created_at, content_hash)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                passage.text,
                json.dumps(passage.tags, ensure_ascii=False),
                passage.source,
                passage.location,
                passage.provenance.author,
                passage.provenance.message_id,
                passage.provenance.command,
                to_text(passage.created_at),
                digest,
            ),
        )
        stored = replace(passage, id=cursor.lastrowid or 0)
        self._words.add_passage(stored)
        self._db.execute(
            "INSERT OR IGNORE INTO outbox (collection, item_id) VALUES (?, ?)", (Collection.PASSAGES, stored.id)
        )
        return stored, True

    def get(self, ids: Sequence[int]) -> list[Passage]:
        """The living passages with these ids, in the order asked for."""
        found: dict[int, Passage] = {}
        for start in range(0, len(ids), 500):
            chunk = list(ids[start : start + 500])
            marks = ", ".join("?" * len(chunk))
            sql = f"SELECT * FROM passages WHERE id IN ({marks}) AND deleted_at IS NULL"  # noqa: S608
            for row in self._db.execute(sql, chunk):
                found[row["id"]] = _passage(row)
        return [found[i] for i in ids if i in found]

    def page(self, filters: ArchivalFilters, *, limit: int, offset: int = 0) -> list[Passage]:
        """Newest first."""
        where, values = _where(filters)
        rows = self._db.execute(
            f"SELECT * FROM passages WHERE {where} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?",  # noqa: S608
            [*values, limit, offset],
        )
        return [_passage(row) for row in rows]

    def count(self, filters: ArchivalFilters | None = None) -> int:
        """How many living passages match; None counts all."""
        where, values = _where(filters or ArchivalFilters())
        return int(self._db.execute(f"SELECT count(*) FROM passages WHERE {where}", values).fetchone()[0])  # noqa: S608


def _where(filters: ArchivalFilters) -> tuple[str, list[object]]:
    clauses = ["deleted_at IS NULL"]
    values: list[object] = []
    for tag in filters.tags:
        clauses.append("EXISTS (SELECT 1 FROM json_each(tags) WHERE json_each.value = ?)")
        values.append(tag)
    if filters.source is not None:
        clauses.append("source = ?")
        values.append(filters.source)
    if filters.start is not None:
        clauses.append("created_at >= ?")
        values.append(to_text(filters.start))
    if filters.end is not None:
        clauses.append("created_at < ?")
        values.append(to_text(filters.end))
    return " AND ".join(clauses), values


def _passage(row: sqlite3.Row) -> Passage:
    return Passage(
        id=row["id"],
        text=row["text"],
        tags=tuple(json.loads(row["tags"])),
        source=row["source"],
        location=row["location"],
        created_at=from_text(row["created_at"]),
        provenance=Provenance(author=Author(row["author"]), message_id=row["message_id"], command=row["command"]),
    )
