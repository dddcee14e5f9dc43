"""Writes that wait for the person as a kind of memory: what the model wanted to write to core memory."""

import json
import sqlite3
from datetime import datetime
from typing import Final

from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.history import Change, ItemState
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.reviews import ReviewState
from memgpt_cli.storage.kinds.found import Findings
from memgpt_cli.storage.kinds.kind import GONE, KindOfMemory

_TEXTS: Final = ("label", "arguments", "reason", "origin")


class ReviewMemory(KindOfMemory):
    """Writes under review. Their states are those of `ReviewState`: withdrawn, waiting, accepted, rejected."""

    kind = Kind.REVIEW
    tables = ("reviews",)
    numbered = ("reviews",)
    present = "state > 0"
    said = (("reviews", "arguments"),)

    def state(self, item: int | str, version: int) -> ItemState | None:
        """What the write says, and what became of it; nothing where it was withdrawn."""
        found = self._rows.reviews.get(int(item))
        if found is None or version == ReviewState.WITHDRAWN:
            return None
        return ItemState(text=f"{found.label} ({ReviewState(version).name.lower()}): {found.text}")

    def is_in(self, change: Change, state: int) -> bool:
        """Whether each is in this state."""
        return all(self._rows.reviews.is_as_in(number, state) for number in change.numbers)

    def move(self, change: Change, state: int, *, at: datetime, provenance: Provenance) -> None:  # noqa: ARG002
        """Give each this state."""
        for number in change.numbers:
            self._rows.reviews.move(number, state, at=at)

    def find(self, found: Findings) -> None:
        """Writes by text and id."""
        named = found.wanted.items.get(self.kind, ())
        for row in self._db.execute("SELECT * FROM reviews"):
            if row["id"] in named or found.holds(*(row[column] for column in _TEXTS)):
                found.items[self.kind][row["id"]] = _said(row)

    def find_derived(self, found: Findings) -> None:
        """Writes that the model wanted because of messages that go, or that were derived from what goes."""
        for row in self._db.execute("SELECT * FROM reviews").fetchall():
            if row["message_id"] in found.items[Kind.MESSAGE] or found.derives(row["origin"]):
                found.add_derived(self.kind, row["id"], _said(row))

    def purge(self, found: Findings, *, at: datetime, provenance: Provenance) -> None:  # noqa: ARG002
        """Remove the rows."""
        ids = json.dumps(list(found.items[self.kind]))
        self._db.execute(f"DELETE FROM reviews WHERE id IN {GONE}", (ids,))  # noqa: S608

    def check(self) -> None:
        """Every one of them."""
        for (number,) in self._db.execute("SELECT id FROM reviews").fetchall():
            found = self._rows.reviews.get(number)
            if found is not None and not isinstance(json.loads(found.arguments), dict):
                msg = f"review r{number} holds no arguments"
                raise ValueError(msg)


def _said(row: sqlite3.Row) -> str:
    values = json.loads(row["arguments"])
    return "\n".join(str(value) for key, value in values.items() if key != "label")
