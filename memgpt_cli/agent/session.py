"""An open agent: its lock, loop, index and outbox, closed in the right order."""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Self, TypeVar

from memgpt_cli.agent.loop import Agent
from memgpt_cli.agent.outbox import OutboxWorker
from memgpt_cli.domain.chat import ChatRequest
from memgpt_cli.domain.events import Happening, UserMessage
from memgpt_cli.domain.kinds import Collection
from memgpt_cli.errors import MemGPTError
from memgpt_cli.external_context.archival import ArchivalStorage
from memgpt_cli.external_context.recall import RecallStorage
from memgpt_cli.main_context.core_memory import CoreMemory
from memgpt_cli.ports import AgentLock, Store, VectorIndex

Read = TypeVar("Read")

WORTH_FLUSHING = 32
"""A short-lived process embeds the outbox before it ends only if it holds at least this many items."""


PARTING_S = 1.0
"""Seconds that closing may spend on the outbox. A large import leaves much more work than that."""


class Session:
    """What a command holds while it uses one agent. Without a lock it is read-only."""

    def __init__(
        self,
        *,
        name: str,
        agent: Agent,
        store: Store,
        recall: RecallStorage,
        archival: ArchivalStorage,
        core_memory: CoreMemory,
        index: VectorIndex,
        lock: AgentLock | None,
        worker: OutboxWorker,
        notices: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.agent = agent
        self.store = store
        self.recall = recall
        self.archival = archival
        self.core_memory = core_memory
        self.index = index
        self.worker = worker
        self.notices = notices
        self._lock = lock

    def preview(self, text: str | None = None) -> tuple[ChatRequest, list[Happening]]:
        """Return the request that the next call would send, after `text` if given; nothing is kept on disk."""
        with self.store.rehearsal():
            return self.agent.prepare(UserMessage(text=text) if text is not None else None)

    def look(self, text: str | None, read: "Callable[[Session], Read]") -> Read:
        """Return what `read` returns for this session now, or after `text`; nothing is kept on disk."""
        with self.store.rehearsal():
            self.agent.prepare(UserMessage(text=text) if text is not None else None)
            return read(self)

    def close(self) -> None:
        """Close index, worker, database and lock, in this order, each one even if the previous one failed."""
        idle = self.worker.stop()
        with ExitStack() as closing:
            if self._lock is not None:
                closing.callback(self._lock.release)
            closing.callback(self.store.close)
            closing.callback(self.worker.join)
            closing.callback(self.index.close)
            with suppress(MemGPTError):  # remaining items stay in the outbox, and a search reports it
                # A failed or slow embedder must not delay a user who wants to quit.
                if self._lock is not None and idle and not self.worker.failure and self._waiting() >= WORTH_FLUSHING:
                    self.index.flush(within_s=PARTING_S)
                    self.store.lexical.refresh()

    def _waiting(self) -> int:
        return sum(self.index.pending(collection) for collection in Collection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
