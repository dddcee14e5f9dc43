"""Summaries for the queue manager, within the budget and the window, with their cost recorded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from memgpt_cli.domain.agents import Epoch, StepRecord, Turn
from memgpt_cli.domain.blocks import Block
from memgpt_cli.domain.chat import PromptMessage
from memgpt_cli.domain.messages import Message, message_ref
from memgpt_cli.domain.trust import Author, Origin, least_trusted
from memgpt_cli.main_context import core_memory
from memgpt_cli.main_context.eviction import Choice, longest_prefix
from memgpt_cli.main_context.leaving import running_question, what_leaves
from memgpt_cli.main_context.summarizer import Bounds, InPlace, Material, Summarizer, Summary, SummaryCall
from memgpt_cli.main_context.tokens import count_message
from memgpt_cli.main_context.window import Window
from memgpt_cli.ports import Clock, Store

Afford = Callable[[Turn, int, int], None]
"""Raises BudgetError if a summary call with this many prompt and reply tokens could exceed a budget."""

Book = Callable[[SummaryCall, datetime], float | None]
"""Adds the price of a summary call to the day's spending; returns it in US dollars, None if it is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidSummary:
    """A summary with its calls, their time and their prices in US dollars."""

    summary: Summary
    paid: tuple[tuple[SummaryCall, datetime, float | None], ...]


class BookedSummaries:
    """Requests summaries for one agent. Caps are corrected tokens, as the window counts them."""

    def __init__(self, *, store: Store, summarizer: Summarizer, clock: Clock, afford: Afford, book: Book) -> None:
        self._store = store
        self._summarizer = summarizer
        self._clock = clock
        self._afford = afford
        self._book = book

    def of_choice(
        self, window: Window, epoch: Epoch, queue: Sequence[Message], choice: Choice, *, turn: Turn, cap: int
    ) -> PaidSummary:
        """Fold the leaving messages into the epoch's summary, at the end of the current prompt if that is set and fits.

        Raises BudgetError.
        """
        material = Material(
            previous=epoch.summary,
            evicted=choice.victims,
            core_memory=self._core_memory(window, self._store.blocks.all()),
            question=running_question(choice, turn.id),
        )
        in_place = self._in_place(window, epoch, queue, choice, cap) if choice.victims else None
        return self._made(window, material, turn, cap, in_place)

    def of_evicted(
        self, window: Window, previous: str, evicted: Sequence[Message], *, turn: Turn, cap: int
    ) -> PaidSummary:
        """Summarise messages that left the queue earlier. Raises BudgetError."""
        blocks = self._core_memory(window, self._store.blocks.all())
        return self._made(window, Material(previous=previous, evicted=evicted, core_memory=blocks), turn, cap, None)

    def record(self, made: PaidSummary, turn: Turn, epoch: Epoch) -> None:
        """Store the calls as steps of the turn, in the running transaction."""
        for call, at, cost in made.paid:
            self._store.turns.add_step(
                StepRecord(
                    turn=turn.id,
                    number=0,
                    model=call.model,
                    epoch=epoch.id,
                    counted_tokens=call.counted,
                    usage=call.usage,
                    usage_reported=call.usage_reported,
                    cost_usd=cost,
                    duration_s=call.seconds,
                    at=at,
                    purpose="summary",
                )
            )

    def _made(self, window: Window, material: Material, turn: Turn, cap: int, in_place: InPlace | None) -> PaidSummary:
        summary = self._summarizer.summarise(
            material,
            Bounds(
                summary=int(cap / window.ratio),
                room=int(window.room / window.ratio),
                reply=window.settings.reserved,
            ),
            afford=lambda prompt, reply: self._afford(turn, prompt, reply),
            in_place=in_place,
        )
        # Booked outside a transaction, because the spending database may be locked.
        calls = [(call, self._clock.now()) for call in summary.calls]
        return PaidSummary(summary=summary, paid=tuple((call, at, self._book(call, at)) for call, at in calls))

    def _core_memory(self, window: Window, blocks: Sequence[Block]) -> str:
        """Return the snapshot, or as much of it as fits a third of the space besides the messages."""
        return self._summarizer.fit(core_memory.snapshot(blocks), int(window.room / window.ratio) // 3)

    def _in_place(
        self, window: Window, epoch: Epoch, queue: Sequence[Message], choice: Choice, cap: int
    ) -> InPlace | None:
        """Return the prompt with an instruction to summarise at its end; None if it would cut off a leaving message."""
        if window.settings.summary_where == "apart":
            return None
        leaving = what_leaves(window, queue, choice, summary=bool(epoch.summary))
        text = self._summarizer.order_in_place(leaving, int(cap / window.ratio))
        order = PromptMessage(role="user", content=window.renderer.event("summary_request", text, None))
        room = window.room - window.head_tokens(epoch.head)
        room -= window.corrected(count_message(window.counter, order))
        taken = longest_prefix(queue, room=room, tokens=window.message_tokens)
        if {m.id for m in choice.victims} - {m.id for m in taken}:
            return None
        return InPlace(messages=(*window.prompt(epoch, taken), order), tools=window.instructions.tools)


def origin_of_summary(before: Epoch | None, evicted: Sequence[Message]) -> Origin:
    """What a summary goes back to: the summary before it, and the messages that left, as a range."""
    refs = [f"{message_ref(evicted[0].id)}-{message_ref(evicted[-1].id)}"] if evicted else []
    least = [Author.AGENT, *(m.least for m in evicted)]
    if before is not None and before.summary:
        refs.insert(0, f"s{before.id}")
        least += [before.origin.least] if before.origin is not None else []
    return Origin(least=least_trusted(least), derived_from=tuple(refs))
