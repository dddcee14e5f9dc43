"""Written dates: names of months and weekdays, and the days, months and years that a text names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

MONTH: Final = "|".join([*MONTHS, "jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec"])
"""A pattern for the name of a month; use it with re.IGNORECASE."""

WEEKDAY: Final = "|".join(WEEKDAYS)
"""A pattern for the name of a weekday; use it with re.IGNORECASE."""

_DATE: Final = re.compile(
    rf"(?P<iso>\b(?:19|20)\d\d-\d\d?-\d\d?\b)"
    r"|(?P<east>(?:19|20)\d\d ?[年년](?: ?\d\d? ?[月월](?: ?\d\d? ?[日号號일])?)?)"
    r"|(?P<east_day>\d\d? ?[月월] ?\d\d? ?[日号號일])"
    rf"|\b(?:(?P<day1>\d\d?)(?:st|nd|rd|th)?(?: of)? )?(?P<month>{MONTH})\b\.?"
    r"(?: (?P<day2>\d\d?)(?:st|nd|rd|th)?\b(?!\d))?(?:,? (?:of )?(?P<year>(?:19|20)\d\d)\b)?"
    r"|\b(?P<only_year>(?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_THE_MONTH_MAY: Final = re.compile(
    r"\b(in|of|on|by|since|until|during|last|next|this|early|late|mid|\d\w*) may\b|\bmay \d", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class NamedDate:
    """A year, a month or a day as a text names it; `year` is None if the text does not say it."""

    year: int | None
    month: int | None
    day: int | None


def named_dates(text: str) -> Iterator[NamedDate]:
    """Yield the dates that a text names, in order. They may not exist: 2023-02-30."""
    for match in _DATE.finditer(text):
        if match["month"]:
            if match["month"].lower() == "may" and not _THE_MONTH_MAY.search(text):
                continue
            number = match["day1"] or match["day2"]
            year = int(match["year"]) if match["year"] else None
            yield NamedDate(year, month_number(match["month"]), int(number) if number else None)
        else:
            numbers = [int(number) for number in re.findall(r"\d+", match.group())]
            yield NamedDate(*([None, *numbers] if match["east_day"] else [*numbers, None, None][:3]))


def day_spellings(date: NamedDate) -> list[str]:
    """Return the ways to write this day: `8 may`, `8th of may`, `may 8`, `05-08`, `5月8日`; none for a month or a year.

    Numeric dates without a year (8.5., 5/8) are left out, because the order of day and month differs between countries.
    """
    if date.month is None or date.day is None or not 1 <= date.month <= len(MONTHS):
        return []
    day, ordinal = str(date.day), f"{date.day}{_ordinal_ending(date.day)}"
    name = MONTHS[date.month - 1]
    spelled = []
    for month in dict.fromkeys((name, name[:3])):
        spelled += [f"{day} {month}", f"{ordinal} {month}", f"{ordinal} of {month}", f"{month} {day}"]
        spelled.append(f"{month} {ordinal}")
    year = "" if date.year is None else f"{date.year}-"
    spelled.append(f"{year}{date.month:02}-{date.day:02}")
    return [*spelled, f"{date.month}月{day}日", f"{date.month}月{day}号", f"{date.month}월 {day}일"]


def _ordinal_ending(number: int) -> str:
    return "th" if number in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def month_number(name: str) -> int:
    """Return 1 for `January`, `jan` and `Jan.`. Raises ValueError if it is not the name of a month."""
    start = name.lower()[:3]
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(start))
