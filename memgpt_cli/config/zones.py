"""The user's time zone."""

import os
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def find_zone(name: str, environ: Mapping[str, str] = os.environ) -> ZoneInfo:
    """Return the zone of this name; `system` means TZ or the machine's zone, and UTC if both are invalid."""
    if name != "system":
        return ZoneInfo(name)
    for candidate in (environ.get("TZ", "").removeprefix(":"), _linked_zone()):
        if candidate and (zone := _zone(candidate)):
            return zone
    import tzlocal  # for Windows and unusual machines; the import takes 20 ms, so it is the last resort

    try:
        return _zone(tzlocal.get_localzone_name() or "") or ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return ZoneInfo("UTC")


def _linked_zone() -> str:
    """Return the zone that /etc/localtime links to, as on most Unix systems."""
    try:
        return str(Path("/etc/localtime").readlink()).partition("zoneinfo/")[2]
    except OSError:
        return ""


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
