"""Load documents into archival storage within the day's budget, and add a notice for the model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from memgpt_cli.domain.documents import LoadOutcome, LoadProgress
from memgpt_cli.errors import UsageError
from memgpt_cli.services.embedding_costs import EmbeddingCost, check_budget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memgpt_cli.agent.session import Session
    from memgpt_cli.bootstrap import Workspace
    from memgpt_cli.ports import Store, VectorIndex

_EMBED_AT: Final = 512
"""New passages after which their vectors are made, so that a kill loses no more than that work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """What to load. `name` is the source of standard input (`-`); `again` loads unchanged files, too."""

    paths: Sequence[str]
    tags: Sequence[str] = ()
    name: str | None = None
    again: bool = False


@dataclass(slots=True, kw_only=True)
class LoadReport:
    """The outcome of each file, and the totals. `usd` is None where the price is not known."""

    agent: str
    files: list[LoadProgress] = field(default_factory=list)
    last: LoadProgress | None = None
    seconds: float = 0.0
    tokens: int = 0
    usd: float | None = None

    def of(self, outcome: LoadOutcome) -> list[LoadProgress]:
        """The files with this outcome."""
        return [file for file in self.files if file.outcome is outcome]

    @property
    def passages(self) -> tuple[int, int, int]:
        """Passages stored now, stored before, and removed."""
        return (0, 0, 0) if self.last is None else (self.last.new, self.last.shared, self.last.removed)


class LoadWatcher(Protocol):
    """Watches a load."""

    def loading(self, step: LoadProgress) -> None:
        """A batch or a file was stored, or a file was skipped."""
        ...

    def embedding(self, stage: str, done: int, total: int, during: LoadProgress | None) -> None:
        """`done` of `total` items were embedded (`stage` is `embed`) or indexed; `during` a file, or at the end."""
        ...


class DocumentLoad:
    """One load; the caller holds the agent's lock. `report` is filled during the load, also if it fails.

    After a failure, stored passages stay, and the same load continues.
    """

    def __init__(
        self, workspace: Workspace, agent: str, store: Store, index: VectorIndex, request: LoadRequest
    ) -> None:
        self.report = LoadReport(agent=agent)
        self._workspace = workspace
        self._store = store
        self._index = index
        self._request = request

    def run(self, watcher: LoadWatcher) -> LoadReport:
        """Load everything. Raises BudgetError, ModelError, APIKeyError, EmbedderMismatchError."""
        from memgpt_cli.agent.notices import tell_loaded

        report, cost, began = self.report, EmbeddingCost(self._workspace), time.monotonic()
        try:
            self._run(watcher)
        finally:
            report.seconds = time.monotonic() - began
            report.tokens, report.usd = cost.tokens, cost.usd
            done = [file.source for file in (*report.of(LoadOutcome.LOADED), *report.of(LoadOutcome.UPDATED))]
            tell_loaded(self._store, done, at=self._workspace.clock.now())
        return report

    def _run(self, watcher: LoadWatcher) -> None:
        request, report, embedded = self._request, self.report, 0
        loader = self._workspace.loader(self._store, command="archival load")
        for step in loader.load(request.paths, tags=request.tags, name=request.name, again=request.again):
            if report.last is None and step.outcome is None:
                self._index.check()  # one text has been embedded by now, so that the remote embedder is known, too
            report.last = step
            if step.outcome is not None:
                report.files.append(step)
            watcher.loading(step)
            if step.new - embedded >= _EMBED_AT:
                embedded = step.new
                self._index.flush(progress=lambda stage, done, of: watcher.embedding(stage, done, of, report.last))
                check_budget(self._workspace)
        if self._index.settle(progress=lambda stage, done, total: watcher.embedding(stage, done, total, None)):
            self._store.lexical.refresh()


@contextmanager
def open_load(workspace: Workspace, request: LoadRequest, *, wait: bool = False) -> Iterator[DocumentLoad]:
    """A load into the agent in use, under its lock. Raises AgentBusyError, UsageError, EmbedderMismatchError."""
    _check(request)
    with workspace.held_memory(purpose="memgpt archival load", wait=wait) as memory:
        memory.check_embedder()
        yield DocumentLoad(workspace, memory.name, memory.store, memory.index, request)


def load_in_session(workspace: Workspace, session: Session, request: LoadRequest) -> DocumentLoad:
    """A load into the agent of a chat, which holds its lock. Raises UsageError."""
    _check(request)
    return DocumentLoad(workspace, session.name, session.store, session.index, request)


def _check(request: LoadRequest) -> None:
    if request.name is not None and list(request.paths) != ["-"]:
        raise UsageError("--name is for standard input only", hint="memgpt archival load - --name N")


def load_shape(report: LoadReport) -> dict[str, Any]:
    """A load as JSON (docs/schemas/archival-load.schema.json)."""
    new, shared, removed = report.passages
    return {
        "agent": report.agent,
        "files": [{"source": f.source, "outcome": str(f.outcome), "reason": f.reason or None} for f in report.files],
        **{str(outcome): len(report.of(outcome)) for outcome in LoadOutcome},
        "passages": {"new": new, "shared": shared, "removed": removed},
        "embedding_tokens": report.tokens,
        "cost_usd": None if report.usd is None else round(report.usd, 8),
        "seconds": round(report.seconds, 3),
    }
