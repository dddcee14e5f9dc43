"""Alternative spellings of a day (`8 May`, `2023-05-08`, `5月8日`) and of a number (`1,200`, `1200`) in a query."""

import re
from collections.abc import Iterator
from typing import Final

from memgpt_cli.text.dates import day_spellings, named_dates

_GROUPED: Final = re.compile(r"(?<![\w.,])\d{1,3}(?:[,'’\u202f\u00a0]\d{3})+(?![\w,])")
_PLAIN: Final = re.compile(r"(?<![\w.,:/-])(?!(?:19|20)(?!00)\d\d\b)[1-9]\d{3,8}(?![\w:/-]|[.,]\d)")
"""A number of four to nine digits that is not a year."""


def other_spellings(query: str) -> Iterator[list[str]]:
    """Yield all spellings of each day and of each number from 1,000 on in a query, the one to show first."""
    for date in named_dates(query):
        if spelled := day_spellings(date):
            yield spelled
    for match in _GROUPED.finditer(query):
        plain = re.sub(r"\D", "", match.group())
        yield [f"{int(plain):,}", plain]
    for match in _PLAIN.finditer(query):
        yield [match.group(), f"{int(match.group()):,}"]
