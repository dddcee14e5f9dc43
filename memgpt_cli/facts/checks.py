"""Checks of a candidate against the messages that it rests on: its numbers and its dates."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from memgpt_cli.domain.partial_dates import DatePrecision, PartialDate, Validity
from memgpt_cli.text.dates import NamedDate, named_dates
from memgpt_cli.text.numbers import figures_in, numbers_in
from memgpt_cli.text.relative_dates import When, resolve

_PRECISIONS: Final[tuple[DatePrecision, ...]] = ("day", "month", "year")
_LONGEST_MONTH: Final = 31


def unfounded_numbers(value: str, texts: Iterable[str], said_on: date) -> list[str]:
    """The figures in a value that occur neither in the texts nor in the dates they mention."""
    wanted = figures_in(value)
    if not wanted:
        return []
    known: set[str] = set()
    days = [said_on]
    for text in texts:
        known |= numbers_in(text)
        days += [day for when in resolve(text, said_on) for day in (when.start, when.end)]
        months = [named.month for named in named_dates(text) if named.month]
        known |= {str(month) for month in months}
    known |= {str(part) for day in days for part in (day.year, day.month, day.day)}
    return [number for number in wanted if number not in known]


def checked_validity(valid: Validity, quote: str, sentence: str, said_on: date) -> Validity:
    """A validity whose start agrees with the time words of its source.

    The quote's own time words count, else those of its sentence. One reading corrects the start; of several it must fit
    one, or it loses precision until it does.
    """
    readings = _readings(quote, said_on) or _readings(sentence, said_on)
    start = valid.start
    if start is None or not readings or any(_fits(start, reading) for reading in readings):
        return valid
    until = valid.until
    if len(readings) == 1:
        corrected = _as_date(readings[0], near=start)
        if corrected is None:
            return valid
        if until is not None and until.last < corrected.first:
            until = None
        return Validity(corrected, until)
    coarser = [start.coarser(precision) for precision in _PRECISIONS[1:]]
    fitting = [d for d in coarser if any(_fits(d, reading) for reading in readings)]
    return Validity(fitting[0] if fitting else None, until)


Reading = When | NamedDate


def _readings(text: str, said_on: date) -> Sequence[Reading]:
    named = [d for d in named_dates(text) if d.year or d.month]
    return [*resolve(text, said_on), *named]


def _fits(start: PartialDate, reading: Reading) -> bool:
    """Whether a date may be what a reading means; "around" gives it as much room as its precision."""
    if isinstance(reading, When):
        slack = timedelta(days=_slack(reading))
        return start.overlaps(reading.start - slack, reading.end + slack)
    if reading.year and reading.year != start.year:
        return False
    if reading.month and start.month and reading.month != start.month:
        return False
    return not (reading.month and reading.day and start.day and reading.day != start.day)


def _slack(when: When) -> int:
    if not when.about:
        return 0
    return {"day": 1, "weekend": 7, "week": 7, "month": _LONGEST_MONTH, "year": 366}[when.precision]


def _as_date(reading: Reading, near: PartialDate) -> PartialDate | None:
    """The date that a reading means; a year that it does not name is taken from `near`."""
    if isinstance(reading, When):
        if reading.precision in {"day", "month", "year"} and not reading.about:
            return PartialDate.of(reading.start, reading.precision)
        same_month = (reading.start.year, reading.start.month) == (reading.end.year, reading.end.month)
        return PartialDate.of(reading.start, "month" if same_month else "year")
    month = reading.month or 0
    try:
        return PartialDate.parse(str(PartialDate(reading.year or near.year, month, (reading.day or 0) if month else 0)))
    except ValueError:
        return None
