"""Finding a quotation in texts: word for word, or nearly so."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from memgpt_cli.text.sentences import sentence_spans
from memgpt_cli.text.words import is_unspaced, words

_ELLIPSIS: Final = re.compile(r"\.{3,}|…+|\[…\]|\[\.\.\.\]")
_SHARE: Final = 0.7
"""The share of a quote's words that a text must hold to be its source, if it does not hold them in a row."""
_RUN: Final = 3
_FEWEST_WORDS: Final = 2
_FEWEST_CHARACTERS: Final = 3


@dataclass(frozen=True, slots=True)
class QuoteLocation:
    """Which of the texts holds a quote, and whether word for word."""

    index: int
    exact: bool


def locate(quote: str, texts: Sequence[str]) -> list[QuoteLocation]:
    """The texts that hold a quote, those that hold it word for word first, each group in order.

    Parts of a quote that are divided by "..." must be in one text, in order. A quote of one word locates nothing.
    """
    parts = [wanted for part in _ELLIPSIS.split(quote) if (wanted := words(part))]
    if not parts or sum(map(len, parts)) < _fewest(parts[0]):
        return []
    found = [(index, _is_exact(parts, text), text) for index, text in enumerate(texts)]
    exact = [QuoteLocation(index, exact=True) for index, is_exact, _ in found if is_exact]
    near = [QuoteLocation(i, exact=False) for i, is_exact, text in found if not is_exact and _is_near(parts, text)]
    return exact + near


def sentences_of(quote: str, text: str) -> str:
    """The sentences of a text that contain the words of a quote; the quote itself if they are not found."""
    wanted = _joined(tuple(words(quote)))
    spans = list(sentence_spans(text))
    for size in (1, 2, 3):
        for first in range(len(spans) - size + 1):
            part = text[spans[first][0] : spans[first + size - 1][1]]
            if wanted in _joined(tuple(words(part))):
                return part.strip()
    return quote


def _fewest(part: Sequence[str]) -> int:
    return _FEWEST_CHARACTERS if is_unspaced(part[0]) else _FEWEST_WORDS


def _joined(found: Sequence[str]) -> str:
    return f" {' '.join(found)} "


@lru_cache(maxsize=256)
def _prepared(text: str) -> tuple[str, frozenset[str], frozenset[tuple[str, ...]]]:
    """A text as words in a row, as a set, and as runs of three."""
    found = words(text)
    runs = frozenset(tuple(found[n : n + _RUN]) for n in range(len(found) - _RUN + 1))
    return _joined(found), frozenset(found), runs


def _is_exact(parts: Sequence[Sequence[str]], text: str) -> bool:
    row, place = _prepared(text)[0], 0
    for part in parts:
        place = row.find(_joined(part), place)
        if place < 0:
            return False
    return True


def _is_near(parts: Sequence[Sequence[str]], text: str) -> bool:
    _, known, runs = _prepared(text)
    wanted = [word for part in parts for word in part]
    if sum(word in known for word in wanted) < _SHARE * len(wanted):
        return False
    held = [tuple(wanted[n : n + _RUN]) in runs for n in range(len(wanted) - _RUN + 1)]
    if not is_unspaced(wanted[0]):
        return any(held)
    longest = current = 0  # single characters recur by chance: half of the quote must stand in a row
    for is_held in held:
        current = current + 1 if is_held else 0
        longest = max(longest, current)
    return longest > 0 and 2 * (longest + _RUN - 1) >= len(wanted)
