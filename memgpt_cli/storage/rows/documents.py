"""The documents in archival storage: rows of `documents`, and links to their passages in `document_passages`.

A passage's own `source` and `location` are those of the first document that has it; the links keep the others', so that
it outlives the first. Each load of a document gets the next generation; links with an older one belong to removed
passages.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from typing_extensions import override

from memgpt_cli.domain.blocks import Author
from memgpt_cli.domain.documents import DocumentState, LoadedDocument, Source
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.times import from_text, to_text
from memgpt_cli.ports import DocumentStore
from memgpt_cli.storage.rows.passages import Passages

_PRESENT: Final = """
    SELECT * FROM (SELECT documents.*, (
        SELECT count(*) FROM document_passages AS link JOIN passages ON passages.id = link.passage
        WHERE link.document = documents.id AND passages.deleted_at IS NULL
    ) AS passages FROM documents) WHERE passages > 0
"""
"""Documents with passages, and their number: one whose passages were all deleted is not in memory."""
_OTHER_SOURCES: Final = """
    SELECT source, count(*) AS passages FROM passages
    WHERE source IS NOT NULL AND deleted_at IS NULL AND source NOT IN (SELECT source FROM documents) GROUP BY source
"""


class Documents(DocumentStore):
    """Documents on one connection. Writes join the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, passages: Passages) -> None:
        self._db = connection
        self._passages = passages

    @override
    def get(self, source: str) -> LoadedDocument | None:
        row = self._db.execute(f"{_PRESENT} AND source = ?", (source,)).fetchone()
        return None if row is None else _document(row)

    @override
    def begin(self, document: LoadedDocument) -> None:
        self._db.execute(
            "INSERT INTO documents (source, content_hash, title, kind, size, tags, state, generation)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (source) DO UPDATE SET content_hash = excluded.content_hash,"
            " title = excluded.title, kind = excluded.kind, size = excluded.size, tags = excluded.tags,"
            " state = excluded.state, generation = generation + 1",
            (
                document.source,
                document.content_hash,
                document.title,
                document.kind,
                document.size,
                json.dumps(document.tags, ensure_ascii=False),
                DocumentState.LOADING,
            ),
        )

    @override
    def add(self, source: str, passages: Sequence[Passage]) -> int:
        document, generation = self._db.execute(
            "SELECT id, generation FROM documents WHERE source = ?", (source,)
        ).fetchone()
        number_new = 0
        for passage in passages:
            stored, is_new = self._passages.add(passage)
            number_new += is_new
            if not is_new:
                link = self._db.execute(
                    "SELECT generation FROM document_passages WHERE document = ? AND passage = ?", (document, stored.id)
                ).fetchone()
                if link is not None and link["generation"] == generation:
                    continue  # of equal chunks in one file, the first is cited
                self._share(stored, passage)
            self._db.execute(
                "INSERT INTO document_passages (document, passage, generation, location) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET generation = excluded.generation, location = excluded.location",
                (document, stored.id, generation, passage.location),
            )
        return number_new

    @override
    def finish(self, source: str, *, at: datetime) -> int:
        row = self._db.execute("SELECT * FROM documents WHERE source = ?", (source,)).fetchone()
        removed = self._drop_links(row, before=row["generation"], at=at)
        self._db.execute(
            "UPDATE documents SET state = ?, loaded_at = ? WHERE id = ?",
            (DocumentState.LOADED, to_text(at), row["id"]),
        )
        return removed

    @override
    def delete(self, source: str, *, at: datetime) -> int:
        """Delete the passages of a document or of any other source, and the document's record; returns how many.

        Passages that a person or the agent wrote stay, even if the document contains them too.
        """
        row = self._db.execute("SELECT * FROM documents WHERE source = ?", (source,)).fetchone()
        removed = 0
        if row is not None:
            removed = self._drop_links(row, before=row["generation"] + 1, at=at)
            self._db.execute("DELETE FROM documents WHERE id = ?", (row["id"],))
        left = self._db.execute("SELECT id FROM passages WHERE source = ? AND deleted_at IS NULL", (source,))
        return removed + self._passages.delete([passage for (passage,) in left.fetchall()], at=at)

    @override
    def sources(self) -> list[Source]:
        found = [Source(name=row["source"], passages=row["passages"]) for row in self._db.execute(_OTHER_SOURCES)]
        found += [
            Source(name=row["source"], passages=row["passages"], document=_document(row))
            for row in self._db.execute(_PRESENT)
        ]
        return sorted(found, key=lambda source: source.name)

    def _share(self, stored: Passage, wanted: Passage) -> None:
        """Link an existing passage to another document, or to its own at another place."""
        tags = (*stored.tags, *(tag for tag in wanted.tags if tag not in stored.tags))
        location = wanted.location if stored.source == wanted.source else stored.location
        if (tags, location) != (stored.tags, stored.location):
            self._passages.revise(replace(stored, tags=tags, location=location), at=wanted.created_at)

    def _drop_links(self, document: sqlite3.Row, *, before: int, at: datetime) -> int:
        """Remove a document's links from before a generation; delete passages without any other owner."""
        dropped = [
            passage
            for (passage,) in self._db.execute(
                "SELECT passage FROM document_passages WHERE document = ? AND generation < ?", (document["id"], before)
            ).fetchall()
        ]
        self._db.execute(
            "DELETE FROM document_passages WHERE document = ? AND generation < ?", (document["id"], before)
        )
        orphans = []
        for passage in self._passages.get(dropped):
            heirs = self._db.execute(
                "SELECT documents.source, documents.tags, link.location FROM document_passages AS link"
                " JOIN documents ON documents.id = link.document WHERE link.passage = ? ORDER BY documents.id",
                (passage.id,),
            ).fetchall()
            is_documents_own = passage.provenance.author is Author.DOCUMENT
            if is_documents_own and not heirs:
                orphans.append(passage.id)
            else:
                self._bequeath(passage, document, heirs, keep_tags=not is_documents_own, at=at)
        return self._passages.delete(orphans, at=at)

    def _bequeath(
        self, passage: Passage, document: sqlite3.Row, heirs: Sequence[sqlite3.Row], *, keep_tags: bool, at: datetime
    ) -> None:
        """Assign a passage to the documents that still have it, or to its author."""
        inherited = {tag for heir in heirs for tag in json.loads(heir["tags"])}
        lost = set() if keep_tags else set(json.loads(document["tags"])) - inherited
        revised = replace(passage, tags=tuple(tag for tag in passage.tags if tag not in lost))
        if passage.source == document["source"]:
            source, location = (heirs[0]["source"], heirs[0]["location"]) if heirs else (None, None)
            revised = replace(revised, source=source, location=location)
        if revised != passage:
            self._passages.revise(revised, at=at)


def _document(row: sqlite3.Row) -> LoadedDocument:
    return LoadedDocument(
        source=row["source"],
        content_hash=row["content_hash"],
        title=row["title"],
        kind=row["kind"],
        size=row["size"],
        tags=tuple(json.loads(row["tags"])),
        state=DocumentState(row["state"]),
        loaded_at=from_text(row["loaded_at"]) if row["loaded_at"] else None,
    )
