"""The agents of a batch: private ones in the run's own folder, existing ones under their locks."""

import os
import shutil
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from memgpt_cli.batch.conversations import GivenBlock, ScriptedConversation
from memgpt_cli.bootstrap import AroundModel, Flags, Workspace
from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.errors import DocumentError, NotFoundError
from memgpt_cli.ports import Clock

if TYPE_CHECKING:
    from memgpt_cli.agent.session import Session
    from memgpt_cli.ports import Store

_BY: Provenance = Provenance(author=Author.USER, command="batch")
_NOTE = "batch"


class FixedClock(Clock):
    """A clock that always returns the same time."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    @override
    def now(self) -> datetime:
        return self._moment


class BatchAgents:
    """Agents of a batch over the workspace that `flags` ask for. Pickled, it leaves `around_model` behind."""

    def __init__(
        self,
        flags: Flags,
        *,
        documents: Path,
        fixed_time: datetime | None = None,
        wait: bool = False,
        around_model: AroundModel | None = None,
    ) -> None:
        self._flags = flags
        self._documents = documents
        self._fixed_time = fixed_time
        self._wait = wait
        self._around_model = around_model

    def __getstate__(self) -> dict[str, Any]:
        """Return everything except what belongs to this process."""
        kept = {name: value for name, value in vars(self).items() if name != "workspace"}
        return {**kept, "_around_model": None}

    @cached_property
    def workspace(self) -> Workspace:
        """Return the workspace of this process."""
        clock = None if self._fixed_time is None else FixedClock(self._fixed_time)
        return Workspace(self._flags, clock=clock, around_model=self._around_model)

    def seed(self, folder: Path, *, template: str | None) -> None:
        """Create in `folder` the initial record of new agents."""
        self.workspace.new_agents.in_folder(folder, template=template)

    def fresh(self, folder: Path, conversation: ScriptedConversation, *, seed: Path, name: str | None) -> None:
        """Create an agent from the seed in `folder`, atomically."""
        unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            shutil.copytree(seed, unfinished)
            if name is not None or conversation.blocks or conversation.documents:
                store = self.workspace.open_record(unfinished)
                try:
                    self._set_up_record(store, conversation, name)
                finally:
                    store.close()
            unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _set_up_record(self, store: "Store", conversation: ScriptedConversation, name: str | None) -> None:
        with store.transaction():
            if name is not None:
                store.set_config(replace(store.config(), name=name))
            for given in conversation.blocks:
                block = self._block(store, given)
                store.blocks.put(block, at=self.workspace.clock.now(), provenance=_BY)
        self._load(store, conversation.documents)

    def _block(self, store: "Store", given: GivenBlock) -> Block:
        from memgpt_cli.main_context.core_memory import check_block

        before = store.blocks.get(given.label) or Block(
            label=given.label, limit=self.workspace.settings.memory.block_limit
        )
        block = replace(
            before,
            value=given.value.strip("\n"),
            description=before.description if given.description is None else given.description,
            limit=given.limit or before.limit,
            read_only=before.read_only if given.read_only is None else given.read_only,
        )
        check_block(block, block.value, self.workspace.models.counter("offline").count)
        return block

    def _load(self, store: "Store", documents: tuple[str, ...]) -> None:
        if not documents:
            return
        paths = [str(self._documents / document) for document in documents]
        for progress in self.workspace.loader(store, command="batch").load(paths):
            if progress.reason:
                raise DocumentError(
                    f"{progress.source} cannot be loaded: {progress.reason}",
                    hint="correct the file, then run again with --retry-failed",
                )

    def private(self, folder: Path) -> "Session":
        """Open the agent in `folder`."""
        return self.workspace.sessions.private(folder)

    def existing(self, name: str) -> "Session":
        """Open an existing agent under its lock."""
        if not self.workspace.agents.exists(name):
            raise NotFoundError(f"there is no agent {name!r}", hint=f"memgpt agent create {name}")
        return self.workspace.sessions.open(name, purpose="memgpt batch", wait=self._wait)

    def set_up(self, session: "Session", conversation: ScriptedConversation) -> None:
        """Add the conversation's blocks and documents to an existing agent."""
        store = session.store
        with store.transaction():
            for given in conversation.blocks:
                block = self._block(store, given)
                if block != store.blocks.get(given.label):
                    store.blocks.put(block, at=self.workspace.clock.now(), provenance=_BY)
        self._load(store, conversation.documents)

    def copy(self, name: str, folder: Path) -> None:
        """Copy the current record of an existing agent to `folder`."""
        self.workspace.new_agents.in_folder(folder, template=name)

    def keep(self, folder: Path, name: str, *, mark: str) -> None:
        """Make the agent in `folder` a regular agent."""
        store = self.workspace.open_record(folder, durable=True)
        try:
            store.set_note(_NOTE, mark)
        finally:
            store.close()
        self.workspace.agents.adopt(folder, name)

    def reclaim(self, folder: Path, name: str, *, mark: str) -> bool:
        """Move a kept agent with exactly this mark back to `folder`."""
        agents = self.workspace.agents
        if not agents.exists(name):
            return False
        store = agents.open(name)
        try:
            is_ours = store.note(_NOTE) == mark
        finally:
            store.close()
        if is_ours:
            shutil.rmtree(folder, ignore_errors=True)
            folder.parent.mkdir(parents=True, exist_ok=True)
            with agents.lock(name, purpose="memgpt batch", since=self.workspace.clock.now()).acquire():
                agents.path(name).rename(folder)
        return is_ours
