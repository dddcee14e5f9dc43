"""What a chat asks of the agent it holds, besides answering: the window, the last turn, stopping and undoing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.agent.replies import reply_of
from memgpt_cli.agent.reservation import Reservation
from memgpt_cli.agent.session import Session
from memgpt_cli.domain.agents import TurnState
from memgpt_cli.domain.messages import Role
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.errors import NotFoundError, UsageError
from memgpt_cli.services.changes import undo_last_turn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from memgpt_cli.domain.agents import StepRecord
    from memgpt_cli.domain.blocks import Block
    from memgpt_cli.domain.events import UserMessage
    from memgpt_cli.domain.history import UndoneTurn
    from memgpt_cli.domain.messages import FunctionCall, Message
    from memgpt_cli.domain.search import Hit
    from memgpt_cli.ports import Clock

__all__ = [
    "Explanation",
    "Lookup",
    "Reservation",
    "Session",
    "SpokenTurn",
    "WindowUse",
    "explain",
    "interrupt",
    "is_unanswered",
    "question_of",
    "spoken_turns",
    "undo_turn",
    "window_use",
]

_PAGE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowUse:
    """The size of the window and the tokens used. `pressed`: the agent is warned about the space that is left."""

    window: int
    used: int
    pressed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A call of the last turn, its result, and the hits that the model was shown, as the same search finds them now."""

    call: FunctionCall
    result: FunctionResult
    hits: tuple[Hit[Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What the last answer came from: what was in view, what was looked up, and the model calls.

    `hidden` messages before those in view were not shown; `summarised` says whether a summary of them was.
    """

    asked: Message
    blocks: tuple[Block, ...]
    earlier: tuple[Message, ...]
    hidden: int
    summarised: bool
    lookups: tuple[Lookup, ...]
    steps: tuple[StepRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenTurn:
    """What the person said in a turn, and the reply; empty when there was none."""

    said: tuple[Message, ...]
    reply: str


def window_use(session: Session) -> WindowUse:
    """How full the window is now."""
    manager = session.agent.queue_manager
    settings, used = manager.window.settings, manager.usage().total
    return WindowUse(window=settings.window, used=used, pressed=used > manager.window.room * settings.pressure)


def is_unanswered(session: Session) -> bool:
    """Whether a message waits for its answer."""
    return bool(session.store.turns.open_turns())


def has_turn(session: Session) -> bool:
    """Whether there is a turn that is not undone."""
    return session.store.undo.last_turn() is not None


def interrupt(session: Session) -> None:
    """Close the turns that the person stopped, so that the next start does not resume them."""
    with session.store.transaction():
        session.store.turns.close_open(TurnState.INTERRUPTED)


def undo_turn(session: Session, clock: Clock) -> UndoneTurn:
    """Undo the last turn with everything it did. Raises NotFoundError when there is none."""
    taken = undo_last_turn(session.store, at=clock.now())
    session.agent.queue_manager.reload()
    return taken


def question_of(session: Session, taken: UndoneTurn, *, advice: str = "") -> UserMessage:
    """What the person asked in an undone turn, to be asked again. Raises UsageError when they said nothing."""
    from memgpt_cli.domain.events import Attachment, UserMessage

    said = [message for message in taken.messages if message.role is Role.USER]
    if not said:
        raise UsageError("the last turn has no message of yours", hint="type a message")
    attachments = tuple(
        Attachment(name=message.lineage.name or "attachment", text=message.text)
        for message in said
        if message.untrusted and message.lineage is not None
    )
    text = "\n\n".join(message.text for message in said if message.text and not message.untrusted)
    pictures = (session.store.pictures.of_message(message.id) for message in said)
    shown = next((found.picture for found in pictures if found), None)
    return UserMessage(text=text, name=said[-1].name, picture=shown, advice=advice, attachments=attachments)


def explain(session: Session) -> Explanation:
    """What the last answer came from. Raises NotFoundError when nothing was said."""
    store, manager = session.store, session.agent.queue_manager
    turn = store.undo.last_turn()
    if turn is None:
        raise NotFoundError("nothing was answered yet", hint="say something first")
    messages = store.messages.of_turn(turn)
    results = {message.call_id: message for message in messages if message.role is Role.TOOL}
    calls = [(call, results[call.id]) for message in messages for call in message.calls if call.id in results]
    return Explanation(
        asked=next((message for message in messages if message.role is Role.USER), messages[0]),
        blocks=tuple(store.blocks.all()),
        earlier=tuple(message for message in manager.queue if message.id < messages[0].id),
        hidden=manager.epoch.hidden,
        summarised=bool(manager.epoch.summary),
        lookups=tuple(_lookup(session, turn, call, result) for call, result in calls),
        steps=tuple(store.turns.steps(turn)),
    )


def _lookup(session: Session, turn: int, call: FunctionCall, result: Message) -> Lookup:
    returned = FunctionResult(text=result.text, ok=bool(result.ok), effects=result.effects)
    found = session.agent.find_again(call, turn=turn) if result.effects.shown else None
    by_ref = {hit.item.ref: hit for hit in found.hits} if found else {}
    hits = tuple(by_ref[ref] for ref in result.effects.shown if ref in by_ref)
    return Lookup(call=call, result=returned, hits=hits)


def spoken_turns(session: Session, since: datetime) -> Iterator[SpokenTurn]:
    """Yield the messages since then, by turn. Raises NotFoundError if there are none."""
    turns: dict[int, list[Message]] = {}
    filters, before = RecallFilters(roles=tuple(Role), start=since), None
    while page := session.store.messages.page(filters, limit=_PAGE, before=before):
        before = (page[-1].created_at, page[-1].id)
        for message in page:
            if message.turn is not None:
                turns.setdefault(message.turn, []).insert(0, message)
    if not turns:
        raise NotFoundError("nothing was said in this chat yet", hint="say something first")
    for turn in sorted(turns):
        said = tuple(message for message in turns[turn] if message.role is Role.USER)
        yield SpokenTurn(said=said, reply=reply_of(turns[turn]))
