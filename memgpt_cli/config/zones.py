"""The person's time zone."""

import os
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def find_zone(name: str, environ: Mapping[str, str] = os.environ) -> ZoneInfo:
    """The zone of this name; `system` means what TZ or the machine says, and UTC when neither can be understood."""
    if name != "system":
        return ZoneInfo(name)
    for candidate in (environ.get("TZ", "").removeprefix(":"), _linked_zone()):
        if candidate and (zone := _zone(candidate)):
            return zone
    import tzlocal  # Windows, and machines that say it in a way of their own; 20 ms, so it is asked last

    try:
        return _zone(tzlocal.get_localzone_name() or "") or ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return ZoneInfo("UTC")


def _linked_zone() -> str:
    """The zone that /etc/localtime is a link to, as on most Unix systems."""
    try:
        return str(Path("/etc/localtime").readlink()).partition("zoneinfo/")[2]
    except OSError:
        return ""


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
