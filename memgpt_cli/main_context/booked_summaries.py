"""Summaries for the queue manager, within the budget and the window, with their cost recorded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from memgpt_cli.domain.agents import Epoch, StepRecord, Turn
from memgpt_cli.domain.blocks import Block
from memgpt_cli.domain.chat import PromptMessage
from memgpt_cli.domain.messages import Message, message_ref
from memgpt_cli.domain.trust import Author, Origin, least_trusted
from memgpt_cli.main_context import core_memory
from memgpt_cli.main_context.eviction import Choice, longest_prefix
from memgpt_cli.main_context.fact_extraction import FactExtraction, FactsOrder, StoredFacts
from memgpt_cli.main_context.leaving import running_question, what_leaves
from memgpt_cli.main_context.summarizer import Bounds, FactsPart, InPlace, Material, Summarizer, Summary, SummaryCall
from memgpt_cli.main_context.tokens import count_message
from memgpt_cli.main_context.window import Window
from memgpt_cli.ports import Clock, Store

_FACTS_APART: Final = 4
"""The share of the room, as a divisor, that facts may take in a prompt of their own."""

Afford = Callable[[Turn, int, int], None]
"""Raises BudgetError if a summary call with this many prompt and reply tokens could exceed a budget."""

Book = Callable[[SummaryCall, datetime], float | None]
"""Adds the price of a summary call to the day's spending; returns it in US dollars, None if it is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidSummary:
    """A summary with its calls, their time and their prices in US dollars; and which facts were asked for with it."""

    summary: Summary
    paid: tuple[tuple[SummaryCall, datetime, float | None], ...]
    facts: FactsOrder | None = None


class BookedSummaries:
    """Requests summaries for one agent. Caps are corrected tokens, as the window counts them."""

    def __init__(
        self,
        *,
        store: Store,
        summarizer: Summarizer,
        clock: Clock,
        afford: Afford,
        book: Book,
        facts: FactExtraction | None = None,
    ) -> None:
        self._store = store
        self._summarizer = summarizer
        self._clock = clock
        self._afford = afford
        self._book = book
        self._facts = facts

    def of_choice(
        self,
        window: Window,
        epoch: Epoch,
        queue: Sequence[Message],
        choice: Choice,
        *,
        turn: Turn,
        cap: int,
        facts: bool = False,
    ) -> PaidSummary:
        """Fold the leaving messages into the epoch's summary, at the end of the current prompt if that is set and fits.

        With `facts` the same call asks for facts, if that is set and worth it. Raises BudgetError.
        """
        order = self._facts.order(choice.victims) if facts and self._facts is not None else None
        apart = None if order is None else order.within(int(window.room / window.ratio) // _FACTS_APART)
        material = Material(
            previous=epoch.summary,
            evicted=choice.victims,
            core_memory=self._core_memory(window, self._store.blocks.all()),
            question=running_question(choice, turn.id),
            facts=self._part(apart),
        )
        in_place = self._in_place(window, epoch, queue, choice, cap=cap, order=order) if choice.victims else None
        return replace(self._made(window, material, turn, cap, in_place), facts=order)

    def keep_facts(self, made: PaidSummary, choice: Choice, *, cause: int | None, at: datetime) -> StoredFacts | None:
        """Store the facts that came with a summary; joins the running transaction. None where there were none."""
        if self._facts is None or made.facts is None or not made.summary.facts:
            return None
        return self._facts.store(made.summary.facts, made.facts, choice.victims, cause=cause, at=at)

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

    def _part(self, order: FactsOrder | None) -> FactsPart | None:
        if self._facts is None or order is None:
            return None
        return FactsPart(order=self._facts.text(order), tokens=order.tokens)

    def _in_place(
        self,
        window: Window,
        epoch: Epoch,
        queue: Sequence[Message],
        choice: Choice,
        *,
        cap: int,
        order: FactsOrder | None,
    ) -> InPlace | None:
        """The prompt, with an instruction to summarise at its end; None if a leaving message would be cut off.

        Facts are asked for as far as the window has room beside what leaves; messages that stay may be cut off.
        """
        if window.settings.summary_where == "apart":
            return None
        leaving = what_leaves(window, queue, choice, summary=bool(epoch.summary))
        fitted = _Fitted(window, epoch, queue, choice, int(cap / window.ratio))

        def ordered(part: FactsPart | None) -> PromptMessage:
            text = self._summarizer.order_in_place(leaving, fitted.summary, part)
            return PromptMessage(role="user", content=window.renderer.event("summary_request", text, None))

        if order is not None:
            limited = self._part(order.within(fitted.spare(ordered(self._part(order)))))
            if limited is not None and (found := fitted.prompt(ordered(limited), limited)) is not None:
                return found
        return fitted.prompt(ordered(None), None)


class _Fitted:
    """Fits the prompt of a summary in place into the window; `summary` is its longest reply without facts."""

    def __init__(self, window: Window, epoch: Epoch, queue: Sequence[Message], choice: Choice, summary: int) -> None:
        self._window = window
        self._epoch = epoch
        self._queue = queue
        self._gone = {m.id for m in choice.victims}
        self._head = window.head_tokens(epoch.head)
        self.summary = summary

    def spare(self, order: PromptMessage) -> int:
        """Return the tokens, as counted, that the window has for facts beside all that leaves and this order."""
        last = max((n for n, m in enumerate(self._queue) if m.id in self._gone), default=-1)
        until = next((n for n in range(last + 1, len(self._queue)) if self._starts(n)), len(self._queue))
        needed = sum(self._window.message_tokens(m) for m in self._queue[:until])
        needed += self._window.corrected(count_message(self._window.counter, order))
        left = self._window.settings.window - self._head - needed - self._window.corrected(self.summary)
        return int(left / self._window.ratio) - 1

    def prompt(self, order: PromptMessage, part: FactsPart | None) -> InPlace | None:
        """Return the prompt with as much of the queue as fits; None if a leaving message does not."""
        window = self._window
        taken_by_order = window.corrected(count_message(window.counter, order))
        room = window.room - self._head - taken_by_order
        if part is not None:
            reply = window.corrected(self.summary + part.tokens)
            room = min(room, window.settings.window - reply - self._head - taken_by_order)
        taken = longest_prefix(self._queue, room=room, tokens=window.message_tokens)
        if self._gone - {m.id for m in taken}:
            return None
        messages = (*window.prompt(self._epoch, taken), order)
        if part is None:
            return InPlace(messages=messages, tools=window.instructions.tools)
        used = self._head + taken_by_order + sum(window.message_tokens(m) for m in taken)
        reply = int((window.settings.window - used) / window.ratio)
        return InPlace(messages=messages, tools=window.instructions.tools, facts=part, reply=reply)

    def _starts(self, number: int) -> bool:
        """Whether a turn or a step begins with this message of the queue."""
        before, message = self._queue[number - 1], self._queue[number]
        return (before.turn, before.step) != (message.turn, message.step)


def origin_of_summary(before: Epoch | None, evicted: Sequence[Message]) -> Origin:
    """What a summary goes back to: the summary before it, and the messages that left, as a range."""
    refs = [f"{message_ref(evicted[0].id)}-{message_ref(evicted[-1].id)}"] if evicted else []
    least = [Author.AGENT, *(m.least for m in evicted)]
    if before is not None and before.summary:
        refs.insert(0, f"s{before.id}")
        least += [before.origin.least] if before.origin is not None else []
    return Origin(least=least_trusted(least), derived_from=tuple(refs))
