"""BM25 over a message and its neighbours, with numpy, exhaustively.

Neighbouring messages of a session have neighbouring row numbers, and sessions are further apart than the window, so
neighbours are found by arithmetic. The formula is that of FTS5's `bm25()` with two columns of weights 1 and `context`,
the second holding the neighbours' words: term frequencies of both are added before they saturate. They are added at
query time, so that a new message does not require any rewriting.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

K1: Final = 1.2
B: Final = 0.75
"""The usual constants, also used by FTS5."""

LENT: Final = 60
"""At most this many words of a neighbour count: of a longer one, each counts proportionally less."""

_EXACT: Final = 5_000
"""The approximate number of rows that are scored exactly: the best by a first, linear estimate."""

_BLOCK: Final = 1 << 15
"""Rows worked on at a time where all are gone through: 128 kB."""

_STRIDE: Final = 61
"""Sample one row in 61. A prime cannot line up with session lengths."""


@dataclass(frozen=True, slots=True)
class Postings:
    """The rows in which a term occurs, ascending, and how often."""

    rows: "NDArray[np.int64]"
    counts: "NDArray[np.float32]"


Pairs = Callable[["NDArray[np.bool_]"], Sequence[tuple[int, Postings]]]
"""Where two terms are adjacent, in the given rows only: the number of the first; the second is the next."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of each row by its number; 0 if there is no row, and at least `reach` zeros at either end.

    `shares` is the weight of a row as a neighbour: 1 up to `LENT` tokens, less in longer ones. `rows` counts the rows,
    `mean` is the average of a window's sum, computed when there were `measured` rows.
    """

    tokens: "NDArray[np.float32]"
    shares: "NDArray[np.float32]"
    rows: int
    mean: float
    measured: int


class Scored(NamedTuple):
    """One of the best rows; `nearby` is the part of its score that comes from neighbours, `terms` are those in it."""

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
    """Return the lengths with these rows replacing all rows above a number. They share memory with the former.

    The mean is recomputed when the number of rows has grown by a hundredth.
    """
    import numpy as np

    top = int(rows[-1]) if len(rows) else 0
    known = np.zeros(0, np.float32) if lengths is None else lengths.tokens
    shares = np.zeros(0, np.float32) if lengths is None else lengths.shares
    if len(known) < top + reach + 1:
        size = (top + reach + 1) * 5 // 4
        known, shares = _enlarged(known, size), _enlarged(shares, size)
    count = len(rows) - int(np.count_nonzero(known[above + 1 :])) + (0 if lengths is None else lengths.rows)
    known[above + 1 :] = 0
    shares[above + 1 :] = 0
    known[rows] = tokens
    shares[rows] = np.minimum(1, LENT / np.maximum(1, known[rows]))
    if lengths is not None and abs(count - lengths.measured) <= lengths.measured // 100:
        return Lengths(known, shares, count, lengths.mean, lengths.measured)
    sums = known + _around(known * shares, reach=reach)
    return Lengths(known, shares, count, float(sums[known > 0].mean()) if count else 1.0, count)


def _enlarged(values: "NDArray[np.float32]", size: int) -> "NDArray[np.float32]":
    import numpy as np

    room = np.zeros(size, np.float32)
    room[: len(values)] = values
    return room


def best(
    terms: Sequence[Postings],
    weights: Sequence[float],
    lengths: Lengths,
    *,
    limit: int,
    reach: int,
    context: float,
    pairs: Pairs | None = None,
    allowed: "NDArray[np.int64] | None" = None,
    excluded: "NDArray[np.int64] | None" = None,
) -> list[Scored]:
    """Return the `limit` best rows, best first, later rows before earlier ones of the same score.

    `weights` is the rarity of each term. Two terms that stand together count as one more term, as rare as the two on
    average. `allowed` restricts the answer to these row numbers; the rows `excluded`, rising, count for nothing, also
    as neighbours, and must not be among those of `terms`.
    """
    import numpy as np

    estimate = _estimate(terms, weights, lengths, reach=reach, context=context)
    if allowed is not None:
        kept = np.zeros_like(estimate)
        kept[allowed] = estimate[allowed]
        estimate = kept
    if excluded is not None:
        estimate[excluded] = 0
    rows = _highest(estimate)
    rows = rows[lengths.tokens[rows] > 0]
    if len(rows) == 0:
        return []
    wanted = _windows(rows, len(estimate), reach=reach)
    weighted = [(_in_rows(term, wanted), weight) for term, weight in zip(terms, weights, strict=True)]
    for number, together in pairs(wanted) if pairs else ():
        weighted.append((without(together, excluded), (weights[number] + weights[number + 1]) / 2))
    score, alone, found = _exact(weighted, rows, lengths, reach=reach, context=context)
    order = np.lexsort((-rows, -score))[:limit]
    order = order[score[order] > 0]
    columns = (rows[order].tolist(), score[order].tolist(), (score - alone)[order].tolist())
    return list(map(Scored, *columns, _held(found[: len(terms), order])))


def _held(found: "NDArray[np.bool_]") -> list[tuple[int, ...]]:
    """Return for each row (a column of `found`) the numbers of its terms; most rows have the same few sets of terms."""
    import numpy as np

    keys = [bytes(key) for key in np.packbits(found, axis=0).T]
    columns = {key: column for column, key in enumerate(keys)}
    terms = {key: tuple(np.flatnonzero(found[:, column]).tolist()) for key, column in columns.items()}
    return [terms[key] for key in keys]


def _exact(
    weighted: Sequence[tuple[Postings, float]],
    rows: "NDArray[np.int64]",
    lengths: Lengths,
    *,
    reach: int,
    context: float,
) -> "tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]":
    """Return the score of each row, its score without neighbours, and its own terms."""
    import numpy as np

    total = _window(np.minimum(lengths.tokens, LENT), rows, reach=reach) + lengths.tokens[rows]
    norm = K1 * (1 - B + B * total / lengths.mean)
    score = np.zeros(len(rows), np.float32)
    alone = np.zeros(len(rows), np.float32)
    found = np.zeros((len(weighted), len(rows)), bool)
    counts = np.zeros(len(lengths.tokens), np.float32)
    for number, (postings, weight) in enumerate(weighted):
        counts[postings.rows] = postings.counts
        own = counts[rows]
        counts[postings.rows] *= lengths.shares[postings.rows]
        both = own + context * _window(counts, rows, reach=reach)
        score += weight * both * (K1 + 1) / (both + norm)
        alone += weight * own * (K1 + 1) / (own + norm)
        found[number] = own > 0
        counts[postings.rows] = 0
    return score, alone, found


def _in_rows(postings: Postings, wanted: "NDArray[np.bool_]") -> Postings:
    kept = wanted[postings.rows]
    return Postings(postings.rows[kept], postings.counts[kept])


def without(postings: Postings, excluded: "NDArray[np.int64] | None") -> Postings:
    """Return the postings that are not in these rows, which are ascending."""
    import numpy as np

    if excluded is None or len(excluded) == 0:
        return postings
    kept = excluded[np.minimum(np.searchsorted(excluded, postings.rows), len(excluded) - 1)] != postings.rows
    return Postings(postings.rows[kept], postings.counts[kept])


def rarity(postings: Postings, lengths: Lengths, *, reach: int) -> float:
    """Return the inverse document frequency of a term, where a document is a row with its window."""
    import numpy as np

    if len(postings.rows) == 0:
        return 0.0
    width = 2 * reach + 1
    windows = min(lengths.rows, int(np.minimum(np.diff(postings.rows), width).sum()) + width)
    return math.log(1 + (lengths.rows - windows + 0.5) / (windows + 0.5))


def _estimate(
    postings: Sequence[Postings], weights: Sequence[float], lengths: Lengths, *, reach: int, context: float
) -> "NDArray[np.float32]":
    """Return a first score of all rows: a sum over terms that is linear in the neighbours."""
    import numpy as np

    estimate = np.zeros(len(lengths.tokens), np.float32)
    for p, weight in zip(postings, weights, strict=True):
        gain = p.counts + np.float32(K1)
        np.divide(p.counts, gain, out=gain)
        gain *= weight * (K1 + 1)
        estimate[p.rows] += gain
    _lend(estimate, lengths.shares, reach=reach, context=context)
    return estimate


def _lend(estimate: "NDArray[np.float32]", shares: "NDArray[np.float32]", *, reach: int, context: float) -> None:
    """Add to each place what its neighbours lend it. Block by block, each of which the processor's cache holds."""
    import numpy as np

    if reach == 0 or context == 0:
        return
    before = np.zeros(reach, np.float32)
    for start in range(0, len(estimate), _BLOCK):
        end = min(start + _BLOCK, len(estimate))
        part = context * estimate[start : end + reach] * shares[start : end + reach]
        lent = np.concatenate((before, part, np.zeros(end - start + reach - len(part), np.float32)))
        before = part[end - start - reach : end - start]
        for step in (*range(-reach, 0), *range(1, reach + 1)):
            estimate[start:end] += lent[reach + step : reach + step + end - start]


def _highest(estimate: "NDArray[np.float32]") -> "NDArray[np.int64]":
    """Return the rows to score exactly: about `_EXACT` of the highest, or all above 0 if there are fewer.

    The threshold is estimated from a sample, because computing it exactly would dominate the cost.
    """
    import numpy as np

    sample = estimate[::_STRIDE]
    sample = sample[sample > 0]
    wanted = _EXACT // _STRIDE
    if len(sample) <= wanted:
        return np.flatnonzero(estimate > 0)
    edge = np.partition(sample, len(sample) - wanted)[len(sample) - wanted]
    return np.flatnonzero(estimate >= edge)


def _windows(rows: "NDArray[np.int64]", size: int, *, reach: int) -> "NDArray[np.bool_]":
    """Return a mask of these rows and their neighbours."""
    import numpy as np

    mask = np.zeros(size, bool)
    for step in range(-reach, reach + 1):
        mask[rows + step] = True
    return mask


def _around(values: "NDArray[np.float32]", *, reach: int) -> "NDArray[np.float32]":
    """Return for each place the sum of the values up to `reach` places to either side, without its own."""
    import numpy as np

    total = np.zeros_like(values)
    for step in range(1, reach + 1):
        total[step:] += values[:-step]
        total[:-step] += values[step:]
    return total


def _window(values: "NDArray[np.float32]", rows: "NDArray[np.int64]", *, reach: int) -> "NDArray[np.float32]":
    """Return for each of the rows the sum of its neighbours' values, without its own."""
    import numpy as np

    total = np.zeros(len(rows), np.float32)
    for step in range(1, reach + 1):
        total += values[rows + step] + values[rows - step]
    return total
