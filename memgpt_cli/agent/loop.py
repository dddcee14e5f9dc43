"""The agent loop (DESIGN §4): it handles an event in steps. Each step is committed completely or not at all.

The queue manager makes space in the window, the model replies, the executor runs functions, and the store commits.
Their packages define what a function does, what is evicted and what a prompt looks like.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from memgpt_cli.agent.accounts import CallAccounts
from memgpt_cli.agent.budget import Budget
from memgpt_cli.agent.intake import Accepted, Intake
from memgpt_cli.agent.last_call import (
    LAST_CALL,
    UNANSWERED,
    Stopped,
    failed_in_a_row,
    slept_without_answer,
    too_many_steps,
)
from memgpt_cli.agent.replies import PartialReply, told
from memgpt_cli.agent.seeing import PictureReader
from memgpt_cli.agent.sources import everything_written
from memgpt_cli.agent.turn_rows import answered, ended, note_eviction
from memgpt_cli.agent.turn_writer import TurnWriter
from memgpt_cli.domain.agents import Protocol, StepRecord, Turn, TurnState
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.chat import ChatRequest, TextDelta, WaitDelta
from memgpt_cli.domain.effects import ConsentVerdict
from memgpt_cli.domain.events import (
    Event,
    FunctionReturned,
    Happening,
    Notice,
    ReplyDelta,
    StepCommitted,
    TurnEnded,
    TurnStarted,
    Waiting,
)
from memgpt_cli.domain.messages import FunctionCall, Role, clean
from memgpt_cli.domain.search import SearchResult
from memgpt_cli.domain.settings import Settings
from memgpt_cli.errors import ContextLengthError
from memgpt_cli.external_context.rendering import hit_lines
from memgpt_cli.functions.executor import Executed, FunctionExecutor, Prepared
from memgpt_cli.functions.spec import FunctionContext
from memgpt_cli.main_context.in_view import InView
from memgpt_cli.main_context.queue_manager import QueueManager
from memgpt_cli.main_context.rendering import escape
from memgpt_cli.ports import Calibration, ChatModel, Clock, Store

MOST_CALLS = 32
"""Maximum calls run in one step. A model that requests more is malfunctioning."""


class _Course(Enum):
    """How a turn continues after a step. `SLEEPS`: it ended before the user had an answer (the paper's protocol)."""

    GOES_ON = auto()
    FAILS = auto()
    ENDS = auto()
    SLEEPS = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    committed: StepCommitted
    course: _Course


class Agent:
    """An open agent. The caller holds its lock."""

    def __init__(
        self,
        *,
        store: Store,
        model: ChatModel,
        queue_manager: QueueManager,
        executor: FunctionExecutor,
        context: FunctionContext,
        settings: Settings,
        protocol: Protocol,
        clock: Clock,
        calibration: Calibration,
        budget: Budget,
        picture_reader: PictureReader,
        window_refused: Callable[[int], None],
    ) -> None:
        self.store = store
        self.model = model
        self.queue_manager = queue_manager
        self.settings = settings
        self.protocol = protocol
        self._executor = executor
        self._context = context
        self._writer = TurnWriter(store, queue_manager, clock)
        self._pictures = picture_reader
        self._accounts = CallAccounts(
            store=store,
            queue_manager=queue_manager,
            model=model.name,
            settings=settings,
            clock=clock,
            calibration=calibration,
            budget=budget,
            window_refused=window_refused,
        )
        self._intake = Intake(store=store, queue_manager=queue_manager, clock=clock)

    def handle(self, event: Event) -> Iterator[Happening]:
        """Run one turn. Closing the iterator, or Ctrl-C, keeps the text received so far and ends the turn.

        Raises ModelError, APIKeyError, LimitError, BudgetError or StorageError. The turn then stays open: `Resume`, the
        same message or the next message continues it. Only the limits on steps and failures end it.
        """
        accepted = self._intake.accept(event)
        if accepted is None:
            return
        turn = accepted.turn
        if accepted.answered is not None:
            yield TurnEnded(
                turn=turn.id, reply=accepted.answered, state=turn.state, evicted=turn.evicted, repeated=True
            )
            return
        yield TurnStarted(turn.id)
        yield from self._run(accepted)

    def request(self) -> ChatRequest:
        """Return the request that the next call would send now."""
        return ChatRequest(
            model=self.model.name,
            messages=self.queue_manager.window.prompt(self.queue_manager.epoch, self.queue_manager.queue),
            tools=self._executor.schemas,
            max_tokens=self.queue_manager.window.settings.reserved,
        )

    def confirm_writes(self, confirm: Callable[[FunctionCall], ConsentVerdict] | None) -> None:
        """Set the function that asks the user before each write to memory, outside of any transaction.

        None stops asking.
        """
        self._context = replace(self._context, confirm=confirm)

    def find_again(self, call: FunctionCall, *, turn: int) -> SearchResult[Any] | None:
        """Repeat a stored search call and return its current results; None for any other call."""
        budget = self._page_budget()
        again = self._executor.find_again(call, replace(self._context, turn=turn, page_budget=budget, budget=budget))
        return again.found if again is not None else None

    def start_afresh(self) -> int:
        """Empty the queue; recall storage is unchanged. Returns how many messages left the queue."""
        return self.queue_manager.start_afresh()

    def prepare(self, event: Event | None) -> tuple[ChatRequest, list[Happening]]:
        """Return the next request, after `event` if given, and its happenings. It writes: use it in a rehearsal."""
        if event is None:
            self.queue_manager.reload()
            return self.request(), []
        accepted = self._intake.accept(event)
        if accepted is None:
            return self.request(), []
        self.queue_manager.notice_edits(accepted.turn)
        happenings = list(self._make_room(accepted, fresh=accepted.fresh))
        return self.request(), happenings

    def _run(self, accepted: Accepted) -> Iterator[Happening]:
        yield from self._pictures.describe(accepted.turn, accepted.message_id)
        stopped = yield from self._steps(accepted)
        if stopped is not None:
            yield from self._last_call(accepted, stopped)
        self.queue_manager.settle()
        yield ended(self.store, accepted.turn)

    def _steps(self, accepted: Accepted) -> Generator[Happening, None, Stopped | None]:
        """Run steps until the user has an answer; otherwise return why they stopped."""
        loop = self.settings.loop
        failures, beyond = 0, accepted.next_step + loop.max_steps
        for number in range(accepted.next_step, beyond):
            self.queue_manager.notice_edits(accepted.turn)
            yield from self._make_room(accepted, fresh=accepted.fresh and number == 1)
            reply, record = yield from self._call_model(accepted, number)
            step = self._commit(accepted, number, reply, record)
            yield from self._accounts.cut_silently(record)
            yield from told(step.committed, reply)
            if step.course is _Course.ENDS:
                return None
            if step.course is _Course.SLEEPS:
                return slept_without_answer(number + 1)
            failures = failures + 1 if step.course is _Course.FAILS else 0
            if failures >= loop.max_failures:
                return failed_in_a_row(number + 1, failures, [f.result for f in step.committed.functions])
        return too_many_steps(beyond, loop.max_steps)

    def _last_call(self, accepted: Accepted, stopped: Stopped) -> Iterator[Happening]:
        """Make one call without functions to get the answer that is still missing.

        Raises BudgetError if it returns no text either; the next prompt then mentions it.
        """
        turn, number, reason = accepted.turn, stopped.before_step, escape(stopped.reason)
        if answered(self.store, turn):
            with self.store.transaction():
                self._writer.close(turn, TurnState.DONE)
            yield Notice(f"{stopped.reason}, after it had answered")
            return
        self._writer.append(accepted, number, Role.SYSTEM, LAST_CALL.format(reason=reason), name="last_call")
        yield from self._make_room(accepted, fresh=False)
        reply, record = yield from self._call_model(accepted, number, may_call=False)
        has_text = bool(reply.text.strip())
        with self.store.transaction():
            if has_text:
                origin = self._view(turn).origin_of(reply.text)
                self._writer.append(
                    accepted, number, Role.ASSISTANT, clean(reply.text), opaque=reply.opaque, origin=origin
                )
            else:
                self._writer.append(accepted, number, Role.SYSTEM, UNANSWERED.format(reason=reason), name="unanswered")
            self.store.turns.add_step(record)
            self._writer.close(turn, TurnState.DONE if has_text else TurnState.INTERRUPTED)
        self._accounts.learn(record)
        yield from told(StepCommitted(record=record, text=reply.text, final=has_text), reply)
        if not has_text:
            yield ended(self.store, turn)
            raise stopped.error()
        if not stopped.expected:
            yield Notice(f"{stopped.reason}; it was asked to answer without functions")

    def _make_room(self, accepted: Accepted, *, fresh: bool) -> Iterator[Happening]:
        before = self.queue_manager.epoch.hidden
        yield from self.queue_manager.make_room(accepted.turn, fresh=fresh)
        note_eviction(self.store, accepted.turn, self.queue_manager.epoch.hidden - before)

    def _call_model(
        self, accepted: Accepted, number: int, *, may_call: bool = True
    ) -> Generator[Happening, None, tuple[PartialReply, StepRecord]]:
        try:
            return (yield from self._stream(accepted, number, may_call=may_call))
        except ContextLengthError as error:
            yield Notice(f"the server counted more tokens than we did ({error.message}); making room and trying again")
            self._accounts.tighten(error)
            before = self.queue_manager.epoch.hidden
            yield from self.queue_manager.evict(accepted.turn, keep_recent=False)
            note_eviction(self.store, accepted.turn, self.queue_manager.epoch.hidden - before)
            yield from self._make_room(accepted, fresh=False)
            return (yield from self._stream(accepted, number, may_call=may_call))

    def _stream(
        self, accepted: Accepted, number: int, *, may_call: bool
    ) -> Generator[Happening, None, tuple[PartialReply, StepRecord]]:
        queue = self.queue_manager
        self._accounts.check(accepted.turn)
        counted = queue.counted()
        reply = PartialReply()
        started = time.monotonic()
        stream = self.model.stream(replace(self.request(), may_call=may_call))
        try:
            for delta in stream:
                reply.add(delta)
                if isinstance(delta, TextDelta) and delta.text:
                    yield ReplyDelta(delta.text)
                elif isinstance(delta, WaitDelta):
                    yield Waiting(delta.text)
        except (KeyboardInterrupt, GeneratorExit):
            self._keep_interrupted(
                accepted,
                reply,
                self._accounts.record(accepted.turn, number, reply, counted, time.monotonic() - started),
            )
            raise
        finally:
            close = getattr(stream, "close", None)
            if close is not None:
                close()
        record = self._accounts.record(accepted.turn, number, reply, counted, time.monotonic() - started)
        return reply, record

    def _commit(self, accepted: Accepted, number: int, reply: PartialReply, record: StepRecord) -> _Step:
        """Run the calls and commit the whole step in one transaction."""
        calls = reply.calls(f"{accepted.turn.id % 100_000:05d}{number % 100:02d}")[:MOST_CALLS]
        view = self._view(accepted.turn)
        context = replace(self._context_for(accepted, record, len(calls)), view=view)
        prepared = [self._executor.prepare(call, context) for call in calls]
        try:
            with self.store.transaction():
                if calls or reply.text.strip():  # every server refuses an empty message
                    self._writer.append(
                        accepted,
                        number,
                        Role.ASSISTANT,
                        clean(reply.text),
                        calls=calls,
                        opaque=reply.opaque,
                        origin=view.origin_of(everything_written(reply.text, calls)),
                    )
                executed = self._run_calls(accepted, number, prepared, context)
                course = self._judge(accepted, number, reply, executed)
                self.store.turns.add_step(record)
                if course is _Course.ENDS:
                    self._writer.close(accepted.turn, TurnState.DONE)
        except BaseException:
            self.queue_manager.reload()
            raise
        self._accounts.learn(record)
        returned = tuple(
            FunctionReturned(call=p.call, result=e.result) for p, e in zip(prepared, executed, strict=True)
        )
        committed = StepCommitted(record=record, text=reply.text, final=course is _Course.ENDS, functions=returned)
        return _Step(committed=committed, course=course)

    def _view(self, turn: Turn) -> InView:
        manager = self.queue_manager
        return InView(self.store, queue=tuple(manager.queue), epoch=manager.epoch, turn=turn.id)

    def _context_for(self, accepted: Accepted, record: StepRecord, calls: int) -> FunctionContext:
        window = self.queue_manager.window
        used = window.corrected(record.counted_tokens) + record.usage.completion_tokens
        return replace(
            self._context,
            provenance=Provenance(author=Author.AGENT, message_id=accepted.message_id),
            turn=accepted.turn.id,
            at=self._writer.now(accepted.lag),
            budget=int(window.result_cap(used, calls) / window.ratio),
            page_budget=self._page_budget(),
            seen=self._lines_in_view(accepted.turn),
        )

    def _lines_in_view(self, turn: Turn) -> frozenset[str]:
        """The hits that this turn's results in the queue show."""
        results = (m.text for m in self.queue_manager.queue if m.turn == turn.id and m.role is Role.TOOL)
        return frozenset[str]().union(*map(hit_lines, results))

    def _page_budget(self) -> int:
        return int(self.queue_manager.window.page_cap() / self.queue_manager.window.ratio)

    def _run_calls(
        self, accepted: Accepted, number: int, prepared: Sequence[Prepared], context: FunctionContext
    ) -> list[Executed]:
        executed = self._executor.run(prepared, context)
        seen = dict(self.queue_manager.epoch.seen_blocks)
        for one, done in zip(prepared, executed, strict=True):
            self._writer.append_result(accepted, number, one.call, done.result)
            seen |= done.result.effects.blocks
        self.queue_manager.saw(seen)
        return executed

    def _judge(self, accepted: Accepted, number: int, reply: PartialReply, executed: Sequence[Executed]) -> _Course:
        """Decide how the turn continues after this step."""
        if executed and any(e.goes_on for e in executed):
            return _Course.GOES_ON if any(e.result.ok for e in executed) else _Course.FAILS
        if executed:
            return _Course.ENDS if answered(self.store, accepted.turn) else _Course.SLEEPS
        if reply.text.strip() or answered(self.store, accepted.turn):
            return _Course.ENDS
        text = "Your last reply was empty. Answer the person, or call a function."
        self._writer.append(accepted, number, Role.SYSTEM, text, name="empty_reply")
        return _Course.FAILS

    def _keep_interrupted(self, accepted: Accepted, reply: PartialReply, record: StepRecord) -> None:
        """Store the partial text and its cost: the prompt has been paid for."""
        with self.store.transaction():
            origin = self._view(accepted.turn).origin_of(reply.text)
            self._writer.append(
                accepted, record.number, Role.ASSISTANT, clean(reply.text), interrupted=True, origin=origin
            )
            self.store.turns.add_step(record)
            self._writer.close(accepted.turn, TurnState.INTERRUPTED)
        self._accounts.book(record)
