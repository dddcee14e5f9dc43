"""Find where marks begin in a partial text, and whether its end may become one."""

import re
from collections.abc import Sequence
from typing import Final

from memgpt_cli.llm.replies.formats.marked import MARKS
from memgpt_cli.llm.replies.formats.reading import skip_blank
from memgpt_cli.llm.replies.marks import ACTIONS, CALL_CLOSERS, CHANNELS, OTHERS_TURN, STRAY
from memgpt_cli.llm.replies.reasoning import BY_CLOSING, BY_OPENING

FENCE: Final = "```"
_ALL: Final = sorted(
    {*MARKS, *CHANNELS, *CALL_CLOSERS, *STRAY, *OTHERS_TURN, *BY_OPENING, *BY_CLOSING, *ACTIONS, FENCE},
    key=len,
    reverse=True,
)
_BEGINNINGS: Final = frozenset(mark[:n] for mark in _ALL for n in range(1, len(mark)))
_LONGEST: Final = max(map(len, _ALL))

EVENT: Final = re.compile("|".join((*map(re.escape, _ALL), r"^[ \t]*[{\[]")), re.MULTILINE)
"""A mark, or a bracket that begins a line."""

MARK_SET: Final = frozenset(_ALL)
NO_MEANING: Final = frozenset((*STRAY, *CALL_CLOSERS))

STRUCTURE: Final = frozenset({*MARKS, *CHANNELS, *OTHERS_TURN, *BY_OPENING, *BY_CLOSING} - {"functools", ">>>"})
"""Marks that begin or end something, except those that look like words."""

BEGIN_NEXT: Final = frozenset((*CHANNELS, *MARKS))
"""Marks that end reasoning and begin what follows it."""

ONLY_MARKS: Final = re.compile(r"(?:\s*(?:" + "|".join(map(re.escape, _ALL)) + "))*")


def is_beginning(text: str, at: int = 0) -> bool:
    """Whether all of `text` from `at` on is the beginning of a mark."""
    return len(text) - at < _LONGEST and text[at:] in _BEGINNINGS


def beginning_at_end(text: str) -> int:
    """Return how many characters at the end of `text` begin a mark."""
    longest = min(len(text), _LONGEST - 1)
    return next((n for n in range(longest, 0, -1) if text[-n:] in _BEGINNINGS), 0)


def partial_end(text: str, ends: Sequence[str]) -> int:
    """Return how many characters at the end of `text` begin one of `ends`."""
    longest = min(len(text), max(map(len, ends)) - 1)
    return next((n for n in range(longest, 0, -1) if any(mark.startswith(text[-n:]) for mark in ends)), 0)


def past_strays(text: str, at: int, *, final: bool) -> int:
    """Return the position after stray marks at `at`, but not after one that may still become another mark."""
    while True:
        start = skip_blank(text, at)
        match = EVENT.match(text, start)
        if match is None or match[0] not in NO_MEANING or (not final and is_beginning(text, start)):
            return at
        at = match.end()
