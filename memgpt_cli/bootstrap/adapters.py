"""Settings, keys and agents of this machine and user, and the adapters for them.

The modules `sessions`, `memory` and `new_agents` use them for the work of commands.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from memgpt_cli.bootstrap.embedders import Embedders
from memgpt_cli.bootstrap.flags import Flags
from memgpt_cli.bootstrap.models import AroundModel, Models
from memgpt_cli.config.keys import ApiKeys
from memgpt_cli.config.paths import Paths, check_agent_name, find_paths
from memgpt_cli.config.prompts import PromptFiles
from memgpt_cli.config.settings import Configuration, SettingSource
from memgpt_cli.config.settings import load as load_configuration
from memgpt_cli.domain.settings import Settings
from memgpt_cli.errors import NotFoundError
from memgpt_cli.files.replacing import PENDING, Replacements
from memgpt_cli.ports import Clock

if TYPE_CHECKING:
    from memgpt_cli.external_context.archival import ArchivalStorage
    from memgpt_cli.external_context.facts import FactStorage
    from memgpt_cli.external_context.recall import RecallStorage
    from memgpt_cli.ports import AgentSet, PermanentDeletion, StateStore, Store, VectorIndex
    from memgpt_cli.storage.agents.folders import AgentFolders


class SystemClock(Clock):
    """The clock of this machine."""

    @override
    def now(self) -> datetime:
        return datetime.now(UTC)


class Adapters:
    """The adapters of one process, each created on first use: a command only pays for what it uses."""

    def __init__(
        self,
        flags: Flags | None = None,
        *,
        environ: Mapping[str, str] = os.environ,
        directory: Path | None = None,
        clock: Clock | None = None,
        around_model: AroundModel | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._flags = flags or Flags()
        self._environ = environ
        self._directory = directory
        self.clock: Clock = clock or SystemClock()
        self._around_model = around_model
        self._tell = tell

    @cached_property
    def paths(self) -> Paths:
        """Return the program's directories; needs no settings, so it works even if they are invalid.

        Work that a crash interrupted is completed or rolled back first, with a notice.
        """
        from memgpt_cli.storage.agents.folders import recover_agents

        paths = find_paths(self._environ)
        for ended in (*recover_agents(paths.agents), *Replacements(paths.config / PENDING).recover()):
            if self._tell is not None:
                self._tell(str(ended))
        return paths

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
        """Return the settings, before an agent's own model is known."""
        return self.configuration.settings

    @cached_property
    def keys(self) -> ApiKeys:
        """Return the user's API keys."""
        return ApiKeys(self.paths.keys_file, self._environ)

    @cached_property
    def models(self) -> Models:
        """Return the models that answer."""
        return Models(self.configuration, self.keys, endpoints=self.state, around_model=self._around_model)

    @cached_property
    def embedders(self) -> Embedders:
        """Return the embedders that make vectors."""
        files = self.paths.data / "models"
        return Embedders(self.configuration, self.keys, files=files, spending=lambda: self.state, clock=self.clock)

    @cached_property
    def agent_folders(self) -> AgentFolders:
        """All agents as folders, for what packs and unpacks them."""
        return self.folders(self.configuration.paths.agents)

    @property
    def agents(self) -> AgentSet:
        """All agents."""
        return self.agent_folders

    def folders(self, root: Path) -> AgentFolders:
        """Return the agents below another folder."""
        from memgpt_cli.storage.agents.folders import AgentFolders

        return AgentFolders(root, session_gap=self._session_gap, zone=self.settings.zone)

    @property
    def _session_gap(self) -> timedelta:
        return timedelta(hours=self.settings.search.session_gap_hours)

    @cached_property
    def state(self) -> StateStore:
        """What spans agents."""
        from memgpt_cli.storage.state import StateDatabase

        return StateDatabase(self.configuration.paths.state_db, zone=self.settings.zone, now=self.clock.now)

    @cached_property
    def prompts(self) -> PromptFiles:
        """Return the prompt texts."""
        return PromptFiles(self.configuration.prompt_folders)

    @property
    def agent_name(self) -> str:
        """Return the name of the selected agent, checked to be valid."""
        return check_agent_name(self.settings.agent)

    def is_default(self, name: str) -> bool:
        """Whether this name is the default, so that it cannot be a typing error."""
        setting = self.configuration["agent.name"]
        return name == setting.value and (setting.source is not SettingSource.FLAG or name == "default")

    def record(self, name: str) -> Store:
        """Open an existing agent's record. Raises NotFoundError."""
        if not self.agents.exists(name) and self.is_default(name):
            raise NotFoundError(f"there is no agent {name!r} yet", hint="memgpt chat begins a conversation with it")
        return self.agents.open(name)

    def open_record(self, folder: Path, *, durable: bool = False) -> Store:
        """The record in a folder of the caller's; only `durable` commits wait for the disk."""
        from memgpt_cli.storage.agents.folders import RECORD
        from memgpt_cli.storage.store import SQLiteStore

        store = SQLiteStore(folder / RECORD, session_gap=self._session_gap)
        if not durable:
            store.connection.execute("PRAGMA synchronous = NORMAL")
        return store

    def index(self, folder: Path, *, writer: bool, chroma: bool = True) -> VectorIndex:
        """The vectors of the record in this folder; only the holder of its lock may be a writer."""
        from memgpt_cli.storage.agents.folders import RECORD, VECTORS
        from memgpt_cli.storage.database.connection import connect
        from memgpt_cli.storage.vectors.index import AgentVectorIndex

        path = folder / RECORD
        return AgentVectorIndex(
            connect=lambda: connect(path, any_thread=True),
            embedder=self.embedders.configured,
            folder=folder / VECTORS,
            writer=writer,
            chroma=chroma,
            exact_vectors=self.settings.archival.exact_vectors,
            nearest_messages=self.settings.search.nearest_messages,
        )

    def external_context(self, store: Store, index: VectorIndex) -> tuple[RecallStorage, ArchivalStorage]:
        """Recall and archival storage over an open record."""
        from memgpt_cli.external_context.archival import ArchivalStorage
        from memgpt_cli.external_context.recall import RecallStorage

        search, zone, embedder = self.settings.search, self.settings.zone, self.embedders.configured
        return (
            RecallStorage(store, index, embedder, settings=search, zone=zone),
            ArchivalStorage(store, index, embedder, settings=search, zone=zone, clock=self.clock),
        )

    def facts(self, store: Store, index: VectorIndex) -> FactStorage:
        """Facts over an open record."""
        from memgpt_cli.external_context.facts import FactStorage

        search, zone, embedder = self.settings.search, self.settings.zone, self.embedders.configured
        return FactStorage(store, index, embedder, settings=search, zone=zone, clock=self.clock)

    def forgetting(self, name: str, store: Store) -> PermanentDeletion:
        """Forgetting for good on behalf of one agent."""
        from memgpt_cli.storage.agents.folders import VECTORS
        from memgpt_cli.storage.forgetting import Forgetting
        from memgpt_cli.storage.store import SQLiteStore

        assert isinstance(store, SQLiteStore)  # noqa: S101 - each storage adapter deletes from its own records
        paths = self.paths
        return Forgetting(
            store,
            folder=self.agents.path(name),
            agents=paths.agents,
            roots=(paths.data, paths.config, paths.cache),
            history=paths.history,
            vectors=VECTORS,
        )
