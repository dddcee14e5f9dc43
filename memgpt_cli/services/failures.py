"""Errors that a command did not expect, told apart: the record itself, or a bug."""

import sqlite3


def is_of_the_record(error: Exception) -> bool:
    """Whether SQLite says that the file, the disk or another process is the cause, and not a faulty statement."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of the code is detail
    if type(error) not in {sqlite3.DatabaseError, sqlite3.OperationalError}:
        return False
    return code > sqlite3.SQLITE_ERROR or str(error).startswith("no such table")
