"""Dates of known precision: a year, a month or a day. Their text is ISO 8601, so that it sorts as they do."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, Self

DatePrecision = Literal["day", "month", "year"]

_FORM: Final = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_FIRST_YEAR: Final = 1000
_LAST_YEAR: Final = 9998


@dataclass(frozen=True, slots=True, order=True)
class PartialDate:
    """A year, a month (`month` > 0) or a day (`day` > 0)."""

    year: int
    month: int = 0
    day: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """The date written as YYYY, YYYY-MM or YYYY-MM-DD. Raises ValueError for anything else."""
        match = _FORM.fullmatch(text.strip())
        if match is None:
            msg = f"'{text}' is not a date (YYYY, YYYY-MM or YYYY-MM-DD)"
            raise ValueError(msg)
        year, month, day = (int(part or 0) for part in match.groups())
        if not _FIRST_YEAR <= year <= _LAST_YEAR or (match[2] and not month) or (match[3] and not day):
            msg = f"'{text}' is not a date that exists"
            raise ValueError(msg)
        try:
            date(year, month or 1, day or 1)
        except ValueError as error:
            msg = f"'{text}' is not a date that exists"
            raise ValueError(msg) from error
        return cls(year, month, day)

    @classmethod
    def of(cls, day: date, precision: DatePrecision = "day") -> Self:
        """A day, or the month or year that it is in."""
        month = 0 if precision == "year" else day.month
        return cls(day.year, month, day.day if precision == "day" else 0)

    @property
    def precision(self) -> DatePrecision:
        """How precise it is."""
        return "day" if self.day else "month" if self.month else "year"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def last(self) -> date:
        """Its last day."""
        month = self.month or 12
        return date(self.year, month, self.day or monthrange(self.year, month)[1])

    def coarser(self, precision: DatePrecision) -> Self:
        """The same with at most this precision."""
        month = 0 if precision == "year" else self.month
        return type(self)(self.year, month, self.day if precision == "day" else 0)

    def overlaps(self, first: date, last: date) -> bool:
        """Whether one of its days lies between two days, both included."""
        return self.first <= last and first <= self.last

    def __str__(self) -> str:
        """`2019`, `2019-06` or `2019-06-07`."""
        month = f"-{self.month:02}" if self.month else ""
        return f"{self.year}{month}-{self.day:02}" if self.day else f"{self.year}{month}"


@dataclass(frozen=True, slots=True)
class Validity:
    """When a statement holds; None: not known, or still.

    A day in `until` is the first on which it does not hold any more. A month or a year in `until` is the one in which
    it stopped: within it, it may have held.
    """

    start: PartialDate | None = None
    until: PartialDate | None = None

    @property
    def last(self) -> date | None:
        """The last day on which it may have held; None without an end."""
        if self.until is None:
            return None
        return self.until.first - timedelta(days=1) if self.until.day else self.until.last

    def covers(self, asked: PartialDate, *, known_since: date) -> bool:
        """Whether it may hold on a day of `asked`. Without a start it holds from `known_since`, when it was said."""
        start = self.start.first if self.start else known_since
        return start <= asked.last and (self.last is None or asked.first <= self.last)

    def __str__(self) -> str:
        """`2019-06 to 2021`, `since 2019-06`, `until 2021`, or nothing."""
        if self.start and self.until:
            return str(self.start) if self.start == self.until else f"{self.start} to {self.until}"
        if self.start:
            return f"since {self.start}"
        return f"until {self.until}" if self.until else ""
