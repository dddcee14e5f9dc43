"""The one place that names concrete adapters: settings become a workspace, an agent's name becomes an open agent.

Adapters are imported inside the functions that need them, so that a command pays only for what it uses.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from memgpt_cli.config.keys import ApiKeys
from memgpt_cli.config.models import Endpoint, ModelChoice, is_builtin, model_settings, resolve_model
from memgpt_cli.config.paths import Paths, find_paths
from memgpt_cli.config.prompts import PromptFiles
from memgpt_cli.config.settings import Configuration, Source
from memgpt_cli.config.settings import load as load_configuration
from memgpt_cli.domain.agents import AgentConfig
from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.domain.settings import ModelSettings, Settings
from memgpt_cli.errors import AgentBusyError, EmbedderMismatchError, NotFoundError, UsageError

if TYPE_CHECKING:
    from memgpt_cli.agent.embedding_bill import EmbeddingBill
    from memgpt_cli.agent.reservation import Reservation
    from memgpt_cli.agent.session import Lock, Session
    from memgpt_cli.config.edit import SettingsFile
    from memgpt_cli.config.trust import Project
    from memgpt_cli.domain.conversations import SaidElsewhere, Unreadable
    from memgpt_cli.domain.vectors import EmbedderIdentity
    from memgpt_cli.external_context.archival import ArchivalStorage
    from memgpt_cli.external_context.loading import Loader
    from memgpt_cli.external_context.recall import RecallStorage
    from memgpt_cli.main_context.core_memory import CoreMemory
    from memgpt_cli.main_context.window import Window
    from memgpt_cli.ports import ChatModel, Clock, DocumentReader, Embedder, Store, TokenCounter
    from memgpt_cli.storage.agent_folders import AgentFolders
    from memgpt_cli.storage.backups import Backups
    from memgpt_cli.storage.forgetting import Forgetting
    from memgpt_cli.storage.state import StateDatabase
    from memgpt_cli.storage.store import SQLiteStore
    from memgpt_cli.storage.vector_index import AgentVectorIndex

DRAFTS = "drafts"
"""Folder within an agent's, of texts that are being edited."""

AroundModel = Callable[["ChatModel", ModelSettings], "ChatModel"]
"""Puts something between the agents and a model on a network; repeating failed calls is then its work."""

PERSONA = "persona"
HUMAN = "human"
_EMBEDDING_MODELS = {"static": "wordllama-256", "minilm": "all-MiniLM-L6-v2", "openai": "text-embedding-3-small"}
"""What each provider of embeddings uses when no model is named."""
_DESCRIPTIONS = {PERSONA: "who you are and how you speak", HUMAN: "what you know about the person you talk to"}


class SystemClock:
    """ports.Clock of the machine."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)


class Uncalibrated:
    """ports.Calibration for the built-in models: no server counts for them, so there is nothing to learn."""

    def ratio(self, model: str) -> float | None:  # noqa: ARG002 - the port's
        """Unknown, whatever the model."""
        return None

    def observe(self, model: str, *, counted: int, reported: int) -> None:
        """Nothing is learnt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What was typed on the command line that overrides settings; None where nothing was."""

    agent: str | None = None
    model: str | None = None
    base_url: str | None = None
    window: int | None = None

    def as_settings(self) -> dict[str, str | int | float | bool | None]:
        """By setting."""
        return {
            "agent.name": self.agent,
            "model.name": self.model,
            "model.base_url": self.base_url,
            "window.tokens": self.window,
        }


class Memory:
    """Reading and writing one agent's memory without talking to it: no lock, no model.

    What searches is made when it is first asked for, so that listing and showing cost no more than the record.
    """

    def __init__(self, workspace: Workspace, name: str, store: SQLiteStore, *, writer: bool = False) -> None:
        self.name = name
        self.store: Store = store
        self._record = store
        self._workspace = workspace
        self._writer = writer

    def check(self) -> None:
        """Look at the whole record. Raises StorageError when it is damaged."""
        self._record.check()

    @cached_property
    def index(self) -> AgentVectorIndex:
        """The vectors; for reading, unless the agent's lock is held."""
        return self._workspace.index(self.name, self._record, writer=self._writer)

    @cached_property
    def _external_context(self) -> tuple[RecallStorage, ArchivalStorage]:
        self.check_embedder()
        return self._workspace.external_context(self.store, self.index)

    @property
    def recall(self) -> RecallStorage:
        """Recall storage, to be asked."""
        return self._external_context[0]

    @property
    def archival(self) -> ArchivalStorage:
        """Archival storage, to be asked and added to."""
        return self._external_context[1]

    @property
    def embedder(self) -> EmbedderIdentity | None:
        """Whose vectors there are; None before the first."""
        return _embedder_of(self._record)

    def check_embedder(self) -> None:
        """Raise EmbedderMismatchError when the vectors were made by another embedder than the configured one."""
        self._workspace.check_embedder(self.name, self.embedder)

    @cached_property
    def core_memory(self) -> CoreMemory:
        """Core memory, to be read and written within its limits."""
        from memgpt_cli.main_context.core_memory import CoreMemory

        return CoreMemory(self.store, self._workspace.clock, self._count)

    @property
    def forgetting(self) -> Forgetting:
        """Forgetting for good; all but its plan needs the agent's lock."""
        return self._workspace.forgetting(self.name, self._record)

    def check_window(self, block: Block) -> None:
        """Raise LimitError when the agent's window has no room for this block, new or changed, at its limit."""
        blocks = {b.label: b for b in self.store.blocks.all()} | {block.label: block}
        self._workspace.window(self.store).check(list(blocks.values()))

    @contextmanager
    def between_turns(self, *, needed: bool = True) -> Iterator[None]:
        """Nothing is being answered meanwhile, so that messages may leave the queue, or come back to it.

        A chat that waits for its person is no hindrance: it reads the queue anew at its next turn. During a turn it
        raises AgentBusyError.
        """
        if not needed or not self.store.turns.open_turns():
            yield
            return
        lock = self._workspace.agents.lock(self.name, purpose="memgpt", since=self._workspace.clock.now())
        try:
            lock.acquire()
        except AgentBusyError as error:
            raise AgentBusyError(
                "the agent is answering a message right now, and its queue cannot change under it",
                hint="try again when the answer has come",
            ) from error
        with lock:
            yield

    def draft(self, label: str) -> Path:
        """A file of the agent's own for editing a block outside of the record, for the owner's eyes."""
        folder = self._workspace.agents.path(self.name) / DRAFTS
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / f"{label}.txt"

    def _count(self, text: str) -> int:
        """Tokens of a text as the agent's own model has them; loads a table only when a block is near its limit."""
        model = self.store.config().model or self._workspace.settings.model.name
        return self._workspace.counter(model).count(text)

    def close(self) -> None:
        """Release what was opened."""
        if "index" in vars(self):
            self.index.close()


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
        self._clients: dict[tuple[str, str | None], ChatModel] = {}
        self._bills: dict[str, EmbeddingBill] = {}

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
        return AgentFolders(self.configuration.paths.agents, session_gap=gap)

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

    def import_agent(
        self, source: Path, name: str | None, *, keep_endpoint: bool, progress: Callable[[str, int], None]
    ) -> tuple[str, str | None]:
        """Make an agent of a file; returns its name and the endpoint that the file names, taken over only when wanted.

        Raises DocumentError, UsageError when there is an agent of this name.
        """
        from memgpt_cli.storage.agent_files import agent_in, import_agent
        from memgpt_cli.storage.agent_folders import RECORD

        name = self.check_name(name or agent_in(source))
        if self.agents.exists(name):
            raise UsageError(f"there is an agent {name!r} already", hint="give it another name with --as NAME")
        with self.agents.workshop(name) as folder:
            endpoint = import_agent(source, folder / RECORD, name=name, keep_endpoint=keep_endpoint, progress=progress)
            self.agents.adopt(folder, name)
        return name, endpoint

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

    def create_agent(
        self,
        name: str,
        *,
        config: AgentConfig | None = None,
        persona: str | None = None,
        human: str = "",
        blocks: Sequence[Block] = (),
        may_exist: bool = False,
        folders: AgentFolders | None = None,
    ) -> None:
        """Make an agent with its first blocks, in other `folders` if given.

        Raises UsageError when it exists, LimitError for a block over its limit.
        """
        from memgpt_cli.config.paths import check_agent_name
        from memgpt_cli.main_context.core_memory import check_block, check_new

        check_agent_name(name)
        config = config or AgentConfig(name=name, created_at=self.clock.now(), protocol=self.settings.loop.protocol)
        limit = self.settings.memory.block_limit
        texts = {PERSONA: self.prompts.render("persona", {}) if persona is None else persona, HUMAN: human}
        first = [
            Block(label=label, value=value.strip(), description=_DESCRIPTIONS[label], limit=limit)
            for label, value in texts.items()
        ]
        given = {block.label: block for block in blocks}
        everything = [given.pop(b.label, b) for b in first] + list(given.values())
        counter = self.counter(config.model or "offline")
        for block in everything:
            check_new(block, counter.count)
            check_block(block, block.value, counter.count)
        provenance = Provenance(author=Author.SYSTEM, command="agent create")
        (folders or self.agents).create(config, everything, provenance=provenance, may_exist=may_exist)

    def ensure_agent(self, name: str) -> None:
        """Make the default agent on first use; any other must have been created. Raises NotFoundError."""
        if self.agents.exists(name):
            return
        if not self._is_default(name):
            raise NotFoundError(f"there is no agent {name!r}", hint=f"memgpt agent create {name}")
        self.agents.sweep()
        self.create_agent(name, may_exist=True)

    def _is_default(self, name: str) -> bool:
        """Whether nobody typed this name, so that it cannot be a slip of the finger."""
        setting = self.configuration["agent.name"]
        return name == setting.value and (setting.source is not Source.FLAG or name == "default")

    @contextmanager
    def memory(self, name: str | None = None) -> Iterator[Memory]:
        """An agent's memory for looking and editing, while it may be talking to somebody. Raises NotFoundError."""
        name = name or self.agent_name
        if not self.agents.exists(name) and self._is_default(name):
            raise NotFoundError(f"there is no agent {name!r} yet", hint="memgpt chat begins a conversation with it")
        store = self.agents.open(name)
        memory = Memory(self, name, store)
        try:
            yield memory
        finally:
            memory.close()
            store.close()

    @contextmanager
    def held_memory(self, name: str | None = None, *, purpose: str, wait: bool = False) -> Iterator[Memory]:
        """An agent's memory under its lock, for work on documents and vectors; no model is needed.

        Raises AgentBusyError, NotFoundError.
        """
        name = name or self.agent_name
        self.ensure_agent(name)
        with self.agents.lock(name, purpose=purpose, since=self.clock.now()).acquire(wait=wait):
            store = self.agents.open(name)
            memory = Memory(self, name, store, writer=True)
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
                index = self._index_of(store, Path(folder), writer=False)
                recall, _ = self.external_context(store, index)
                yield Scratch(store=store, index=index, embedder=self.embedder, recall=recall)
                index.close()
            finally:
                store.close()

    def choose_model(self, store: Store) -> ModelChoice:
        """The model that this agent is answered by, with the reasons. Raises ConfigError."""
        return self._choose(store.config(), store.note("endpoint"))

    def _choose(self, config: AgentConfig, last: str | None) -> ModelChoice:
        return resolve_model(
            self.configuration, has_key=self.keys.has, agent=config, last=_endpoint(last) if last else None
        )

    def _notices(self, choice: ModelChoice) -> tuple[str, ...]:
        return tuple(n for n in (*self.configuration.notes, choice.notice) if n)

    def choice_for_nobody(self) -> ModelChoice:
        """The model that an agent without a choice of its own is answered by."""
        return resolve_model(self.configuration, has_key=self.keys.has)

    def choice_of(self, name: str) -> ModelChoice:
        """The model that an agent is answered by. Raises NotFoundError."""
        seen = self.agents.glance(name)
        return self._choose(seen.config, seen.endpoint)

    def choice_in_use(self) -> ModelChoice:
        """The model that the agent in use is answered by, or would be."""
        if not self.agents.exists(self.agent_name):
            return self.choice_for_nobody()
        return self.choice_of(self.agent_name)

    def check_key(self, choice: ModelChoice) -> None:
        """Raise APIKeyError when this choice needs a key and there is none."""
        if not is_builtin(choice.name):
            self.keys.require(choice.base_url, choice.base_url_source)

    def connect(self, choice: ModelChoice) -> ChatModel:
        """The model itself; it calls nobody before it is asked. Raises ConfigError, APIKeyError."""
        return self._model(choice)

    def served_models(self, base_url: str | None, *, named_by: Source | None = None, timeout_s: float) -> list[str]:
        """What an endpoint says that it serves. Raises APIKeyError, ModelError.

        Without `named_by`, who it was that named this endpoint, it is given no key.
        """
        from memgpt_cli.llm.openai_chat import OpenAIChat

        key = None if named_by is None else self.keys.find(base_url, named_by)
        client = OpenAIChat("", base_url=base_url, api_key=key, timeout_s=timeout_s, max_retries=0)
        try:
            return [served.name for served in client.models()]
        finally:
            client.close()

    def try_index(self, name: str) -> bool:
        """Open an agent's Chroma as its next user would; whether it was damaged and is made anew.

        Raises AgentBusyError.
        """
        with self.agents.lock(name, purpose="memgpt doctor", since=self.clock.now()).acquire():
            store = self.agents.open(name)
            index = self.index(name, store, writer=True)
            try:
                index.warm()
                return index.status().rebuilt
            finally:
                index.close()
                store.close()

    def open_session(self, name: str | None = None, *, purpose: str, wait: bool = False) -> Session:
        """An agent to talk to, under its lock. Raises AgentBusyError, NotFoundError, ConfigError, LimitError."""
        name = name or self.agent_name
        self.ensure_agent(name)
        return self._open_held(name, self.agents.lock(name, purpose=purpose, since=self.clock.now()).acquire(wait=wait))

    def reserve(self, name: str | None = None, *, purpose: str, wait: bool = False) -> Reservation:
        """Hold an agent without opening it. Raises what `open_session` raises, but for a window too small."""
        from memgpt_cli.agent.reservation import Reservation

        name = name or self.agent_name
        self.ensure_agent(name)
        lock = self.agents.lock(name, purpose=purpose, since=self.clock.now()).acquire(wait=wait)
        try:
            seen = self.agents.glance(name)
            choice = self._choose(seen.config, seen.endpoint)
            self.check_key(choice)
            self.check_embedder(name, seen.embedder)
            return Reservation(
                name=name,
                model=choice.name,
                window=choice.window,
                notices=self._notices(choice),
                glance=seen,
                open=lambda: self._open_held(name, lock),
                release=lock.release,
                warm_up=lambda: self._warm_up(choice),
            )
        except BaseException:
            lock.release()
            raise

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

    def _open_held(self, name: str, lock: Lock) -> Session:
        try:
            store = self.agents.open(name)
            if store.note("purge_pending"):  # a crash cut `memgpt forget` off
                with _closed_on_error(store):
                    self.forgetting(name, store).finish()
            return self._session(name, store, lock)
        except BaseException:
            lock.release()
            raise

    def _warm_up(self, choice: ModelChoice) -> None:
        """Load, once and for all, what takes long to load: the loop, the client, the tables."""
        import memgpt_cli.agent.assembly  # noqa: F401 - the import is the work

        self.counter(choice.name).count("hello")
        if is_builtin(choice.name):
            self._model(choice)
        else:
            import openai  # noqa: F401 - likewise
        self.embedder.embed(["hello"])

    def window(self, store: Store) -> Window:
        """The window that this agent lives in. Raises ConfigError."""
        from memgpt_cli.agent.assembly import window_of
        from memgpt_cli.functions.executor import FunctionExecutor

        choice = self.choose_model(store)
        settings = choice.apply(self.settings)
        protocol = store.config().protocol
        return window_of(
            protocol=protocol,
            executor=FunctionExecutor(store=store, protocol=protocol),
            settings=settings,
            model=choice.name,
            counter=self.counter(choice.name),
            prompts=self.prompts,
            ratio=self.state.ratio(choice.name),
        )

    def peek_session(self, name: str | None = None) -> Session:
        """An agent to look at, without its lock: for previews inside `Store.rehearsal`."""
        name = name or self.agent_name
        return self._session(name, self.agents.open(name), None)

    def private_session(self, folder: Path) -> Session:
        """An agent whose record is in a folder of the caller's, who is the only one to know of it.

        It takes no lock and never opens Chroma, and commits without waiting for the disk: what a killed process wrote
        is there, what a power cut takes away is whole transactions, the newest ones.
        """
        return self._session(folder.name, self.open_record(folder), None, private=folder)

    def open_record(self, folder: Path, *, durable: bool = False) -> SQLiteStore:
        """The record in a folder of the caller's; only `durable` commits wait for the disk."""
        from memgpt_cli.storage.agent_folders import RECORD
        from memgpt_cli.storage.store import SQLiteStore

        store = SQLiteStore(folder / RECORD, session_gap=timedelta(hours=self.settings.search.session_gap_hours))
        if not durable:
            store.connection.execute("PRAGMA synchronous = NORMAL")
        return store

    def write_record(self, folder: Path, *, template: str | None) -> None:
        """Make `folder` with the record of a new agent, or with a copy of an agent's as it stands."""
        from memgpt_cli.storage.agent_folders import RECORD, AgentFolders
        from memgpt_cli.storage.copies import copy_record

        if template is None:
            gap = timedelta(hours=self.settings.search.session_gap_hours)
            self.create_agent(folder.name, folders=AgentFolders(folder.parent, session_gap=gap))
            return
        if not self.agents.exists(template):
            self.agents.open(template).close()  # says that there is none, and which there are
        folder.mkdir(parents=True, mode=0o700)
        copy_record(self.agents.path(template) / RECORD, folder / RECORD)

    def conversations(self, path: Path) -> Iterator[SaidElsewhere | Unreadable]:
        """The messages of a file of conversations. Raises DocumentError."""
        from memgpt_cli.documents.conversations import read_conversations

        return read_conversations(path, self.settings.zone)

    def loader(self, store: Store, *, command: str) -> Loader:
        """What loads documents into a record; their vectors wait in the outbox."""
        from memgpt_cli.external_context.loading import Loader

        return Loader(
            store,
            self.reader,
            self.embedder,
            clock=self.clock,
            count=self.counter("offline").count,
            max_tokens=self.settings.archival.chunk_tokens,
            command=command,
        )

    def _session(self, name: str, store: SQLiteStore, lock: Lock | None, *, private: Path | None = None) -> Session:
        from memgpt_cli.agent.assembly import assemble

        looking = lock is None and private is None

        try:
            choice = self.choose_model(store)
            settings = choice.apply(self.settings)
            if not looking:
                self.check_embedder(name, _embedder_of(store))
            if settings.window.summary_model:  # another model has not seen this prompt
                settings = replace(settings, window=replace(settings.window, summary_where="apart"))
            index = self._index_of(store, private or self.agents.path(name), writer=not looking, chroma=private is None)
            recall, archival = self.external_context(store, index)
            model = self._model(choice)
            with store.rehearsal() if looking else nullcontext():
                session = assemble(
                    name=name,
                    store=store,
                    settings=settings,
                    model=model,
                    summary_model=None if looking else self._summary_model(choice, settings, model),
                    summary_prices=self._summary_prices(choice, settings),
                    counter=self.counter(choice.name),
                    prompts=self.prompts,
                    calibration=Uncalibrated() if is_builtin(choice.name) else self.state,
                    spending=self.state,
                    clock=self.clock,
                    recall=recall,
                    archival=archival,
                    index=index,
                    lock=lock,
                    notices=self._notices(choice),
                )
            if not looking:
                self._remember_endpoint(store, choice)
        except BaseException:
            store.close()
            raise
        return session

    def _remember_endpoint(self, store: Store, choice: ModelChoice) -> None:
        text = "\n".join((choice.endpoint.model, choice.endpoint.base_url or ""))
        if store.note("endpoint") != text:
            store.set_note("endpoint", text)

    def external_context(self, store: Store, index: AgentVectorIndex) -> tuple[RecallStorage, ArchivalStorage]:
        """Recall and archival storage over an open record."""
        from memgpt_cli.external_context.archival import ArchivalStorage
        from memgpt_cli.external_context.recall import RecallStorage

        search, zone, embedder = self.settings.search, self.settings.zone, self.embedder
        return (
            RecallStorage(store, index, embedder, settings=search, zone=zone),
            ArchivalStorage(store, index, embedder, settings=search, zone=zone, clock=self.clock),
        )

    def index(self, name: str, store: SQLiteStore, *, writer: bool) -> AgentVectorIndex:
        """The vectors of an agent; only the holder of its lock may be a writer."""
        return self._index_of(store, self.agents.path(name), writer=writer)

    def _index_of(self, store: SQLiteStore, folder: Path, *, writer: bool, chroma: bool = True) -> AgentVectorIndex:
        from memgpt_cli.storage.agent_folders import VECTORS
        from memgpt_cli.storage.database import connect
        from memgpt_cli.storage.vector_index import AgentVectorIndex

        path = store.path
        return AgentVectorIndex(
            connect=lambda: connect(path, any_thread=True),
            embedder=self.embedder,
            folder=folder / VECTORS,
            writer=writer,
            chroma=chroma,
            exact_vectors=self.settings.archival.exact_vectors,
        )

    @cached_property
    def embedder(self) -> Embedder:
        """The configured embedder; it loads nothing and calls nobody before the first text.

        Raises ConfigError when its files are missing.
        """
        return self.embedder_called(*self.embedder_name())

    def embedder_name(self, typed: str | None = None) -> tuple[str, str]:
        """Provider and model of the configured embedder, or of one typed as PROVIDER[/MODEL]. Raises UsageError."""
        setting, model_setting = self.settings.embedder.provider, self.settings.embedder.model
        provider, _, model = (typed or setting).partition("/")
        usual = _EMBEDDING_MODELS.get(provider)
        if usual is None or (provider == "static" and model not in {"", usual}):
            raise UsageError(f"there is no embedder {typed!r}", hint="static, minilm[/MODEL] or openai/MODEL")
        if not model and provider == setting and provider != "static":
            model = model_setting or ""
        return provider, model or usual

    def embedder_called(self, provider: str, model: str) -> Embedder:
        """An embedder by name, with the settings of `embedder.*`. Raises ConfigError when its files are missing."""
        settings = self.settings.embedder
        if provider == "static":
            from memgpt_cli.llm.static_embedder import StaticEmbedder

            return StaticEmbedder()
        if provider == "minilm":
            from memgpt_cli.llm.minilm_embedder import MiniLMEmbedder

            return MiniLMEmbedder(model=model, models=self.paths.data / "models")
        from memgpt_cli.llm.openai_embedder import OpenAIEmbedder

        source = self.configuration["embedder.base_url"].source
        return OpenAIEmbedder(
            model=model,
            base_url=settings.base_url,
            api_key=self.keys.find(settings.base_url, source),
            dimensions=settings.dimensions,
            batch=settings.batch,
            on_usage=self.embedding_bill(model).add,
        )

    def embedding_bill(self, model: str) -> EmbeddingBill:
        """What embedding with this model has come to in this process."""
        if model not in self._bills:
            from memgpt_cli.agent.embedding_bill import EmbeddingBill

            prices = model_settings(self.configuration, model, self.settings.embedder.base_url)
            self._bills[model] = EmbeddingBill(
                usd_per_million=prices.input_usd_per_million, spending=self.state, clock=self.clock
            )
        return self._bills[model]

    def check_embedder(self, name: str, stored: EmbedderIdentity | None) -> None:
        """Raise EmbedderMismatchError when an agent's vectors were made by another embedder than the configured one."""
        from memgpt_cli.storage.vectors import check_identity

        provider, model = self.embedder_name()
        try:
            dimensions = self.settings.embedder.dimensions if provider == "openai" else None
            check_identity(stored, provider=provider, model=model, dimensions=dimensions)
        except EmbedderMismatchError as error:
            agent = "" if name == "default" else f" -a {name}"
            stay = f"to stay with {stored}: memgpt config set embedder.provider {stored.provider}" if stored else ""
            raise EmbedderMismatchError(error.message, hint=f"{error.hint}{agent}; {stay}") from error

    def _model(self, choice: ModelChoice) -> ChatModel:
        if choice.name == "offline":
            from memgpt_cli.llm.offline.responder import OfflineResponder

            return OfflineResponder()
        if is_builtin(choice.name):
            from memgpt_cli.llm.scripted import ScriptedModel

            return ScriptedModel(choice.name)
        return self._openai(choice.name, choice)

    def _summary_model(self, choice: ModelChoice, settings: Settings, own: ChatModel) -> ChatModel | None:
        """A model for summaries, `own` unless another is set; None for the built-in ones, which get extracts."""
        name = settings.window.summary_model or choice.name
        if is_builtin(name):
            return None
        return self._openai(name, choice) if settings.window.summary_model else own

    def _summary_prices(self, choice: ModelChoice, settings: Settings) -> ModelSettings:
        if settings.window.summary_model:
            return model_settings(self.configuration, settings.window.summary_model, choice.base_url)
        return settings.model

    def _openai(self, model: str, choice: ModelChoice) -> ChatModel:
        """The client for a model: one for all sessions, which share its connections."""
        client = self._clients.get((model, choice.base_url))
        if client is None:
            client = self._clients.setdefault((model, choice.base_url), self._connected(model, choice))
        return client

    def _connected(self, model: str, choice: ModelChoice) -> ChatModel:
        from memgpt_cli.llm.openai_chat import OpenAIChat

        settings = model_settings(self.configuration, model, choice.base_url)
        client = OpenAIChat(
            model,
            base_url=choice.base_url,
            api_key=self.keys.require(choice.base_url, choice.base_url_source),
            timeout_s=choice.settings.timeout_s,
            max_retries=choice.settings.max_retries if self._around_model is None else 0,
            reasoning_effort=settings.reasoning_effort,
        )
        return client if self._around_model is None else self._around_model(client, settings)

    def counter(self, model: str) -> TokenCounter:
        """How tokens are counted for a model."""
        from memgpt_cli.llm.token_counters import counter_for

        return counter_for(model)


@contextmanager
def _closed_on_error(store: Store) -> Iterator[None]:
    """Close a record when what is done with it fails."""
    try:
        yield
    except BaseException:
        store.close()
        raise


def _embedder_of(store: SQLiteStore) -> EmbedderIdentity | None:
    """Whose vectors a record holds; None before the first."""
    from memgpt_cli.storage.vectors import Vectors

    return Vectors(store.connection).identity()


def _endpoint(text: str) -> Endpoint:
    model, _, base_url = text.partition("\n")
    return Endpoint(model=model, base_url=base_url or None)
