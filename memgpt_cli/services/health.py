"""Checks of an agent's record and of the parts that memgpt is made of, as values."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.kinds import Collection

if TYPE_CHECKING:
    from memgpt_cli.bootstrap import Workspace

SQLITE_VERSION: Final = sqlite3.sqlite_version
DATABASE_ERRORS: Final = (OSError, sqlite3.Error)
"""What a check of a damaged record may raise besides MemGPTError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHealth:
    """What a whole record holds. `waiting` items have no vector yet; `replicas` are folders of another program."""

    messages: int
    passages: int
    vectors: int
    waiting: int
    replicas: tuple[str, ...]
    has_index: bool


def check_record(workspace: Workspace, name: str) -> RecordHealth:
    """Read an agent's whole record. Raises StorageError, EmbedderMismatchError, LimitError for what is wrong."""
    with workspace.memory(name) as memory:
        memory.check()
        status = memory.index.status()
        memory.check_embedder()
        memory.check_window()
        return RecordHealth(
            messages=memory.store.messages.count(),
            passages=memory.store.passages.count(),
            vectors=sum(status.vectors[collection] for collection in Collection),
            waiting=sum(status.waiting[collection] for collection in Collection),
            replicas=tuple(folder.name for folder in memory.forgetting.replicas()),
            has_index=(workspace.agents.path(name) / "vectors").is_dir(),
        )
