"""Select the part of a long text that a search result shows: the text around the search terms.

A text of up to 100 tokens is shown whole. A longer one is cut at sentences and lines into windows of about 80 tokens.
The window shown is the one with the highest sum of rarity * tf / (tf + 1.2) over the terms of the query; the first
window gets an extra 0.5 (less if all terms are common, as in a small store). Sentences before and after it are added up
to 100 tokens. Measured in docs/search.md.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from memgpt_cli.domain.kinds import Kind, MemoryItem
from memgpt_cli.text.sentences import sentence_spans
from memgpt_cli.text.terms import TermFinder

EXCERPT_TOKENS: Final = 100
"""The approximate maximum length of an excerpt, and of a text that is shown whole."""

PASSAGE_TOKENS: Final = 256
"""The default size of a document's chunk; longer passages are shown as excerpts."""

_WINDOW_SHARE: Final = 0.8
_FIRST_WINDOW: Final = 0.5
_RARE: Final = 3.0
"""The rarity of a word in one of twenty messages."""

_SATURATION: Final = 1.2
_SAMPLE: Final = 1_000
"""Sample size in characters for estimating characters per token; shorter texts are counted exactly."""

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """The shown part of a text. `cut`: it is not the whole text, which has about `tokens` tokens."""

    text: str
    cut: bool
    tokens: int


def excerpt(text: str, terms: Mapping[str, float], *, count: Count, limit: int = EXCERPT_TOKENS) -> Excerpt:
    """Return the part of `text` with most of `terms` (`SearchResult.terms`), in about `limit` tokens.

    An ellipsis marks omitted text. The time is linear in the length of the text.
    """
    return TextWindows(text, count=count, limit=limit).excerpt(terms)


def excerpt_for_people(item: MemoryItem, terms: Mapping[str, float]) -> Excerpt:
    """Return what commands show of a hit: as much as the model sees, with estimated tokens."""
    limit = EXCERPT_TOKENS if item.kind is Kind.MESSAGE else PASSAGE_TOKENS
    return excerpt(item.text, terms, count=_about_tokens, limit=limit)


def _about_tokens(text: str) -> int:
    """Estimate tokens: four ASCII characters make a token; any other character counts as one."""
    if text.isascii():
        return len(text) // 4
    others = len(text) - len(text.encode("ascii", "ignore"))
    return (len(text) - others) // 4 + others


class TextWindows:
    """A text cut into windows once, for any number of excerpts of it."""

    def __init__(self, text: str, *, count: Count, limit: int = EXCERPT_TOKENS) -> None:
        self._text = text.strip()
        self._tokens = count(self._text[:_SAMPLE])
        if len(self._text) > _SAMPLE:
            self._tokens = self._tokens * len(self._text) // _SAMPLE
        self._whole = self._tokens <= limit
        self._room = max(1, len(self._text) * limit // max(1, self._tokens))
        longest = int(self._room * _WINDOW_SHARE)
        self._pieces = [] if self._whole else list(_pieces(self._text, longest))
        self._windows = [] if self._whole else _windows(self._pieces, longest)

    def excerpt(self, terms: Mapping[str, float]) -> Excerpt:
        """Return the part with most of these terms."""
        if self._whole:
            return Excerpt(text=self._text, cut=False, tokens=self._tokens)
        first, last = _grown(self._pieces, self._best(terms), self._room)
        start, end = self._pieces[first][0], self._pieces[last][1]
        shown = self._text[start:end].strip()
        before, after = "… " if start else "", " …" if end < len(self._text) else ""
        return Excerpt(text=f"{before}{shown}{after}", cut=True, tokens=self._tokens)

    def _best(self, terms: Mapping[str, float]) -> tuple[int, int]:
        """Return the window with most of the terms; of equal windows, the first."""
        starts = [self._pieces[first][0] for first, _ in self._windows]
        counts: dict[int, Counter[str]] = defaultdict(Counter)
        for place, term in TermFinder(terms).find(self._text):
            counts[bisect_right(starts, place) - 1][term] += 1
        first = _FIRST_WINDOW * min(1.0, max(terms.values(), default=1.0) / _RARE)
        scores = {0: first}
        for window, found in counts.items():
            held = sum(terms[term] * number / (number + _SATURATION) for term, number in found.items())
            scores[window] = held + (0 if window else first)
        return self._windows[max(scores, key=lambda window: (scores[window], -window))]


def _pieces(text: str, longest: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of each sentence; a long one is cut, at white space if possible."""
    longest = max(1, longest)
    for start, end in sentence_spans(text):
        while end - start > longest:
            space = text.rfind(" ", start + longest // 2, start + longest)
            cut = start + longest if space < 0 else space + 1
            yield start, cut
            start = cut  # noqa: PLW2901 - the rest of the sentence
        yield start, end


def _windows(pieces: Sequence[tuple[int, int]], longest: int) -> list[tuple[int, int]]:
    """Return runs of neighbouring pieces as the numbers of the first and the last, each up to `longest` characters."""
    windows: list[tuple[int, int]] = []
    first = 0
    for number, (_, end) in enumerate(pieces):
        if number > first and end - pieces[first][0] > longest:
            windows.append((first, number - 1))
            first = number
    windows.append((first, len(pieces) - 1))
    return windows


def _grown(pieces: Sequence[tuple[int, int]], window: tuple[int, int], room: int) -> tuple[int, int]:
    """Extend a window by the pieces after and before it, in turn, as long as they fit."""
    first, last = window
    grows = True
    while grows:
        grows = False
        if last + 1 < len(pieces) and pieces[last + 1][1] - pieces[first][0] <= room:
            last, grows = last + 1, True
        if first and pieces[last][1] - pieces[first - 1][0] <= room:
            first, grows = first - 1, True
    return first, last
