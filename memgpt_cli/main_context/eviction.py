"""Choosing what leaves the queue. Pure: it moves nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from memgpt_cli.domain.messages import Message, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What leaves and what stays, both in order."""

    victims: tuple[Message, ...]
    kept: tuple[Message, ...]


def choose(
    queue: Sequence[Message],
    *,
    turn: int,
    goal: int,
    most: int,
    spare_newest: bool,
    tokens: Callable[[Message], int],
) -> Choice:
    """The oldest whole turns, then the oldest whole steps of the running `turn`, until `goal` tokens are left.

    The running turn's own messages from the person always stay. With `spare_newest` its newest step stays too, unless
    more than `most` tokens would be left even then. A call never parts from its results.
    """
    older = [m for m in queue if m.turn != turn]
    own = [m for m in queue if m.turn == turn and not is_pinned(m)]
    turns = [list(group) for _, group in groupby(older, key=lambda m: m.turn)]
    steps = [list(group) for _, group in groupby(own, key=lambda m: m.step)]
    newest = next((step for step in reversed(steps) if step[0].step is not None), []) if spare_newest else []
    left = sum(tokens(m) for m in queue)
    victims: list[Message] = []
    for unit in turns + [step for step in steps if step is not newest]:
        if left <= goal:
            break
        victims += unit
        left -= sum(tokens(m) for m in unit)
    if left > most:
        victims += newest
    gone = {m.id for m in victims}
    return Choice(victims=tuple(victims), kept=tuple(m for m in queue if m.id not in gone))


def longest_prefix(queue: Sequence[Message], *, room: int, tokens: Callable[[Message], int]) -> list[Message]:
    """As many whole turns and steps from the front of the queue as fit into `room` tokens."""
    taken: list[Message] = []
    for _, group in groupby(queue, key=lambda m: (m.turn, m.step)):
        unit = list(group)
        room -= sum(tokens(m) for m in unit)
        if room < 0:
            break
        taken += unit
    return taken


def is_pinned(message: Message) -> bool:
    """Whether a message of the running turn must stay, whole or as a stub: what the person said."""
    return message.role is Role.USER


def is_spoken(message: Message) -> bool:
    """Whether a message counts among those that a summary stands for."""
    return message.role in {Role.USER, Role.ASSISTANT} and bool(message.text)
