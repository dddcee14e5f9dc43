"""What the readers of written calls have in common.

A reader gets the text, the place where its form begins, and whether the reply is over. It answers `Found`, `NO`, or
`MORE` while that depends on text still to come. A verdict on a beginning must hold for every continuation of it: this
is why the size of the pieces in which a reply comes makes no difference.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from memgpt_cli.llm.replies.offered import Offered, ReadCall


class CallVerdict(Enum):
    """Not a call: certainly, or for all that has come so far."""

    NO = auto()
    MORE = auto()


NO, MORE = CallVerdict.NO, CallVerdict.MORE


@dataclass(frozen=True, slots=True)
class Found:
    """Calls that end before the place `end`."""

    calls: tuple[ReadCall, ...]
    end: int


Reading = Found | CallVerdict
Reader = Callable[[str, int, Offered, bool], Reading]
"""(text, place, offered, final) -> what is there. It never answers MORE when `final`."""


def skip_blank(text: str, at: int, more: str = "") -> int:
    """The place of the next character that is neither blank nor in `more`."""
    while at < len(text) and (text[at].isspace() or text[at] in more):
        at += 1
    return at


def first_found(readers: Sequence[Reader], text: str, at: int, offered: Offered, *, final: bool) -> Reading:
    """What the first reader finds that does not say NO."""
    for read in readers:
        if (reading := read(text, at, offered, final)) is not NO:
            return reading
    return NO
