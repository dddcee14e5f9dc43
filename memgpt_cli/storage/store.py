"""The record of one agent: it opens and migrates `agent.db` and provides its stores.

A store is created on first use, so that a command only pays for the stores it uses.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from memgpt_cli.domain.agents import AgentConfig
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import StorageError
from memgpt_cli.ports import Store
from memgpt_cli.storage.database.connection import connect, rehearsal, savepoint, transaction
from memgpt_cli.storage.database.record_check import agent_config, fault_of

if TYPE_CHECKING:
    from memgpt_cli.domain.vectors import EmbedderIdentity
    from memgpt_cli.files.replacing import Replacements
    from memgpt_cli.storage.kinds.registry import Kinds
    from memgpt_cli.storage.kinds.undo import Undo
    from memgpt_cli.storage.lexical.index import FullText
    from memgpt_cli.storage.rows.blocks import Blocks
    from memgpt_cli.storage.rows.documents import Documents
    from memgpt_cli.storage.rows.entities import Entities
    from memgpt_cli.storage.rows.facts import Facts
    from memgpt_cli.storage.rows.journal import Journal
    from memgpt_cli.storage.rows.ledger import Ledger
    from memgpt_cli.storage.rows.messages import Messages
    from memgpt_cli.storage.rows.passages import Passages
    from memgpt_cli.storage.rows.pictures import Pictures
    from memgpt_cli.storage.rows.reviews import Reviews
    from memgpt_cli.storage.rows.tombstones import Tombstones
    from memgpt_cli.storage.rows.turns import Epochs, Turns

_VERSION = 6
"""schema.VERSION, repeated so that a normal start does not import sqlite-utils; a test compares them."""

_LOST = "restore a backup with `memgpt restore`, or delete the agent with `memgpt agent delete NAME`"


class SQLiteStore(Store):
    """The record of one agent in one file. Raises StorageError for another file, or one of a later version."""

    def __init__(self, path: Path, *, session_gap: timedelta = timedelta(hours=4)) -> None:
        self.path = path
        fresh = not path.exists()
        self.connection = connect(path)
        try:
            _bring_up_to_date(self.connection, path, fresh=fresh)
        except BaseException:
            self.connection.close()
            raise
        self._session_gap = session_gap

    @override
    @cached_property
    def messages(self) -> Messages:
        from memgpt_cli.storage.rows.messages import Messages

        return Messages(self.connection, lambda: self.lexical, self.journal)

    @override
    @cached_property
    def lexical(self) -> FullText:
        from memgpt_cli.storage.lexical.index import FullText

        return FullText(self.connection, session_gap=self._session_gap)

    @override
    @cached_property
    def journal(self) -> Journal:
        from memgpt_cli.storage.rows.journal import Journal

        return Journal(self.connection)

    @override
    @cached_property
    def blocks(self) -> Blocks:
        from memgpt_cli.storage.rows.blocks import Blocks

        return Blocks(self.connection, self.journal)

    @override
    @cached_property
    def passages(self) -> Passages:
        from memgpt_cli.storage.rows.passages import Passages

        return Passages(self.connection, self.lexical, self.journal)

    @override
    @cached_property
    def pictures(self) -> Pictures:
        from memgpt_cli.storage.rows.pictures import Pictures

        return Pictures(self.connection)

    @override
    @cached_property
    def reviews(self) -> Reviews:
        from memgpt_cli.storage.rows.reviews import Reviews

        return Reviews(self.connection, self.journal)

    @override
    @cached_property
    def documents(self) -> Documents:
        from memgpt_cli.storage.rows.documents import Documents

        return Documents(self.connection, self.passages)

    @override
    @cached_property
    def entities(self) -> Entities:
        from memgpt_cli.storage.rows.entities import Entities

        return Entities(self.connection, self.journal)

    @override
    @cached_property
    def facts(self) -> Facts:
        from memgpt_cli.storage.rows.facts import Facts

        return Facts(self.connection, self.entities, self.journal)

    @override
    @cached_property
    def epochs(self) -> Epochs:
        from memgpt_cli.storage.rows.turns import Epochs

        return Epochs(self.connection)

    @override
    @cached_property
    def turns(self) -> Turns:
        from memgpt_cli.storage.rows.turns import Turns

        return Turns(self.connection)

    @override
    @cached_property
    def ledger(self) -> Ledger:
        from memgpt_cli.storage.rows.ledger import Ledger

        return Ledger(self.connection)

    @override
    @cached_property
    def tombstones(self) -> Tombstones:
        from memgpt_cli.storage.rows.tombstones import Tombstones

        return Tombstones(self.connection, self.lexical, self.journal, self.epochs)

    @override
    @cached_property
    def undo(self) -> Undo:
        from memgpt_cli.storage.kinds.undo import Undo

        return Undo(self, self.kinds)

    @override
    @cached_property
    def kinds(self) -> Kinds:
        from memgpt_cli.storage.kinds.registry import Kinds

        return Kinds(self)

    @override
    @property
    def embedder(self) -> EmbedderIdentity | None:
        """Return the embedder that made the vectors; None before the first."""
        from memgpt_cli.storage.vectors.log import Vectors

        return Vectors(self.connection).identity()

    @override
    def config(self) -> AgentConfig:
        row = self.connection.execute("SELECT value FROM meta WHERE key = 'config'").fetchone()
        if row is None:
            raise StorageError(f"{self.path} says nothing of its agent", hint=_LOST)
        try:
            return agent_config(row["value"])
        except ValueError as error:
            raise StorageError(f"{self.path}: {error}", hint=_LOST) from error

    @override
    def set_config(self, config: AgentConfig) -> None:
        values = asdict(config) | {"created_at": to_text(config.created_at)}
        with self.transaction():
            self.connection.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('config', ?)",
                (json.dumps(values, ensure_ascii=False),),
            )

    @override
    def note(self, key: str) -> str | None:
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (f"note.{key}",)).fetchone()
        return None if row is None else str(row["value"])

    @override
    def set_note(self, key: str, value: str) -> None:
        with self.transaction():
            self.connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (f"note.{key}", value))

    @override
    def transaction(self) -> AbstractContextManager[None]:
        return transaction(self.connection)

    @override
    def rehearsal(self) -> AbstractContextManager[None]:
        return rehearsal(self.connection)

    @override
    def savepoint(self) -> AbstractContextManager[None]:
        return savepoint(self.connection)

    @override
    def changes(self) -> tuple[int, int]:
        others = int(self.connection.execute("PRAGMA data_version").fetchone()[0])
        return others, self.connection.total_changes

    @override
    def check(self) -> None:
        """Check the whole file. Raises StorageError if anything is missing or damaged."""
        if fault := fault_of(self.connection):
            raise StorageError(f"{self.path} cannot be used: {fault}", hint=_LOST)

    @override
    def close(self) -> None:
        self.connection.close()


def _bring_up_to_date(connection: sqlite3.Connection, path: Path, *, fresh: bool) -> None:
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version == _VERSION:
            return
        if version > _VERSION:
            raise StorageError(
                f"{path} was written by a later memgpt (schema {version}, this one knows {_VERSION})",
                hint="pip install --upgrade memgpt-cli",
            )
        if version == 0 and not fresh:
            raise StorageError(f"{path} is empty, or no record of an agent", hint=_LOST)
        from memgpt_cli.files.replacing import PENDING, Replacements
        from memgpt_cli.storage.database.schema import migrate

        # Of several processes that find an old record one brings it up to date, and the others wait.
        replacements = Replacements(path.parent.parent / PENDING)
        with nullcontext() if fresh else replacements.alone(path.parent.name):
            if fresh or connection.execute("PRAGMA user_version").fetchone()[0] < _VERSION:
                if not fresh:
                    _keep_as_it_was(connection, path, replacements)
                migrate(connection)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be brought up to date: {error}", hint="free disk space, and check the permissions"
        ) from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise StorageError(f"{path} cannot be made: {error}", hint="free disk space") from error
        raise StorageError(f"{path} is not a readable record: {error}", hint=_LOST) from error


def _keep_as_it_was(connection: sqlite3.Connection, path: Path, replacements: Replacements) -> None:
    from memgpt_cli.files.replacing import Step, StepKind

    target = path.with_name(f"{path.name}.before-{_VERSION}")
    with replacements.begin("migration", [Step(kind=StepKind.FILE, target=target)]) as running:
        with closing(sqlite3.connect(running.new())) as copy:
            connection.backup(copy)
        running.commit()
