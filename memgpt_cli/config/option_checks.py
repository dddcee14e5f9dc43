"""Checks for the texts of settings: addresses, request fields, time zones."""

import json
import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit


def is_url(text: str) -> bool:
    """Whether this is an http or https address with a host, without a user, a fragment, or a key in its query."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    secret = any(_SECRET_NAME.search(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    clean = not (secret or parts.fragment or parts.username or parts.password or " " in text)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and clean


_SECRET_NAME: Final = re.compile("key|token|secret|sig|auth|password", re.IGNORECASE)


_OWN_FIELDS: Final = {
    *("model", "messages", "input", "instructions", "system", "tools", "tool_choice", "functions", "function_call"),
    *("stream", "stream_options", "n", "store", "include"),
    *("max_tokens", "max_completion_tokens", "max_output_tokens"),
}
_LONGEST_EXTRA: Final = 10_000


def is_extra_body(text: str) -> bool:
    """Whether this is a JSON object without request fields that the program sends itself."""
    if len(text) > _LONGEST_EXTRA:
        return False
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and not _OWN_FIELDS & fields.keys()


def is_zone(text: str) -> bool:
    """Whether this names a time zone, or is `system`."""
    if text == "system":
        return True
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
