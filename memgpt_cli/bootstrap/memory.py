"""Read and write one agent's memory without a conversation."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from memgpt_cli.errors import AgentBusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from memgpt_cli.bootstrap.adapters import Adapters
    from memgpt_cli.domain.blocks import Block
    from memgpt_cli.domain.vectors import EmbedderIdentity
    from memgpt_cli.external_context.archival import ArchivalStorage
    from memgpt_cli.external_context.facts import FactStorage
    from memgpt_cli.external_context.recall import RecallStorage
    from memgpt_cli.main_context.core_memory import CoreMemory
    from memgpt_cli.main_context.window import Window
    from memgpt_cli.ports import PermanentDeletion, Store, VectorIndex

DRAFTS = "drafts"
"""The folder, within an agent's folder, for texts that are being edited."""


class Memory:
    """Reads and writes one agent's memory without a lock or a model.

    Search is set up on first use, so that listing and showing only open the record. `window_of` returns the window of
    the agent of a record.
    """

    def __init__(
        self,
        adapters: Adapters,
        name: str,
        store: Store,
        *,
        window_of: Callable[[Store], Window],
        writer: bool = False,
    ) -> None:
        self.name = name
        self.store = store
        self._adapters = adapters
        self._window_of = window_of
        self._writer = writer

    def check(self) -> None:
        """Look at the whole record. Raises StorageError when it is damaged."""
        self.store.check()

    @cached_property
    def index(self) -> VectorIndex:
        """The vectors; for reading, unless the agent's lock is held."""
        return self._adapters.index(self._adapters.agents.path(self.name), writer=self._writer)

    @cached_property
    def _external_context(self) -> tuple[RecallStorage, ArchivalStorage]:
        self.check_embedder()
        return self._adapters.external_context(self.store, self.index)

    @property
    def recall(self) -> RecallStorage:
        """Return recall storage."""
        return self._external_context[0]

    @property
    def archival(self) -> ArchivalStorage:
        """Return archival storage."""
        return self._external_context[1]

    @cached_property
    def facts(self) -> FactStorage:
        """Facts, to be asked and added to."""
        self.check_embedder()
        return self._adapters.facts(self.store, self.index)

    @property
    def embedder(self) -> EmbedderIdentity | None:
        """Whose vectors there are; None before the first."""
        return self.store.embedder

    def check_embedder(self) -> None:
        """Raise EmbedderMismatchError if the vectors come from another embedder than the configured one."""
        self._adapters.embedders.check(self.name, self.embedder)

    @cached_property
    def core_memory(self) -> CoreMemory:
        """Return core memory with its limits."""
        from memgpt_cli.main_context.core_memory import CoreMemory

        return CoreMemory(self.store, self._adapters.clock, self._count, self._check_core)

    @property
    def forgetting(self) -> PermanentDeletion:
        """Forgetting for good; all but its plan needs the agent's lock."""
        return self._adapters.forgetting(self.name, self.store)

    def check_window(self) -> None:
        """Raise LimitError if the agent's window cannot hold its fixed prompt and its blocks."""
        self._window_of(self.store).check(self.store.blocks.all())

    def _check_core(self, blocks: Sequence[Block]) -> None:
        self._window_of(self.store).check_core(blocks)

    @contextmanager
    def between_turns(self, *, needed: bool = True) -> Iterator[None]:
        """Ensure that no turn is running, so that messages may leave the queue or return to it.

        An idle chat does not block this: it reloads the queue at its next turn. During a turn it raises AgentBusyError.
        """
        if not needed or not self.store.turns.open_turns():
            yield
            return
        lock = self._adapters.agents.lock(self.name, purpose="memgpt", since=self._adapters.clock.now())
        try:
            lock.acquire()
        except AgentBusyError as error:
            raise AgentBusyError(
                "the agent is answering a message right now, and its queue cannot change now",
                hint="try again after the answer",
            ) from error
        with lock:
            yield

    def draft(self, label: str) -> Path:
        """Return a file for editing a block outside of the record, readable by its owner only."""
        folder = self._adapters.agents.path(self.name) / DRAFTS
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / f"{label}.txt"

    def _count(self, text: str) -> int:
        """Count tokens like the agent's own model; loads a table only if a block is near its limit."""
        model = self.store.config().model or self._adapters.settings.model.name
        return self._adapters.models.counter(model).count(text)

    def close(self) -> None:
        """Close everything that was opened."""
        if "index" in vars(self):
            self.index.close()
