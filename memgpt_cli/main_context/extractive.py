"""A summary without a model: the sentences that say most, in their order. Deterministic."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

_SENTENCE: Final = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
_WORD: Final = re.compile(r"[^\W\d_]{3,}|\d+|[\u4e00-\u9fff\u3040-\u30ff\uac00-\ud7af]")
_FEWEST_WORDS: Final = 4


def extract(lines: Sequence[str], *, max_tokens: int, count: Callable[[str], int]) -> str:
    """The most telling sentences of `lines` in their order, within `max_tokens`.

    A sentence is worth the mean rarity of its words (log of their inverse frequency in `lines`), a little more when it
    holds a number or a name. The earliest of equals wins.
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
        if left < 8:  # noqa: PLR2004 - no sentence is that short
            break
    return "\n".join(sentences[i] for i in sorted(chosen))


def _speaker(line: str) -> tuple[str, str]:
    head, colon, rest = line.partition(": ")
    return (f"{head}: ", rest) if colon and len(head) < 60 else ("", line)  # noqa: PLR2004 - longer is no speaker


def _worth(sentence: str, frequency: Counter[str], total: int) -> float:
    words = _WORD.findall(sentence)
    rarity = sum(math.log((total + 1) / frequency[w.lower()]) for w in words) / (len(words) + 2)
    telling = any(w[0].isdigit() or w[0].isupper() for w in words[1:])
    return rarity + (0.5 if telling else 0.0)
