"""Read a record's key data before it is opened, so that a chat's prompt appears immediately."""

import sqlite3
from pathlib import Path

from memgpt_cli.domain.agent_summary import AgentSummary
from memgpt_cli.domain.vectors import EmbedderIdentity
from memgpt_cli.storage.database.record_check import agent_config

_ENDPOINT = "note.endpoint"
_EMBEDDER = "embedder"


def read_summary(path: Path) -> AgentSummary | None:
    """Read the key data of the record at `path`; None if it must be opened first."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)
    except sqlite3.Error:
        return None
    try:
        return _read(connection)
    except (sqlite3.Error, KeyError, ValueError, TypeError):
        return None
    finally:
        connection.close()


def _read(connection: sqlite3.Connection) -> AgentSummary:
    keys = ("config", _ENDPOINT, _EMBEDDER)
    meta = dict(connection.execute("SELECT key, value FROM meta WHERE key IN (?, ?, ?)", keys).fetchall())
    used = connection.execute(
        "SELECT prompt_tokens + completion_tokens FROM steps WHERE purpose = 'reply' ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return AgentSummary(
        config=agent_config(meta["config"]),
        endpoint=meta.get(_ENDPOINT),
        embedder=EmbedderIdentity.parse(meta[_EMBEDDER]) if _EMBEDDER in meta else None,
        messages=connection.execute("SELECT EXISTS (SELECT 1 FROM messages WHERE role = 'user')").fetchone()[0] == 1,
        unanswered=connection.execute("SELECT EXISTS (SELECT 1 FROM turns WHERE state = 'open')").fetchone()[0] == 1,
        used=used[0] if used else 0,
    )
