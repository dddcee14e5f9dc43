"""Settings, keys and agents of this machine and this person, and the adapters that serve them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from memgpt_cli.bootstrap.embedders import Embedders
from memgpt_cli.bootstrap.flags import Flags
from memgpt_cli.bootstrap.memory import Memory
from memgpt_cli.bootstrap.models import AroundModel, Models
from memgpt_cli.bootstrap.new_agents import NewAgents
from memgpt_cli.bootstrap.sessions import Sessions
from memgpt_cli.config.keys import ApiKeys
from memgpt_cli.config.paths import Paths, find_paths
from memgpt_cli.config.prompts import PromptFiles
from memgpt_cli.config.settings import Configuration
from memgpt_cli.config.settings import load as load_configuration
from memgpt_cli.domain.settings import Settings
from memgpt_cli.errors import NotFoundError

if TYPE_CHECKING:
    from memgpt_cli.config.edit import SettingsFile
    from memgpt_cli.config.trust import Project
    from memgpt_cli.documents.conversations import ConversationFile
    from memgpt_cli.external_context.archival import ArchivalStorage
    from memgpt_cli.external_context.loading import Loader
    from memgpt_cli.external_context.recall import RecallStorage
    from memgpt_cli.ports import Clock, DocumentReader, Embedder, Store
    from memgpt_cli.storage.agent_folders import AgentFolders
    from memgpt_cli.storage.backups import Backups
    from memgpt_cli.storage.forgetting import Forgetting
    from memgpt_cli.storage.state import StateDatabase
    from memgpt_cli.storage.store import SQLiteStore
    from memgpt_cli.storage.vector_index import AgentVectorIndex


class SystemClock:
    """ports.Clock of the machine."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """A record with its vectors and its search, in a folder that is gone after use."""

    store: Store
    index: AgentVectorIndex
    embedder: Embedder
    recall: RecallStorage


class Workspace:
    """Settings, keys and agents of this machine and this person, as one command sees them."""

    def __init__(
        self,
        flags: Flags | None = None,
        *,
        environ: Mapping[str, str] = os.environ,
        directory: Path | None = None,
        clock: Clock | None = None,
        around_model: AroundModel | None = None,
    ) -> None:
        self._flags = flags or Flags()
        self._environ = environ
        self._directory = directory
        self.clock: Clock = clock or SystemClock()
        self._around_model = around_model

    @cached_property
    def paths(self) -> Paths:
        """Where things are kept; needs no settings, so it can be told even when they are faulty."""
        return find_paths(self._environ)

    @cached_property
    def configuration(self) -> Configuration:
        """The settings with their sources. Raises ConfigError."""
        return load_configuration(
            self.paths,
            environ=self._environ,
            directory=self._directory,
            flags=self._flags.as_settings(),
        )

    @property
    def settings(self) -> Settings:
        """The settings, before an agent's own model is known."""
        return self.configuration.settings

    @cached_property
    def keys(self) -> ApiKeys:
        """The person's API keys."""
        return ApiKeys(self.paths.keys_file, self._environ)

    @cached_property
    def models(self) -> Models:
        """The models that answer."""
        return Models(self.configuration, self.keys, around_model=self._around_model)

    @cached_property
    def embedders(self) -> Embedders:
        """The embedders that make vectors."""
        files = self.paths.data / "models"
        return Embedders(self.configuration, self.keys, files=files, spending=lambda: self.state, clock=self.clock)

    @cached_property
    def sessions(self) -> Sessions:
        """Opens agents to talk to."""
        return Sessions(self)

    @cached_property
    def new_agents(self) -> NewAgents:
        """Makes agents."""
        return NewAgents(self)

    @property
    def settings_file(self) -> SettingsFile:
        """The person's own settings, for changing them."""
        from memgpt_cli.config.edit import SettingsFile

        return SettingsFile(self.paths)

    def trust_project(self) -> Project:
        """Trust `./.memgpt` as it stands. Raises NotFoundError when there is none."""
        from memgpt_cli.config.trust import trust_project

        return trust_project(self._directory or Path.cwd(), self.paths.trust_file)

    def distrust_project(self) -> bool:
        """Take trust back from `./.memgpt`; False when it had none."""
        from memgpt_cli.config.trust import distrust_project

        return distrust_project(self._directory or Path.cwd(), self.paths.trust_file)

    @cached_property
    def agents(self) -> AgentFolders:
        """All agents."""
        from memgpt_cli.storage.agent_folders import AgentFolders

        gap = timedelta(hours=self.settings.search.session_gap_hours)
        return AgentFolders(self.configuration.paths.agents, session_gap=gap, zone=self.settings.zone)

    @cached_property
    def backups(self) -> Backups:
        """Backups of all agents and of the program's own files, keys excepted."""
        from memgpt_cli import __version__
        from memgpt_cli.storage.backups import Backups

        paths = self.paths
        files = {
            "state.db": paths.state_db,
            "history": paths.history,
            "config/config.toml": paths.user_file,
            "config/prompts": paths.prompts,
        }
        return Backups(self.agents, files, check_name=self.check_name, program=__version__)

    def export_agent(self, name: str, target: Path, *, overwrite: bool) -> int:
        """Write an agent, talking or not, into one file; returns its size in bytes."""
        from memgpt_cli import __version__
        from memgpt_cli.storage.agent_files import export_agent
        from memgpt_cli.storage.agent_folders import RECORD

        self.agents.open(name).close()
        with self.agents.workshop(f"export-{name}") as folder:
            record, now = self.agents.path(name) / RECORD, self.clock.now()
            return export_agent(record, target, scratch=folder, at=now, overwrite=overwrite, program=__version__)

    @cached_property
    def state(self) -> StateDatabase:
        """What spans agents."""
        from memgpt_cli.storage.state import StateDatabase

        return StateDatabase(self.configuration.paths.state_db, zone=self.settings.zone)

    @cached_property
    def prompts(self) -> PromptFiles:
        """The instructions' texts."""
        return PromptFiles(self.configuration.prompt_folders)

    @property
    def reader(self) -> DocumentReader:
        """What makes texts of files."""
        from memgpt_cli.documents.reading import FileReader

        return FileReader()

    @property
    def agent_name(self) -> str:
        """The agent that is meant, checked to be a possible name."""
        from memgpt_cli.config.paths import check_agent_name

        return check_agent_name(self.settings.agent)

    def check_name(self, name: str) -> str:
        """The name itself when an agent can be called so. Raises UsageError."""
        from memgpt_cli.config.paths import check_agent_name

        return check_agent_name(name)

    def record(self, name: str) -> SQLiteStore:
        """The record of an agent that there is. Raises NotFoundError."""
        if not self.agents.exists(name) and self.new_agents.is_default(name):
            raise NotFoundError(f"there is no agent {name!r} yet", hint="memgpt chat begins a conversation with it")
        return self.agents.open(name)

    @contextmanager
    def memory(self, name: str | None = None) -> Iterator[Memory]:
        """An agent's memory for looking and editing, while it may be talking to somebody. Raises NotFoundError."""
        name = name or self.agent_name
        with self._memory_of(name, self.record(name), writer=False) as memory:
            yield memory

    @contextmanager
    def held_memory(self, name: str | None = None, *, purpose: str, wait: bool = False) -> Iterator[Memory]:
        """An agent's memory under its lock, for work on documents and vectors; no model is needed.

        Raises AgentBusyError, NotFoundError.
        """
        name = name or self.agent_name
        self.new_agents.ensure(name)
        lock = self.agents.lock(name, purpose=purpose, since=self.clock.now())
        with lock.acquire(wait=wait), self._memory_of(name, self.agents.open(name), writer=True) as memory:
            yield memory

    @contextmanager
    def _memory_of(self, name: str, store: SQLiteStore, *, writer: bool) -> Iterator[Memory]:
        memory = Memory(self, name, store, writer=writer)
        try:
            yield memory
        finally:
            memory.close()
            store.close()

    @contextmanager
    def scratch(self) -> Iterator[Scratch]:
        """An empty record under the settings in force, for measuring; Chroma stays closed."""
        from memgpt_cli.storage.agent_folders import RECORD
        from memgpt_cli.storage.store import SQLiteStore

        gap = timedelta(hours=self.settings.search.session_gap_hours)
        with tempfile.TemporaryDirectory(prefix="memgpt-") as folder:
            store = SQLiteStore(Path(folder) / RECORD, session_gap=gap)
            try:
                index = self.index(store, Path(folder), writer=False)
                recall, _ = self.external_context(store, index)
                yield Scratch(store=store, index=index, embedder=self.embedders.configured, recall=recall)
                index.close()
            finally:
                store.close()

    def try_index(self, name: str) -> bool:
        """Open an agent's Chroma as its next user would; whether it was damaged and is made anew.

        Raises AgentBusyError.
        """
        with self.agents.lock(name, purpose="memgpt doctor", since=self.clock.now()).acquire():
            store = self.agents.open(name)
            index = self.index(store, self.agents.path(name), writer=True)
            try:
                index.warm()
                return index.status().rebuilt
            finally:
                index.close()
                store.close()

    def forgetting(self, name: str, store: SQLiteStore) -> Forgetting:
        """Forgetting for good on behalf of one agent."""
        from memgpt_cli.storage.agent_folders import VECTORS
        from memgpt_cli.storage.forgetting import Forgetting

        paths = self.paths
        return Forgetting(
            store,
            folder=self.agents.path(name),
            agents=paths.agents,
            roots=(paths.data, paths.config, paths.cache),
            history=paths.history,
            vectors=VECTORS,
        )

    def open_record(self, folder: Path, *, durable: bool = False) -> SQLiteStore:
        """The record in a folder of the caller's; only `durable` commits wait for the disk."""
        from memgpt_cli.storage.agent_folders import RECORD
        from memgpt_cli.storage.store import SQLiteStore

        store = SQLiteStore(folder / RECORD, session_gap=timedelta(hours=self.settings.search.session_gap_hours))
        if not durable:
            store.connection.execute("PRAGMA synchronous = NORMAL")
        return store

    def conversations(self, path: Path) -> ConversationFile:
        """The messages of a file of conversations. Raises DocumentError when it is read."""
        from memgpt_cli.documents.conversations import ConversationFile

        return ConversationFile(path, self.settings.zone)

    def loader(self, store: Store, *, command: str) -> Loader:
        """What loads documents into a record; their vectors wait in the outbox."""
        from memgpt_cli.external_context.loading import Loader

        return Loader(
            store,
            self.reader,
            self.embedders.configured,
            clock=self.clock,
            count=self.models.counter("offline").count,
            max_tokens=self.settings.archival.chunk_tokens,
            command=command,
        )

    def external_context(self, store: Store, index: AgentVectorIndex) -> tuple[RecallStorage, ArchivalStorage]:
        """Recall and archival storage over an open record."""
        from memgpt_cli.external_context.archival import ArchivalStorage
        from memgpt_cli.external_context.recall import RecallStorage

        search, zone, embedder = self.settings.search, self.settings.zone, self.embedders.configured
        return (
            RecallStorage(store, index, embedder, settings=search, zone=zone),
            ArchivalStorage(store, index, embedder, settings=search, zone=zone, clock=self.clock),
        )

    def index(self, store: SQLiteStore, folder: Path, *, writer: bool, chroma: bool = True) -> AgentVectorIndex:
        """The vectors of the record in this folder; only the holder of its lock may be a writer."""
        from memgpt_cli.storage.agent_folders import VECTORS
        from memgpt_cli.storage.database import connect
        from memgpt_cli.storage.vector_index import AgentVectorIndex

        path = store.path
        return AgentVectorIndex(
            connect=lambda: connect(path, any_thread=True),
            embedder=self.embedders.configured,
            folder=folder / VECTORS,
            writer=writer,
            chroma=chroma,
            exact_vectors=self.settings.archival.exact_vectors,
            nearest_messages=self.settings.search.nearest_messages,
        )
