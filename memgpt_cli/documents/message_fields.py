"""Read the fields of a message in foreign JSON; invalid fields raise an error with the reason.

Any value may be of any type.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from memgpt_cli.domain.conversations import SaidElsewhere, Unreadable
from memgpt_cli.domain.messages import Role, clean
from memgpt_cli.domain.times import parse

Read = SaidElsewhere | Unreadable

_ROLES: Final = {role.value: role for role in Role} | {"human": Role.USER, "ai": Role.ASSISTANT}

_TIME_KEYS: Final = (
    "created_at", "timestamp", "create_time", "createdAt", "time", "datetime", "date", "sent_at", "send_date", "ts",
)  # fmt: skip
"""Field names that programs use for the time of a message, most common first."""

_MILLISECONDS: Final = 100_000_000_000
"""Numbers this large are milliseconds, as in JavaScript: as seconds they would be after the year 5000."""


def as_object(value: object) -> Mapping[str, Any]:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return the value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def as_word(value: object) -> str:
    """Return a text or a number as text; empty for anything else."""
    return clean(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def read_role(value: object) -> Role:
    """Return the role. Raises ValueError."""
    role = _ROLES.get(value.lower()) if isinstance(value, str) else None
    if role is None:
        msg = f"role is {value!r}, not one of user, assistant, system, tool"
        raise ValueError(msg)
    return role


def read_content(value: object) -> str:
    """Return a text, or the joined text parts of Chat Completions. Raises ValueError if there is no text."""
    if isinstance(value, list):
        texts = [part.get("text", "") if isinstance(part, dict) else part for part in value]
        value = "\n".join(text for text in texts if isinstance(text, str) and text)
    if not isinstance(value, str) or not value.strip():
        msg = "content is empty or no text"
        raise ValueError(msg)
    return clean(value)


def read_time(value: object, zone: tzinfo, *, key: str = "created_at") -> datetime | None:
    """Parse ISO 8601, or seconds or milliseconds since 1970; without a zone it is in `zone`. Raises ValueError."""
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return parse(value, zone)
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) > _MILLISECONDS else value
            return parse(datetime.fromtimestamp(seconds, UTC).isoformat(), UTC)
    except (ValueError, OverflowError, OSError) as error:
        msg = f"{key} {value!r} is not a valid time"
        raise ValueError(msg) from error
    msg = f"{key} {value!r} is not a valid time"
    raise ValueError(msg)


def read_time_of(message: Mapping[str, Any], zone: tzinfo) -> datetime | None:
    """Return the time of a message, from any of the usual fields; None if there is none. Raises ValueError."""
    key = next((key for key in _TIME_KEYS if message.get(key) not in (None, "")), None)
    return None if key is None else read_time(message[key], zone, key=key)


def read_word(value: Mapping[str, Any], key: str) -> str | None:
    """Return a name or an id; None if there is none. Raises ValueError if it is neither text nor number."""
    found = value.get(key)
    if found is None or found == "":
        return None
    if isinstance(found, str):
        return clean(found)
    if not isinstance(found, int) or isinstance(found, bool):
        msg = f"{key} is not a text"
        raise ValueError(msg)  # noqa: TRY004 - the file is wrong, not the program
    return str(found)
