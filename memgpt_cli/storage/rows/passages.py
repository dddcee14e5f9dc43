"""Archival storage as rows of `passages`, with their words in the full-text index and their ids in the outbox."""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from typing_extensions import override

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.history import Change, PassageVersion
from memgpt_cli.domain.kinds import Collection, Kind
from memgpt_cli.domain.passages import Passage, passage_ref
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import UsageError
from memgpt_cli.ports import PassageStore
from memgpt_cli.storage.database.filters import archival_where
from memgpt_cli.storage.lexical.index import FullText
from memgpt_cli.storage.rows.journal import Journal
from memgpt_cli.storage.rows.passage_history import PassageHistory, passage_of
from memgpt_cli.storage.vectors.log import Vectors


class Passages(PassageStore):
    """Passages on one connection. Writes join the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, words: FullText, journal: Journal) -> None:
        self._db = connection
        self._words = words
        self._journal = journal
        self._history = PassageHistory(connection)

    @override
    def add(self, passage: Passage) -> tuple[Passage, bool]:
        digest = _digest(passage.text)
        same = self._living_twin(digest)
        if same is not None:
            return self._claimed(passage_of(same), passage), False
        cursor = self._db.execute(
            "INSERT INTO passages (text, tags, source, location, author, message_id, command, created_at, content_hash,"
            " origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                passage.text,
                json.dumps(passage.tags, ensure_ascii=False) if passage.tags else "[]",
                passage.source,
                passage.location,
                passage.provenance.author,
                passage.provenance.message_id,
                passage.provenance.command,
                to_text(passage.created_at),
                digest,
                None if passage.provenance.origin is None else passage.provenance.origin.to_text(),
            ),
        )
        stored = replace(passage, id=cursor.lastrowid or 0)
        self._words.add_passage(stored)
        self._await_vector(stored.id)
        added = Change(kind=Kind.PASSAGE, first=stored.id, last=stored.id, before=0, after=1)
        self._journal.record(added, at=passage.created_at, provenance=passage.provenance)
        return stored, True

    def _claimed(self, stored: Passage, wanted: Passage) -> Passage:
        """Assign a document's passage to the author who writes the same text, so that it outlives the document.

        Repeating an untrusted source does not count as writing it.
        """
        provenance = wanted.provenance
        if stored.provenance.author is not Author.DOCUMENT or wanted.untrusted:
            return stored
        self._db.execute(
            "UPDATE passages SET author = ?, message_id = ?, command = ?, origin = NULL WHERE id = ?",
            (provenance.author, provenance.message_id, provenance.command, stored.id),
        )
        return replace(stored, provenance=provenance)

    @override
    def revise(self, passage: Passage, *, at: datetime, provenance: Provenance | None = None) -> None:
        row = self._row(passage.id)
        changes_text = row["text"] != passage.text
        if changes_text:
            self._refuse_twin(passage)
        self._words.replace_passage(passage)
        self._note(row, at=at, provenance=provenance, deleted=False, content_changes=True)
        self._write_content(passage)
        if changes_text:
            self._await_vector(passage.id)

    @override
    def delete(self, ids: Sequence[int], *, at: datetime, provenance: Provenance | None = None) -> int:
        living = [passage.id for passage in self.get(list(dict.fromkeys(ids)))]
        for passage_id in living:
            self._words.remove_passage(passage_id)
            self._note(self._row(passage_id), at=at, provenance=provenance, deleted=True, content_changes=False)
        self._db.executemany("UPDATE passages SET deleted_at = ? WHERE id = ?", [(to_text(at), i) for i in living])
        Vectors(self._db).remove(Collection.PASSAGES, living)
        return len(living)

    @override
    def restore(self, passage_id: int, version: int, *, at: datetime, provenance: Provenance) -> None:
        row = self._row(passage_id)
        passage = self.state(passage_id, version)
        if passage is None:
            self.delete([passage_id], at=at, provenance=provenance)
            return
        if row["deleted_at"] is None:
            if passage != passage_of(row):
                self.revise(passage, at=at, provenance=provenance)
            return
        self._refuse_twin(passage)
        self._note(row, at=at, provenance=provenance, deleted=False, content_changes=passage != passage_of(row))
        self._db.execute("UPDATE passages SET deleted_at = NULL WHERE id = ?", (passage_id,))
        self._write_content(passage)
        self._words.return_passage(passage)
        self._await_vector(passage_id)

    @override
    def history(self, passage_id: int) -> list[PassageVersion]:
        return self._history.all(passage_id)

    def state(self, passage_id: int, version: int) -> Passage | None:
        """Return the content of a version; None if it was deleted or does not exist."""
        found = self._history.state(passage_id, version)
        return None if found is None or found[1] else found[0]

    def is_as_in(self, passage_id: int, version: int) -> bool:
        """Whether the passage equals a version (0: it does not exist)."""
        row = self._db.execute("SELECT * FROM passages WHERE id = ?", (passage_id,)).fetchone()
        living = None if row is None or row["deleted_at"] is not None else passage_of(row)
        return living == self.state(passage_id, version)

    def _note(
        self, row: sqlite3.Row, *, at: datetime, provenance: Provenance | None, deleted: bool, content_changes: bool
    ) -> None:
        """Record the next version; changes that a load makes to older passages belong to the document."""
        by = provenance or self._journal.provenance or Provenance(author=Author.DOCUMENT)
        version = self._history.record(row, at=at, provenance=by, deleted=deleted, content_changes=content_changes)
        change = Change(kind=Kind.PASSAGE, first=row["id"], last=row["id"], before=version - 1, after=version)
        self._journal.record(change, at=at, provenance=by)

    def _write_content(self, passage: Passage) -> None:
        self._db.execute(
            "UPDATE passages SET text = ?, tags = ?, source = ?, location = ?, content_hash = ? WHERE id = ?",
            (
                passage.text,
                json.dumps(passage.tags, ensure_ascii=False),
                passage.source,
                passage.location,
                _digest(passage.text),
                passage.id,
            ),
        )

    def _await_vector(self, passage_id: int) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO outbox (collection, item_id) VALUES (?, ?)", (Collection.PASSAGES, passage_id)
        )

    def _living_twin(self, digest: bytes) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(
            "SELECT * FROM passages WHERE content_hash = ? AND deleted_at IS NULL", (digest,)
        ).fetchone()
        return row

    def _refuse_twin(self, passage: Passage) -> None:
        twin = self._living_twin(_digest(passage.text))
        if twin is not None and twin["id"] != passage.id:
            ref = passage_ref(twin["id"])
            raise UsageError(f"{ref} says exactly that already", hint=f"memgpt archival show {ref}")

    def _row(self, passage_id: int) -> sqlite3.Row:
        row: sqlite3.Row = self._db.execute("SELECT * FROM passages WHERE id = ?", (passage_id,)).fetchone()
        return row

    @override
    def get(self, ids: Sequence[int], filters: ArchivalFilters | None = None) -> list[Passage]:
        where, values = archival_where(filters or ArchivalFilters())
        found: dict[int, Passage] = {}
        for start in range(0, len(ids), 500):
            chunk = list(ids[start : start + 500])
            marks = ", ".join("?" * len(chunk))
            sql = f"SELECT * FROM passages WHERE id IN ({marks}) AND {where}"  # noqa: S608
            for row in self._db.execute(sql, [*chunk, *values]):
                found[row["id"]] = passage_of(row)
        return [found[i] for i in ids if i in found]

    @override
    def page(self, filters: ArchivalFilters, *, limit: int, offset: int = 0) -> list[Passage]:
        where, values = archival_where(filters)
        rows = self._db.execute(
            f"SELECT * FROM passages WHERE {where} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?",  # noqa: S608
            [*values, limit, offset],
        )
        return [passage_of(row) for row in rows]

    @override
    def count(self, filters: ArchivalFilters | None = None) -> int:
        where, values = archival_where(filters or ArchivalFilters())
        return int(self._db.execute(f"SELECT count(*) FROM passages WHERE {where}", values).fetchone()[0])  # noqa: S608


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
