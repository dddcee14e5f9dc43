"""Types and helpers shared by the readers of written calls.

A reader gets the text, the position where its form begins, and whether the reply is over. It returns `Found`, `NO`, or
`MORE` while that depends on later text. A verdict on a beginning must hold for every continuation of it, so that the
size of the pieces of a reply makes no difference.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from memgpt_cli.llm.replies.offered import Offered, ReadCall


class CallVerdict(Enum):
    """Not a call: certainly, or for the text so far."""

    NO = auto()
    MORE = auto()


NO, MORE = CallVerdict.NO, CallVerdict.MORE


@dataclass(frozen=True, slots=True)
class Found:
    """Calls that end before the position `end`."""

    calls: tuple[ReadCall, ...]
    end: int


Reading = Found | CallVerdict
Reader = Callable[[str, int, Offered, bool], Reading]
"""(text, position, offered, final) -> result. It never returns MORE if `final`."""


def skip_blank(text: str, at: int, more: str = "") -> int:
    """Return the position of the next character that is neither blank nor in `more`."""
    while at < len(text) and (text[at].isspace() or text[at] in more):
        at += 1
    return at


def first_found(readers: Sequence[Reader], text: str, at: int, offered: Offered, *, final: bool) -> Reading:
    """Return the result of the first reader that does not say NO."""
    for read in readers:
        if (reading := read(text, at, offered, final)) is not NO:
            return reading
    return NO
