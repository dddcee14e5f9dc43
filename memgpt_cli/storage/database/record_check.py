"""Check a record: its schema, SQLite's check of the file, and the agent's settings."""

import json
import sqlite3
from contextlib import closing
from functools import cache

from memgpt_cli.domain.agents import AgentConfig, Protocol
from memgpt_cli.domain.times import from_text

_LARGEST_WINDOW = 10**9
_TEXTS = ("model", "base_url", "profile")


def fault_of(connection: sqlite3.Connection) -> str | None:
    """Return the error in a record, in words; None if it is intact with exactly the tables of its schema version."""
    from memgpt_cli.storage.database.schema import VERSION

    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if not 1 <= version <= VERSION:
            return f"its schema is {version}, this memgpt knows up to {VERSION}"
        if odd := sorted(str(entry[1]) for entry in _schema_of(connection) ^ _schema(version)):
            return f"its tables differ from those of memgpt: {', '.join(odd[:3])}"
        found = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
        if found != ["ok"]:
            return f"it is damaged: {found[0]}"
        row = connection.execute("SELECT value FROM meta WHERE key = 'config'").fetchone()
        if row is None:
            return "the agent's settings are missing"
        agent_config(row[0])
    except (sqlite3.Error, ValueError) as error:
        return str(error)
    return None


def agent_config(text: str) -> AgentConfig:
    """Parse the stored settings of an agent. Raises ValueError with the reason if they are damaged."""
    try:
        values = json.loads(text)
        values |= {"created_at": from_text(values["created_at"]), "protocol": Protocol(values["protocol"])}
        config = AgentConfig(**values)
    except (TypeError, KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"the agent's settings are damaged: {error}") from error
    texts = (config.name, *(getattr(config, field) or "" for field in _TEXTS))
    window = config.window
    is_window = window is None or (type(window) is int and 0 < window <= _LARGEST_WINDOW)
    if not all(isinstance(value, str) for value in texts) or not is_window:
        raise ValueError("the agent's settings are damaged: a value has the wrong type")
    return config


def _schema_of(connection: sqlite3.Connection) -> frozenset[tuple[str, ...]]:
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return frozenset(tuple(row) for row in rows)


@cache
def _schema(version: int) -> frozenset[tuple[str, ...]]:
    from memgpt_cli.storage.database.schema import migrate

    with closing(sqlite3.connect(":memory:")) as connection:
        migrate(connection, upto=version)
        return _schema_of(connection)
