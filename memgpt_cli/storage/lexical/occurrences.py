"""Occurrences of words as sorted arrays of integers: those of FTS5's vocabulary tables, with phrases and nearness.

An occurrence is one integer, `row << 13 | column << 12 | offset`, so sorting is by row, then column (0 or 1), then
position in it; positions from 4,095 on are equal.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from memgpt_cli.storage.lexical.bm25 import Postings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OCCURRENCE: Final = "group_concat((doc << 13) | ((col = 'context') << 12) | min(offset, 4095))"
"""All occurrences of a term as SQL over a `fts5vocab` table of type instance, ascending, comma separated."""

ROW_BITS: Final = 13
_COLUMN: Final = 12
_LAST: Final = 4095


def as_numbers(joined: str | None) -> "NDArray[np.int64]":
    """Parse integers from SQL's `group_concat`, at a tenth of the cost of rows."""
    import numpy as np

    return np.fromstring(joined or "", dtype=np.int64, sep=",")


def either(several: Sequence["NDArray[np.int64]"]) -> "NDArray[np.int64]":
    """Return the occurrences of any of several words."""
    import numpy as np

    # A stable sort merges sorted parts.
    return several[0] if len(several) == 1 else np.sort(np.concatenate(several), kind="stable")


def phrase(parts: Sequence["NDArray[np.int64]"]) -> "NDArray[np.int64]":
    """Return where these words follow each other: the occurrences of the first."""
    found = parts[0]
    for distance, part in enumerate(parts[1:], 1):
        found = found[_contains(part, _shifted(found, distance))]
    return found


def near(first: "NDArray[np.int64]", second: "NDArray[np.int64]", *, within: int) -> "NDArray[np.int64]":
    """Return where the second word is at most `within` words after the first: the occurrences of the first."""
    import numpy as np

    close = np.zeros(len(first), bool)
    for distance in range(1, within + 1):
        close |= _contains(second, _shifted(first, distance))
    return first[close]


def upto_row(occurrences: "NDArray[np.int64]", row: int) -> "NDArray[np.int64]":
    """Return those in rows up to this number."""
    import numpy as np

    return occurrences[: int(np.searchsorted(occurrences, (row + 1) << ROW_BITS))]


def in_rows(occurrences: "NDArray[np.int64]", wanted: "NDArray[np.bool_]") -> "NDArray[np.int64]":
    """Return those in the given rows."""
    there: NDArray[np.int64] = occurrences[wanted[occurrences >> ROW_BITS]]
    return there


def as_postings(occurrences: "NDArray[np.int64]", *, columns: Sequence[float]) -> Postings:
    """Return how often a word occurs in each row; with two columns, their occurrences weighted by `columns`."""
    import numpy as np

    rows = occurrences >> ROW_BITS
    if len(rows) == 0:
        return Postings(rows, rows.astype(np.float32))
    starts = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))
    if len(columns) == 1:
        return Postings(rows[starts], columns[0] * np.diff(starts, append=len(rows)).astype(np.float32))
    each = np.asarray(columns, np.float32)[(occurrences >> _COLUMN) & 1]
    return Postings(rows[starts], np.add.reduceat(each, starts))


def _shifted(occurrences: "NDArray[np.int64]", distance: int) -> "NDArray[np.int64]":
    """Shift occurrences by this many words in the same column; -1 if that would be beyond the last position."""
    import numpy as np

    return np.where((occurrences & _LAST) + distance < _LAST, occurrences + distance, -1)


def _contains(occurrences: "NDArray[np.int64]", wanted: "NDArray[np.int64]") -> "NDArray[np.bool_]":
    """Return which of `wanted`, ascending except for -1, are among `occurrences`."""
    import numpy as np

    if len(occurrences) == 0:
        return np.zeros(len(wanted), bool)
    found: NDArray[np.bool_] = (
        occurrences[np.minimum(np.searchsorted(occurrences, wanted), len(occurrences) - 1)] == wanted
    )
    return found
