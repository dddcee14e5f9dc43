"""The queue manager: it keeps every prompt inside the window (the paper's §2.2).

Before each model call it counts the prompt, pages out oversized messages, warns once per epoch, and evicts. It does not
call the main model and runs no functions.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from memgpt_cli.domain.agents import Epoch, Turn
from memgpt_cli.domain.blocks import Block
from memgpt_cli.domain.effects import NO_EFFECTS, Effects
from memgpt_cli.domain.events import Evicted, Evicting, Happening, MemoryPressure, Notice, PagedOut
from memgpt_cli.domain.history import FRESH_START, SUMMARY_FROM
from memgpt_cli.domain.messages import Message, Role, message_ref
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.domain.trust import UNTRUSTED, Origin
from memgpt_cli.errors import LimitError
from memgpt_cli.main_context import core_memory
from memgpt_cli.main_context.booked_summaries import BookedSummaries, origin_of_summary
from memgpt_cli.main_context.eviction import Choice, choose, is_pinned, is_spoken
from memgpt_cli.main_context.leaving import pressure_text, unstored
from memgpt_cli.main_context.rendering import escape
from memgpt_cli.main_context.window import Window, WindowUsage
from memgpt_cli.ports import Clock, Store

_ATTEMPTS: Final = 4
"""Evictions before one call: to the target; all but the newest step; that step too; with a shorter summary."""

_KEEP: Final = 0.8
"""The last two turns stay while they fill at most this share of the queue's space; the rest is for the next turn."""

_QUIET_TURNS: Final = 3
"""Turns after an eviction without a memory-pressure alert: everything left was already announced before it."""

_SPEAKERS: Final = 5
_NAME: Final = 40
"""Speakers of an imported history that the head names, and the characters of each name that it shows."""

EVICTION: Final = "eviction"
"""The cause of an epoch that began with an eviction."""

_REWRITTEN_FROM: Final = 400
"""Maximum number of evicted messages, newest first, from which a summary is rebuilt."""

PageOut = Callable[[Message, Callable[[str], int]], tuple[str, int]]
"""Writes a message's text to archival storage in the running transaction; returns the stub and the passage count."""


class QueueManager:
    """Owns the FIFO queue and the epoch of one agent during a turn. The caller must hold the agent's lock."""

    def __init__(
        self,
        *,
        store: Store,
        window: Window,
        summaries: BookedSummaries,
        clock: Clock,
        page_out: PageOut,
    ) -> None:
        self._store = store
        self.window = window
        self._summaries = summaries
        self._clock = clock
        self._page_out = page_out
        self.queue: list[Message] = []
        self._queue_tokens = 0
        self._settled: tuple[int, int] | None = None
        self._loaded_at = 0
        self.epoch = self._load()

    def _load(self) -> Epoch:
        self._loaded_at = self._store.changes()[0]  # before the queue is read: a change in between is noticed
        self._fill(self._store.messages.queue())
        epoch = self._store.epochs.current()
        if epoch is None or epoch.fingerprint != self.window.fingerprint():
            cause = _cause_of_new(epoch)
            with self._store.transaction():
                summary, hidden, origin = (epoch.summary, epoch.hidden, epoch.origin) if epoch else ("", 0, None)
                epoch = self._begin(cause, self._store.blocks.all(), summary, hidden, origin)
        return epoch

    def _fill(self, messages: list[Message]) -> None:
        self.queue = messages
        self._queue_tokens = sum(self.window.counted_message(m) for m in messages)

    def reload(self) -> None:
        """Reload queue and epoch."""
        self._settled = None
        self.epoch = self._load()

    def refresh(self) -> None:
        """Reload queue and epoch if anything was written to the record since `settle`."""
        if self._settled is None or self._settled != self._store.changes():
            self.reload()
        self._settled = None

    def settle(self) -> None:
        """Note that queue and epoch are as the record has them, unless another process wrote since they were loaded."""
        now = self._store.changes()
        self._settled = now if now[0] == self._loaded_at else None

    def append(self, message: Message) -> Message:
        """Store a message at the end of the queue; joins the running transaction."""
        stored = self._store.messages.append(message)
        self.queue.append(stored)
        self._queue_tokens += self.window.counted_message(stored)
        return stored

    def usage(self) -> WindowUsage:
        """Return the tokens of the next prompt, by part."""
        return self.window.usage(self.epoch, self._queue_tokens)

    def counted(self) -> int:
        """Return our own count of the next prompt, before any correction."""
        return self.window.counted(self.epoch, self._queue_tokens)

    def notice_edits(self, turn: Turn) -> None:
        """Add a notice to the queue about blocks that another author changed since the model last saw them."""
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
        """Record which version of each block the model has been shown; joins the running transaction."""
        if versions != self.epoch.seen_blocks:
            self.epoch = replace(self.epoch, seen_blocks=versions)
            self._store.epochs.update(self.epoch)

    def make_room(self, turn: Turn, *, fresh: bool) -> Iterator[Happening]:
        """Make the next prompt fit.

        Raises LimitError if no eviction can make it fit, BudgetError if its summary could exceed a budget.

        `fresh`: the turn's message has not been sent to the model yet, so a stub in its place does not change the
        prompt's prefix. Yields happenings. After the last item, `usage().total <= window.room` holds.
        """
        blocks = self._store.blocks.all()
        self.window.check(blocks)
        yield from self._rewrite_summary(turn)
        paged = self.page_out_large(turn)
        if paged and not fresh:
            with self._store.transaction():
                self.epoch = self._begin("paged out", blocks, self.epoch.summary, self.epoch.hidden, self.epoch.origin)
        yield from paged
        if self.usage().total <= self.window.limit and (said := self._about_to_leave(turn)):
            yield self._warn(turn, said)
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

    def evict(self, turn: Turn, *, attempt: int = 0, keep_recent: bool = True) -> Iterator[Happening]:
        """Evict the oldest messages, fold them into the summary, and begin a new epoch.

        Without `keep_recent` the last two turns are evicted like any other.
        """
        before = self.usage().total
        if attempt == _ATTEMPTS - 2:
            yield from self.page_out_large(turn, cap=0)
        blocks = self._store.blocks.all()
        bare = self._bare_head(blocks)
        cap = self.window.summary_cap(bare)
        choice = self._choose(turn, bare + cap, attempt, keep_recent=keep_recent)
        if choice.victims:
            yield Evicting(messages=len(choice.victims))
        if attempt == _ATTEMPTS - 1:
            cap = min(cap, max(0, self.window.room - bare - sum(self.window.message_tokens(m) for m in choice.kept)))
        made = self._summaries.of_choice(
            self.window, self.epoch, self.queue, choice, turn=turn, cap=cap, facts=attempt == 0
        )
        if made.summary.failure:
            yield Notice(f"the summarising model failed ({made.summary.failure}); an extractive summary stands in")
        with self._store.transaction():
            self._leave(choice, turn, attempt)
            hidden = self.epoch.hidden + sum(1 for m in choice.victims if is_spoken(m))
            origin = origin_of_summary(self.epoch, choice.victims)
            self.epoch = self._begin(EVICTION, blocks, made.summary.text, hidden, origin)
            self._store.messages.evict([m.id for m in choice.victims], epoch=self.epoch.id)
            self._summaries.record(made, turn, self.epoch)
            cause = next((m.id for m in self.queue if m.turn == turn.id), None)
            stored = self._summaries.keep_facts(made, choice, cause=cause, at=self._clock.now())
        if stored is not None and stored.new:
            yield Notice(f"facts stored from the messages that left the window: {stored.new} (memgpt facts list)")
        self.window.forget(choice.victims)
        if choice.victims:
            yield Evicted(
                messages=len(choice.victims),
                tokens_before=before,
                tokens_after=self.usage().total,
                summarised_by=made.summary.by,
            )

    def _choose(self, turn: Turn, head: int, attempt: int, *, keep_recent: bool) -> Choice:
        """Choose what leaves if the next head takes `head` tokens; each attempt is stricter than the previous one."""
        space = max(0, self.window.limit - head) if attempt == 0 else 0
        goal = int(space * self.window.settings.target)
        return choose(
            self.queue,
            turn=turn.id,
            goal=goal,
            keep=int(space * _KEEP) if keep_recent else goal,
            most=self.window.room - head,
            spare_newest=attempt < _ATTEMPTS - 2,
            tokens=self.window.message_tokens,
        )

    def _bare_head(self, blocks: Sequence[Block]) -> int:
        """Return the tokens of the next head without its summary."""
        origin = origin_of_summary(self.epoch, self.queue)
        quoting = origin.least in UNTRUSTED
        head = self.window.head(blocks, self._statistics(), " ", self.epoch.hidden + 1, quoting=quoting)
        return self.window.head_tokens(head)

    def _rewrite_summary(self, turn: Turn) -> Iterator[Happening]:
        """Rebuild the summary if messages that it may mention have been deleted since."""
        base = self._store.note(SUMMARY_FROM)
        if not base:
            return
        before = self._store.epochs.get(int(base))
        left = self._store.messages.evicted(after=int(base), limit=_REWRITTEN_FROM)
        blocks = self._store.blocks.all()
        cap = self.window.summary_cap(self._bare_head(blocks))
        previous = before.summary if before else ""
        made = self._summaries.of_evicted(self.window, previous, left, turn=turn, cap=cap)
        with self._store.transaction():
            origin = origin_of_summary(before, left)
            self.epoch = self._begin("summary rewritten", blocks, made.summary.text, self.epoch.hidden, origin)
            self._summaries.record(made, turn, self.epoch)
            self._store.set_note(SUMMARY_FROM, "")
        by = made.summary.by
        yield Notice(f"the summary was rewritten ({by}), because messages that it may mention were deleted")

    def start_afresh(self) -> int:
        """Begin an epoch with an empty queue and no summary; returns how many messages left the queue."""
        victims = list(self.queue)
        with self._store.transaction():
            hidden = self.epoch.hidden + sum(1 for m in victims if is_spoken(m))
            self.epoch = self._begin(FRESH_START, self._store.blocks.all(), "", hidden, None)
            self._store.messages.evict([m.id for m in victims], epoch=self.epoch.id)
        self._fill([])
        self.window.forget(victims)
        return len(victims)

    def _about_to_leave(self, turn: Turn) -> list[Message]:
        """Return user and assistant messages, not in memory, that the next eviction removes, if it is near."""
        usage = self.usage()
        space = self.window.room - (usage.total - usage.queue)
        if self.epoch.warned or usage.queue <= space * self.window.settings.pressure or self._just_evicted(turn):
            return []
        leaving = int(space * (1 - self.window.settings.target))
        choice = choose(
            self.queue,
            turn=turn.id,
            goal=max(0, usage.queue - leaving),
            keep=space,
            most=space,
            spare_newest=True,
            tokens=self.window.message_tokens,
        )
        return unstored(choice.victims)

    def _just_evicted(self, turn: Turn) -> bool:
        """Whether the epoch began with an eviction less than a few turns ago."""
        if self.epoch.cause != EVICTION:
            return False
        past = list(dict.fromkeys(m.turn for m in reversed(self.queue) if m.turn not in {None, turn.id}))
        newest = [self._store.turns.get(number) for number in past[:_QUIET_TURNS] if number is not None]
        return len(newest) < _QUIET_TURNS or any(t is None or t.epoch != self.epoch.id for t in newest)

    def _warn(self, turn: Turn, said: Sequence[Message]) -> MemoryPressure:
        with self._store.transaction():
            self._add_event("memory_pressure", pressure_text(self.window, said), turn)
            self.epoch = replace(self.epoch, warned=True)
            self._store.epochs.update(self.epoch)
        return MemoryPressure(used=self.usage().total, limit=self.window.room)

    def _add_event(self, kind: str, text: str, turn: Turn, effects: Effects = NO_EFFECTS) -> None:
        """Add an event to the end of the queue, at the time of the conversation, which may be in the past."""
        at = next((m.created_at for m in reversed(self.queue) if m.turn == turn.id), None) or self._clock.now()
        self.append(Message(role=Role.SYSTEM, name=kind, text=text, created_at=at, turn=turn.id, effects=effects))

    def page_out_large(self, turn: Turn, *, cap: int | None = None) -> list[PagedOut]:
        """Replace every user message of this turn over `cap` tokens by a stub; None: over what the queue accepts."""
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
            self._fill([*self.queue[:index], replace(message, stub=stub), *self.queue[index + 1 :]])
            paged.append(PagedOut(message_id=message.id, passages=passages))
        return paged

    def _leave(self, choice: Choice, turn: Turn, attempt: int) -> None:
        self._fill(list(choice.kept))
        lost = [m for m in choice.victims if m.turn == turn.id and m.role is Role.TOOL]
        if lost and attempt == 0:
            first, last = message_ref(lost[0].id), message_ref(lost[-1].id)
            text = (
                f"Function results of this turn ({first} to {last}) were moved to recall storage to make room. Answer"
                " with what you know now, or search for less at a time."
            )
            self._add_event("results_moved", text, turn)

    def _begin(self, cause: str, blocks: Sequence[Block], summary: str, hidden: int, origin: Origin | None) -> Epoch:
        quoting = origin is not None and origin.least in UNTRUSTED
        head = self.window.head(blocks, self._statistics(), summary, hidden, quoting=quoting)
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
                origin=origin if summary else None,
            )
        )

    def _statistics(self) -> str:
        messages, passages = self._store.messages.count(), self._store.passages.count()
        return (
            f"When this window began, recall storage held {messages} messages{self._imported()}"
            f" and archival storage {passages} passages."
        )

    def _imported(self) -> str:
        """Describe the speakers and dates of an imported history; empty unless recall storage begins with one."""
        oldest = next(iter(self._store.messages.oldest_first(RecallFilters())), None)
        if oldest is None or oldest.turn is not None:
            return ""
        newest = self._store.messages.page(RecallFilters(), limit=1)[0]
        first, last = (f"{m.created_at.astimezone(self.window.renderer.zone):%Y-%m-%d}" for m in (oldest, newest))
        speakers = self._store.messages.speakers()
        names = escape(", ".join(name[:_NAME] for name in speakers[:_SPEAKERS]))
        of = f" of {names}{' and others' if len(speakers) > _SPEAKERS else ''}" if names else ""
        return f" from {first} to {last}, beginning with an imported conversation{of},"


def _cause_of_new(epoch: Epoch | None) -> str:
    if epoch is None:
        return "start"
    # An epoch without a fingerprint has its own cause.
    return "changed model, protocol or instructions" if epoch.fingerprint else epoch.cause
