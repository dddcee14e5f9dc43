"""Facts as rows of `facts`, every state in `fact_versions`, their words in `fact_words`, their entities in a table."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from typing_extensions import override

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.facts import Entity, Fact, FactFilters, FactVersion
from memgpt_cli.domain.history import Change
from memgpt_cli.domain.kinds import Collection, Kind
from memgpt_cli.domain.search import LexicalHit
from memgpt_cli.domain.times import from_text, to_text
from memgpt_cli.ports import FactStore
from memgpt_cli.storage.lexical.forms import Tokenizer
from memgpt_cli.storage.rows.entities import Entities
from memgpt_cli.storage.rows.journal import Journal
from memgpt_cli.storage.rows.versions import Versions, as_json
from memgpt_cli.storage.vectors.log import Vectors
from memgpt_cli.text.words import segment, words

_MOST_TERMS: Final = 64
_MOST_SAME: Final = 300
_MOST_ALIKE: Final = 40


class Facts(FactStore):
    """Facts on one connection. Writes join the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, entities: Entities, journal: Journal) -> None:
        self._db = connection
        self._entities = entities
        self._journal = journal
        self._versions = Versions(connection, "fact_versions")
        self._tokenizer: Tokenizer | None = None

    @override
    def add(self, fact: Fact) -> Fact:
        cursor = self._db.execute(
            "INSERT INTO facts (version, text, subject, state, kind, said_at, recorded_at, author, message_id, command,"
            " content) VALUES (0, '', ?, ?, ?, ?, ?, ?, ?, ?, '')",
            (
                fact.subject_id,
                fact.state,
                fact.fact_kind,
                to_text(fact.said_at),
                to_text(fact.recorded_at),
                fact.provenance.author,
                fact.provenance.message_id,
                fact.provenance.command,
            ),
        )
        stored = replace(fact, id=cursor.lastrowid or 0, subject=self._name(fact.subject_id))
        self._write(stored)
        self._note(stored.id, stored.to_values(), at=fact.recorded_at, provenance=fact.provenance, deleted=False)
        return stored

    @override
    def revise(self, fact: Fact, *, at: datetime, provenance: Provenance) -> Fact:
        stored = replace(fact, subject=self._name(fact.subject_id))
        self._write(stored)
        self._note(fact.id, stored.to_values(), at=at, provenance=provenance, deleted=False)
        return stored

    def delete(self, fact_id: int, *, at: datetime, provenance: Provenance) -> None:
        """Delete it from every index; its history stays."""
        row = self._row(fact_id)
        if row is None or row["deleted_at"] is not None:
            return
        self._db.execute("UPDATE facts SET deleted_at = ? WHERE id = ?", (to_text(at), fact_id))
        self._db.execute("DELETE FROM fact_words WHERE rowid = ?", (fact_id,))
        self._db.execute("DELETE FROM fact_entities WHERE fact = ?", (fact_id,))
        Vectors(self._db).remove(Collection.FACTS, [fact_id])
        self._note(fact_id, json.loads(row["content"]), at=at, provenance=provenance, deleted=True)

    def restore(self, fact_id: int, version: int, *, at: datetime, provenance: Provenance) -> None:
        """Make an old version current as a new one; version 0 means it did not exist."""
        state = self._versions.state(fact_id, version)
        row = self._row(fact_id)
        if state is None or row is None:
            self.delete(fact_id, at=at, provenance=provenance)
        elif not self.is_as_in(fact_id, version):
            self._db.execute("UPDATE facts SET deleted_at = NULL WHERE id = ?", (fact_id,))
            self.revise(self._fact(row, state), at=at, provenance=provenance)

    def is_as_in(self, fact_id: int, version: int) -> bool:
        """Whether the fact equals a version (0: it does not exist)."""
        row = self._row(fact_id)
        now = None if row is None or row["deleted_at"] is not None else json.loads(row["content"])
        return bool(now == self._versions.state(fact_id, version))

    @override
    def rewrite(self, entity_id: int) -> None:
        for fact in self.of_entity(entity_id):
            self._write(fact)

    def reindex(self) -> None:
        """Rebuild the full-text index and the table of entities from the rows."""
        self._db.execute("DELETE FROM fact_words")
        self._db.execute("DELETE FROM fact_entities")
        for row in self._db.execute("SELECT * FROM facts WHERE deleted_at IS NULL").fetchall():
            self._index(self._fact(row))
        self._db.execute("INSERT INTO fact_words (fact_words) VALUES ('rebuild')")

    @override
    def get(self, ids: Sequence[int]) -> list[Fact]:
        rows = self._db.execute(
            "SELECT * FROM facts WHERE deleted_at IS NULL AND id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        found = {fact.id: fact for fact in self._read(rows.fetchall())}
        return [found[number] for number in ids if number in found]

    @override
    def rivals(self, fact: Fact) -> list[Fact]:
        same = _phrase(fact.sentence or fact.predicate)
        alike = " OR ".join(f'"{segment(word)}"' for word in dict.fromkeys(words(fact.predicate)))
        found: dict[int, Fact] = {}
        for match, most in ((same, _MOST_SAME), (alike, _MOST_ALIKE)):
            if not match:
                continue
            rows = self._db.execute(
                "SELECT facts.* FROM fact_words JOIN facts ON facts.id = fact_words.rowid WHERE fact_words MATCH ?"
                " AND subject = ? AND state IN ('current', 'uncertain') ORDER BY facts.id DESC LIMIT ?",
                (match, fact.subject_id, most),
            )
            found |= {rival.id: rival for rival in self._read(rows.fetchall())}
        return [found[number] for number in sorted(found)]

    @override
    def of_entity(self, entity_id: int) -> list[Fact]:
        rows = self._db.execute(
            "SELECT facts.* FROM fact_entities JOIN facts ON facts.id = fact WHERE entity = ? ORDER BY facts.id",
            (entity_id,),
        )
        return self._read(rows.fetchall())

    @override
    def page(self, filters: FactFilters, *, limit: int, offset: int = 0) -> list[Fact]:
        return list(islice(self._passing(filters), offset, offset + limit))

    @override
    def known(self, ids: Sequence[int], filters: FactFilters) -> list[Fact]:
        return [fact for fact in self._as_known(self.get(ids), filters) if filters.passes(fact)]

    @override
    def count(self, filters: FactFilters | None = None) -> int:
        if filters is None:
            return int(self._db.execute("SELECT count(*) FROM facts WHERE deleted_at IS NULL").fetchone()[0])
        return sum(1 for _ in self._passing(filters))

    @override
    def search(self, query: str, limit: int) -> list[LexicalHit]:
        self._tokenizer = self._tokenizer or Tokenizer()
        terms = self._tokenizer.terms(query)[:_MOST_TERMS]
        quoted = list(dict.fromkeys(form.quoted for term in terms for form in term.forms))
        if not quoted:
            return []
        rows = self._db.execute(
            "SELECT rowid, -bm25(fact_words) AS score FROM fact_words WHERE fact_words MATCH ?"
            " ORDER BY score DESC, rowid DESC LIMIT ?",
            (" OR ".join(quoted), limit),
        )
        return [LexicalHit(id=row["rowid"], score=max(row["score"], 1e-6)) for row in rows]

    @override
    def history(self, fact_id: int) -> list[FactVersion]:
        row = self._row(fact_id)
        if row is None:
            return []
        return [
            FactVersion(
                fact=self._fact(row, version.content),
                version=version.version,
                at=version.at,
                provenance=version.provenance,
                deleted=version.deleted,
            )
            for version in self._versions.all(fact_id)
        ]

    def state(self, fact_id: int, version: int) -> Fact | None:
        """Return the fact in a version; None if it did not exist."""
        state = self._versions.state(fact_id, version)
        row = self._row(fact_id)
        return None if state is None or row is None else self._fact(row, state)

    def _passing(self, filters: FactFilters) -> Iterator[Fact]:
        clauses, values = ["deleted_at IS NULL"], list[object]()
        if filters.states and filters.known_at is None:
            clauses.append(f"state IN ({', '.join('?' * len(filters.states))})")
            values += filters.states
        if filters.entity is not None and filters.known_at is None:
            clauses.append("id IN (SELECT fact FROM fact_entities WHERE entity = ?)")
            values.append(filters.entity)
        rows = self._db.execute(f"SELECT * FROM facts WHERE {' AND '.join(clauses)} ORDER BY id DESC", values)  # noqa: S608
        while chunk := rows.fetchmany(500):
            yield from (fact for fact in self._as_known(self._read(chunk), filters) if filters.passes(fact))

    def _as_known(self, facts: Sequence[Fact], filters: FactFilters) -> Iterator[Fact]:
        """Yield the facts as known then, without those that were not known yet."""
        for fact in facts:
            if filters.known_at is None:
                yield fact
            elif (state := self._versions.known_at(fact.id, filters.known_at)) is not None:
                yield replace(fact.with_values(state), subject=self._name(state["subject_id"]))

    def _write(self, fact: Fact) -> None:
        """Write the current state of a fact, and queue its text for a vector."""
        before = self._row(fact.id)
        self._db.execute(
            "UPDATE facts SET text = ?, subject = ?, state = ?, kind = ?, content = ? WHERE id = ?",
            (fact.text, fact.subject_id, fact.state, fact.fact_kind, as_json(fact.to_values()), fact.id),
        )
        self._index(fact)
        if before is None or before["text"] != fact.text or not self._has_vector(fact.id):
            Vectors(self._db).enqueue(Collection.FACTS, [fact.id])

    def _has_vector(self, fact_id: int) -> bool:
        sql = "SELECT 1 FROM vectors WHERE collection = ? AND item_id = ? AND vector <> x''"
        return self._db.execute(sql, (Collection.FACTS, fact_id)).fetchone() is not None

    def _index(self, fact: Fact) -> None:
        """Index the text of a fact and the names of its entities."""
        entities = self._entities.get(fact.entities)
        names = [name for entity in entities for name in (entity.name, *entity.aliases)]
        words = segment(" ".join((fact.text, *names)))
        self._db.execute("DELETE FROM fact_words WHERE rowid = ?", (fact.id,))
        self._db.execute("INSERT INTO fact_words (rowid, words) VALUES (?, ?)", (fact.id, words))
        self._db.execute("DELETE FROM fact_entities WHERE fact = ?", (fact.id,))
        self._db.executemany(
            "INSERT INTO fact_entities (entity, fact) VALUES (?, ?)", [(entity, fact.id) for entity in fact.entities]
        )

    def _note(
        self, fact_id: int, content: Mapping[str, Any], *, at: datetime, provenance: Provenance, deleted: bool
    ) -> None:
        version = self._versions.add(fact_id, content, at=at, provenance=provenance, deleted=deleted)
        self._db.execute("UPDATE facts SET version = ? WHERE id = ?", (version, fact_id))
        change = Change(kind=Kind.FACT, first=fact_id, last=fact_id, before=version - 1, after=version)
        self._journal.record(change, at=at, provenance=provenance)

    def _row(self, fact_id: int) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute("SELECT * FROM facts WHERE id = ?", (fact_id,)).fetchone()
        return row

    def _name(self, entity_id: int) -> str:
        found = self._entities.get([entity_id])
        return found[0].name if found else ""

    def _read(self, rows: Sequence[sqlite3.Row]) -> list[Fact]:
        names: dict[int, Entity] = {e.id: e for e in self._entities.get(list({row["subject"] for row in rows}))}
        return [self._fact(row, name=names[row["subject"]].name) for row in rows]

    def _fact(self, row: sqlite3.Row, content: Mapping[str, Any] | None = None, *, name: str | None = None) -> Fact:
        values = json.loads(row["content"]) if content is None else content
        bare = Fact(
            id=row["id"],
            subject_id=values["subject_id"],
            subject=self._name(values["subject_id"]) if name is None else name,
            predicate="",
            object="",
            said_at=from_text(row["said_at"]),
            recorded_at=from_text(row["recorded_at"]),
            provenance=Provenance(author=Author(row["author"]), message_id=row["message_id"], command=row["command"]),
        )
        return bare.with_values(values)


def _phrase(text: str) -> str:
    """The words of a text in a row, for MATCH; empty for a text without words."""
    return '"{}"'.format(" ".join(words(text))) if words(text) else ""
