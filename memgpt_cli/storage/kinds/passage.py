"""Passages as a kind of memory: archival storage, its documents, and every version of a passage."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.documents import DocumentState
from memgpt_cli.domain.history import Change, ItemState, Operation
from memgpt_cli.domain.kinds import Collection, Kind
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.domain.times import to_text
from memgpt_cli.storage.database.filters import archival_where
from memgpt_cli.storage.kinds.found import Findings
from memgpt_cli.storage.kinds.kind import GONE, KindOfMemory

_TEXTS: Final = ("text", "tags", "source", "location", "command")
_PAGE: Final = 1_000


class PassageMemory(KindOfMemory):
    """Passages. Their states are their versions."""

    kind = Kind.PASSAGE
    tables = ("passages", "passage_versions", "documents", "document_passages")
    numbered = ("passages",)
    present = "deleted_at IS NULL"
    said = (("passages", "text"),)
    collection = Collection.PASSAGES

    def state(self, item: int | str, version: int) -> ItemState | None:
        """What a version said."""
        found = self._rows.passages.state(int(item), version)
        return None if found is None else ItemState(text=found.text)

    def is_in(self, change: Change, state: int) -> bool:
        """Whether each equals this version."""
        return all(self._rows.passages.is_as_in(number, state) for number in change.numbers)

    def move(self, change: Change, state: int, *, at: datetime, provenance: Provenance) -> None:
        """Restore this version of each."""
        for number in change.numbers:
            self._rows.passages.restore(number, state, at=at, provenance=provenance)

    def take_back(self, operation: Operation, change: Change, *, at: datetime, provenance: Provenance) -> None:
        """Delete only added passages that no other author has written since."""
        if change.before:
            super().take_back(operation, change, at=at, provenance=provenance)
            return
        rows = self._db.execute(
            "SELECT id FROM passages WHERE id BETWEEN ? AND ? AND author = ?",
            (change.first, change.last, operation.provenance.author),
        )
        self._rows.passages.delete([row["id"] for row in rows], at=at, provenance=provenance)

    def after_taking_back(self, operation: Operation) -> None:
        """Mark a document after its load was undone: the next load reads it again."""
        if operation.provenance.author is not Author.DOCUMENT:
            return
        for change in operation.changes:
            self._db.execute(
                "UPDATE documents SET state = ? WHERE state = ? AND source IN"
                " (SELECT source FROM passages WHERE id BETWEEN ? AND ?)",
                (DocumentState.UNDONE, DocumentState.LOADED, change.first, change.last),
            )
        self._db.execute(
            "INSERT OR IGNORE INTO document_passages (document, passage, generation, location)"
            " SELECT d.id, p.id, d.generation, p.location FROM documents d JOIN passages p ON p.source = d.source"
            " WHERE d.state <> ? AND p.deleted_at IS NULL",
            (DocumentState.LOADED,),
        )

    def after_redoing(self, operation: Operation) -> None:
        """Mark documents as loaded again, unless a later load of the same document is still undone."""
        if operation.provenance.author is not Author.DOCUMENT:
            return
        for change in operation.changes:
            self._db.execute(
                "UPDATE documents SET state = ? WHERE state = ? AND source IN"
                " (SELECT source FROM passages WHERE id BETWEEN ? AND ?) AND NOT EXISTS (SELECT 1 FROM changes"
                " JOIN operations ON operations.id = operation JOIN passages ON passages.id BETWEEN first AND last"
                " WHERE changes.kind = ? AND operation > ? AND undone_at IS NOT NULL"
                " AND passages.source = documents.source)",
                (DocumentState.LOADED, DocumentState.UNDONE, change.first, change.last, self.kind, operation.id),
            )

    def find(self, found: Findings) -> None:
        """Find passages by text, id, source, tag and date; documents by name and title."""
        passages = found.items[self.kind]
        if found.sought is not None:
            for row in self._db.execute("SELECT * FROM passages WHERE text <> ''"):
                if found.holds(*(row[column] for column in _TEXTS)):
                    passages[row["id"]] = row["text"]
            found.documents += [
                row["source"]
                for row in self._db.execute("SELECT source, title FROM documents")
                if found.holds(row["source"], row["title"])
            ]
        for row in self._named(found):
            passages[row["id"]] = row["text"]
        if found.wanted.source is not None:
            known = [row["source"] for row in self._db.execute("SELECT source FROM documents")]
            found.documents += [s for s in known if found.wanted.is_from(s) and s not in found.documents]

    def _named(self, found: Findings) -> Iterable[sqlite3.Row]:
        wanted = found.wanted
        ids = json.dumps(wanted.items.get(self.kind, ()))
        yield from self._db.execute(f"SELECT * FROM passages WHERE id IN {GONE}", (ids,))  # noqa: S608 - marks only
        if wanted.source is not None:
            yield from self._matching(ArchivalFilters(source=wanted.source))  # existing ones, shared ones too
            gone = self._db.execute("SELECT * FROM passages WHERE source IS NOT NULL AND deleted_at IS NOT NULL")
            yield from (row for row in gone if wanted.is_from(row["source"]))
        if wanted.tags:
            yield from self._matching(ArchivalFilters(tags=wanted.tags))
        if wanted.start is not None or wanted.end is not None:
            within = self._matching(ArchivalFilters(start=wanted.start, end=wanted.end))
            # The load date of a document is unrelated to its content.
            yield from (row for row in within if row["author"] != Author.DOCUMENT)

    def _matching(self, filters: ArchivalFilters) -> Iterable[sqlite3.Row]:
        where, values = archival_where(filters)
        return self._db.execute(f"SELECT * FROM passages WHERE {where}", values)  # noqa: S608 - marks only

    def find_derived(self, found: Findings) -> None:
        """Find passages written because of deleted messages, or derived from deleted items."""
        for row in self._db.execute("SELECT * FROM passages WHERE origin IS NOT NULL AND text <> ''").fetchall():
            if found.derives(row["origin"]):
                found.add_derived(self.kind, row["id"], row["text"])
        ids = json.dumps(list(found.items[Kind.MESSAGE]))
        for row in self._db.execute(f"SELECT * FROM passages WHERE message_id IN {GONE} AND text <> ''", (ids,)):  # noqa: S608
            found.add_derived(self.kind, row["id"], row["text"])

    def find_old_states(self, found: Findings) -> None:
        """Find versions of deleted passages, and those with the text."""
        ids = json.dumps(list(found.items[self.kind]))
        for row in self._db.execute(f"SELECT *, passage IN {GONE} AS goes FROM passage_versions", (ids,)):  # noqa: S608
            if row["goes"] or found.holds(*(row[column] for column in _TEXTS)):
                found.versions[self.kind].add((row["passage"], row["version"]))

    def purge(self, found: Findings, *, at: datetime, provenance: Provenance) -> None:  # noqa: ARG002
        """Empty their rows and old versions; delete the documents."""
        passages = found.items[self.kind]
        ids = json.dumps(list(passages))
        self._db.execute(f"DELETE FROM document_passages WHERE passage IN {GONE}", (ids,))  # noqa: S608
        self._db.executemany(
            "UPDATE passage_versions SET text = CASE WHEN text IS NULL THEN NULL ELSE '' END,"
            " tags = CASE WHEN tags IS NULL THEN NULL ELSE '[]' END, source = NULL, location = NULL, command = NULL"
            " WHERE passage = ? AND version = ?",
            found.versions[self.kind],
        )
        self._remove_vectors(passages)
        self._db.execute(
            "UPDATE passages SET text = '', tags = '[]', source = NULL, location = NULL, command = NULL,"  # noqa: S608
            f" origin = NULL, content_hash = x'', deleted_at = coalesce(deleted_at, ?) WHERE id IN {GONE}",
            (to_text(at), ids),
        )
        for source in found.documents:
            row = self._db.execute("SELECT id FROM documents WHERE source = ?", (source,)).fetchone()
            if row is not None:
                self._db.execute("DELETE FROM document_passages WHERE document = ?", (row["id"],))
                self._db.execute("DELETE FROM documents WHERE id = ?", (row["id"],))

    def reindex(self) -> None:
        """Rebuild the words of all passages."""
        self._rows.lexical.rebuild_passages()

    def check(self) -> None:
        """Check every passage with its versions, and every source."""
        offset = 0
        while page := self._rows.passages.page(ArchivalFilters(), limit=_PAGE, offset=offset):
            offset += len(page)
        for (passage,) in self._db.execute("SELECT DISTINCT passage FROM passage_versions").fetchall():
            self._rows.passages.history(passage)
        self._rows.documents.sources()
