"""Build an agent from its ports. This module depends on the core only, not on adapters."""

from collections.abc import Callable

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


def assemble(
    *,
    name: str,
    store: Store,
    settings: Settings,
    model: ChatModel,
    summary_model: ChatModel | None,
    summary_prices: ModelSettings,
    counter: TokenCounter,
    prompts: PromptSource,
    calibration: Calibration,
    spending: Spending,
    clock: Clock,
    recall: RecallStorage,
    archival: ArchivalStorage,
    index: VectorIndex,
    lock: AgentLock | None,
    notices: tuple[str, ...] = (),
    window_refused: Callable[[int], None] = lambda _: None,
) -> Session:
    """Return an open agent. Raises LimitError if the window is too small, ConfigError for an invalid prompt file."""
    protocol = store.config().protocol
    executor = FunctionExecutor(store=store, protocol=protocol)
    window = window_of(
        protocol=protocol,
        executor=executor,
        settings=settings,
        model=model.name,
        counter=counter,
        prompts=prompts,
        ratio=calibration.ratio(model.name),
        origin=model.origin,
    )
    window.check(store.blocks.all())
    summarizer = Summarizer(
        model=summary_model,
        prompts=prompts,
        counter=counter,
        zone=settings.zone,
    )
    budget = Budget(
        store=store,
        spending=spending,
        loop=settings.loop,
        model=settings.model,
        summary_model=summary_prices,
        clock=clock,
    )
    queue_manager = QueueManager(
        store=store,
        window=window,
        summaries=BookedSummaries(
            store=store,
            summarizer=summarizer,
            clock=clock,
            afford=budget.check_summary,
            book=budget.book_summary,
            facts=FactExtraction(
                store=store,
                prompts=prompts,
                counter=counter,
                zone=settings.zone,
                window=settings.window.window,
            )
            if settings.facts.asked_in(settings.window.window)
            else None,
        ),
        clock=clock,
        page_out=Pager(store, chunk_tokens=settings.archival.chunk_tokens),
    )
    core_memory = CoreMemory(store, clock, counter.count, window.check_core)
    worker = OutboxWorker(index, store.lexical)
    agent = Agent(
        store=store,
        model=model,
        queue_manager=queue_manager,
        executor=executor,
        context=FunctionContext(
            core_memory=core_memory,
            recall=recall,
            archival=archival,
            settings=settings,
            provenance=Provenance(author=Author.AGENT),
            count=counter.count,
            reviews=store.reviews,
        ),
        settings=settings,
        protocol=protocol,
        clock=clock,
        calibration=calibration,
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
        recall=recall,
        archival=archival,
        core_memory=core_memory,
        index=index,
        lock=lock,
        worker=worker,
        notices=notices,
    )
