"""Instants in UTC. Their text has milliseconds and a `Z`, so that it sorts by time."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_DAY: Final = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")

_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_FIRST_YEAR: Final = 1000
_LAST_YEAR: Final = 9998


def to_text(moment: datetime) -> str:
    """Return `2023-05-08T13:56:00.000Z`. Raises ValueError if the moment is not timezone-aware."""
    if moment.tzinfo is None:
        msg = "a stored time needs a zone"
        raise ValueError(msg)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def from_text(text: str) -> datetime:
    """The inverse of `to_text`."""
    return datetime.fromisoformat(text)


def span(text: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the range [start, end) in UTC that a text names: a year, a month, a day, or one minute.

    A text without a zone is in `zone`. Raises ValueError for anything else.
    """
    text = text.strip()
    if match := _DAY.fullmatch(text):
        year, month, day = (int(part) if part else None for part in match.groups())
        start = datetime(year or 1, month or 1, day or 1, tzinfo=zone)
        if day is not None:
            end = start + timedelta(days=1)
        elif month is not None:
            end = start.replace(year=start.year + month // 12, month=month % 12 + 1)
        else:
            end = start.replace(year=start.year + 1)
    else:
        start = parse(text, zone)
        end = start + timedelta(minutes=1)
    return start.astimezone(UTC), end.astimezone(UTC)


def parse(text: str, zone: tzinfo) -> datetime:
    """Parse an ISO 8601 date or date with time into an instant in UTC; without a zone it is in `zone`.

    Raises ValueError for anything else, and for years outside 1000 to 9998, which some zones cannot show.
    """
    moment = datetime.fromisoformat(text.strip())
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        msg = f"the year {moment.year} is none that was meant"
        raise ValueError(msg)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def for_people(moment: datetime, zone: tzinfo) -> str:
    """Return `2023-05-08 13:56` in the user's zone."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def with_weekday(moment: datetime, zone: tzinfo) -> str:
    """Return `Mon 2023-05-08 13:56` in the user's zone."""
    local = moment.astimezone(zone)
    return f"{_WEEKDAYS[local.weekday()]} {local:%Y-%m-%d %H:%M}"
