"""Function calls against a real record: what a model would be told, without a model.

Not here: turns. Calls run in one transaction, as those of one step.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.domain.messages import FunctionCall
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.settings import SearchSettings, Settings
from memgpt_cli.external_context.archival import ArchivalStorage
from memgpt_cli.external_context.facts import FactStorage
from memgpt_cli.external_context.recall import RecallStorage
from memgpt_cli.functions.executor import FunctionExecutor
from memgpt_cli.functions.spec import FunctionContext
from memgpt_cli.llm.static_embedder import StaticEmbedder
from memgpt_cli.main_context.core_memory import CoreMemory
from memgpt_cli.storage.database.connection import connect
from memgpt_cli.storage.store import SQLiteStore
from memgpt_cli.storage.vectors.index import AgentVectorIndex

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def count(text: str) -> int:
    """Tokens, roughly: words and marks."""
    return len(re.findall(r"\w+|[^\w\s]", text))


@dataclass
class Clock:
    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment


@dataclass
class Functions:
    """The functions of one agent."""

    store: SQLiteStore
    index: AgentVectorIndex
    core_memory: CoreMemory
    executor: FunctionExecutor
    context: FunctionContext
    clock: Clock = field(default_factory=Clock)

    def step(self, *calls: tuple[str, dict[str, Any]], **context: Any) -> list[FunctionResult]:
        """The results of the calls of one step."""
        used = replace(self.context, **context)
        made = [
            FunctionCall(id=str(n), name=name, arguments=json.dumps(arguments))
            for n, (name, arguments) in enumerate(calls)
        ]
        prepared = [self.executor.prepare(call, used) for call in made]
        with self.store.transaction():
            return [done.result for done in self.executor.run(prepared, used)]

    def call(self, name: str, /, **arguments: Any) -> FunctionResult:
        """The result of one call by itself."""
        return self.step((name, arguments))[0]


@contextmanager
def functions(folder: Path, *, protocol: Protocol = Protocol.NATIVE, facts: bool = False) -> Iterator[Functions]:
    """An agent's functions over a record in `folder`, with blocks `persona`, `human` and a read-only `rules`."""
    clock, embedder, settings = Clock(), StaticEmbedder(), Settings()
    with closing(SQLiteStore(folder / "agent.db")) as store:
        path = folder / "agent.db"
        index = AgentVectorIndex(
            connect=lambda: connect(path, any_thread=True), embedder=embedder, folder=folder / "vectors", writer=True
        )
        search = SearchSettings()
        core = CoreMemory(store, clock, count)
        person = Provenance(author=Author.USER)
        for block in (Block(label="persona"), Block(label="human"), Block(label="rules", value="Be.", read_only=True)):
            core.create(block, person)
        context = FunctionContext(
            core_memory=core,
            recall=RecallStorage(store, index, embedder, settings=search, zone=settings.zone),
            archival=ArchivalStorage(store, index, embedder, settings=search, zone=settings.zone, clock=clock),
            facts=FactStorage(store, index, embedder, settings=search, zone=settings.zone, clock=clock),
            settings=settings,
            provenance=Provenance(author=Author.AGENT),
            count=count,
        )
        executor = FunctionExecutor(store=store, protocol=protocol, facts=facts)
        yield Functions(store=store, index=index, core_memory=core, executor=executor, context=context, clock=clock)
        index.close()
