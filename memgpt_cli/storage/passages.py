"""Archival storage as rows of `passages`, with their words in the full-text index and their ids in the outbox."""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.domain.times import from_text, to_text
from memgpt_cli.domain.vectors import Collection
from memgpt_cli.storage.filters import archival_where
from memgpt_cli.storage.lexical import FullText
from memgpt_cli.storage.vectors import Vectors


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
            return self._claimed(_passage(same), passage), False
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

    def _claimed(self, stored: Passage, wanted: Passage) -> Passage:
        """What a document says belongs to whoever says it outright too, and so outlives the document."""
        provenance = wanted.provenance
        if stored.provenance.author is not Author.DOCUMENT or provenance.author is Author.DOCUMENT:
            return stored
        self._db.execute(
            "UPDATE passages SET author = ?, message_id = ?, command = ? WHERE id = ?",
            (provenance.author, provenance.message_id, provenance.command, stored.id),
        )
        return replace(stored, provenance=provenance)

    def revise(self, passage: Passage) -> None:
        """Store another source, location or tags of a living passage; its text, and so its vector, stays."""
        self._words.replace_passage(passage)
        self._db.execute(
            "UPDATE passages SET tags = ?, source = ?, location = ? WHERE id = ?",
            (json.dumps(passage.tags, ensure_ascii=False), passage.source, passage.location, passage.id),
        )

    def delete(self, ids: Sequence[int], *, at: datetime) -> int:
        """Leave tombstones, out of every index; returns how many of these were living."""
        living = [passage.id for passage in self.get(ids)]
        for passage_id in living:
            self._words.remove_passage(passage_id)
        self._db.executemany("UPDATE passages SET deleted_at = ? WHERE id = ?", [(to_text(at), i) for i in living])
        Vectors(self._db).remove(Collection.PASSAGES, living)
        return len(living)

    def get(self, ids: Sequence[int], filters: ArchivalFilters | None = None) -> list[Passage]:
        """The living passages with these ids that pass the filters, in the order asked for."""
        where, values = archival_where(filters or ArchivalFilters())
        found: dict[int, Passage] = {}
        for start in range(0, len(ids), 500):
            chunk = list(ids[start : start + 500])
            marks = ", ".join("?" * len(chunk))
            sql = f"SELECT * FROM passages WHERE id IN ({marks}) AND {where}"  # noqa: S608
            for row in self._db.execute(sql, [*chunk, *values]):
                found[row["id"]] = _passage(row)
        return [found[i] for i in ids if i in found]

    def page(self, filters: ArchivalFilters, *, limit: int, offset: int = 0) -> list[Passage]:
        """Newest first."""
        where, values = archival_where(filters)
        rows = self._db.execute(
            f"SELECT * FROM passages WHERE {where} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?",  # noqa: S608
            [*values, limit, offset],
        )
        return [_passage(row) for row in rows]

    def count(self, filters: ArchivalFilters | None = None) -> int:
        """How many living passages match; None counts all."""
        where, values = archival_where(filters or ArchivalFilters())
        return int(self._db.execute(f"SELECT count(*) FROM passages WHERE {where}", values).fetchone()[0])  # noqa: S608


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
