"""Every state of a passage, as rows of `passage_versions`.

A passage that never changed has no row here. After its first change, each version has one with author and time. The
content of a version is stored only if a later one has another content; until then it equals that of the next such row,
or of the passage itself. So deleting a hundred thousand passages copies no text.
"""

import json
import sqlite3
from datetime import datetime
from typing import Final

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.history import PassageVersion
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.times import from_text, to_text
from memgpt_cli.domain.trust import origin_of

_CONTENT: Final = ("text", "tags", "source", "location")

_CONTENT_AT: Final = """
    SELECT text, tags, source, location FROM passage_versions
    WHERE passage = ? AND version >= ? AND text IS NOT NULL ORDER BY version LIMIT 1
"""


class PassageHistory:
    """The versions of passages on one connection. Writes join the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def record(
        self, row: sqlite3.Row, *, at: datetime, provenance: Provenance, deleted: bool, content_changes: bool
    ) -> int:
        """Record the next version of the passage, whose row still holds its current state; returns the number."""
        passage, version = int(row["id"]), int(row["version"])
        if version == 1:
            self._insert(passage, 1, row["created_at"], _provenance(row), deleted=False)
        if content_changes:
            self._db.execute(
                "UPDATE passage_versions SET text = ?, tags = ?, source = ?, location = ?"
                " WHERE passage = ? AND version = ?",
                (*(row[column] for column in _CONTENT), passage, version),
            )
        self._insert(passage, version + 1, to_text(at), provenance, deleted=deleted)
        self._db.execute("UPDATE passages SET version = ? WHERE id = ?", (version + 1, passage))
        return version + 1

    def state(self, passage: int, version: int) -> tuple[Passage, bool] | None:
        """Return the content of a version, and whether it was deleted; None for a version that does not exist."""
        row = self._db.execute("SELECT * FROM passages WHERE id = ?", (passage,)).fetchone()
        if row is None or not 1 <= version <= row["version"]:
            return None
        own = self._db.execute(
            "SELECT deleted FROM passage_versions WHERE passage = ? AND version = ?", (passage, version)
        ).fetchone()
        content = self._db.execute(_CONTENT_AT, (passage, version)).fetchone() or row
        return passage_of(row, content), bool(own["deleted"]) if own else False

    def all(self, passage: int) -> list[PassageVersion]:
        """Return every version, oldest first; empty for an unknown passage."""
        row = self._db.execute("SELECT * FROM passages WHERE id = ?", (passage,)).fetchone()
        if row is None:
            return []
        rows = self._db.execute(
            "SELECT * FROM passage_versions WHERE passage = ? ORDER BY version", (passage,)
        ).fetchall()
        if not rows:
            origin = passage_of(row)
            return [PassageVersion(passage=origin, version=1, at=origin.created_at, provenance=origin.provenance)]
        found: list[PassageVersion] = []
        content = row
        for version in reversed(rows):
            content = version if version["text"] is not None else content
            found.append(
                PassageVersion(
                    passage=passage_of(row, content),
                    version=version["version"],
                    at=from_text(version["at"]),
                    provenance=_provenance(version),
                    deleted=bool(version["deleted"]),
                )
            )
        return found[::-1]

    def _insert(self, passage: int, version: int, at: str, provenance: Provenance, *, deleted: bool) -> None:
        self._db.execute(
            "INSERT INTO passage_versions (passage, version, at, author, message_id, command, deleted, origin)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                passage,
                version,
                at,
                provenance.author,
                provenance.message_id,
                provenance.command,
                deleted,
                None if provenance.origin is None else provenance.origin.to_text(),
            ),
        )


def _provenance(row: sqlite3.Row) -> Provenance:
    return Provenance(
        author=Author(row["author"]),
        message_id=row["message_id"],
        command=row["command"],
        origin=origin_of(row["origin"]),
    )


def passage_of(row: sqlite3.Row, content: sqlite3.Row | None = None) -> Passage:
    """Return a row of `passages` as a value, with the content of a version instead of the current one."""
    content = content or row
    return Passage(
        id=row["id"],
        text=content["text"],
        tags=tuple(json.loads(content["tags"])),
        source=content["source"],
        location=content["location"],
        created_at=from_text(row["created_at"]),
        provenance=_provenance(row),
    )
