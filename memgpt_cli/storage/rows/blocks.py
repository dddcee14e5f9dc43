"""Core memory as rows: `blocks` holds the current state, `block_versions` every state."""

import sqlite3
from dataclasses import replace
from datetime import datetime

from typing_extensions import override

from memgpt_cli.domain.blocks import Author, Block, BlockVersion, Provenance
from memgpt_cli.domain.history import Change
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.times import from_text, to_text
from memgpt_cli.domain.trust import origin_of
from memgpt_cli.ports import BlockStore
from memgpt_cli.storage.rows.journal import Journal


class Blocks(BlockStore):
    """Blocks on one connection. Writes join the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, journal: Journal) -> None:
        self._db = connection
        self._journal = journal

    @override
    def all(self) -> list[Block]:
        return [_block(row) for row in self._db.execute("SELECT * FROM blocks ORDER BY position, label")]

    @override
    def get(self, label: str) -> Block | None:
        row = self._db.execute("SELECT * FROM blocks WHERE label = ?", (label,)).fetchone()
        return None if row is None else _block(row)

    @override
    def put(self, block: Block, *, at: datetime, provenance: Provenance) -> Block:
        stored = replace(block, version=self._next_version(block.label))
        self._db.execute(
            "INSERT INTO blocks (label, value, description, char_limit, read_only, version, position)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (label) DO UPDATE SET value = excluded.value, description = excluded.description,"
            " char_limit = excluded.char_limit, read_only = excluded.read_only, version = excluded.version",
            (
                stored.label,
                stored.value,
                stored.description,
                stored.limit,
                stored.read_only,
                stored.version,
                self._position(block.label),
            ),
        )
        self._record(stored, at=at, provenance=provenance, deleted=False)
        return stored

    @override
    def delete(self, label: str, *, at: datetime, provenance: Provenance) -> None:
        block = self.get(label)
        if block is None:
            return
        tombstone = replace(block, version=self._next_version(label))
        self._record(tombstone, at=at, provenance=provenance, deleted=True)
        self._db.execute("DELETE FROM blocks WHERE label = ?", (label,))

    @override
    def restore(self, label: str, version: int, *, at: datetime, provenance: Provenance) -> None:
        state = self._state(label, version)
        if state is None:
            self.delete(label, at=at, provenance=provenance)
        elif not self.is_as_in(label, version):
            self.put(state, at=at, provenance=provenance)

    def is_as_in(self, label: str, version: int) -> bool:
        """Whether the block equals a version (0: it does not exist)."""
        now, then = self.get(label), self._state(label, version)
        return now == (None if then is None else replace(then, version=now.version if now else 0))

    @override
    def history(self, label: str) -> list[BlockVersion]:
        rows = self._db.execute("SELECT * FROM block_versions WHERE label = ? ORDER BY version", (label,))
        return [_version(row) for row in rows]

    @override
    def version(self, label: str, number: int) -> BlockVersion | None:
        found = self._db.execute("SELECT * FROM block_versions WHERE label = ? AND version = ?", (label, number))
        row = found.fetchone()
        return None if row is None else _version(row)

    def _state(self, label: str, version: int) -> Block | None:
        row = self._db.execute(
            "SELECT * FROM block_versions WHERE label = ? AND version = ? AND NOT deleted", (label, version)
        ).fetchone()
        return None if row is None else _block(row)

    def _position(self, label: str) -> int:
        """Return the block's position among the others; a deleted one returns to its position."""
        row = self._db.execute(
            "SELECT position FROM block_versions WHERE label = ? ORDER BY version DESC LIMIT 1", (label,)
        ).fetchone()
        if row is None:
            row = self._db.execute("SELECT coalesce(max(position), 0) + 1 FROM block_versions").fetchone()
        return int(row[0])

    def _next_version(self, label: str) -> int:
        row = self._db.execute("SELECT max(version) FROM block_versions WHERE label = ?", (label,)).fetchone()
        return int(row[0] or 0) + 1

    def _record(self, block: Block, *, at: datetime, provenance: Provenance, deleted: bool) -> None:
        self._db.execute(
            "INSERT INTO block_versions (label, version, value, description, char_limit, read_only, deleted, author,"
            " message_id, command, at, position, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                block.label,
                block.version,
                block.value,
                block.description,
                block.limit,
                block.read_only,
                deleted,
                provenance.author,
                provenance.message_id,
                provenance.command,
                to_text(at),
                self._position(block.label),
                None if provenance.origin is None else provenance.origin.to_text(),
            ),
        )
        change = Change(kind=Kind.BLOCK, label=block.label, before=block.version - 1, after=block.version)
        self._journal.record(change, at=at, provenance=provenance)


def _version(row: sqlite3.Row) -> BlockVersion:
    return BlockVersion(
        block=_block(row),
        at=from_text(row["at"]),
        provenance=Provenance(
            author=Author(row["author"]),
            message_id=row["message_id"],
            command=row["command"],
            origin=origin_of(row["origin"]),
        ),
        deleted=bool(row["deleted"]),
    )


def _block(row: sqlite3.Row) -> Block:
    return Block(
        label=row["label"],
        value=row["value"],
        description=row["description"],
        limit=row["char_limit"],
        read_only=bool(row["read_only"]),
        version=row["version"],
    )
