"""Search terms that can be found again in a text: stems, and pairs of characters in scripts without spaces."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from memgpt_cli.text.stems import base, forms_of
from memgpt_cli.text.words import is_unspaced, pieces, query_words

_BEGINNING: Final = 3
"""Letters that a word always shares with its stem; only words with the same beginning are stemmed and compared."""


def query_terms(query: str) -> list[str]:
    """Return the terms of a query, in order, each once. Forms of one word are one term."""
    return list(dict.fromkeys(base(word) for word in query_words(query)))


def text_terms(text: str) -> Iterator[str]:
    """Yield the terms of a text, in order, with repetitions; stop words too."""
    for piece in pieces(text):
        if is_unspaced(piece):
            yield from (piece[n : n + 2] for n in range(max(1, len(piece) - 1)))
        else:
            yield base(piece)


class TermFinder:
    """Finds terms in texts. Only words that begin like a term are stemmed, so that long texts are fast."""

    def __init__(self, terms: Mapping[str, float]) -> None:
        self._terms = terms
        spaced = {form[:_BEGINNING] for term in terms if not is_unspaced(term) for form in (term, *forms_of(term))}
        unspaced = [term for term in terms if is_unspaced(term)]
        self._words = _pattern(rf"(?<![^\W_])(?:{_either(spaced)})[^\W_]*" if spaced else "")
        self._runs = _pattern(f"(?=({_either(unspaced)}))" if unspaced else "")

    def find(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield the position and the index of each term in a text; words first, then characters without spaces."""
        if self._words is not None:
            for match in self._words.finditer(text):
                if (term := base(match.group().casefold())) in self._terms:
                    yield match.start(), term
        if self._runs is not None:
            for match in self._runs.finditer(text):
                yield match.start(), match.group(1)


def _either(words: "set[str] | list[str]") -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str] | None:
    return re.compile(pattern, re.IGNORECASE) if pattern else None
