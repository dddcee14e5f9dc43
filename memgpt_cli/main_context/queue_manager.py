"""The queue manager: keeps every prompt inside the window (the paper's §2.2).

Before each model call it counts, pages out what is too large by itself, warns once in each epoch, and evicts. It does
not talk to the main model and runs no functions.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from memgpt_cli.domain.agents import Epoch, StepRecord, Turn
from memgpt_cli.domain.blocks import Block
from memgpt_cli.domain.chat import PromptMessage
from memgpt_cli.domain.effects import NO_EFFECTS, Effects
from memgpt_cli.domain.events import Evicted, Evicting, Happening, MemoryPressure, Notice, PagedOut
from memgpt_cli.domain.history import FRESH_START, SUMMARY_FROM
from memgpt_cli.domain.messages import Message, Role, message_ref
from memgpt_cli.errors import LimitError
from memgpt_cli.main_context import core_memory
from memgpt_cli.main_context.eviction import Choice, choose, is_pinned, is_spoken, longest_prefix
from memgpt_cli.main_context.rendering import escape
from memgpt_cli.main_context.summarizer import InPlace, Summarizer, Summary, SummaryCall
from memgpt_cli.main_context.tokens import count_message
from memgpt_cli.main_context.window import Window, WindowUsage
from memgpt_cli.ports import Clock, Store

_ATTEMPTS: Final = 4
"""Evictions before one call: to the target; all but the newest step; that step too; without a summary."""

_REWRITTEN_FROM: Final = 400
"""The newest evicted messages from which a summary is made anew, at most."""

PageOut = Callable[[Message, Callable[[str], int]], tuple[str, int]]
"""Writes a message's text to archival storage inside the running transaction; gives the stub and the passage count."""

Afford = Callable[[Turn, int, int], None]
"""Raises BudgetError when a summariser's call, of so many prompt and reply tokens, could pass a budget."""

Book = Callable[[SummaryCall, datetime], float | None]
"""Adds the price of a summariser's call to the day's spending; gives it in US dollars, None where it is not known."""


class QueueManager:
    """Owns the FIFO queue and the epoch of one agent while a turn runs. Only for the holder of the agent's lock."""

    def __init__(
        self,
        *,
        store: Store,
        window: Window,
        summarizer: Summarizer,
        clock: Clock,
        page_out: PageOut,
        afford: Afford,
        book: Book,
    ) -> None:
        self._store = store
        self.window = window
        self._summarizer = summarizer
        self._clock = clock
        self._page_out = page_out
        self._book = book
        self._afford = afford
        self.queue: list[Message] = []
        self.epoch = self._load()

    def _load(self) -> Epoch:
        self.queue = self._store.messages.queue()
        epoch = self._store.epochs.current()
        if epoch is None or epoch.fingerprint != self.window.fingerprint():
            cause = _cause_of_new(epoch)
            with self._store.transaction():
                summary, hidden = (epoch.summary, epoch.hidden) if epoch else ("", 0)
                epoch = self._begin(cause, self._store.blocks.all(), summary, hidden)
        return epoch

    def reload(self) -> None:
        """Read queue and epoch anew: another process may have written since the last turn."""
        self.epoch = self._load()

    def append(self, message: Message) -> Message:
        """Store a message at the end of the queue; joins the running transaction."""
        stored = self._store.messages.append(message)
        self.queue.append(stored)
        return stored

    def usage(self) -> WindowUsage:
        """What the next prompt costs, by part."""
        return self.window.usage(self.epoch, self.queue)

    def notice_edits(self, turn: Turn) -> None:
        """Tell the model of blocks that somebody else changed since it last saw them, at the end of the queue."""
        blocks = {block.label: block for block in self._store.blocks.all()}
        seen = self.epoch.seen_blocks
        changed = [b for b in blocks.values() if seen.get(b.label) != b.version]
        gone = [label for label in seen if label not in blocks]
        if not changed and not gone:
            return
        told = [(b.label, b.version, f"Changed from outside. {escape(core_memory.state_of(b))}") for b in changed]
        told += [(label, 0, f"Block {escape(label)} was deleted from outside.") for label in gone]
        with self._store.transaction():
            for label, version, text in told:
                self._add_event("core_memory_edited", text, turn, Effects(blocks={label: version}))
            self.saw({label: block.version for label, block in blocks.items()})

    def saw(self, versions: dict[str, int]) -> None:
        """Remember which version of each block the model has been shown; joins the running transaction."""
        if versions != self.epoch.seen_blocks:
            self.epoch = replace(self.epoch, seen_blocks=versions)
            self._store.epochs.update(self.epoch)

    def make_room(self, turn: Turn, *, fresh: bool) -> Iterator[Happening]:
        """See to it that the next prompt fits.

        Raises LimitError when no eviction can make it fit, BudgetError when its summary could pass a budget.

        `fresh` tells that the turn's message has not been sent to the model yet, so that a stub in its place leaves the
        prompt's prefix as it was. Yields what happened. After the last item, `usage().total <= window.room` holds.
        """
        blocks = self._store.blocks.all()
        self.window.check(blocks)
        yield from self._rewrite_summary(turn)
        paged = self.page_out_large(turn)
        if paged and not fresh:
            with self._store.transaction():
                self.epoch = self._begin("paged out", blocks, self.epoch.summary, self.epoch.hidden)
        yield from paged
        if self.usage().total <= self.window.limit and self._pressed():
            yield self._warn(turn)
        for attempt in range(_ATTEMPTS):
            if self.usage().total <= self.window.limit:
                return
            yield from self.evict(turn, attempt=attempt)
        if self.usage().total > self.window.room:
            raise LimitError(
                f"the next prompt would take {self.usage().total} of {self.window.room} tokens, and nothing is left"
                " that could leave the window",
                hint="raise --window, or shorten the memory blocks",
            )

    def evict(self, turn: Turn, *, attempt: int = 0) -> Iterator[Happening]:
        """Move the oldest messages out, fold them into the summary, and begin a new epoch."""
        before = self.usage().total
        blocks = self._store.blocks.all()
        bare = self.window.head_tokens(self.window.head(blocks, self._statistics(), "", self.epoch.hidden + 1))
        cap = self.window.summary_cap(bare) if attempt < _ATTEMPTS - 1 else 0
        if attempt == _ATTEMPTS - 2:
            yield from self.page_out_large(turn, cap=0)
        head = bare + cap
        goal = int(self.window.room * self.window.settings.target) - head if attempt == 0 else 0
        choice = choose(
            self.queue,
            turn=turn.id,
            goal=max(0, goal),
            most=self.window.room - head,
            spare_newest=attempt < _ATTEMPTS - 2,
            tokens=self.window.message_tokens,
        )
        if choice.victims:
            yield Evicting(messages=len(choice.victims))
        # The cap is in corrected tokens, the summariser counts its own.
        bound = int(cap / self.window.ratio)
        summary = self._summarizer.summarise(
            self.epoch.summary,
            choice.victims,
            max_tokens=bound,
            room=int(self.window.room / self.window.ratio),
            afford=lambda prompt, reply: self._afford(turn, prompt, reply),
            in_place=self._in_place(choice, bound) if attempt == 0 else None,
        )
        if summary.failure:
            yield Notice(f"the summarising model failed ({summary.failure}); an extractive summary stands in")
        paid = self._paid(summary)
        with self._store.transaction():
            self._leave(choice, turn, attempt)
            hidden = self.epoch.hidden + sum(1 for m in choice.victims if is_spoken(m))
            self.epoch = self._begin("eviction", blocks, summary.text, hidden)
            self._store.messages.evict([m.id for m in choice.victims], epoch=self.epoch.id)
            self._record(paid, turn)
        self.window.forget(choice.victims)
        if choice.victims:
            yield Evicted(
                messages=len(choice.victims),
                tokens_before=before,
                tokens_after=self.usage().total,
                summarised_by=summary.by,
            )

    def _rewrite_summary(self, turn: Turn) -> Iterator[Happening]:
        """Make the summary anew where messages that it may speak of have been deleted since."""
        base = self._store.note(SUMMARY_FROM)
        if not base:
            return
        before = self._store.epochs.get(int(base))
        left = self._store.messages.evicted(after=int(base), limit=_REWRITTEN_FROM)
        blocks = self._store.blocks.all()
        cap = self._summary_cap(blocks)
        summary = self._summarizer.summarise(
            before.summary if before else "",
            left,
            max_tokens=int(cap / self.window.ratio),
            room=int(self.window.room / self.window.ratio),
            afford=lambda prompt, reply: self._afford(turn, prompt, reply),
        )
        paid = self._paid(summary)
        with self._store.transaction():
            self.epoch = self._begin("summary rewritten", blocks, summary.text, self.epoch.hidden)
            self._record(paid, turn)
            self._store.set_note(SUMMARY_FROM, "")
        yield Notice(f"the summary was written anew ({summary.by}), since messages that it may speak of were deleted")

    def _summary_cap(self, blocks: Sequence[Block]) -> int:
        bare = self.window.head(blocks, self._statistics(), "", self.epoch.hidden + 1)
        return self.window.summary_cap(self.window.head_tokens(bare))

    def start_afresh(self) -> int:
        """Begin an epoch with an empty queue and no summary; returns how many messages left the queue."""
        victims = list(self.queue)
        with self._store.transaction():
            hidden = self.epoch.hidden + sum(1 for m in victims if is_spoken(m))
            self.epoch = self._begin(FRESH_START, self._store.blocks.all(), "", hidden)
            self._store.messages.evict([m.id for m in victims], epoch=self.epoch.id)
        self.queue = []
        self.window.forget(victims)
        return len(victims)

    def _pressed(self) -> bool:
        return not self.epoch.warned and self.usage().total > self.window.room * self.window.settings.pressure

    def _warn(self, turn: Turn) -> MemoryPressure:
        share = round(self.window.settings.pressure * 100)
        text = (
            f"Memory pressure: over {share}% of the window is in use. Soon the oldest messages will be moved to recall"
            " storage. If something in them matters for later, store it now in core memory or archival storage."
        )
        with self._store.transaction():
            self._add_event("memory_pressure", text, turn)
            self.epoch = replace(self.epoch, warned=True)
            self._store.epochs.update(self.epoch)
        return MemoryPressure(used=self.usage().total, limit=self.window.room)

    def _add_event(self, kind: str, text: str, turn: Turn, effects: Effects = NO_EFFECTS) -> None:
        now = self._clock.now()
        self.append(Message(role=Role.SYSTEM, name=kind, text=text, created_at=now, turn=turn.id, effects=effects))

    def page_out_large(self, turn: Turn, *, cap: int | None = None) -> list[PagedOut]:
        """Give a stub to every message of this turn's person over `cap` tokens; None: over what the queue takes."""
        if cap is None:
            cap = self.window.message_cap(self._store.blocks.all())
        paged: list[PagedOut] = []
        for index, message in enumerate(self.queue):
            if not is_pinned(message) or message.stub is not None or message.turn != turn.id:
                continue
            # Tokens never exceed UTF-8 bytes, so a short text needs no count.
            if len(message.text) * 4 + 64 <= cap or self.window.message_tokens(message) <= cap:
                continue
            with self._store.transaction():
                stub, passages = self._page_out(message, self.window.counter.count)
                self._store.messages.set_stub(message.id, stub)
            self.queue[index] = replace(message, stub=stub)
            paged.append(PagedOut(message_id=message.id, passages=passages))
        return paged

    def _in_place(self, choice: Choice, max_tokens: int) -> InPlace | None:
        """The prompt as far as it fits with an order to summarise at its end; None when that would cut off a victim."""
        if self.window.settings.summary_where == "apart" or max_tokens > self.window.settings.reserved:
            return None
        gone = {m.id for m in choice.victims}
        first_kept = next((m for m in self.queue if m.id not in gone), None)
        shown = "" if first_kept is None else (self.window.message(first_kept).content or "")[:80]
        order = PromptMessage(
            role="user",
            content=self.window.renderer.event(
                "summary_request", self._summarizer.order_in_place(escape(shown), max_tokens), None
            ),
        )
        room = self.window.room - self.window.head_tokens(self.epoch.head)
        room -= self.window.corrected(count_message(self.window.counter, order))
        taken = longest_prefix(self.queue, room=room, tokens=self.window.message_tokens)
        if gone - {m.id for m in taken}:
            return None
        prompt = self.window.prompt(self.epoch, taken)
        return InPlace(messages=(*prompt, order), tools=self.window.instructions.tools)

    def _leave(self, choice: Choice, turn: Turn, attempt: int) -> None:
        self.queue = list(choice.kept)
        lost = [m for m in choice.victims if m.turn == turn.id and m.role is Role.TOOL]
        if lost and attempt == 0:
            first, last = message_ref(lost[0].id), message_ref(lost[-1].id)
            text = (
                f"Function results of this turn ({first} to {last}) were moved to recall storage to make room. Answer"
                " with what you know now, or search for less at a time."
            )
            self._add_event("results_moved", text, turn)

    def _begin(self, cause: str, blocks: Sequence[Block], summary: str, hidden: int) -> Epoch:
        head = self.window.head(blocks, self._statistics(), summary, hidden)
        return self._store.epochs.begin(
            Epoch(
                id=0,
                started_at=self._clock.now(),
                cause=cause,
                head=head,
                fingerprint=self.window.fingerprint(),
                summary=summary,
                hidden=hidden,
                seen_blocks=core_memory.shown_versions(blocks, self.queue),
            )
        )

    def _statistics(self) -> str:
        messages, passages = self._store.messages.count(), self._store.passages.count()
        return (
            f"When this stretch of the conversation began, recall storage held {messages} messages and archival storage"
            f" {passages} passages."
        )

    def _paid(self, summary: Summary) -> list[tuple[SummaryCall, datetime, float | None]]:
        """The summary's calls with their time and price, booked: outside a transaction, for the books may be busy."""
        calls = [(call, self._clock.now()) for call in summary.calls]
        return [(call, at, self._book(call, at)) for call, at in calls]

    def _record(self, paid: Sequence[tuple[SummaryCall, datetime, float | None]], turn: Turn) -> None:
        for call, at, cost in paid:
            self._store.turns.add_step(
                StepRecord(
                    turn=turn.id,
                    number=0,
                    model=call.model,
                    epoch=self.epoch.id,
                    counted_tokens=call.counted,
                    usage=call.usage,
                    usage_reported=call.usage_reported,
                    cost_usd=cost,
                    duration_s=call.seconds,
                    at=at,
                    purpose="summary",
                )
            )


def _cause_of_new(epoch: Epoch | None) -> str:
    if epoch is None:
        return "start"
    # Without a fingerprint it says itself why the past was rewritten.
    return "changed model, protocol or instructions" if epoch.fingerprint else epoch.cause
