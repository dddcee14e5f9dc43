"""Turn an event into a turn. The message is committed exactly once, before anything else happens."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from memgpt_cli.agent.replies import reply_of
from memgpt_cli.domain.agents import Turn, TurnState
from memgpt_cli.domain.events import Event, Resume, UserMessage
from memgpt_cli.domain.messages import Message, Role, check_length, clean, message_ref
from memgpt_cli.domain.trust import Author, Origin
from memgpt_cli.errors import UsageError
from memgpt_cli.main_context.queue_manager import QueueManager
from memgpt_cli.ports import Clock, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A turn to run. `fresh`: no model has received its message yet.

    `lag` added to the current time gives the turn's own time. `message_id` is the message that caused the turn.
    `answered` holds the stored reply if there is nothing to run.
    """

    turn: Turn
    message_id: int
    fresh: bool
    lag: timedelta
    next_step: int = 1
    answered: str | None = None


class Intake:
    """Accepts the events of one agent."""

    def __init__(self, *, store: Store, queue_manager: QueueManager, clock: Clock) -> None:
        self._store = store
        self._queue = queue_manager
        self._clock = clock

    def accept(self, event: Event) -> Accepted | None:
        """Commit the event; None if a `Resume` finds nothing to resume.

        Raises UsageError if another message already has the event's external id, LimitError for one that is too long.
        """
        self._queue.refresh()
        if isinstance(event, Resume):
            waiting = self._store.turns.open_turns()
            return self._resume(waiting[-1]) if waiting else None
        known = self._store.messages.by_external_id(event.external_id) if event.external_id else None
        if known is not None:
            return self._again(_turn_of(known, clean(event.text)))
        check_length(event.text)
        now = self._clock.now()
        with self._store.transaction():
            turn = self._store.turns.begin(now, epoch=self._queue.epoch.id)
            # Earlier unanswered messages are still in the queue; this turn's reply answers them too.
            self._store.turns.close_open(TurnState.JOINED, joined=turn.id)
            message = self._store_words(event, turn, now)
            if event.advice:
                self._queue.append(
                    Message(
                        role=Role.SYSTEM,
                        name="advice",
                        text=f"Another answer is wanted. The person says of it: {clean(event.advice)}",
                        created_at=message.created_at,
                        turn=turn.id,
                    )
                )
            if event.picture is not None:
                self._store.pictures.keep(event.picture, message_id=message.id)
        return Accepted(turn=turn, message_id=message.id, fresh=True, lag=message.created_at - now)

    def _store_words(self, event: UserMessage, turn: Turn, now: datetime) -> Message:
        """Store what is attached, and then what the person says; returns the message that causes the turn."""
        said = Message(
            role=Role.USER,
            name=clean(event.name) if event.name else None,
            text=clean(event.text),
            created_at=event.created_at or now,
            turn=turn.id,
            external_id=event.external_id,
        )
        shown = [
            self._queue.append(
                replace(
                    said,
                    text=clean(attachment.text),
                    external_id=None,
                    lineage=Origin(least=Author.DOCUMENT, name=clean(attachment.name)),
                )
            )
            for attachment in event.attachments
        ]
        return self._queue.append(said) if said.text.strip() or not shown else shown[-1]

    def _again(self, turn_id: int) -> Accepted:
        """Handle a repeated message: return its stored answer, or try again to answer it.

        A turn without an answer is retried only while it is the newest; after that, the next prompt mentions it.
        """
        turn = self._turn(turn_id)
        while turn.state is TurnState.JOINED and turn.joined is not None:
            turn = self._turn(turn.joined)
        if turn.state is TurnState.OPEN:
            return self._resume(turn)
        messages = self._store.messages.of_turn(turn.id)
        reply = reply_of(messages)
        if not reply and turn.state is TurnState.INTERRUPTED and self._store.turns.get(turn.id + 1) is None:
            turn = replace(turn, state=TurnState.OPEN)
            with self._store.transaction():
                self._store.turns.update(turn)
            return self._resume(turn)
        cause = _cause(messages)
        return Accepted(turn=turn, message_id=cause.id if cause else 0, fresh=False, lag=timedelta(0), answered=reply)

    def _resume(self, turn: Turn) -> Accepted:
        messages = self._store.messages.of_turn(turn.id)
        cause = _cause(messages)
        lag = cause.created_at - turn.started_at if cause else timedelta(0)
        steps = [m.step for m in messages if m.step is not None]
        if turn.epoch != self._queue.epoch.id:
            turn = replace(turn, epoch=self._queue.epoch.id)
        return Accepted(
            turn=turn, message_id=cause.id if cause else 0, fresh=False, lag=lag, next_step=max(steps, default=0) + 1
        )

    def _turn(self, turn_id: int) -> Turn:
        turn = self._store.turns.get(turn_id)
        if turn is None:
            msg = f"message without its turn {turn_id}"
            raise LookupError(msg)
        return turn


def _cause(messages: Sequence[Message]) -> Message | None:
    """The message that caused a turn: what the person said, or else what they attached."""
    said = [m for m in messages if m.role is Role.USER]
    return next((m for m in said if not m.untrusted), said[-1] if said else None)


def _turn_of(known: Message, text: str) -> int:
    """Return the turn of a message that was delivered before, if it is the same message."""
    if known.turn is None or known.text != text:
        kind = "an imported message" if known.turn is None else "another message"
        raise UsageError(
            f"the id {known.external_id!r} is that of {kind}, {message_ref(known.id)}",
            hint=f"give this one an id of its own; memgpt recall show {message_ref(known.id)} shows the other",
        )
    return known.turn
