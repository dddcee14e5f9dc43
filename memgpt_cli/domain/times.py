"""Instants: kept in UTC, written with milliseconds and a `Z`, so that their text sorts as they do."""

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """`2023-05-08T13:56:00.000Z`; the moment must be aware (raises ValueError)."""
    if moment.tzinfo is None:
        msg = "a stored time needs a zone"
        raise ValueError(msg)
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def from_text(text: str) -> datetime:
    """The inverse of `to_text`."""
    return datetime.fromisoformat(text)
