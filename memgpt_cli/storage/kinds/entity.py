"""Entities as a kind of memory: people, places and things that facts are about."""

import json
from collections.abc import Iterable
from datetime import datetime

from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.history import Change, ItemState, Operation
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.storage.kinds.found import Findings
from memgpt_cli.storage.kinds.kind import GONE, KindOfMemory


class EntityMemory(KindOfMemory):
    """Entities. Their states are their versions."""

    kind = Kind.ENTITY
    tables = ("entities", "entity_names", "entity_versions")
    numbered = ("entities",)
    present = "deleted_at IS NULL"
    said = (("entities", "name"),)

    def state(self, item: int | str, version: int) -> ItemState | None:
        """Return its name in a version, with its aliases."""
        history = self._rows.entities.history(int(item))
        found = next((v for v in history if v.version == version and not v.deleted), None)
        if found is None:
            return None
        aliases = f" (also {', '.join(found.entity.aliases)})" if found.entity.aliases else ""
        return ItemState(text=found.entity.name + aliases)

    def is_in(self, change: Change, state: int) -> bool:
        """Whether each equals this version."""
        return all(self._rows.entities.is_as_in(number, state) for number in change.numbers)

    def move(self, change: Change, state: int, *, at: datetime, provenance: Provenance) -> None:
        """Restore this version of each, and rewrite its name in its facts."""
        for number in change.numbers:
            self._rows.entities.restore(number, state, at=at, provenance=provenance)
            self._rows.facts.rewrite(number)

    def take_back(self, operation: Operation, change: Change, *, at: datetime, provenance: Provenance) -> None:
        """Undo a change, but keep a new entity that later facts are about."""
        if change.before:
            super().take_back(operation, change, at=at, provenance=provenance)
            return
        for number in change.numbers:
            if not self._rows.facts.of_entity(number):
                self._rows.entities.delete(number, at=at, provenance=provenance)

    def find(self, found: Findings) -> None:
        """Find entities by name and id; one with only a matching alias loses the alias."""
        for row in self._db.execute("SELECT * FROM entities"):
            if row["id"] in found.wanted.items.get(self.kind, ()) or found.holds(row["name"]):
                found.items[self.kind][row["id"]] = row["name"]

    def find_old_states(self, found: Findings) -> None:
        """Find versions of deleted entities, and those with a matching name."""
        for row in self._db.execute("SELECT item, version, command, content FROM entity_versions"):
            values = json.loads(row["content"])
            names = (values["name"], *values["aliases"], row["command"])
            if row["item"] in found.items[self.kind] or found.holds(*names):
                found.versions[self.kind].add((row["item"], row["version"]))

    def purge(self, found: Findings, *, at: datetime, provenance: Provenance) -> None:  # noqa: ARG002
        """Remove entities with their names, and matching old names and aliases."""
        self._remove_aliases(found)
        gone = found.items[self.kind]
        ids = json.dumps(list(gone))
        self._db.executemany(
            "DELETE FROM entity_versions WHERE item = ? AND version = ?",
            (key for key in found.versions[self.kind] if key[0] in gone),
        )
        self._db.execute(f"DELETE FROM entity_names WHERE entity IN {GONE}", (ids,))  # noqa: S608
        self._db.execute(f"DELETE FROM fact_entities WHERE entity IN {GONE}", (ids,))  # noqa: S608
        self._db.execute(f"DELETE FROM entities WHERE id IN {GONE}", (ids,))  # noqa: S608

    def _remove_aliases(self, found: Findings) -> None:
        """Remove matching names from entities that stay, in all their versions."""
        for row in self._db.execute("SELECT id, name, aliases FROM entities").fetchall():
            aliases = json.loads(row["aliases"])
            kept = [alias for alias in aliases if not found.holds(alias)]
            if kept != aliases:
                self._db.execute("UPDATE entities SET aliases = ? WHERE id = ?", (_json(kept), row["id"]))
        for row in self._db.execute("SELECT item, version, content FROM entity_versions").fetchall():
            values = json.loads(row["content"])
            kept = [alias for alias in values["aliases"] if not found.holds(alias)]
            name = values["name"]
            if found.holds(name):
                (name,) = self._db.execute("SELECT name FROM entities WHERE id = ?", (row["item"],)).fetchone()
            if (name, kept) != (values["name"], values["aliases"]):
                self._db.execute(
                    "UPDATE entity_versions SET content = ? WHERE item = ? AND version = ?",
                    (_json({**values, "name": name, "aliases": kept}), row["item"], row["version"]),
                )
        for row in self._db.execute("SELECT key FROM entity_names").fetchall():
            if found.holds(row["key"]):
                self._db.execute("DELETE FROM entity_names WHERE key = ?", (row["key"],))

    def check(self) -> None:
        """Every entity with its versions."""
        entities = self._rows.entities.all()
        for entity in entities:
            if not all(map(str.strip, (entity.name, *entity.aliases))):
                msg = f"entity {entity.id} has an empty name"
                raise ValueError(msg)
            self._rows.entities.history(entity.id)
        named = {row["entity"] for row in self._db.execute("SELECT entity FROM entity_names")}
        _refuse_unknown(named, {entity.id for entity in entities}, "a name")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _refuse_unknown(used: Iterable[int], known: set[int], what: str) -> None:
    unknown = set(used) - known
    if unknown:
        msg = f"{what} belongs to entity {min(unknown)}, which is not there"
        raise ValueError(msg)
