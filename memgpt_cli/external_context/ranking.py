"""One ranking for everything that is searched: candidates by words and by meaning, weighed into one score.

Scores are sums of named signals, so a hit can say what made it one. The weights are settings; where their defaults come
from stands in docs/search.md. Nothing is fetched here: candidates come in, an order goes out.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from memgpt_cli.domain.search import Hit, Item, LexicalHit, SearchResult, Why
from memgpt_cli.domain.settings import SearchSettings
from memgpt_cli.text.stems import base
from memgpt_cli.text.terms import query_terms

_BEST_OF_SESSION: Final = 3

_WEAK_COSINE: Final = 0.25
"""The floor below which a best cosine speaks for a question about something else (docs/search.md)."""

_RARE: Final = 3.0
"""The rarity from which a word that matched speaks for itself: one in twenty messages."""

_ONE_WINDOW: Final = 5.5
"""A message and its four neighbours, as `rarity` smooths it: in small stores a word of one message is rare."""

_UNKNOWN_RARITY: Final = 3.0
"""The rarity of a term about which the index says nothing: that of a word in one of twenty messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A candidate with its score: the sum of its `signals`. `words` are those of the query found in it."""

    id: int
    score: float
    signals: dict[str, float] = field(default_factory=dict)
    words: tuple[str, ...] = ()


def rank(
    lexical: Sequence[LexicalHit],
    nearest: Sequence[tuple[int, float]],
    *,
    settings: SearchSettings,
    sessions: Mapping[int, int] | None = None,
    priors: Mapping[int, Mapping[str, float]] | None = None,
    asked: Mapping[int, tuple[int, float]] | None = None,
) -> list[Ranked]:
    """Fuse candidates by words with candidates by meaning (id and cosine, best first), best first.

    `sessions` tells to which session an item belongs, `priors` what else speaks for it, `asked` which item stands
    before it and how much of that one is a question, whose answer it may be. Of equals the later id leads.
    """
    words = _scaled_words(lexical)
    meaning = _scaled_cosines(nearest)
    own = {hit.id: hit for hit in lexical}
    found = {
        item: settings.lexical_weight * words.get(item, 0.0) + settings.vector_weight * meaning.get(item, 0.0)
        for item in {**words, **meaning}
    }
    session_of = sessions or {}
    session_words = _session_means(words, session_of)
    session_meaning = _session_means(meaning, session_of)
    ranked = []
    for item in found:
        hit = own.get(item)
        said = settings.lexical_weight * words.get(item, 0.0)
        nearby = said * (hit.nearby / hit.score) if hit and hit.score else 0.0
        signals = {"words": said - nearby, "nearby": nearby, "meaning": settings.vector_weight * meaning.get(item, 0.0)}
        if (session := session_of.get(item)) is not None:
            together = session_words.get(session, 0.0) + session_meaning.get(session, 0.0)
            signals["session"] = settings.session_weight * together
        if asked and item in asked:
            before, asking = asked[item]
            signals["answers"] = settings.answer_weight * asking * found.get(before, 0.0)
        if priors and item in priors:
            signals.update(priors[item])
        if not all(signals.values()):
            signals = {name: value for name, value in signals.items() if value}
        ranked.append(
            Ranked(id=item, score=math.fsum(signals.values()), signals=signals, words=hit.words if hit else ())
        )
    return sorted(ranked, key=lambda candidate: (-candidate.score, -candidate.id))


def best_shares(rankings: Sequence[Sequence[LexicalHit]]) -> dict[int, float]:
    """For each item its best score by words in several rankings, as a share of the best of that ranking."""
    best: dict[int, float] = {}
    for ranking in rankings:
        for item, share in _scaled_words(ranking).items():
            best[item] = max(share, best.get(item, 0.0))
    return best


def is_weak(lexical: Sequence[LexicalHit], cosines: Sequence[tuple[int, float]], *, items: Callable[[], int]) -> bool:
    """Whether nothing matched well: the best cosine is low, and no item holds a rare word of the query.

    `items` tells how many can be searched; it is asked only where the cosines do not decide.
    """
    if not cosines or max(cosine for _, cosine in cosines) >= _WEAK_COSINE:
        return False
    rare = min(_RARE, math.log(1 + items() / _ONE_WINDOW))
    return not any(hit.rarity.get(word, 0.0) >= rare for hit in lexical for word in hit.words)


def page_of(
    ranked: Sequence[Ranked],
    items: Mapping[int, Item],
    *,
    page: int,
    page_size: int,
    notes: tuple[str, ...],
    terms: Mapping[str, float],
    weak: bool = False,
) -> SearchResult[Item]:
    """One page of a ranking as an answer; `items` holds at least those that stand on it."""
    shown = ranked[page * page_size : (page + 1) * page_size]
    return SearchResult(
        hits=tuple(
            Hit(item=items[candidate.id], score=candidate.score, why=why)
            for candidate, why in zip(shown, explain(shown), strict=True)
        ),
        total=len(ranked),
        ranked=True,
        page=page,
        page_size=page_size,
        notes=notes,
        terms=terms,
        weak=weak and bool(shown),
    )


def terms_of(query: str, lexical: Sequence[LexicalHit]) -> dict[str, float]:
    """The terms of a query with their rarity."""
    found = {base(word): rarity for word, rarity in lexical[0].rarity.items()} if lexical else {}
    return found or dict.fromkeys(query_terms(query), _UNKNOWN_RARITY)


def explain(page: Sequence[Ranked]) -> list[Why]:
    """Why each of the hits of one page is one; their attention adds up to 1."""
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
    """BM25 as a share of the best."""
    top = max((hit.score for hit in lexical), default=0.0)
    return {hit.id: hit.score / top for hit in lexical} if top > 0 else {}


def _scaled_cosines(nearest: Sequence[tuple[int, float]]) -> dict[int, float]:
    """Cosines between that of the last candidate (0) and that of the best (1)."""
    if not nearest:
        return {}
    last = min(cosine for _, cosine in nearest)
    best = max(cosine for _, cosine in nearest)
    width = best - last
    return {item: (cosine - last) / width if width > 0 else 1.0 for item, cosine in nearest}


def _session_means(scores: Mapping[int, float], session_of: Mapping[int, int]) -> dict[int, float]:
    """The mean of the three best scores of each session; what is missing counts as 0."""
    of_session: dict[int, list[float]] = defaultdict(list)
    for item, score in scores.items():
        if item in session_of:
            of_session[session_of[item]].append(score)
    return {
        session: sum(sorted(values, reverse=True)[:_BEST_OF_SESSION]) / _BEST_OF_SESSION
        for session, values in of_session.items()
    }
