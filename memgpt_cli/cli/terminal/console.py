"""What goes to the terminal: data to stdout, everything else to stderr, nothing that could command the terminal."""

import json
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console

_CONTROL: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[@-Z\\-_]?|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    r"|[\u202a-\u202e\u2066-\u2069\u200e\u200f]"
)


def plain(text: str) -> str:
    """Text without control sequences: it may come from a model, a document or a memory.

    Escape sequences vanish, as do characters that turn the direction of writing; line ends and tabs stay.
    """
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


_HARMFUL: Final = re.compile(r"[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What JSON does not escape by itself, and a terminal may obey."""


def json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON in which nothing commands a terminal: what might is escaped, so that readers of JSON get it all the same."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _HARMFUL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


@cache
def out() -> "Console":
    """Standard output, for data."""
    return _console(stderr=False)


@cache
def err() -> "Console":
    """Standard error, for notices and progress."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> "Console":
    """Lines are wrapped at words for a person, and left whole for a file."""
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    console.soft_wrap = not console.is_terminal
    return console


def say(text: str, *, style: str | None = None) -> None:
    """Print data."""
    out().print(plain(text), style=style)


def notice(text: str, *, style: str | None = "dim") -> None:
    """Print something beside the data, on stderr."""
    err().print(plain(text), style=style)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(json_text(value, indent=2) + "\n")


def is_interactive() -> bool:
    """Whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def confirm(question: str, *, yes: bool) -> bool:
    """Ask before something is destroyed; `--yes` answers it. Without a terminal it is a no that names the flag."""
    from memgpt_cli.errors import UsageError

    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("this needs a confirmation, and there is no terminal to ask at", hint="add --yes")
    err().print(plain(question) + " [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
