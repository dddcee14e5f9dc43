"""The interface of a kind of memory. Each is a subclass in a module of this package, see `registry`.

Undo, forgetting, export and import, and the history of changes iterate over the kinds and do not name them. The check
after forgetting and the byte search need no description: they read every column of every table.
"""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Protocol

from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.history import Change, ItemState, Operation
from memgpt_cli.domain.kinds import Collection, Kind
from memgpt_cli.storage.kinds.found import Findings
from memgpt_cli.storage.lexical.index import FullText
from memgpt_cli.storage.rows.blocks import Blocks
from memgpt_cli.storage.rows.documents import Documents
from memgpt_cli.storage.rows.entities import Entities
from memgpt_cli.storage.rows.facts import Facts
from memgpt_cli.storage.rows.journal import Journal
from memgpt_cli.storage.rows.messages import Messages
from memgpt_cli.storage.rows.passages import Passages
from memgpt_cli.storage.rows.reviews import Reviews
from memgpt_cli.storage.rows.tombstones import Tombstones
from memgpt_cli.storage.rows.turns import Epochs

GONE = "(SELECT value FROM json_each(?))"
"""In SQL, the ids of a JSON array."""


class Rows(Protocol):
    """The tables of one record that the kinds use."""

    @property
    def connection(self) -> sqlite3.Connection:
        """The open database."""
        ...

    @property
    def messages(self) -> Messages:
        """Rows of messages."""
        ...

    @property
    def tombstones(self) -> Tombstones:
        """Deleted messages."""
        ...

    @property
    def passages(self) -> Passages:
        """Rows of passages."""
        ...

    @property
    def documents(self) -> Documents:
        """Loaded documents."""
        ...

    @property
    def blocks(self) -> Blocks:
        """Rows of blocks."""
        ...

    @property
    def entities(self) -> Entities:
        """Rows of entities."""
        ...

    @property
    def facts(self) -> Facts:
        """Rows of facts."""
        ...

    @property
    def reviews(self) -> Reviews:
        """Writes that wait for the person."""
        ...

    @property
    def epochs(self) -> Epochs:
        """Rows of epochs."""
        ...

    @property
    def journal(self) -> Journal:
        """Recorded changes."""
        ...

    @property
    def lexical(self) -> FullText:
        """The full-text index."""
        ...


class KindOfMemory:
    """One kind of memory in one record. The methods here do nothing; a kind overrides those that it needs.

    `tables` are all tables of the kind, which an exported file contains. `numbered` are those whose row numbers are
    ids, that of the items first; `present` is the condition for a row that is not deleted. `said` are the columns
    (table, column) with the texts of present items. `collection` is that of its vectors: a table of that name with the
    columns `id` and `text`, and `deleted_at` if deleted items stay in it.
    """

    kind: ClassVar[Kind]
    tables: ClassVar[tuple[str, ...]]
    numbered: ClassVar[tuple[str, ...]] = ()
    present: ClassVar[str] = "1"
    said: ClassVar[tuple[tuple[str, str], ...]] = ()
    collection: ClassVar[Collection | None] = None

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._db = rows.connection

    def existed(self, number: int) -> bool:
        """Whether an item with this number exists or existed. A forgotten one did."""
        sql = f"SELECT 1 FROM {self.numbered[0]} WHERE id = ?"  # noqa: S608 - our own names
        return self._db.execute(sql, (number,)).fetchone() is not None

    def nearest(self, number: int) -> list[int]:
        """Return the numbers of up to two present items, nearest first."""
        found: list[int] = []
        for side in ("< ? ORDER BY id DESC", "> ? ORDER BY id"):
            sql = f"SELECT id FROM {self.numbered[0]} WHERE {self.present} AND id {side} LIMIT 2"  # noqa: S608
            found += [row["id"] for row in self._db.execute(sql, (number,))]
        return sorted(found, key=lambda item: (abs(item - number), item))[:2]

    # History and undo

    def state(self, item: int | str, version: int) -> ItemState | None:
        """Return the content of an item (by number or label) in a state; None if it did not exist or was deleted."""
        raise NotImplementedError

    def is_in(self, change: Change, state: int) -> bool:
        """Whether the items of a change are now in this state."""
        raise NotImplementedError

    def move(self, change: Change, state: int, *, at: datetime, provenance: Provenance) -> None:
        """Make a state of the items of a change current again."""
        raise NotImplementedError

    def take_back(self, operation: Operation, change: Change, *, at: datetime, provenance: Provenance) -> None:  # noqa: ARG002
        """Make the state before a change current again."""
        self.move(change, change.before, at=at, provenance=provenance)

    def after_taking_back(self, operation: Operation) -> None:
        """Correct other effects of an operation after all its changes were undone."""

    def after_redoing(self, operation: Operation) -> None:
        """Correct other effects of an operation after all its changes were redone."""

    # Forgetting

    def find(self, found: Findings) -> None:
        """Find the items that contain the text, or that are selected."""

    def find_derived(self, found: Findings) -> None:
        """Find items derived from those found so far. Called only for selected items."""

    def find_old_states(self, found: Findings) -> None:
        """Find versions with the text, once all items are found."""

    def purge(self, found: Findings, *, at: datetime, provenance: Provenance) -> None:
        """Permanently remove everything found from the tables, except commands, operations and indexes."""

    # Indexes, export and import

    def reindex(self) -> None:
        """Rebuild the full-text index from the rows."""

    def check(self) -> None:
        """Read every row like the program will. Raises ValueError, KeyError or TypeError for an invalid one."""

    def _remove_vectors(self, ids: Iterable[int]) -> None:
        """Remove the vectors of items and their outbox entries. A vector reveals much of its text."""
        for table in ("vectors", "outbox"):
            where = f"collection = ? AND item_id IN {GONE}"
            self._db.execute(f"DELETE FROM {table} WHERE {where}", (self.collection, json.dumps(list(ids))))  # noqa: S608
