"""Search the lines of core memory, for people: the model always sees all of them.

It compares words only; core memory is a few thousand characters and needs no index.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from memgpt_cli.domain.blocks import Block

_WORD: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+")
_WHOLE: Final = 2.0
"""The score of a line with every significant word: about that of the best hit of the other storages."""
_COMMON: Final = frozenset(
    _WORD.findall(
        "a an and are at be by did do does for from has have how i in is it me my of on or our she he that the their"
        " they this to was we were what when where which who whose why will with you your"
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLine:
    """A line of a block; `number` counts from 1."""

    label: str
    number: int
    text: str
    score: float


def find_lines(blocks: Sequence[Block], query: str) -> list[FoundLine]:
    """Return the lines that contain words of the query, best first; a label counts as part of its lines."""
    words = {word for word in _words(query) if word not in _COMMON} or set(_words(query))
    if not words:
        return []
    found = []
    for block in blocks:
        label = set(_words(block.label))
        for number, line in enumerate(block.value.split("\n"), 1):
            own = {_stem(word) for word in _words(line)}
            wanted = {_stem(word) for word in words}
            share = len(wanted & own) / len(wanted)
            if share:
                score = _WHOLE * min(1.0, share + 0.1 * bool(label & words))
                found.append(FoundLine(label=block.label, number=number, text=line, score=score))
    return sorted(found, key=lambda line: (-line.score, line.label, line.number))


def _words(text: str) -> list[str]:
    return [match.group().casefold() for match in _WORD.finditer(text)]


def _stem(word: str) -> str:
    """Return a rough stem, the same for plurals and tenses."""
    for ending in ("ing", "ies", "es", "ed", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) > 2:  # noqa: PLR2004 - the shortest stem
            return word[: -len(ending)]
    return word
