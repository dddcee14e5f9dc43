"""All versions of items: one row per version, its content as JSON."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.times import from_text, to_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemVersion:
    """One state of an item, as JSON values."""

    version: int
    at: datetime
    provenance: Provenance
    deleted: bool
    content: Mapping[str, Any]


class Versions:
    """The versions of the items of one table. Writes join the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, table: str) -> None:
        self._db = connection
        self._table = table

    def add(
        self, item: int, content: Mapping[str, Any], *, at: datetime, provenance: Provenance, deleted: bool = False
    ) -> int:
        """Store the next version of an item; returns its number."""
        version = self.newest(item) + 1
        self._db.execute(
            f"INSERT INTO {self._table} (item, version, at, author, message_id, command, deleted, content)"  # noqa: S608
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                item,
                version,
                to_text(at),
                provenance.author,
                provenance.message_id,
                provenance.command,
                deleted,
                as_json(content),
            ),
        )
        return version

    def newest(self, item: int) -> int:
        """The number of the newest version; 0 without any."""
        sql = f"SELECT max(version) FROM {self._table} WHERE item = ?"  # noqa: S608 - our own names
        return int(self._db.execute(sql, (item,)).fetchone()[0] or 0)

    def state(self, item: int, version: int) -> Mapping[str, Any] | None:
        """Return the content of a version; None if it does not exist or the item was deleted."""
        sql = f"SELECT content FROM {self._table} WHERE item = ? AND version = ? AND NOT deleted"  # noqa: S608
        row = self._db.execute(sql, (item, version)).fetchone()
        return None if row is None else dict(json.loads(row["content"]))

    def all(self, item: int) -> list[ItemVersion]:
        """Every version, oldest first."""
        rows = self._db.execute(f"SELECT * FROM {self._table} WHERE item = ? ORDER BY version", (item,))  # noqa: S608
        return [_version(row) for row in rows]

    def known_at(self, item: int, at: datetime) -> Mapping[str, Any] | None:
        """Return the content of the newest version at a time; None if the item was unknown or deleted then."""
        row = self._db.execute(
            f"SELECT * FROM {self._table} WHERE item = ? AND at <= ? ORDER BY version DESC LIMIT 1",  # noqa: S608
            (item, to_text(at)),
        ).fetchone()
        return None if row is None or row["deleted"] else dict(json.loads(row["content"]))


def as_json(content: Mapping[str, Any]) -> str:
    """Return values as JSON text."""
    return json.dumps(content, ensure_ascii=False)


def _version(row: sqlite3.Row) -> ItemVersion:
    return ItemVersion(
        version=row["version"],
        at=from_text(row["at"]),
        provenance=Provenance(author=Author(row["author"]), message_id=row["message_id"], command=row["command"]),
        deleted=bool(row["deleted"]),
        content=json.loads(row["content"]),
    )
