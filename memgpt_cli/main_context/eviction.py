"""Choose which messages leave the queue. Pure functions: they move nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from memgpt_cli.domain.messages import Message, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The messages that leave and those that stay, both in order."""

    victims: tuple[Message, ...]
    kept: tuple[Message, ...]


RECENT_TURNS: Final = 2
"""Finished turns that leave last, so that the latest messages stay verbatim."""


def choose(
    queue: Sequence[Message],
    *,
    turn: int,
    goal: int,
    keep: int,
    most: int,
    spare_newest: bool,
    tokens: Callable[[Message], int],
) -> Choice:
    """Choose whole turns, oldest first, until at most `goal` tokens are left.

    The last two finished turns leave only if more than `keep` tokens would be left with them, and after the older steps
    of the running `turn`. The running turn's own user messages always stay. With `spare_newest` its newest step stays
    too, unless more than `most` tokens would be left even then. A call is never separated from its results.
    """
    older = [m for m in queue if m.turn != turn]
    own = [m for m in queue if m.turn == turn and not is_pinned(m)]
    turns = [list(group) for _, group in groupby(older, key=lambda m: m.turn)]
    steps = [list(group) for _, group in groupby(own, key=lambda m: m.step)]
    newest = next((step for step in reversed(steps) if step[0].step is not None), []) if spare_newest else []
    earlier = [step for step in steps if step is not newest]
    stages = ((turns[:-RECENT_TURNS], goal, goal), (earlier, keep, goal), (turns[-RECENT_TURNS:], keep, keep))
    left = sum(tokens(m) for m in queue)
    gone: set[int] = set()
    for units, enough, until in stages:
        for unit in units if left > enough else ():
            if left <= until:
                break
            gone |= {m.id for m in unit}
            left -= sum(tokens(m) for m in unit)
    if left > most:
        gone |= {m.id for m in newest}
    return Choice(victims=tuple(m for m in queue if m.id in gone), kept=tuple(m for m in queue if m.id not in gone))


def longest_prefix(queue: Sequence[Message], *, room: int, tokens: Callable[[Message], int]) -> list[Message]:
    """Return as many whole turns and steps from the front of the queue as fit into `room` tokens."""
    taken: list[Message] = []
    for _, group in groupby(queue, key=lambda m: (m.turn, m.step)):
        unit = list(group)
        room -= sum(tokens(m) for m in unit)
        if room < 0:
            break
        taken += unit
    return taken


def is_pinned(message: Message) -> bool:
    """Whether a message of the running turn must stay, whole or as a stub: a user message."""
    return message.role is Role.USER


def is_spoken(message: Message) -> bool:
    """Whether a message counts in the number of summarised messages."""
    return message.role in {Role.USER, Role.ASSISTANT} and bool(message.text)
