"""Text arguments: typed, from a file (`@FILE`), or from standard input (`-`)."""

import os
import stat
import sys
from pathlib import Path
from typing import Final

from memgpt_cli.errors import UsageError

_LARGEST_INPUT: Final = 4_000_000
"""Bytes of a text on standard input: the most that a message of 1,000,000 characters can have."""
_BROKEN: Final = 20
"""If one character in this many is invalid, the input is not text."""


def read_text(value: str) -> str:
    """Return the text of an argument. Raises UsageError if the file is not readable as UTF-8."""
    if value == "-":
        return piped_text()
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(
            f"{value[1:]} cannot be read: {reason}",
            hint="@FILE names a text file; to pass a text that begins with @, pipe it in and pass -",
        ) from error


def is_piped() -> bool:
    """Whether standard input is a pipe or a file, which somebody meant to be read; a closed one is neither."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def piped_text() -> str:
    """Read standard input; single broken characters are replaced. Raises UsageError if it is not text or too long."""
    data = sys.stdin.buffer.read(_LARGEST_INPUT + 1)
    if len(data) > _LARGEST_INPUT:
        raise UsageError(
            f"standard input has more than {_LARGEST_INPUT:,} bytes, the most for one text",
            hint="memgpt archival load - reads up to 100 MB of a document",
        )
    text = data.decode("utf-8", "replace")
    if b"\0" in data or text.count("\ufffd") * _BROKEN > len(text):
        raise UsageError(
            "standard input is not UTF-8 text",
            hint="memgpt archival load FILE reads other encodings, PDF, Word and more",
        )
    return text
