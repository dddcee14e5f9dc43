"""The ranking of all searches: it fuses candidates by words and by meaning into one score.

Scores are sums of named signals, so a hit can explain its score. The weights are settings; docs/search.md explains
their defaults. The functions fetch nothing: they take candidates and return an order.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from memgpt_cli.domain.search import Hit, Item, LexicalHit, Meaning, SearchResult, Why
from memgpt_cli.domain.settings import SearchSettings
from memgpt_cli.ports import Embedder
from memgpt_cli.text.stems import base
from memgpt_cli.text.terms import query_terms
from memgpt_cli.text.words import has_unspaced

_BEST_OF_SESSION: Final = 3

_WEAK_COSINE: Final = 0.25
"""Below this best cosine, the question is probably about something else (docs/search.md)."""

_LEAST_SHARE: Final = 0.06
"""The share of a query in a script without spaces below which its best match is weak (docs/search.md)."""

_RARE: Final = 3.0
"""The rarity from which a matching word is significant by itself: one in twenty messages."""

_ONE_WINDOW: Final = 5.5
"""A message and its four neighbours, as smoothing for `rarity`: in small stores a word of one message is rare."""

_UNKNOWN_RARITY: Final = 3.0
"""The rarity of a term that the index has no count of: that of a word in one of twenty messages."""


_ROUNDING: Final = 1e-9
"""Sums of the same signals in another order differ by less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A candidate with its score: the sum of its `signals`. `words` are the query's words in it."""

    id: int
    score: float
    signals: dict[str, float] = field(default_factory=dict)
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The best candidates, best first, and how many there were."""

    first: list[Ranked]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSignals:
    """What a candidate's text tells: which share of it asks, and signals of its own."""

    asking: float = 0.0
    signals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What only the texts of candidates tell. Texts are read where they can change which candidates come first.

    `asking` are the candidates with a question mark, `follows` tells which candidate stands before one. `read` reads
    the texts of some candidates; the signals of a text add up to at most `most` and to no less than 0.
    """

    asking: Container[int]
    follows: Mapping[int, int]
    most: float
    read: Callable[[Iterable[int]], Mapping[int, TextSignals]]


NO_TEXTS: Final = Texts(asking=(), follows={}, most=0.0, read=lambda _: {})


def rank(
    lexical: Sequence[LexicalHit],
    nearest: Sequence[tuple[int, float]],
    *,
    settings: SearchSettings,
    upto: int,
    sessions: Mapping[int, int] | None = None,
    priors: Mapping[str, Mapping[int, float]] | None = None,
    texts: Texts = NO_TEXTS,
) -> Ranking:
    """Fuse candidates by words with candidates by meaning (id and cosine, best first): the best `upto`, best first.

    `sessions` maps items to sessions, `priors` are further signals by name. A message after a question may answer it
    and gets a share of the question's score. Of equal scores, the later id comes first.
    """
    words = _scaled_words(lexical)
    meaning = _scaled_cosines(nearest)
    found = {
        item: settings.lexical_weight * words.get(item, 0.0) + settings.vector_weight * meaning.get(item, 0.0)
        for item in {**words, **meaning}
    }
    own = {hit.id: hit for hit in lexical}
    early = {"session": _session_signal(words, meaning, sessions or {}, settings.session_weight), **(priors or {})}
    chosen = _can_come_first(_sums(found, early), found, texts, settings, upto)
    read = texts.read({*chosen, *(texts.follows[item] for item in chosen if texts.follows.get(item) in texts.asking)})

    def ranked(item: int) -> Ranked:
        hit = own.get(item)
        said = settings.lexical_weight * words.get(item, 0.0)
        nearby = said * (hit.nearby / hit.score) if hit and hit.score else 0.0
        before = texts.follows.get(item, item)
        signals = {
            "words": said - nearby,
            "nearby": nearby,
            "meaning": settings.vector_weight * meaning.get(item, 0.0),
            **{name: values[item] for name, values in early.items() if item in values},
        }
        if before != item and before in read:
            signals["answers"] = settings.answer_weight * read[before].asking * found.get(before, 0.0)
        if item in read:
            signals |= read[item].signals
            signals["asking"] = -settings.asking_weight * read[item].asking
        signals = {name: value for name, value in signals.items() if value}
        return Ranked(id=item, score=math.fsum(signals.values()), signals=signals, words=hit.words if hit else ())

    best = sorted(map(ranked, chosen), key=lambda candidate: (-candidate.score, -candidate.id))
    return Ranking(first=best[:upto], total=len(found))


def _sums(found: Mapping[int, float], signals: Mapping[str, Mapping[int, float]]) -> dict[int, float]:
    sums = dict(found)
    for values in signals.values():
        for item, value in values.items():
            if item in sums:
                sums[item] += value
    return sums


def _can_come_first(
    sums: Mapping[int, float], found: Mapping[int, float], texts: Texts, settings: SearchSettings, upto: int
) -> list[int]:
    """The items that can be among the first `upto`, whatever their texts tell."""
    if len(sums) <= upto:
        return list(sums)
    most = {}
    least = []
    for item, score in sums.items():
        before = texts.follows.get(item)
        answers = settings.answer_weight * found.get(before, 0.0) if before in texts.asking and before else 0.0
        most[item] = score + texts.most + answers
        least.append(score - settings.asking_weight if item in texts.asking else score)
    edge = sorted(least, reverse=True)[upto - 1] - _ROUNDING
    return [item for item, score in most.items() if score >= edge]


def best_shares(rankings: Sequence[Sequence[LexicalHit]]) -> dict[int, float]:
    """Return each item's best word score in several rankings, as a share of that ranking's best score."""
    best: dict[int, float] = {}
    for ranking in rankings:
        for item, share in _scaled_words(ranking).items():
            best[item] = max(share, best.get(item, 0.0))
    return best


def is_weak(
    query: str,
    lexical: Sequence[LexicalHit],
    cosines: Sequence[tuple[int, float]],
    *,
    embedder: Embedder,
    items: Callable[[], int],
) -> bool:
    """Whether nothing matched well: the best cosine is low, and no item contains a rare word of the query.

    Where the cosines of the query's script tell little: no item contains more than a small share of the query, each
    word weighed by its rarity. `items` returns how many can be searched; it is called only if that matters.
    """
    if cosines and has_unspaced(query) and not embedder.identity.knows_unspaced_scripts:
        return _best_share(lexical, items()) < _LEAST_SHARE
    if not cosines or max(cosine for _, cosine in cosines) >= _WEAK_COSINE:
        return False
    rare = min(_RARE, math.log(1 + items() / _ONE_WINDOW))
    return not any(hit.rarity.get(word, 0.0) >= rare for hit in lexical for word in hit.words)


def _best_share(lexical: Sequence[LexicalHit], items: int) -> float:
    """The largest share of the query's words, weighed by rarity, that one item contains."""
    if not lexical:
        return 0.0
    unseen = math.log(1 + (items + 0.5) / 0.5)  # the rarity of a word that no item contains, as BM25 smooths it
    weights = {word: rarity or unseen for word, rarity in lexical[0].rarity.items()}
    total = sum(weights.values())
    return max(sum(weights[word] for word in hit.words) for hit in lexical) / total if total else 0.0


def page_of(
    ranking: Ranking,
    items: Mapping[int, Item],
    *,
    page: int,
    page_size: int,
    meaning: Meaning,
    terms: Mapping[str, float],
    weak: bool = False,
) -> SearchResult[Item]:
    """Return one page of a ranking; `items` contains at least the items on it."""
    shown = ranking.first[page * page_size : (page + 1) * page_size]
    return SearchResult(
        hits=tuple(
            Hit(item=items[candidate.id], score=candidate.score, why=why)
            for candidate, why in zip(shown, explain(shown), strict=True)
        ),
        total=ranking.total,
        ranked=True,
        page=page,
        page_size=page_size,
        meaning=meaning,
        terms=terms,
        weak=weak and bool(shown),
    )


def terms_of(query: str, lexical: Sequence[LexicalHit]) -> dict[str, float]:
    """Return the terms of a query with their rarity."""
    found = {base(word): rarity for word, rarity in lexical[0].rarity.items()} if lexical else {}
    return found or dict.fromkeys(query_terms(query), _UNKNOWN_RARITY)


def explain(page: Sequence[Ranked]) -> list[Why]:
    """Explain the hits of one page; their attention sums to 1."""
    if not page:
        return []
    top = max(hit.score for hit in page)
    weights = [math.exp(hit.score - top) for hit in page]
    total = sum(weights)
    return [
        Why(signals=hit.signals, words=hit.words, attention=weight / total)
        for hit, weight in zip(page, weights, strict=True)
    ]


def _scaled_words(lexical: Sequence[LexicalHit]) -> dict[int, float]:
    """Return BM25 as a share of the best."""
    top = max((hit.score for hit in lexical), default=0.0)
    return {hit.id: hit.score / top for hit in lexical} if top > 0 else {}


def _scaled_cosines(nearest: Sequence[tuple[int, float]]) -> dict[int, float]:
    """Scale cosines from the last candidate's (0) to the best one's (1)."""
    if not nearest:
        return {}
    last = min(cosine for _, cosine in nearest)
    best = max(cosine for _, cosine in nearest)
    width = best - last
    return {item: (cosine - last) / width if width > 0 else 1.0 for item, cosine in nearest}


def _session_signal(
    words: Mapping[int, float], meaning: Mapping[int, float], session_of: Mapping[int, int], weight: float
) -> dict[int, float]:
    """What each item owes to its session: the mean of the session's three best by words, and by meaning."""
    by_words = _session_means(words, session_of)
    by_meaning = _session_means(meaning, session_of)
    signal = {
        session: weight * (by_words.get(session, 0.0) + by_meaning.get(session, 0.0))
        for session in {**by_words, **by_meaning}
    }
    return {item: signal[session] for item, session in session_of.items() if session in signal}


def _session_means(scores: Mapping[int, float], session_of: Mapping[int, int]) -> dict[int, float]:
    """Return the mean of the three best scores of each session; missing ones count as 0."""
    of_session: dict[int, list[float]] = defaultdict(list)
    for item, score in scores.items():
        if item in session_of:
            of_session[session_of[item]].append(score)
    return {
        session: sum(sorted(values, reverse=True)[:_BEST_OF_SESSION]) / _BEST_OF_SESSION
        for session, values in of_session.items()
    }
