"""Pictures as a kind of memory: each belongs to a message, and a passage describes it."""

import json
from datetime import datetime

from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.storage.kinds.found import Findings
from memgpt_cli.storage.kinds.kind import GONE, KindOfMemory


class PictureMemory(KindOfMemory):
    """Pictures have no states. They are hidden while their message is deleted, and removed when it is forgotten."""

    kind = Kind.PICTURE
    tables = ("pictures",)

    def purge(self, found: Findings, *, at: datetime, provenance: Provenance) -> None:  # noqa: ARG002  # noqa: ARG002
        """Remove those whose message or description is forgotten, and those with a matching name."""
        self._db.execute(
            f"DELETE FROM pictures WHERE passage IN {GONE}"  # noqa: S608
            " OR (message NOT IN (SELECT id FROM messages)"
            " AND message NOT IN (SELECT message FROM tombstones WHERE content IS NOT NULL))",
            (json.dumps(list(found.items[Kind.PASSAGE])),),
        )
        named = self._db.execute("SELECT message, name FROM pictures").fetchall()
        gone = [(row["message"],) for row in named if found.holds(row["name"])]
        self._db.executemany("DELETE FROM pictures WHERE message = ?", gone)
