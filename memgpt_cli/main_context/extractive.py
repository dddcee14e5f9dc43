"""Summarise without a model: select the most informative sentences, in order. Deterministic."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

_SENTENCE: Final = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
_WORD: Final = re.compile(r"[^\W\d_]{3,}|\d+|[\u4e00-\u9fff\u3040-\u30ff\uac00-\ud7af]")
_FEWEST_WORDS: Final = 4


def extract(lines: Sequence[str], *, max_tokens: int, count: Callable[[str], int]) -> str:
    """Return the most informative sentences of `lines` in order, within `max_tokens`.

    A sentence scores the mean rarity of its words (log of their inverse frequency in `lines`), a little more if it
    contains a number or a name. Of equal scores, the earliest wins.
    """
    sentences = [
        (prefix + piece.strip())
        for line in lines
        for prefix, text in [_speaker(line)]
        for piece in _SENTENCE.findall(text)
        if len(_WORD.findall(piece)) >= _FEWEST_WORDS
    ]
    frequency = Counter(word for s in sentences for word in {w.lower() for w in _WORD.findall(s)})
    ranked = sorted(range(len(sentences)), key=lambda i: (-_worth(sentences[i], frequency, len(sentences)), i))
    chosen: list[int] = []
    seen: set[str] = set()
    left = max_tokens
    for index in ranked:
        cost = count(sentences[index]) + 1
        if cost <= left and sentences[index] not in seen:
            seen.add(sentences[index])
            chosen.append(index)
            left -= cost
        if left < 8:  # noqa: PLR2004 - the shortest useful sentence
            break
    return "\n".join(sentences[i] for i in sorted(chosen))


def _speaker(line: str) -> tuple[str, str]:
    head, colon, rest = line.partition(": ")
    return (f"{head}: ", rest) if colon and len(head) < 60 else ("", line)  # noqa: PLR2004 - the longest speaker name


def _worth(sentence: str, frequency: Counter[str], total: int) -> float:
    words = _WORD.findall(sentence)
    rarity = sum(math.log((total + 1) / frequency[w.lower()]) for w in words) / (len(words) + 2)
    telling = any(w[0].isdigit() or w[0].isupper() for w in words[1:])
    return rarity + (0.5 if telling else 0.0)
