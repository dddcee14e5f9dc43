"""Core memory as rows: `blocks` holds what stands now, `block_versions` every state there ever was."""

import sqlite3
from dataclasses import replace
from datetime import datetime

from memgpt_cli.domain.blocks import Author, Block, BlockVersion, Provenance
from memgpt_cli.domain.times import from_text, to_text


class Blocks:
    """ports.BlockStore on one connection. Writes join the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def all(self) -> list[Block]:
        """The living blocks, in the order of their creation."""
        return [_block(row) for row in self._db.execute("SELECT * FROM blocks ORDER BY position, label")]

    def get(self, label: str) -> Block | None:
        """The living block of this label."""
        row = self._db.execute("SELECT * FROM blocks WHERE label = ?", (label,)).fetchone()
        return None if row is None else _block(row)

    def put(self, block: Block, *, at: datetime, provenance: Provenance) -> Block:
        """Create or change it; the version counts on across deletions."""
        stored = replace(block, version=self._next_version(block.label))
        self._db.execute(
            "INSERT INTO blocks (label, value, description, char_limit, read_only, version, position)"
            " VALUES (?, ?, ?, ?, ?, ?, (SELECT coalesce(max(position), 0) + 1 FROM blocks))"
            " ON CONFLICT (label) DO UPDATE SET value = excluded.value, description = excluded.description,"
            " char_limit = excluded.char_limit, read_only = excluded.read_only, version = excluded.version",
            (stored.label, stored.value, stored.description, stored.limit, stored.read_only, stored.version),
        )
        self._record(stored, at=at, provenance=provenance, deleted=False)
        return stored

    def delete(self, label: str, *, at: datetime, provenance: Provenance) -> None:
        """Leave a tombstone that keeps what was deleted."""
        block = self.get(label)
        if block is None:
            return
        self._db.execute("DELETE FROM blocks WHERE label = ?", (label,))
        tombstone = replace(block, version=self._next_version(label))
        self._record(tombstone, at=at, provenance=provenance, deleted=True)

    def history(self, label: str) -> list[BlockVersion]:
        """Every version, oldest first."""
        rows = self._db.execute("SELECT * FROM block_versions WHERE label = ? ORDER BY version", (label,))
        return [
            BlockVersion(
                block=_block(row),
                at=from_text(row["at"]),
                provenance=Provenance(
                    author=Author(row["author"]), message_id=row["message_id"], command=row["command"]
                ),
                deleted=bool(row["deleted"]),
            )
            for row in rows
        ]

    def _next_version(self, label: str) -> int:
        row = self._db.execute("SELECT max(version) FROM block_versions WHERE label = ?", (label,)).fetchone()
        return int(row[0] or 0) + 1

    def _record(self, block: Block, *, at: datetime, provenance: Provenance, deleted: bool) -> None:
        self._db.execute(
            "INSERT INTO block_versions (label, version, value, description, char_limit, read_only, deleted, author,"
            " message_id, command, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            ),
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
