"""Find everything in one agent's record that is to be deleted. Read-only.

By text: everything that contains it. By id, source, tag or date: the selected items, their whole turns, and everything
derived from them: function results that cite them, passages and lines of blocks that were written because of them. Each
kind of memory finds its own items (`storage.kinds`). This module adds summaries, prompts and recorded operations.
"""

import json
from collections.abc import Iterator

from memgpt_cli.domain.forgetting import Wanted
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.storage.forgetting.forgotten_text import ForgottenText
from memgpt_cli.storage.kinds.found import Findings
from memgpt_cli.storage.store import SQLiteStore


class Finder:
    """Searches one record for one selection."""

    def __init__(self, store: SQLiteStore, wanted: Wanted) -> None:
        self._kinds = store.kinds
        self._db = store.connection
        self.forgotten = None if wanted.text is None else ForgottenText(wanted.text)
        self.found = Findings(wanted=wanted, sought=self.forgotten)

    def find(self) -> Findings:
        """Return everything found."""
        for kind in self._kinds:
            kind.find(self.found)
        if self.found.wanted.by_place:
            self._find_derived()
        for kind in self._kinds:
            kind.find_old_states(self.found)
        self.found.epochs = set(self._epochs())
        self.found.operations = set(self._operations())
        return self.found

    def _find_derived(self) -> None:
        """Find items derived from those found, and from these in turn, until there are no more."""
        before = -1
        while len(self.found.derived) + sum(map(len, self.found.lines.values())) > before:
            before = len(self.found.derived) + sum(map(len, self.found.lines.values()))
            self.found.gone = self.found.refs() | {f"s{epoch}" for epoch in self._retelling()}
            for kind in self._kinds:
                kind.find_derived(self.found)

    def _retelling(self) -> Iterator[int]:
        """The epochs whose summaries may tell of a message that goes."""
        evicted = self._first_evicted()
        if evicted is not None:
            rows = self._db.execute("SELECT id FROM epochs WHERE id >= ? AND summary <> ''", (evicted,))
            yield from (row["id"] for row in rows)

    def _first_evicted(self) -> int | None:
        found: int | None = self._db.execute(
            "SELECT min(evicted_by) FROM messages WHERE evicted_by > 0 AND id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(self.found.items[Kind.MESSAGE])),),
        ).fetchone()[0]
        return found

    def _epochs(self) -> Iterator[int]:
        evicted = self._first_evicted()
        for row in self._db.execute("SELECT id, head, summary FROM epochs"):
            told = evicted is not None and row["id"] >= evicted and row["summary"]
            if told or self.found.holds(row["head"], row["summary"]) or self._shows_lines(row["head"]):
                yield row["id"]

    def _shows_lines(self, head: str) -> bool:
        written = (json.dumps(line, ensure_ascii=False)[1:-1] for lines in self.found.lines.values() for line in lines)
        return any(line in head for line in written)

    def _operations(self) -> Iterator[int]:
        changed = {kind: self.found.changed(kind) for kind in Kind}
        for row in self._db.execute("SELECT * FROM changes"):
            items = changed[Kind(row["kind"])]
            if row["label"] in items or any(isinstance(i, int) and row["first"] <= i <= row["last"] for i in items):
                yield row["operation"]
