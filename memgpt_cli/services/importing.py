"""Importing conversations of other programs into recall storage, and the vectors of what was imported."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.conversations import ImportProgress
from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.times import to_text
from memgpt_cli.services.embedding_costs import EmbeddingCost, check_budget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from memgpt_cli.bootstrap import Memory, Workspace
    from memgpt_cli.domain.conversations import Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeVectors:
    """Vectors made for imported messages. `usd` is None where the price is not known."""

    vectors: int = 0
    tokens: int = 0
    usd: float | None = 0.0


class ConversationImport:
    """One import of a file. `progress` and `faults` are filled while it runs, also when it fails."""

    def __init__(self, workspace: Workspace, memory: Memory, file: Path, *, dry_run: bool) -> None:
        self.progress = ImportProgress()
        self.faults: list[Unreadable] = []
        self._workspace = workspace
        self._memory = memory
        self._file = file
        self._dry_run = dry_run

    def run(self, watch: Callable[[int, int, ImportProgress], None]) -> ImportProgress:
        """Store what is new as one operation, or only count it. Raises DocumentError, StorageError.

        `watch` gets the bytes read, the size of the file, and the progress.
        """
        from memgpt_cli.external_context.importing import Importer

        source, store = self._workspace.conversations(self._file), self._memory.store
        origin = str(self._file.absolute())
        steps = Importer(store, self._workspace.clock).run(source, dry_run=self._dry_run, source=origin)
        for progress, unreadable in steps:
            self.progress = progress
            self.faults += unreadable
            watch(source.done, source.total, self.progress)
        if self.progress.new and not self._dry_run:
            store.lexical.refresh()
        return self.progress

    @property
    def waiting(self) -> int:
        """How many messages have no vector yet."""
        return self._memory.index.pending(Collection.MESSAGES)


@contextmanager
def open_import(workspace: Workspace, file: Path, *, dry_run: bool = False) -> Iterator[ConversationImport]:
    """An import into the agent in use, which is made if it is the default one; it may be talking meanwhile."""
    workspace.new_agents.ensure(workspace.agent_name)
    with workspace.memory() as memory:
        yield ConversationImport(workspace, memory, file, dry_run=dry_run)


def make_vectors(workspace: Workspace, *, progress: Callable[[str, int, int], None]) -> MadeVectors:
    """Make the vectors that are missing, under the agent's lock and within the day's budget.

    Raises AgentBusyError when another process holds the agent, and makes them itself; BudgetError, ModelError.
    """
    cost = EmbeddingCost(workspace)

    def step(stage: str, done: int, total: int) -> None:
        progress(stage, done, total)
        check_budget(workspace)

    with workspace.held_memory(purpose="memgpt recall import") as memory:
        memory.check_embedder()
        made = memory.index.settle(progress=step)
    return MadeVectors(vectors=made, tokens=cost.tokens, usd=cost.usd)


def import_shape(done: ImportProgress, faults: list[Unreadable], made: MadeVectors, *, dry_run: bool) -> dict[str, Any]:
    """An import as JSON (docs/schemas/recall-import.schema.json)."""
    return {
        "imported": not dry_run,
        "new": done.new,
        "known": done.known,
        "faulty": [{"place": fault.place, "reason": fault.reason} for fault in faults],
        "sessions": done.sessions,
        "speakers": list(done.speakers),
        "first": to_text(done.first) if done.first else None,
        "last": to_text(done.last) if done.last else None,
        "standing_wishes": done.wishes,
        "embedded": made.vectors,
        "embedding_tokens": made.tokens,
        "cost_usd": None if made.usd is None else round(made.usd, 8),
    }
