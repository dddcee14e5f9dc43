"""The agent loop (DESIGN §4): an event comes in, steps run, each step is on disk whole or not at all.

The loop asks the queue manager for room, the model for a reply, the executor for results, the store for a commit. What
a function does, what leaves the window and what a prompt looks like is decided in their rooms.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from memgpt_cli.agent.budget import Budget, cost_of
from memgpt_cli.agent.intake import Accepted, Intake
from memgpt_cli.agent.replies import Reply, reply_of
from memgpt_cli.agent.seeing import Sight
from memgpt_cli.agent.truncation import cut_silently
from memgpt_cli.domain.agents import Protocol, StepRecord, Turn, TurnState
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.chat import ChatRequest, TextDelta, Usage, WaitDelta
from memgpt_cli.domain.events import (
    Event,
    FunctionReturned,
    Happening,
    Notice,
    ReplyDelta,
    StepCommitted,
    ThoughtText,
    TurnEnded,
    TurnStarted,
    Waiting,
)
from memgpt_cli.domain.messages import FunctionCall, Message, Opaque, Role, clean
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.search import SearchResult
from memgpt_cli.domain.settings import Settings
from memgpt_cli.errors import BudgetError, ContextLengthError
from memgpt_cli.functions.executor import Executed, FunctionExecutor, Prepared
from memgpt_cli.functions.spec import FunctionContext, Verdict
from memgpt_cli.main_context.queue_manager import QueueManager
from memgpt_cli.ports import Calibration, ChatModel, Clock, Store

MOST_CALLS = 32
"""Calls of one step that are run; a model that asks for more has lost its way."""


_CUT = {
    "length": "the reply was cut off where its tokens ran out: memgpt config set window.reserve TOKENS leaves it more",
    "content_filter": "the provider's content filter cut the reply off",
}

HIGHEST_RATIO = 4.0
"""No tokenizer is further from ours than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    committed: StepCommitted
    goes_on: bool
    failed: bool


class Agent:
    """One agent, opened by the holder of its lock."""

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
        sight: Sight,
        window_refused: Callable[[int], None],
    ) -> None:
        self.store = store
        self.model = model
        self.queue_manager = queue_manager
        self.settings = settings
        self.protocol = protocol
        self._executor = executor
        self._context = context
        self._clock = clock
        self._calibration = calibration
        self._budget = budget
        self._sight = sight
        self._window_refused = window_refused
        self._intake = Intake(store=store, queue_manager=queue_manager, clock=clock)
        last = store.turns.last_step()
        self._last_prompt = (last.epoch, last.counted_tokens) if last else (0, 0)
        self._last_step = last
        self._told_of_cutting = False

    def handle(self, event: Event) -> Iterator[Happening]:
        """Run one turn. Closing the iterator, or Ctrl-C, keeps what the model has said so far and ends the turn.

        Raises ModelError, APIKeyError, LimitError, BudgetError or StorageError. The turn then stays open, and `Resume`,
        the same message again, or the next message goes on with it; only the bounds on steps and failures end it.
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
        """The request that the next call sends as things stand."""
        return ChatRequest(
            model=self.model.name,
            messages=self.queue_manager.window.prompt(self.queue_manager.epoch, self.queue_manager.queue),
            tools=self._executor.schemas,
            max_tokens=self.queue_manager.window.settings.reserved,
        )

    def confirm_writes(self, confirm: Callable[[FunctionCall], Verdict] | None) -> None:
        """Ask the person before each write to memory, outside of any transaction; None asks no more."""
        self._context = replace(self._context, confirm=confirm)

    def find_again(self, call: FunctionCall, *, turn: int) -> SearchResult[Any] | None:
        """What a search call of a stored turn finds now; None for any other call."""
        budget = self._page_budget()
        again = self._executor.find_again(call, replace(self._context, turn=turn, page_budget=budget, budget=budget))
        return again.found if again is not None else None

    def start_afresh(self) -> int:
        """Empty the queue: what was said stays in recall storage. Returns how many messages left the queue."""
        return self.queue_manager.start_afresh()

    def prepare(self, event: Event | None) -> tuple[ChatRequest, list[Happening]]:
        """The next request after `event`, or as things stand, and what making it entails. For rehearsals: it writes."""
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
        loop = self.settings.loop
        failures = 0
        yield from self._sight.look(accepted.turn, accepted.message_id)
        for number in range(accepted.next_step, accepted.next_step + loop.max_steps):
            turn = accepted.turn
            self.queue_manager.notice_edits(turn)
            yield from self._make_room(accepted, fresh=accepted.fresh and number == 1)
            reply, record = yield from self._call_model(accepted, number)
            step = self._commit(accepted, number, reply, record)
            yield from self._told(step, reply)
            if not step.goes_on:
                yield self._ended(turn)
                return
            failures = failures + 1 if step.failed else 0
            if failures >= loop.max_failures:
                yield self._given_up(turn)
                raise BudgetError(
                    f"the model failed {failures} times in a row, at last so: {_failure(step)}; the turn was ended",
                    hint="ask again, or use a model that is better at calling functions (--model)",
                )
        yield self._given_up(accepted.turn)
        raise BudgetError(
            f"the turn was ended after {loop.max_steps} steps",
            hint="ask again to go on, or raise it: memgpt config set loop.max_steps 40",
        )

    def _make_room(self, accepted: Accepted, *, fresh: bool) -> Iterator[Happening]:
        before = self.queue_manager.epoch.hidden
        yield from self.queue_manager.make_room(accepted.turn, fresh=fresh)
        self._note_eviction(accepted.turn, before)

    def _note_eviction(self, turn: Turn, hidden_before: int) -> None:
        gone = self.queue_manager.epoch.hidden - hidden_before
        if gone:
            with self.store.transaction():
                stored = self.store.turns.get(turn.id) or turn
                self.store.turns.update(replace(stored, evicted=stored.evicted + gone))

    def _call_model(self, accepted: Accepted, number: int) -> Generator[Happening, None, tuple[Reply, StepRecord]]:
        try:
            return (yield from self._stream(accepted, number))
        except ContextLengthError as error:
            yield Notice(f"the server counted more tokens than we did ({error.message}); making room and trying again")
            self._tighten(error)
            before = self.queue_manager.epoch.hidden
            yield from self.queue_manager.evict(accepted.turn, keep_recent=False)
            self._note_eviction(accepted.turn, before)
            yield from self._make_room(accepted, fresh=False)
            return (yield from self._stream(accepted, number))

    def _tighten(self, error: ContextLengthError) -> None:
        """Learn from a refused prompt: a smaller window than we thought, or a tokenizer that counts more.

        A stated limit that this agent could not live in is not believed: some servers state wrong ones.
        """
        window = self.queue_manager.window
        counted = window.counted(self.queue_manager.epoch, self.queue_manager.queue)
        smallest = window.smallest(self.store.blocks.all())
        if error.limit is not None and smallest <= error.limit < window.settings.window:
            reserve = min(window.settings.reserve, error.limit // 8)
            window.settings = replace(
                window.settings, window=error.limit, reserve=reserve, source="the server: a refused prompt"
            )
            self._window_refused(error.limit)
            return
        reported = error.counted or int(window.corrected(counted) * 1.25)
        self._calibration.observe(self.model.name, counted=counted, reported=reported)
        window.ratio = min(HIGHEST_RATIO, max(window.ratio * 1.05, reported / max(1, counted)))

    def _stream(self, accepted: Accepted, number: int) -> Generator[Happening, None, tuple[Reply, StepRecord]]:
        queue = self.queue_manager
        self._budget.check(accepted.turn, lambda: queue.usage().total, queue.window.settings.reserved)
        counted = queue.window.counted(queue.epoch, queue.queue)
        reply = Reply()
        started = time.monotonic()
        stream = self.model.stream(self.request())
        try:
            for delta in stream:
                reply.add(delta)
                if isinstance(delta, TextDelta) and delta.text:
                    yield ReplyDelta(delta.text)
                elif isinstance(delta, WaitDelta):
                    yield Waiting(delta.text)
        except (KeyboardInterrupt, GeneratorExit):
            self._keep_interrupted(
                accepted, reply, self._record(accepted.turn, number, reply, counted, time.monotonic() - started)
            )
            raise
        finally:
            close = getattr(stream, "close", None)
            if close is not None:
                close()
        record = self._record(accepted.turn, number, reply, counted, time.monotonic() - started)
        return reply, record

    def _record(self, turn: Turn, number: int, reply: Reply, counted: int, seconds: float) -> StepRecord:
        window = self.queue_manager.window
        usage = reply.usage
        if not reply.usage_reported:
            said = reply.text + "".join(c.name + c.arguments for c in reply.calls(""))
            usage = Usage(prompt_tokens=window.corrected(counted), completion_tokens=window.count_text(said))
        epoch = self.queue_manager.epoch.id
        repeated = self._last_prompt[1] if self._last_prompt[0] == epoch else 0
        self._last_prompt = (epoch, counted)
        return StepRecord(
            turn=turn.id,
            number=number,
            model=self.model.name,
            epoch=epoch,
            counted_tokens=counted,
            usage=usage,
            usage_reported=reply.usage_reported,
            repeated_tokens=min(repeated, counted),
            cost_usd=cost_of(usage, self.settings.model),
            duration_s=seconds,
            at=self._clock.now(),
        )

    def _commit(self, accepted: Accepted, number: int, reply: Reply, record: StepRecord) -> _Step:
        """Run the calls and put the whole step on disk, in one transaction."""
        calls = reply.calls(f"{accepted.turn.id % 100_000:05d}{number % 100:02d}")[:MOST_CALLS]
        context = self._context_for(accepted, record, len(calls))
        prepared = [self._executor.prepare(call, context) for call in calls]
        try:
            with self.store.transaction():
                if calls or reply.text.strip():  # an empty message is one that no server takes back
                    self._append(accepted, number, Role.ASSISTANT, clean(reply.text), calls=calls, opaque=reply.opaque)
                executed = self._run_calls(accepted, number, prepared, context)
                ends, failed = self._judge(accepted, number, reply, executed)
                self.store.turns.add_step(record)
                if ends:
                    self._close_turn(accepted.turn, TurnState.DONE)
        except BaseException:
            self.queue_manager.reload()
            raise
        self._learn(record)
        returned = tuple(
            FunctionReturned(call=p.call, result=e.result) for p, e in zip(prepared, executed, strict=True)
        )
        committed = StepCommitted(record=record, text=reply.text, final=ends, functions=returned)
        return _Step(committed=committed, goes_on=not ends, failed=failed)

    def _context_for(self, accepted: Accepted, record: StepRecord, calls: int) -> FunctionContext:
        window = self.queue_manager.window
        used = window.corrected(record.counted_tokens) + record.usage.completion_tokens
        return replace(
            self._context,
            provenance=Provenance(author=Author.AGENT, message_id=accepted.message_id),
            turn=accepted.turn.id,
            at=self._now(accepted.lag),
            budget=int(window.result_cap(used, calls) / window.ratio),
            page_budget=self._page_budget(),
        )

    def _page_budget(self) -> int:
        return int(self.queue_manager.window.page_cap() / self.queue_manager.window.ratio)

    def _run_calls(
        self, accepted: Accepted, number: int, prepared: Sequence[Prepared], context: FunctionContext
    ) -> list[Executed]:
        executed = self._executor.run(prepared, context)
        seen = dict(self.queue_manager.epoch.seen_blocks)
        for one, done in zip(prepared, executed, strict=True):
            self._append_result(accepted, number, one.call, done.result)
            seen |= done.result.effects.blocks
        self.queue_manager.saw(seen)
        return executed

    def _judge(self, accepted: Accepted, number: int, reply: Reply, executed: Sequence[Executed]) -> tuple[bool, bool]:
        """Whether the turn ends here, and whether the step counts as a failure."""
        if executed:
            return not any(e.goes_on for e in executed), all(not e.result.ok for e in executed)
        if reply.text.strip():
            return True, False
        if any(m.turn == accepted.turn.id and m.effects.replied for m in self.queue_manager.queue):
            return True, False
        text = "Your last reply was empty. Answer the person, or call a function."
        self._append(accepted, number, Role.SYSTEM, text, name="empty_reply")
        return False, True

    def _append(
        self,
        accepted: Accepted,
        number: int,
        role: Role,
        text: str,
        *,
        name: str | None = None,
        calls: tuple[FunctionCall, ...] = (),
        interrupted: bool = False,
        opaque: Opaque | None = None,
    ) -> Message:
        return self.queue_manager.append(
            Message(
                role=role,
                text=text,
                created_at=self._now(accepted.lag),
                turn=accepted.turn.id,
                step=number,
                name=name,
                calls=calls,
                interrupted=interrupted,
                opaque=opaque,
            )
        )

    def _append_result(self, accepted: Accepted, number: int, call: FunctionCall, result: FunctionResult) -> None:
        self.queue_manager.append(
            Message(
                role=Role.TOOL,
                text=clean(result.text),
                created_at=self._now(accepted.lag),
                turn=accepted.turn.id,
                step=number,
                name=call.name,
                call_id=call.id,
                ok=result.ok,
                effects=result.effects,
            )
        )

    def _now(self, lag: timedelta) -> datetime:
        return self._clock.now() + lag

    def _close_turn(self, turn: Turn, state: TurnState) -> None:
        stored = self.store.turns.get(turn.id) or turn
        self.store.turns.update(replace(stored, state=state, epoch=self.queue_manager.epoch.id))

    def _given_up(self, turn: Turn) -> TurnEnded:
        with self.store.transaction():
            self._close_turn(turn, TurnState.INTERRUPTED)
        return self._ended(turn)

    def _ended(self, turn: Turn) -> TurnEnded:
        stored = self.store.turns.get(turn.id) or turn
        reply = reply_of(self.store.messages.of_turn(turn.id))
        return TurnEnded(turn=turn.id, reply=reply, state=stored.state, evicted=stored.evicted)

    def _keep_interrupted(self, accepted: Accepted, reply: Reply, record: StepRecord) -> None:
        """Keep the text that came, and what it cost: the prompt was read, and so is paid for."""
        with self.store.transaction():
            self._append(accepted, record.number, Role.ASSISTANT, clean(reply.text), interrupted=True)
            self.store.turns.add_step(record)
            self._close_turn(accepted.turn, TurnState.INTERRUPTED)
        self._budget.book(record)

    def _learn(self, record: StepRecord) -> None:
        self._budget.book(record)
        if record.usage_reported:
            name = self.model.name
            self._calibration.observe(name, counted=record.counted_tokens, reported=record.usage.prompt_tokens)
            self.queue_manager.window.learn(self._calibration.ratio(name))

    def _cut_silently(self, record: StepRecord) -> Iterator[Happening]:
        """Tell once that the server cuts prompts without saying so."""
        before, self._last_step = self._last_step, record
        if not self._told_of_cutting and (said := cut_silently(before, record)) is not None:
            self._told_of_cutting = True
            yield Notice(said)

    def _told(self, step: _Step, reply: Reply) -> Iterator[Happening]:
        if reply.cut:
            yield Notice(_CUT.get(reply.cut, reply.cut))
        yield from self._cut_silently(step.committed.record)
        if reply.thought:
            yield ThoughtText(reply.thought)
        if step.committed.functions and reply.text.strip():
            yield ThoughtText(reply.text)
        yield from step.committed.functions
        yield step.committed


def _failure(step: _Step) -> str:
    """What was wrong with a step in which nothing went well."""
    results = [returned.result.text.split("\n", 1)[0] for returned in step.committed.functions]
    return results[-1][:200].rstrip(".") if results else "an empty reply"
