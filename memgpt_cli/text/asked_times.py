"""Which time a question asks about: a date in the past, or a past without a date. English and Chinese."""

import re
from datetime import date
from typing import Final

from memgpt_cli.domain.partial_dates import PartialDate
from memgpt_cli.text.dates import MONTH, named_dates
from memgpt_cli.text.relative_dates import resolve

_PAST: Final = re.compile(
    r"\b(used to|before|previous(ly)?|former(ly)?|earlier|old|in the past|back then|originally|at first|once|prior)\b"
    r"|以前|之前|曾经|过去|原来|从前|当时|那时|最初|旧的?",
    re.IGNORECASE,
)

_TIME_WORDS: Final = re.compile(rf"\b(?:{MONTH})\b\.?|\d+ ?[年月日号]|\b\d+(?:st|nd|rd|th)?\b", re.IGNORECASE)


def asked_time(question: str, today: date) -> PartialDate | None:
    """The date in the past that a question names: "in 2021", "last year", 去年; None when it names none, or several."""
    found = [PartialDate(d.year, d.month or 0, (d.day or 0) if d.month else 0) for d in named_dates(question) if d.year]
    if not found:
        found = [
            PartialDate.of(
                when.start, "day" if when.precision == "day" else "year" if when.precision == "year" else "month"
            )
            for when in resolve(question, today)
        ]
    valid = [moment for moment in found if _exists(moment) and moment.last < today]
    return valid[0] if len(valid) == 1 and len(found) == 1 else None


def without_time(question: str, today: date) -> str:
    """A question without the words that name a time: what is left says what it asks for."""
    for when in resolve(question, today):
        question = question.replace(when.phrase, " ")
    return _TIME_WORDS.sub(" ", question)


def asks_past(question: str) -> bool:
    """Whether a question asks about the past without a date: "where did I live before", 我以前住在哪里."""
    return _PAST.search(question) is not None


def _exists(moment: PartialDate) -> bool:
    try:
        PartialDate.parse(str(moment))
    except ValueError:
        return False
    return True
