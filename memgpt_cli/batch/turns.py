"""One turn: a message is delivered until it is answered, and the result is read from the record.

The result always comes from the record, never from memory, so a turn that an earlier process finished gives the same
result.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from memgpt_cli.agent.replies import reply_of
from memgpt_cli.agent.session import Session
from memgpt_cli.batch.conversations import ScriptedMessage
from memgpt_cli.batch.pace import RunEndsError
from memgpt_cli.batch.records import Called, Failure, MemoryChange, Spent, Times, TurnKind, TurnRecord
from memgpt_cli.domain.agents import StepRecord
from memgpt_cli.domain.events import TurnEnded, TurnStarted, UserMessage
from memgpt_cli.domain.history import Change
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import MemGPTError, ModelError
from memgpt_cli.ports import Store

ATTEMPTS: Final = 3
"""Maximum tries of a turn whose reply breaks off; the message is delivered once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to deliver: its position in the conversation and the id by which the record recognises it."""

    turn: int
    kind: TurnKind
    said: ScriptedMessage
    external_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnOutcome:
    """A turn that was run. `repeated`: an earlier process had finished it. `ended`: the agent has yielded."""

    record: TurnRecord
    repeated: bool
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTiming:
    """The duration of a turn, and the part of it spent on rate limits and failed calls, in seconds."""

    seconds: float
    held: float


def run_turn(session: Session, delivery: Delivery, *, timed: bool, waited: Callable[[], float]) -> TurnOutcome:
    """Say it, unless it was said before, and see the turn to its end; errors of the error tree are recorded.

    Raises only RunEndsError. `waited` returns the seconds that this thread has spent on rate limits so far.
    """
    error: MemGPTError | None = None
    turn_id, ended, repeated = 0, False, False
    started, held = time.monotonic(), waited()
    for attempt in range(1, ATTEMPTS + 1):
        error = None
        try:
            for happening in session.agent.handle(_message(delivery)):
                if isinstance(happening, TurnStarted | TurnEnded):
                    turn_id = happening.turn
                if isinstance(happening, TurnEnded):
                    ended, repeated = True, happening.repeated
        except RunEndsError:
            raise
        except MemGPTError as caught:
            error = caught
        if error is None or ended or attempt == ATTEMPTS or not (isinstance(error, ModelError) and error.transient):
            break
    took = None if repeated else TurnTiming(seconds=time.monotonic() - started, held=waited() - held)
    record = _read(session.store, turn_id, delivery, error, took if timed else None, timed=timed)
    return TurnOutcome(record=record, repeated=repeated, ended=ended)


def _message(delivery: Delivery) -> UserMessage:
    said = delivery.said
    return UserMessage(text=said.content, name=said.name, created_at=said.created_at, external_id=delivery.external_id)


def _read(
    store: Store, turn_id: int, delivery: Delivery, error: MemGPTError | None, took: TurnTiming | None, *, timed: bool
) -> TurnRecord:
    turn = store.turns.get(turn_id)
    messages, steps = store.messages.of_turn(turn_id), store.turns.steps(turn_id)
    reply_steps = [step for step in steps if step.purpose == "reply"]
    return TurnRecord(
        turn=delivery.turn,
        kind=delivery.kind,
        content=delivery.said.content,
        reply=reply_of(messages) if turn is not None else None,
        state=turn.state.value if turn is not None else None,
        steps=len(reply_steps),
        functions=_functions(messages),
        memory=_memory(store, turn_id),
        usage=_spent(steps),
        largest_prompt=max((step.usage.prompt_tokens for step in reply_steps), default=0),
        times=_times(to_text(turn.started_at), steps, took) if timed and turn is not None else None,
        error=None if error is None else failure(error),
    )


def failure(error: MemGPTError) -> Failure:
    """Return the error as it is recorded."""
    return Failure(code=error.code, message=error.message, hint=error.hint)


def _functions(messages: list[Message]) -> tuple[Called, ...]:
    results = {m.call_id: m for m in messages if m.role is Role.TOOL}
    calls = [call for message in messages for call in message.calls]
    return tuple(
        Called(name=call.name, arguments=call.arguments, ok=bool(results[call.id].ok), result=results[call.id].text)
        for call in calls
        if call.id in results
    )


def _spent(steps: list[StepRecord]) -> Spent:
    return sum(
        (
            Spent(
                prompt_tokens=step.usage.prompt_tokens,
                completion_tokens=step.usage.completion_tokens,
                cached_tokens=step.usage.cached_tokens,
                cost_usd=step.cost_usd,
            )
            for step in steps
        ),
        Spent(),
    )


def _times(started_at: str, steps: list[StepRecord], took: TurnTiming | None) -> Times:
    """Of a turn that an earlier process finished only the time with the model is known.

    A step counts the wait for its call's turn as time in the model.
    """
    model = sum(step.duration_s for step in steps)
    if took is not None:
        model = max(0.0, model - took.held)
    total = model if took is None else max(model, took.seconds - took.held)
    return Times(
        started_at=started_at,
        seconds=round(total, 4),
        model_seconds=round(model, 4),
        our_seconds=round(total - model, 4),
    )


def _memory(store: Store, turn_id: int) -> tuple[MemoryChange, ...]:
    operations = sorted(store.journal.of_turn(turn_id), key=lambda operation: operation.id)
    return tuple(
        told for operation in operations for change in operation.changes for told in _memory_changes(store, change)
    )


def _memory_changes(store: Store, change: Change) -> list[MemoryChange]:
    if not change.kind.quoted:
        return []
    states = {item: store.kinds.state(change.kind, item, change.after) for item in change.items}
    return [
        MemoryChange(
            kind=change.kind.value,
            label=change.label,
            id=change.kind.ref(item) if isinstance(item, int) else None,
            before=change.before,
            after=change.after,
            text=None if state is None else state.text,
        )
        for item, state in states.items()
    ]
