"""Entities as rows of `entities`, their names in `entity_names`, every state in `entity_versions`."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from typing_extensions import override

from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.facts import Entity, EntityKind, EntityVersion, entity_ref, name_key
from memgpt_cli.domain.history import Change
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import UsageError
from memgpt_cli.ports import EntityStore
from memgpt_cli.storage.rows.journal import Journal
from memgpt_cli.storage.rows.versions import Versions


class Entities(EntityStore):
    """Entities on one connection. Writes join the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, journal: Journal) -> None:
        self._db = connection
        self._journal = journal
        self._versions = Versions(connection, "entity_versions")

    @override
    def add(self, entity: Entity, *, at: datetime, provenance: Provenance) -> Entity:
        cursor = self._db.execute(
            "INSERT INTO entities (version, name, kind, aliases) VALUES (0, '', ?, '[]')", (entity.kind,)
        )
        stored = replace(entity, id=cursor.lastrowid or 0)
        self._write(stored, at=at, provenance=provenance)
        return stored

    @override
    def revise(self, entity: Entity, *, at: datetime, provenance: Provenance) -> Entity:
        self._write(entity, at=at, provenance=provenance)
        return entity

    @override
    def delete(self, entity_id: int, *, at: datetime, provenance: Provenance) -> None:
        row = self._db.execute("SELECT * FROM entities WHERE id = ? AND deleted_at IS NULL", (entity_id,)).fetchone()
        if row is None:
            return
        self._db.execute("DELETE FROM entity_names WHERE entity = ?", (entity_id,))
        self._db.execute("UPDATE entities SET deleted_at = ? WHERE id = ?", (to_text(at), entity_id))
        self._note(_entity(row), at=at, provenance=provenance, deleted=True)

    def restore(self, entity_id: int, version: int, *, at: datetime, provenance: Provenance) -> None:
        """Make an old version current as a new one; version 0 means it did not exist."""
        state = self._versions.state(entity_id, version)
        if state is None:
            self.delete(entity_id, at=at, provenance=provenance)
        elif not self.is_as_in(entity_id, version):
            self._db.execute("UPDATE entities SET deleted_at = NULL WHERE id = ?", (entity_id,))
            self._write(Entity.from_values(entity_id, state), at=at, provenance=provenance)

    def is_as_in(self, entity_id: int, version: int) -> bool:
        """Whether the entity equals a version (0: it does not exist)."""
        row = self._db.execute("SELECT * FROM entities WHERE id = ? AND deleted_at IS NULL", (entity_id,)).fetchone()
        state = self._versions.state(entity_id, version)
        return (None if row is None else _entity(row).to_values()) == state

    @override
    def get(self, ids: Sequence[int]) -> list[Entity]:
        rows = self._db.execute(
            "SELECT * FROM entities WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
        )
        found = {row["id"]: _entity(row) for row in rows}
        return [found[number] for number in ids if number in found]

    @override
    def named(self, name: str) -> Entity | None:
        row = self._db.execute(
            "SELECT entities.* FROM entity_names JOIN entities ON id = entity WHERE key = ?", (name_key(name),)
        ).fetchone()
        return None if row is None else _entity(row)

    @override
    def all(self) -> list[Entity]:
        return [_entity(row) for row in self._db.execute("SELECT * FROM entities WHERE deleted_at IS NULL ORDER BY id")]

    @override
    def history(self, entity_id: int) -> list[EntityVersion]:
        return [
            EntityVersion(
                entity=Entity.from_values(entity_id, version.content),
                version=version.version,
                at=version.at,
                provenance=version.provenance,
                deleted=version.deleted,
            )
            for version in self._versions.all(entity_id)
        ]

    def _write(self, entity: Entity, *, at: datetime, provenance: Provenance) -> None:
        self._db.execute("DELETE FROM entity_names WHERE entity = ?", (entity.id,))
        for key in entity.keys:
            taken = self._db.execute("SELECT entity FROM entity_names WHERE key = ?", (key,)).fetchone()
            if taken is not None:
                raise UsageError(
                    f"'{key}' is a name of {entity_ref(taken['entity'])} already",
                    hint=f"memgpt entities merge {entity_ref(taken['entity'])} {entity_ref(entity.id)}",
                )
            self._db.execute("INSERT INTO entity_names (key, entity) VALUES (?, ?)", (key, entity.id))
        self._db.execute(
            "UPDATE entities SET name = ?, kind = ?, aliases = ? WHERE id = ?",
            (entity.name, entity.kind, json.dumps(entity.aliases, ensure_ascii=False), entity.id),
        )
        self._note(entity, at=at, provenance=provenance, deleted=False)

    def _note(self, entity: Entity, *, at: datetime, provenance: Provenance, deleted: bool) -> None:
        version = self._versions.add(entity.id, entity.to_values(), at=at, provenance=provenance, deleted=deleted)
        self._db.execute("UPDATE entities SET version = ? WHERE id = ?", (version, entity.id))
        change = Change(kind=Kind.ENTITY, first=entity.id, last=entity.id, before=version - 1, after=version)
        self._journal.record(change, at=at, provenance=provenance)


def _entity(row: sqlite3.Row) -> Entity:
    return Entity(
        id=row["id"], name=row["name"], kind=EntityKind(row["kind"]), aliases=tuple(json.loads(row["aliases"]))
    )
