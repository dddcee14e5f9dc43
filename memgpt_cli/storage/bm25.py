"""BM25 over a message and what was said around it, with numpy, exhaustively.

Rows are numbered so that neighbours of one session have neighbouring numbers and sessions lie further apart than the
window reaches; so a neighbour is found by arithmetic. The formula is that of FTS5's `bm25()` with two columns of
weights 1 and `context`, the second holding the neighbours' words: term frequencies of both are added before they
saturate. Here they are added when a query comes, so that nothing needs rewriting when the next message arrives.
No SQL here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

K1: Final = 1.2
B: Final = 0.75
"""The constants of FTS5 and of nearly everybody."""

_EXACT: Final = 5_000
"""About how many rows are scored exactly: the best by a first, linear estimate."""

_STRIDE: Final = 61
"""Every so manieth row is a sample: a prime, so that no rhythm of sessions falls in with it."""


@dataclass(frozen=True, slots=True)
class Postings:
    """In which rows one term occurs, rising, and how often. `weight` is its own among the terms of the query."""

    rows: "NDArray[np.int64]"
    counts: "NDArray[np.float32]"
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of each row by its number; 0 where there is no row, and at least `reach` times 0 at either end.

    `rows` counts the rows, `mean` is the average of a window's sum, taken when there were `measured` rows.
    """

    tokens: "NDArray[np.float32]"
    rows: int
    mean: float
    measured: int


@dataclass(frozen=True, slots=True)
class Scored:
    """One of the best rows; `nearby` is the part of its score that is owed to neighbours, `terms` those found in it."""

    row: int
    score: float
    nearby: float
    terms: tuple[int, ...]


def grown(
    lengths: Lengths | None,
    rows: "NDArray[np.integer[Any]]",
    tokens: "NDArray[np.number[Any]]",
    *,
    above: int,
    reach: int,
) -> Lengths:
    """The lengths with these rows in place of all above a number. They share memory with the former.

    The mean is taken anew when the number of rows has grown by a hundredth.
    """
    import numpy as np

    top = int(rows[-1]) if len(rows) else 0
    known = np.zeros(0, np.float32) if lengths is None else lengths.tokens
    if len(known) < top + reach + 1:
        room = np.zeros((top + reach + 1) * 5 // 4, np.float32)
        room[: len(known)] = known
        known = room
    known[above + 1 :] = 0
    known[rows] = tokens
    count = int(np.count_nonzero(known))
    if lengths is not None and abs(count - lengths.measured) <= lengths.measured // 100:
        return Lengths(known, count, lengths.mean, lengths.measured)
    sums = _spread(known, reach=reach, weight=1.0)
    return Lengths(known, count, float(sums[known > 0].mean()) if count else 1.0, count)


def best(
    postings: Sequence[Postings],
    lengths: Lengths,
    *,
    limit: int,
    reach: int,
    context: float,
    allowed: "NDArray[np.int64] | None" = None,
    barred: "NDArray[np.int64] | None" = None,
) -> list[Scored]:
    """The `limit` best rows, best first, later rows before earlier ones of the same score.

    `allowed` restricts them to these row numbers; rows of `barred`, rising, count for nothing, not even as neighbours.
    """
    import numpy as np

    if barred is not None and len(barred):
        postings = [_without(p, barred) for p in postings]
    weights = [p.weight * _rarity(p, lengths, reach=reach) for p in postings]
    estimate = _estimate(postings, weights, len(lengths.tokens), reach=reach, context=context)
    if barred is not None:
        estimate[barred] = 0
    if allowed is not None:
        kept = np.zeros_like(estimate)
        kept[allowed] = estimate[allowed]
        estimate = kept
    candidates = _highest(estimate)
    candidates = candidates[lengths.tokens[candidates] > 0]
    if len(candidates) == 0:
        return []
    total = _window(lengths.tokens, candidates, reach=reach) + lengths.tokens[candidates]
    norm = K1 * (1 - B + B * total / lengths.mean)
    score = np.zeros(len(candidates), np.float32)
    alone = np.zeros(len(candidates), np.float32)
    found = np.zeros((len(postings), len(candidates)), bool)
    counts = np.zeros(len(lengths.tokens), np.float32)
    for number, (p, weight) in enumerate(zip(postings, weights, strict=True)):
        counts[p.rows] = p.counts
        own = counts[candidates]
        both = own + context * _window(counts, candidates, reach=reach)
        score += weight * both * (K1 + 1) / (both + norm)
        alone += weight * own * (K1 + 1) / (own + norm)
        found[number] = own > 0
        counts[p.rows] = 0
    order = np.lexsort((-candidates, -score))[:limit]
    order = order[score[order] > 0]
    columns = zip(
        candidates[order].tolist(),
        score[order].tolist(),
        (score - alone)[order].tolist(),
        found.T[order].tolist(),
        strict=True,
    )
    return [
        Scored(row, total, nearby, tuple(number for number, there in enumerate(terms) if there))
        for row, total, nearby, terms in columns
    ]


def _without(postings: Postings, barred: "NDArray[np.int64]") -> Postings:
    import numpy as np

    kept = barred[np.minimum(np.searchsorted(barred, postings.rows), len(barred) - 1)] != postings.rows
    return Postings(postings.rows[kept], postings.counts[kept], postings.weight)


def _rarity(postings: Postings, lengths: Lengths, *, reach: int) -> float:
    """The inverse document frequency of a term, a document being a row with its window."""
    import numpy as np

    if len(postings.rows) == 0:
        return 0.0
    width = 2 * reach + 1
    windows = min(lengths.rows, int(np.minimum(np.diff(postings.rows), width).sum()) + width)
    return math.log(1 + (lengths.rows - windows + 0.5) / (windows + 0.5))


def _estimate(
    postings: Sequence[Postings], weights: Sequence[float], size: int, *, reach: int, context: float
) -> "NDArray[np.float32]":
    """A first score of all rows: a sum over terms that is linear in the neighbours."""
    import numpy as np

    estimate = np.zeros(size, np.float32)
    for p, weight in zip(postings, weights, strict=True):
        estimate[p.rows] += weight * p.counts * (K1 + 1) / (p.counts + K1)
    return _spread(estimate, reach=reach, weight=context)


def _highest(estimate: "NDArray[np.float32]") -> "NDArray[np.int64]":
    """The rows worth scoring exactly: about `_EXACT` of the highest, or all that are above 0 when they are fewer.

    The edge between high and low is read off a sample, for finding it exactly would cost more than all else.
    """
    import numpy as np

    sample = estimate[::_STRIDE]
    sample = sample[sample > 0]
    wanted = _EXACT // _STRIDE
    if len(sample) <= wanted:
        return np.flatnonzero(estimate > 0)
    edge = np.partition(sample, len(sample) - wanted)[len(sample) - wanted]
    return np.flatnonzero(estimate >= edge)


def _spread(values: "NDArray[np.float32]", *, reach: int, weight: float) -> "NDArray[np.float32]":
    """Each value with `weight` times the values up to `reach` places to either side."""
    spread = values.copy()
    share = values * weight
    for step in range(1, reach + 1):
        spread[step:] += share[:-step]
        spread[:-step] += share[step:]
    return spread


def _window(values: "NDArray[np.float32]", rows: "NDArray[np.int64]", *, reach: int) -> "NDArray[np.float32]":
    """For each of the rows the sum of its neighbours' values, without its own."""
    import numpy as np

    total = np.zeros(len(rows), np.float32)
    for step in range(1, reach + 1):
        total += values[rows + step] + values[rows - step]
    return total
