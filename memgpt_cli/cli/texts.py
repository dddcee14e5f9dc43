"""Texts as arguments: typed, in a file (`@FILE`), or on standard input (`-`)."""

from pathlib import Path

from memgpt_cli.errors import UsageError


def read_text(value: str) -> str:
    """The text that an argument stands for. Raises UsageError when the file cannot be read as UTF-8."""
    if value == "-":
        from memgpt_cli.cli.turns import read_stdin

        return read_stdin()
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(
            f"{value[1:]} cannot be read: {reason}",
            hint="@FILE names a text file; a text that begins with @ is piped in, with - in its place",
        ) from error


def one_line(text: str, most: int = 60) -> str:
    """The beginning of a text, on one line."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def counted(number: int, what: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
