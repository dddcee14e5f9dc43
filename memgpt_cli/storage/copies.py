"""Copying an agent's record, in use or not. Vectors travel in the record; Chroma's folder is made from it anew."""

import sqlite3
from contextlib import closing
from pathlib import Path

from memgpt_cli.errors import StorageError
from memgpt_cli.storage.database import connect
from memgpt_cli.storage.vectors import Vectors


def copy_record(source: Path, target: Path) -> None:
    """Write the record at `source`, as it stands at one instant, to `target`, in whose place nothing may be.

    Raises StorageError when either cannot be used; nothing is left at `target` then.
    """
    try:
        with closing(connect(source)) as before, closing(sqlite3.connect(target)) as after:
            before.backup(after)
        with closing(connect(target)) as after:
            Vectors(after).reset_indexed()  # Chroma, which was given these vectors, stays behind
            after.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise StorageError(f"{source} cannot be copied: {error}", hint="check the disk; memgpt doctor") from error
