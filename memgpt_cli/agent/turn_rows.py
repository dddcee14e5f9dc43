"""A turn's stored data besides its messages: its state, its last epoch and the number of evicted messages."""

from dataclasses import replace

from memgpt_cli.agent.replies import reply_of
from memgpt_cli.domain.agents import Turn, TurnState
from memgpt_cli.domain.events import TurnEnded
from memgpt_cli.ports import Store


def answered(store: Store, turn: Turn) -> bool:
    """Whether a call of this turn has sent a message to the user."""
    return any(message.effects.replied for message in store.messages.of_turn(turn.id))


def note_eviction(store: Store, turn: Turn, gone: int) -> None:
    """Add `gone` messages to those that left the window during the turn. It opens a transaction."""
    if gone:
        with store.transaction():
            stored = store.turns.get(turn.id) or turn
            store.turns.update(replace(stored, evicted=stored.evicted + gone))


def close_turn(store: Store, turn: Turn, state: TurnState, *, epoch: int) -> None:
    """Give the turn its final state; `epoch` is the one in which it ends. Call it inside a transaction."""
    stored = store.turns.get(turn.id) or turn
    store.turns.update(replace(stored, state=state, epoch=epoch))


def ended(store: Store, turn: Turn) -> TurnEnded:
    """Return the end of a turn as it is stored."""
    stored = store.turns.get(turn.id) or turn
    reply = reply_of(store.messages.of_turn(turn.id))
    return TurnEnded(turn=turn.id, reply=reply, state=stored.state, evicted=stored.evicted)
