"""The context of one command: agents, their memory, new agents, and files to read."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING

from memgpt_cli.bootstrap.adapters import Adapters
from memgpt_cli.bootstrap.memory import Memory
from memgpt_cli.bootstrap.new_agents import NewAgents
from memgpt_cli.bootstrap.sessions import Sessions
from memgpt_cli.config.paths import check_agent_name
from memgpt_cli.errors import UsageError
from memgpt_cli.files.durable import unwritable

if TYPE_CHECKING:
    from memgpt_cli.config.edit import SettingsFile
    from memgpt_cli.config.trust import Project
    from memgpt_cli.documents.conversations import ConversationFile
    from memgpt_cli.domain.profiles import Profile
    from memgpt_cli.external_context.loading import Loader
    from memgpt_cli.external_context.recall import RecallStorage
    from memgpt_cli.ports import BackupStore, DocumentReader, Embedder, Store, VectorIndex
    from memgpt_cli.storage.agents.leftovers import Leftovers


@dataclass(frozen=True, slots=True, kw_only=True)
class ScratchRecord:
    """A record with its vectors and its search, in a folder that is deleted after use."""

    store: Store
    index: VectorIndex
    embedder: Embedder
    recall: RecallStorage


class Workspace(Adapters):
    """Settings, keys and agents of this machine and user, as one command sees them."""

    def without_flags(self) -> Workspace:
        """Return the workspace without command-line flags."""
        return Workspace(environ=self._environ, directory=self._directory, clock=self.clock)

    @cached_property
    def sessions(self) -> Sessions:
        """Return the opener of agents for conversation."""
        return Sessions(self, self.new_agents)

    @cached_property
    def new_agents(self) -> NewAgents:
        """Return the creator of agents."""
        return NewAgents(self)

    @property
    def settings_file(self) -> SettingsFile:
        """Return the user's own settings, for changing them."""
        from memgpt_cli.config.edit import SettingsFile

        return SettingsFile(self.paths)

    def new_profile(self, name: str, values: Mapping[str, object]) -> Profile:
        """Return a profile with these fields (None: not set), not yet stored. Raises UsageError, ConfigError."""
        from memgpt_cli.config.models import lookup, profile_endpoint
        from memgpt_cli.config.profiles import build_profile, check_profile

        configuration = self.configuration  # read first: it checks the flags
        known = {field: value for field, value in values.items() if value is not None}
        profile = build_profile(name, known, hint="memgpt models add --help")
        profile_endpoint(profile)  # raises for an invalid address
        is_model = bool(lookup(configuration.models, name))
        check_profile(profile, taken=configuration.profiles, is_model=is_model)
        return profile

    def project_to_trust(self) -> tuple[Project, str, list[str]]:
        """Return `./.memgpt`, its fingerprint and its settings, one per line.

        Raises NotFoundError if it does not exist.
        """
        from memgpt_cli.config.settings import project_contents
        from memgpt_cli.config.trust import existing_project, fingerprint

        project = existing_project(self._directory or Path.cwd(), self.paths.trust_file)
        return project, fingerprint(project.folder), project_contents(project)

    def trust_project(self, *, seen: str) -> Project:
        """Trust `./.memgpt` if it still has the fingerprint `seen`. Raises NotFoundError, ConfigError."""
        from memgpt_cli.config.trust import trust_project

        return trust_project(self._directory or Path.cwd(), self.paths.trust_file, seen=seen)

    def distrust_project(self) -> bool:
        """Remove trust from `./.memgpt`; False if it was not trusted."""
        from memgpt_cli.config.trust import distrust_project

        return distrust_project(self._directory or Path.cwd(), self.paths.trust_file)

    @cached_property
    def backups(self) -> BackupStore:
        """Backups of all agents and of the program's own files, keys excepted."""
        from memgpt_cli import __version__
        from memgpt_cli.storage.agents.backups import Backups

        paths = self.paths
        files = {
            "state.db": paths.state_db,
            "history": paths.history,
            "config/config.toml": paths.user_file,
            "config/prompts": paths.prompts,
        }
        return Backups(self.agent_folders, files, check_name=self.check_name, program=__version__)

    def export_agent(self, name: str, target: Path, *, overwrite: bool) -> int:
        """Write an agent to one file, also while it talks; returns the file's size in bytes."""
        from memgpt_cli import __version__
        from memgpt_cli.storage.agents.files import export_agent
        from memgpt_cli.storage.agents.folders import RECORD

        self.agents.open(name).close()
        record, replacements, now = self.agents.path(name) / RECORD, self.agent_folders.replacements, self.clock.now()
        return export_agent(record, target, replacements, name=name, at=now, overwrite=overwrite, program=__version__)

    @contextmanager
    def new_text_file(self, path: Path, *, overwrite: bool) -> Iterator[IO[str]]:
        """A text file of the person's, for its owner's eyes; it appears under its name when it is whole.

        Raises UsageError when it exists and may not be overwritten, StorageError.
        """
        if path.exists() and not overwrite:
            raise UsageError(f"{path} exists already", hint="choose another name, or add --overwrite")
        try:
            with self.agent_folders.replacements.new_file(path, purpose="export") as file:
                text = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
                yield text
                text.detach()
        except OSError as error:
            raise unwritable(path, error) from error

    @property
    def leftovers(self) -> Leftovers:
        """What crashes left that no start finishes by itself."""
        from memgpt_cli.storage.agents.leftovers import Leftovers

        return Leftovers(self.agent_folders, self.paths.agents, (self.paths.data, self.paths.config))

    @property
    def reader(self) -> DocumentReader:
        """Return the document reader."""
        from memgpt_cli.documents.limited import LimitedReader

        return LimitedReader()

    def check_name(self, name: str) -> str:
        """Return the name if it is valid for an agent. Raises UsageError."""
        return check_agent_name(name)

    @contextmanager
    def memory(self, name: str | None = None) -> Iterator[Memory]:
        """Open an agent's memory for reading and editing, also while it talks. Raises NotFoundError."""
        name = name or self.agent_name
        with self._memory_of(name, self.record(name), writer=False) as memory:
            yield memory

    @contextmanager
    def held_memory(self, name: str | None = None, *, purpose: str, wait: bool = False) -> Iterator[Memory]:
        """Open an agent's memory under its lock, for work on documents and vectors; needs no model.

        Raises AgentBusyError, NotFoundError.
        """
        name = name or self.agent_name
        self.new_agents.ensure(name)
        lock = self.agents.lock(name, purpose=purpose, since=self.clock.now())
        with lock.acquire(wait=wait), self._memory_of(name, self.agents.open(name), writer=True) as memory:
            yield memory

    @contextmanager
    def _memory_of(self, name: str, store: Store, *, writer: bool) -> Iterator[Memory]:
        from memgpt_cli.storage.database.connection import damage_named

        memory = Memory(self, name, store, window_of=self.sessions.window, writer=writer)
        with closing(store), closing(memory), damage_named(name):
            yield memory

    @contextmanager
    def scratch(self) -> Iterator[ScratchRecord]:
        """Create an empty record with the current settings, for measurements; Chroma stays closed."""
        with tempfile.TemporaryDirectory(prefix="memgpt-") as name:
            folder = Path(name)
            with closing(self.open_record(folder)) as store, closing(self.index(folder, writer=False)) as index:
                recall, _ = self.external_context(store, index)
                yield ScratchRecord(store=store, index=index, embedder=self.embedders.configured, recall=recall)

    def try_index(self, name: str) -> bool:
        """Open an agent's Chroma like its next user; returns whether it was damaged and is rebuilt.

        Raises AgentBusyError.
        """
        with self.agents.lock(name, purpose="memgpt doctor", since=self.clock.now()).acquire():
            folder = self.agents.path(name)
            with closing(self.agents.open(name)), closing(self.index(folder, writer=True)) as index:
                index.warm()
                return index.status().rebuilt

    def conversations(self, path: Path) -> ConversationFile:
        """Return the messages of a conversation file. Reading it raises DocumentError."""
        from memgpt_cli.documents.conversations import ConversationFile

        return ConversationFile(path, self.settings.zone)

    def loader(self, store: Store, *, command: str) -> Loader:
        """Return the loader of documents for a record; their vectors stay in the outbox."""
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
