"""Make text safe to print: nothing in it can control the terminal."""

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console

_CONTROL: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[@-Z\\-_]?|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    r"|[\u202a-\u202e\u2066-\u2069\u200e\u200f]"
)


def plain(text: str) -> str:
    """Remove control sequences from a text, which may come from a model, a document or a memory.

    Escape sequences and characters that change the writing direction are removed; line ends and tabs stay.
    """
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


_HARMFUL: Final = re.compile(r"[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that JSON does not escape and that may control a terminal."""


def json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON in which nothing commands a terminal: what might is escaped, so that readers of JSON get it all the same."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _HARMFUL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def new_console(*, stderr: bool) -> "Console":
    """Return a console. Lines are wrapped at words on a terminal, and left whole in a file."""
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    console.soft_wrap = not console.is_terminal
    return console
