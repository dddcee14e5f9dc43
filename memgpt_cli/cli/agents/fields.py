"""What `memgpt agent` shows of an agent, for people."""

from datetime import tzinfo
from typing import Any

from memgpt_cli.domain.times import for_people, from_text


def readable(key: str, value: Any, zone: tzinfo) -> str:
    """Return the value of one of its fields for people."""
    if value is None:
        return "-"
    if key in {"created_at", "last_used"}:
        return for_people(from_text(value), zone)
    if key == "bytes":
        return size_text(value)
    return ", ".join(value) if isinstance(value, list) else str(value)


def size_text(size: int) -> str:
    """`size` bytes for people, such as `1.2 MB`."""
    thousands = min(3, (len(str(size)) - 1) // 3)
    return f"{size} B" if not thousands else f"{size / 1000**thousands:.1f} {('kB', 'MB', 'GB')[thousands - 1]}"
