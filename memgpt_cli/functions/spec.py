"""The definition of a memory function: its schema, what follows it, and the context it runs in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.chat import ToolSchema
from memgpt_cli.domain.effects import ConsentVerdict
from memgpt_cli.domain.messages import FunctionCall
from memgpt_cli.domain.parameters import Arguments, Parameter, object_schema
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.settings import Settings
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.external_context.archival import ArchivalStorage
from memgpt_cli.external_context.facts import FactStorage
from memgpt_cli.external_context.recall import RecallStorage
from memgpt_cli.main_context.core_memory import CoreMemory
from memgpt_cli.main_context.in_view import InView
from memgpt_cli.ports import ReviewStore


class Continuation(Enum):
    """The effect of a successful call: continue, yield, or as its `request_heartbeat` argument says."""

    CONTINUE = auto()
    YIELD = auto()
    AS_ASKED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionContext:
    """The context that functions run in.

    `provenance` is the author of their writes; `budget` limits a result, in tokens.

    `page_budget` is the part of the budget that is available in any prompt, so that pages have fixed borders. `count`
    counts tokens, `turn` is the running turn, `at` the time in the conversation (None: now). `seen` are the
    lines of this turn's earlier results that are still in the prompt. `query_vector` was made before the transaction;
    None if it is not needed or not available. `confirm` asks the user before each write, if set;
    `consented`: the user allowed this one. `view` is the prompt that the calls answer, `reviews` stores the writes that
    wait for review; without them no write is held.
    """

    core_memory: CoreMemory
    recall: RecallStorage
    archival: ArchivalStorage
    settings: Settings
    provenance: Provenance
    count: Callable[[str], int]
    facts: FactStorage | None = None
    turn: int | None = None
    at: datetime | None = None
    budget: int = 1_000
    page_budget: int = 1_000
    seen: frozenset[str] = frozenset()
    query_vector: Vector | None = None
    confirm: Callable[[FunctionCall], ConsentVerdict] | None = None
    consented: bool = False
    view: InView | None = None
    reviews: ReviewStore | None = None


HEARTBEAT = Parameter(
    name="request_heartbeat",
    type="boolean",
    description="Run again after it.",
    required=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """A memory function. `run` takes checked arguments and returns the result; it raises MemGPTError to fail.

    `embed` makes the vector of the search query, before the transaction. `writes`: it changes memory.
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    run: Callable[[Arguments, FunctionContext], FunctionResult]
    after: Mapping[Protocol, Continuation] = field(
        default_factory=lambda: {Protocol.NATIVE: Continuation.CONTINUE, Protocol.PAPER: Continuation.AS_ASKED}
    )
    embed: Callable[[Arguments, FunctionContext], Vector | None] | None = None
    writes: bool = False

    def parameters_in(self, protocol: Protocol) -> tuple[Parameter, ...]:
        """Return the arguments that the model sees in this protocol."""
        asked = self.after.get(protocol) is Continuation.AS_ASKED
        return (*self.parameters, HEARTBEAT) if asked else self.parameters

    def schema(self, protocol: Protocol) -> ToolSchema:
        """Return the function's schema as the model sees it."""
        parameters = self.parameters_in(protocol)
        return ToolSchema(
            name=self.name,
            description=self.description,
            parameters=object_schema(parameters),
        )
