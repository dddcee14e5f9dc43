"""Vectors and the outbox as rows of `vectors`, `outbox` and `meta`. It computes nothing and uses no embedder.

`vectors` is a log. A new or changed vector gets the next `seq`; a removed one leaves an empty entry, so that every
reader of the log sees the removal. The tickets of `outbox` are similar: a text that changes while its old form is being
embedded gets a new ticket, and the vector of the old form is refused.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.vectors import EmbedderIdentity, StoredVector, Vector, WaitingItem
from memgpt_cli.errors import EmbedderMismatchError
from memgpt_cli.storage.database.connection import transaction

_IDENTITY: Final = "embedder"
_GENERATION: Final = "vectors_generation"


def check_identity(
    stored: EmbedderIdentity | None, *, provider: str, model: str, dimensions: int | None = None
) -> None:
    """Raise EmbedderMismatchError unless vectors of this embedder match the stored ones.

    `dimensions` None means unknown, and is not compared.
    """
    if stored is None:
        return
    same_length = dimensions is None or dimensions == stored.dimensions
    if stored.provider == provider and stored.model == model and same_length:
        return
    configured = f"{provider}/{model}" + (f"/{dimensions}" if dimensions else "")
    raise EmbedderMismatchError(
        f"the stored vectors were made by {stored}, but the configured embedder is {configured}",
        hint=f"memgpt archival reindex --embedder {provider}/{model}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedState:
    """The expected content of an external index: the log of `generation` up to a `seq` per collection, with samples."""

    generation: int
    upto: Mapping[Collection, int]
    samples: Mapping[Collection, Sequence[StoredVector]] = field(default_factory=dict)


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Several reads of one state of the database; nothing may be written inside."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


class Vectors:
    """Vectors and the outbox on one connection in autocommit mode; each write is a transaction or joins the open one.

    The vectors of a collection are a log: every change gets the next `seq`, so an index that has read up to some `seq`
    only needs the later entries. One such number records how far the external index is.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def identity(self) -> EmbedderIdentity | None:
        """Return the embedder whose vectors are stored; None before the first."""
        stored = self._meta(_IDENTITY)
        return None if stored is None else EmbedderIdentity.parse(stored)

    def restart(self, identity: EmbedderIdentity) -> None:
        """Delete every vector and queue all items for this embedder, in one transaction."""
        with transaction(self._connection):
            self._connection.execute(
                "INSERT OR IGNORE INTO outbox (collection, item_id)"
                " SELECT collection, item_id FROM vectors WHERE vector <> x'' ORDER BY seq"
            )
            self._connection.execute("DELETE FROM vectors")
            self.reset_indexed()
            self._set_meta(_IDENTITY, str(identity))
            self._set_meta(_GENERATION, str(self.generation() + 1))

    def begin_anew(self) -> None:
        """Restart the log: everything read from it, or given to an external index, is invalid."""
        with transaction(self._connection):
            self.reset_indexed()
            self._set_meta(_GENERATION, str(self.generation() + 1))

    def enqueue(self, collection: Collection, ids: Iterable[int]) -> None:
        """Queue these items for a (new) vector of their text."""
        with transaction(self._connection):
            self._connection.executemany(
                "INSERT OR REPLACE INTO outbox (collection, item_id) VALUES (?, ?)",
                [(collection, item_id) for item_id in ids],
            )

    def remove(self, collection: Collection, ids: Iterable[int]) -> None:
        """Delete the vectors of these items and remove them from the outbox."""
        rows = [(collection, item_id) for item_id in ids]
        with transaction(self._connection):
            self._connection.executemany("DELETE FROM outbox WHERE collection = ? AND item_id = ?", rows)
            self._connection.executemany(
                "INSERT OR REPLACE INTO vectors (collection, item_id, vector)"
                " SELECT collection, item_id, x'' FROM vectors WHERE collection = ? AND item_id = ? AND vector <> x''",
                rows,
            )

    def prune(self) -> None:
        """Remove items without a text from the outbox."""
        with transaction(self._connection):
            for collection in Collection:
                self._connection.execute(
                    "DELETE FROM outbox WHERE collection = ?"  # noqa: S608 - our own names
                    f" AND NOT EXISTS (SELECT 1 FROM {collection} WHERE id = item_id AND {self._has_text(collection)})",
                    (collection,),
                )

    def waiting(self, collection: Collection, limit: int) -> list[WaitingItem]:
        """Return items with a text that have no vector yet, oldest first."""
        rows = self._connection.execute(
            f"SELECT item_id, text, ticket FROM outbox CROSS JOIN {collection} ON id = item_id"  # noqa: S608 - our own names
            f" WHERE collection = ? AND {self._has_text(collection)} ORDER BY ticket LIMIT ?",
            (collection, limit),
        )
        return [WaitingItem(*row) for row in rows]

    def _has_text(self, collection: Collection) -> str:
        """Return a condition on the rows of a collection's table, which has its name: not deleted, with a text."""
        columns = self._connection.execute("SELECT name FROM pragma_table_info(?)", (collection,)).fetchall()
        return "text <> ''" + (" AND deleted_at IS NULL" if any(row[0] == "deleted_at" for row in columns) else "")

    def waiting_count(self, collection: Collection) -> int:
        """Return how many items have no vector yet."""
        return self._number("SELECT count(*) FROM outbox WHERE collection = ?", collection)

    def put(
        self, collection: Collection, rows: Iterable[tuple[WaitingItem, Vector]], *, identity: EmbedderIdentity
    ) -> int:
        """Store vectors and remove their items from the outbox, in one transaction; returns how many were stored.

        The vector of an item that has changed or been removed meanwhile is not stored. Raises EmbedderMismatchError if
        the stored vectors come from another embedder.
        """
        by_ticket = {item.ticket: (item.id, vector) for item, vector in rows}
        tickets = json.dumps(list(by_ticket))
        with transaction(self._connection):
            stored = self.identity()
            check_identity(stored, provider=identity.provider, model=identity.model, dimensions=identity.dimensions)
            if stored is None:
                self._set_meta(_IDENTITY, str(identity))
            valid = self._connection.execute(
                "DELETE FROM outbox WHERE ticket IN (SELECT value FROM json_each(?)) AND collection = ?"
                " RETURNING ticket",
                (tickets, collection),
            ).fetchall()
            self._connection.executemany(
                "INSERT OR REPLACE INTO vectors (collection, item_id, vector) VALUES (?, ?, ?)",
                [(collection, *by_ticket[row["ticket"]]) for row in sorted(valid, key=lambda row: int(row["ticket"]))],
            )
        return len(valid)

    def count(self, collection: Collection) -> int:
        """Return how many vectors are stored."""
        entries = self._number("SELECT count(*) FROM vectors WHERE collection = ?", collection)
        return entries - self._number("SELECT count(*) FROM vectors WHERE vector = x'' AND collection = ?", collection)

    def exceeds(self, collection: Collection, number: int) -> bool:
        """Whether the log has more than `number` entries; costs no more than counting to `number`."""
        found = self._connection.execute(
            "SELECT 1 FROM vectors WHERE collection = ? LIMIT 1 OFFSET ?", (collection, number)
        ).fetchone()
        return found is not None

    def expects(self, collection: Collection, number: int) -> bool:
        """Whether more than `number` items have no vector; costs no more than counting to `number`."""
        found = self._connection.execute(
            "SELECT 1 FROM outbox WHERE collection = ? LIMIT 1 OFFSET ?", (collection, number)
        ).fetchone()
        return found is not None

    def generation(self) -> int:
        """Return a number that grows when the log restarts; everything read from the log before is then invalid."""
        return int(self._meta(_GENERATION) or 0)

    def changes(self, collection: Collection, *, after: int, limit: int) -> list[StoredVector]:
        """Return the log after this `seq`, in order."""
        rows = self._connection.execute(
            "SELECT seq, item_id, vector FROM vectors WHERE collection = ? AND seq > ? ORDER BY seq LIMIT ?",
            (collection, after, limit),
        )
        return [StoredVector(*row) for row in rows]

    def vectors_of(self, collection: Collection, ids: Iterable[int]) -> dict[int, Vector]:
        """Return the stored vectors of these items; those without one are skipped."""
        cursor = self._connection.cursor()
        cursor.row_factory = None  # plain tuples, because there may be many
        cursor.execute(
            "SELECT item_id, vector FROM vectors"
            " WHERE collection = ? AND item_id IN (SELECT value FROM json_each(?)) AND vector <> x''",
            (collection, json.dumps(sorted(ids))),
        )
        return dict(cursor.fetchall())

    def indexed_upto(self, collection: Collection) -> int:
        """Return the `seq` up to which the external index has received the log."""
        return int(self._meta(_indexed_key(collection)) or 0)

    def mark_indexed(self, collection: Collection, upto: int) -> None:
        """Record that the external index has received the log up to this `seq`."""
        with transaction(self._connection):
            self._set_meta(_indexed_key(collection), str(upto))

    def reset_indexed(self) -> None:
        """Record that the external index is empty and must receive the whole log again."""
        with transaction(self._connection):
            for collection in Collection:
                self.mark_indexed(collection, 0)

    def unindexed_count(self, collection: Collection) -> int:
        """Return how many log entries the external index has not received."""
        row = self._connection.execute(
            "SELECT count(*) FROM vectors WHERE collection = ? AND seq > ?",
            (collection, self.indexed_upto(collection)),
        ).fetchone()
        return int(row[0])

    def tail_start(self, collection: Collection, *, newest: int) -> int:
        """Return the `seq` after which the external index has nothing, but not before the `newest` entries."""
        upto = self.indexed_upto(collection)
        row = self._connection.execute(
            "SELECT seq FROM vectors WHERE collection = ? AND seq > ? ORDER BY seq DESC LIMIT 1 OFFSET ?",
            (collection, upto, newest),
        ).fetchone()
        return upto if row is None else int(row[0])

    def indexed_state(self, *, samples: int = 0) -> IndexedState:
        """Return the expected content of the external index, with up to `samples` entries of each collection."""
        return IndexedState(
            generation=self.generation(),
            upto={collection: self.indexed_upto(collection) for collection in Collection},
            samples={collection: self._samples(collection, samples) for collection in Collection} if samples else {},
        )

    def _samples(self, collection: Collection, number: int) -> list[StoredVector]:
        """Return half of them from the newest, half from everywhere."""
        upto = self.indexed_upto(collection)
        newest = self._connection.execute(
            "SELECT seq, item_id, vector FROM vectors"
            " WHERE collection = ? AND seq <= ? AND vector <> x'' ORDER BY seq DESC LIMIT ?",
            (collection, upto, number // 2),
        ).fetchall()
        step = max(1, upto // (number - number // 2))
        spread = [
            self._connection.execute(
                "SELECT seq, item_id, vector FROM vectors"
                " WHERE collection = ? AND seq >= ? AND seq <= ? AND vector <> x'' ORDER BY seq LIMIT 1",
                (collection, start, upto),
            ).fetchone()
            for start in range(1, upto + 1, step)
        ]
        rows = {row["seq"]: StoredVector(*row) for row in (*newest, *spread) if row is not None}
        return list(rows.values())

    def _number(self, query: str, collection: Collection) -> int:
        return int(self._connection.execute(query, (collection,)).fetchone()[0])

    def _meta(self, key: str) -> str | None:
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _set_meta(self, key: str, value: str) -> None:
        with transaction(self._connection):
            self._connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


def _indexed_key(collection: Collection) -> str:
    return f"indexed_{collection}"
