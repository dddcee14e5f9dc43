"""Analyse a query: the person it names, the kind of answer it wants, its dates, and the terms to search for.

The word patterns are in `text`; here they are combined with the conversation's participants.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from unicodedata import east_asian_width

from memgpt_cli.text.asking import asks_assistant, asks_name, asks_when, clauses, without_search_words
from memgpt_cli.text.dates import NamedDate, named_dates
from memgpt_cli.text.words import words

_WEEK: Final = timedelta(days=7)
_E: Final = 2.718281828
_MOST_CLAUSES: Final = 4
"""Each clause costs a search by words."""


@dataclass(frozen=True, slots=True)
class Span:
    """A range of time named in a question; `start` is None for a month without a year, which is then in `month`."""

    start: datetime | None
    end: datetime | None
    month: int | None = None
    day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An analysed query. `meaning` is the text to embed: without the participants' names, which distort every vector.

    `words` is the text for the lexical leg: without words about the search itself. `clauses` are its questions if there
    are several. `speaker` is the participant it is about, if it names exactly one; the `asks_` fields say what its
    answer contains. `known` are the words of the participants' names.
    """

    text: str
    meaning: str
    words: str
    clauses: tuple[str, ...]
    speaker: str | None
    asks_when: bool
    asks_name: bool
    asks_assistant: bool
    dates: tuple[Span, ...]
    known: frozenset[str]


def read_question(text: str, *, participants: Sequence[str], zone: tzinfo) -> Question:
    """Analyse a question among participants with these names."""
    named = [name for name in participants if _name_pattern(name).search(text)]
    meaning = text
    for name in named:
        meaning = _name_pattern(name).sub(" ", meaning)
    meaning = " ".join(meaning.split())
    wanted = without_search_words(text)
    parts = clauses(wanted)
    return Question(
        text=text,
        meaning=meaning if re.search(r"\w", meaning) else text,
        words=wanted if words(wanted) else text,
        clauses=tuple(parts[:_MOST_CLAUSES]) if len(parts) > 1 else (),
        speaker=named[0] if len(named) == 1 else None,
        asks_when=asks_when(text),
        asks_name=asks_name(text),
        asks_assistant=asks_assistant(text),
        dates=tuple(span for date in named_dates(text) if (span := _span(date, zone)) is not None),
        known=frozenset(word for name in participants for word in words(name)),
    )


def nearness(moment: datetime, dates: Sequence[Span], zone: tzinfo) -> float:
    """Return how near a moment is to the nearest of these dates: 1 within it, falling by e each week outside."""
    return max((_nearness(moment, span, zone) for span in dates), default=0.0)


def _nearness(moment: datetime, span: Span, zone: tzinfo) -> float:
    if span.start is None or span.end is None:
        local = moment.astimezone(zone)
        best = 0.0
        for year in (local.year - 1, local.year, local.year + 1):
            dated = _stretch(year, span.month, span.day, zone=zone)
            best = max(best, 0.0 if dated is None else _nearness(moment, dated, zone))
        return best
    gap = max(span.start - moment, moment - span.end, timedelta(0))
    return float(_E ** -(gap / _WEEK))


def _name_pattern(name: str) -> re.Pattern[str]:
    """Return a pattern for the name as a separate word; in scripts without spaces it may be among other letters."""
    if len(name) > 1 and all(east_asian_width(letter) == "W" for letter in name):
        return re.compile(re.escape(name))
    return re.compile(rf"(?<!\w){re.escape(name)}(?:'s|’s)?(?!\w)", re.IGNORECASE)


def _span(date: NamedDate, zone: tzinfo) -> Span | None:
    if date.year is None:
        return Span(None, None, date.month, date.day)
    return _stretch(date.year, date.month, date.day, zone=zone)


def _stretch(year: int, month: int | None, day: int | None, *, zone: tzinfo) -> Span | None:
    """Return a year, a month or a day, in UTC; None for a date that does not exist."""
    try:
        start = datetime(year, month or 1, day or 1, tzinfo=zone)
    except ValueError:
        return None
    if day is not None:
        end = start + timedelta(days=1)
    elif month is not None:
        end = start.replace(year=year + month // 12, month=month % 12 + 1)
    else:
        end = start.replace(year=year + 1)
    return Span(start.astimezone(UTC), end.astimezone(UTC), month, day)
