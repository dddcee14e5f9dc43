"""Facts as a kind of memory: statements with a period of validity and sources."""

import json
import sqlite3
from datetime import datetime

from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.history import Change, ItemState
from memgpt_cli.domain.kinds import Collection, Kind
from memgpt_cli.domain.times import to_text
from memgpt_cli.storage.kinds.found import Findings
from memgpt_cli.storage.kinds.kind import GONE, KindOfMemory


class FactMemory(KindOfMemory):
    """Facts. Their states are their versions."""

    kind = Kind.FACT
    tables = ("facts", "fact_entities", "fact_versions")
    numbered = ("facts",)
    present = "deleted_at IS NULL"
    said = (("facts", "text"),)
    collection = Collection.FACTS

    def state(self, item: int | str, version: int) -> ItemState | None:
        """Return the content of a version, with its state and validity."""
        fact = self._rows.facts.state(int(item), version)
        if fact is None:
            return None
        valid = f"  {fact.valid}" if str(fact.valid) else ""
        return ItemState(text=f"{fact.text}{valid}  ({fact.state})")

    def is_in(self, change: Change, state: int) -> bool:
        """Whether each equals this version."""
        return all(self._rows.facts.is_as_in(number, state) for number in change.numbers)

    def move(self, change: Change, state: int, *, at: datetime, provenance: Provenance) -> None:
        """Restore this version of each."""
        for number in change.numbers:
            self._rows.facts.restore(number, state, at=at, provenance=provenance)

    def find(self, found: Findings) -> None:
        """Find facts by text, id and date, and those about deleted entities."""
        wanted = found.wanted
        start = to_text(wanted.start) if wanted.start else ""
        end = to_text(wanted.end) if wanted.end else "9"
        is_dated = wanted.start is not None or wanted.end is not None
        for row in self._db.execute("SELECT * FROM facts"):
            named = row["id"] in wanted.items.get(self.kind, ()) or (is_dated and start <= row["said_at"] < end)
            if named or found.holds(row["command"], *_texts(row["content"], row["text"])) or _is_about(row, found):
                found.items[self.kind][row["id"]] = row["text"]

    def find_derived(self, found: Findings) -> None:
        """Find facts based on deleted messages or passages, or written because of them."""
        refs = found.refs()
        messages = found.items[Kind.MESSAGE]
        for row in self._db.execute("SELECT * FROM facts"):
            sources = {ref for ref, _ in json.loads(row["content"])["sources"]}
            if row["message_id"] in messages or sources & refs:
                found.add_derived(self.kind, row["id"], row["text"])

    def find_old_states(self, found: Findings) -> None:
        """Find versions of deleted facts, and those with the text."""
        facts = found.items[self.kind]
        for row in self._db.execute("SELECT item, version, command, content FROM fact_versions"):
            if row["item"] in facts or found.holds(row["command"], *_texts(row["content"])):
                found.versions[self.kind].add((row["item"], row["version"]))

    def purge(self, found: Findings, *, at: datetime, provenance: Provenance) -> None:  # noqa: ARG002
        """Remove facts and old versions, and deleted sources from other facts."""
        facts = found.items[self.kind]
        self._remove_sources(found.refs())
        self._db.executemany("DELETE FROM fact_versions WHERE item = ? AND version = ?", found.versions[self.kind])
        self._remove_vectors(facts)
        ids = json.dumps(list(facts))
        self._db.execute(f"DELETE FROM fact_entities WHERE fact IN {GONE}", (ids,))  # noqa: S608
        self._db.execute(f"DELETE FROM facts WHERE id IN {GONE}", (ids,))  # noqa: S608

    def _remove_sources(self, refs: set[str]) -> None:
        for table, key in (("facts", "id, 0"), ("fact_versions", "item, version")):
            for row in self._db.execute(f"SELECT {key}, content FROM {table}").fetchall():  # noqa: S608
                values = json.loads(row["content"])
                kept = [source for source in values["sources"] if source[0] not in refs]
                if kept == values["sources"]:
                    continue
                text = json.dumps({**values, "sources": kept}, ensure_ascii=False)
                where = "id = ? AND 0 = ?" if table == "facts" else "item = ? AND version = ?"
                self._db.execute(f"UPDATE {table} SET content = ? WHERE {where}", (text, row[0], row[1]))  # noqa: S608

    def reindex(self) -> None:
        """Rebuild the words and entities of all facts."""
        self._rows.facts.reindex()

    def check(self) -> None:
        """Check every fact with its versions and entities."""
        known = {row["id"] for row in self._db.execute("SELECT id FROM entities")}
        for (number,) in self._db.execute("SELECT id FROM facts").fetchall():
            for version in self._rows.facts.history(number):
                if not set(version.fact.entities) <= known:
                    msg = f"fact {number} is about an entity that is not there"
                    raise ValueError(msg)
        for row in self._db.execute("SELECT id, text, content FROM facts WHERE deleted_at IS NULL").fetchall():
            if [fact.text for fact in self._rows.facts.get([row["id"]])] != [row["text"]]:
                msg = f"the text of fact {row['id']} is not what it says"
                raise ValueError(msg)


def _texts(content: str, *more: str) -> list[str]:
    """Return all texts of a fact."""
    values = json.loads(content)
    quotes = [quote for _, quote in values["sources"]]
    return [*more, *(values[name] for name in ("predicate", "object", "sentence", "says", "check")), *quotes]


def _is_about(row: sqlite3.Row, found: Findings) -> bool:
    values = json.loads(row["content"])
    return (
        not found.items[Kind.ENTITY]
        .keys()
        .isdisjoint((values["subject_id"], values["object_id"] or 0, *values["about"]))
    )
