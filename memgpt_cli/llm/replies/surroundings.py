"""Whether a mark is only mentioned in the text around it: quotation marks, code, and continuing sentences."""

import re
from typing import Final

_QUOTES: Final = frozenset("`\"'“‘«„(/")
_GOES_ON: Final = re.compile(r"[ \t]*[,;:).]|[ \t]+[a-zà-öø-ÿа-я]")

_NEXT_ITEM: Final = re.compile(r"\s*[,;]\s*[{\[<]")
_SEPARATOR: Final = re.compile(r"[ \t]*[,;]\s*")


def is_quoted(line: str) -> bool:
    """Whether the text after `line`, the current line so far, is in quotation marks or in code."""
    return line[-1:] in _QUOTES or line.count("`") % 2 == 1


def is_mid_sentence(line: str) -> bool:
    """Whether the current line breaks off inside a sentence."""
    last = line.rstrip()[-1:]
    return last.isalnum() or last in {",", "-", "–", "="}


def continues_sentence(rest: str) -> bool:
    """Whether `rest` continues a sentence on the same line: a small letter after a blank, or punctuation."""
    return _GOES_ON.match(rest) is not None


def continues_list(rest: str) -> bool:
    """Whether `rest` continues with another call after a comma or semicolon."""
    return _NEXT_ITEM.match(rest) is not None


def is_undecided(rest: str) -> bool:
    """Whether `rest` is too short to decide how the line continues."""
    return not rest.strip(" \t") or _SEPARATOR.fullmatch(rest) is not None
