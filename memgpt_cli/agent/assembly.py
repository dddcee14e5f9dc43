"""Build an agent from its ports. This module depends on the core only, not on adapters."""

from collections.abc import Callable
from dataclasses import dataclass

from memgpt_cli.agent.budget import Budget
from memgpt_cli.agent.loop import Agent
from memgpt_cli.agent.outbox import OutboxWorker
from memgpt_cli.agent.paging import Pager
from memgpt_cli.agent.seeing import PictureReader
from memgpt_cli.agent.session import Session
from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.settings import ModelSettings, Settings
from memgpt_cli.external_context.archival import ArchivalStorage
from memgpt_cli.external_context.facts import FactStorage
from memgpt_cli.external_context.recall import RecallStorage
from memgpt_cli.functions.executor import FunctionExecutor
from memgpt_cli.functions.spec import FunctionContext
from memgpt_cli.main_context.booked_summaries import BookedSummaries
from memgpt_cli.main_context.core_memory import CoreMemory
from memgpt_cli.main_context.fact_extraction import FactExtraction
from memgpt_cli.main_context.queue_manager import QueueManager
from memgpt_cli.main_context.rendering import Renderer
from memgpt_cli.main_context.summarizer import Summarizer
from memgpt_cli.main_context.window import Instructions, Window
from memgpt_cli.ports import (
    AgentLock,
    Calibration,
    ChatModel,
    Clock,
    PromptSource,
    Spending,
    Store,
    TokenCounter,
    VectorIndex,
)

_SYSTEM_PROMPT = {Protocol.NATIVE: "system_native", Protocol.PAPER: "system_paper"}


def window_of(
    *,
    protocol: Protocol,
    executor: FunctionExecutor,
    settings: Settings,
    model: str,
    counter: TokenCounter,
    prompts: PromptSource,
    ratio: float | None,
    origin: str | None = None,
) -> Window:
    """Return the agent's window in this protocol. Raises ConfigError for an invalid prompt file.

    `origin` is the model's origin. Without it, use the window for counting only.
    """
    instructions = Instructions(text=prompts.render(_SYSTEM_PROMPT[protocol], {}), tools=executor.schemas)
    return Window(
        settings=settings.window,
        instructions=instructions,
        renderer=Renderer(protocol, settings.zone, origin),
        counter=counter,
        model=model,
        ratio=ratio,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentParts:
    """What an agent is built from: its record, its models, and the adapters that it shares with others."""

    store: Store
    settings: Settings
    model: ChatModel
    summary_model: ChatModel | None
    summary_prices: ModelSettings
    counter: TokenCounter
    prompts: PromptSource
    calibration: Calibration
    spending: Spending
    clock: Clock
    recall: RecallStorage
    archival: ArchivalStorage
    facts: FactStorage
    index: VectorIndex


def assemble(
    parts: AgentParts,
    *,
    name: str,
    lock: AgentLock | None,
    notices: tuple[str, ...] = (),
    window_refused: Callable[[int], None] = lambda _: None,
) -> Session:
    """Return an open agent. Raises LimitError if the window is too small, ConfigError for an invalid prompt file."""
    store, settings, model, clock = parts.store, parts.settings, parts.model, parts.clock
    protocol = store.config().protocol
    executor = FunctionExecutor(store=store, protocol=protocol, facts=settings.facts.functions)
    window = window_of(
        protocol=protocol,
        executor=executor,
        settings=settings,
        model=model.name,
        counter=parts.counter,
        prompts=parts.prompts,
        ratio=parts.calibration.ratio(model.name),
        origin=model.origin,
    )
    window.check(store.blocks.all())
    budget = _budget(parts)
    queue_manager = _queue_manager(parts, window, budget)
    core_memory = CoreMemory(store, clock, parts.counter.count, window.check_core)
    agent = Agent(
        store=store,
        model=model,
        queue_manager=queue_manager,
        executor=executor,
        context=_function_context(parts, core_memory),
        settings=settings,
        protocol=protocol,
        clock=clock,
        calibration=parts.calibration,
        budget=budget,
        window_refused=window_refused,
        picture_reader=PictureReader(
            store=store, model=model, settings=settings, queue_manager=queue_manager, budget=budget, clock=clock
        ),
    )
    return Session(
        name=name,
        agent=agent,
        store=store,
        recall=parts.recall,
        archival=parts.archival,
        core_memory=core_memory,
        index=parts.index,
        lock=lock,
        worker=OutboxWorker(parts.index, store.lexical),
        notices=notices,
    )


def _budget(parts: AgentParts) -> Budget:
    return Budget(
        store=parts.store,
        spending=parts.spending,
        loop=parts.settings.loop,
        model=parts.settings.model,
        summary_model=parts.summary_prices,
        clock=parts.clock,
    )


def _queue_manager(parts: AgentParts, window: Window, budget: Budget) -> QueueManager:
    settings = parts.settings
    summarizer = Summarizer(model=parts.summary_model, prompts=parts.prompts, counter=parts.counter, zone=settings.zone)
    summaries = BookedSummaries(
        store=parts.store,
        summarizer=summarizer,
        clock=parts.clock,
        afford=budget.check_summary,
        book=budget.book_summary,
        facts=_fact_extraction(parts) if settings.facts.asked_in(settings.window.window) else None,
    )
    pager = Pager(parts.store, chunk_tokens=settings.archival.chunk_tokens)
    return QueueManager(store=parts.store, window=window, summaries=summaries, clock=parts.clock, page_out=pager)


def _fact_extraction(parts: AgentParts) -> FactExtraction:
    return FactExtraction(
        store=parts.store,
        prompts=parts.prompts,
        counter=parts.counter,
        zone=parts.settings.zone,
        window=parts.settings.window.window,
    )


def _function_context(parts: AgentParts, core_memory: CoreMemory) -> FunctionContext:
    return FunctionContext(
        core_memory=core_memory,
        recall=parts.recall,
        archival=parts.archival,
        facts=parts.facts,
        settings=parts.settings,
        provenance=Provenance(author=Author.AGENT),
        count=parts.counter.count,
        reviews=parts.store.reviews,
    )
