"""Normalise the spellings of a text, and decode escaped text.

`fold` maps every spelling that full-text search treats as equal to the same string: case, composed and decomposed
letters, full-width forms, ligatures, diacritics of Latin letters. It also removes invisible characters (zero-width
characters, soft hyphens).
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]"
)
_LATIN_MARKS: Final = re.compile("(?<=[a-z])[\u0300-\u036f]+")
"""After NFKD. FTS5's `unicode61` removes diacritics from Latin letters only."""
_QUOTES: Final = str.maketrans({"‘": "'", "’": "'", "ʼ": "'", "“": '"', "”": '"', "‐": "-", "‑": "-", "–": "-"})

_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\"'\\/bfnrt]))")
_PLAIN: Final = {"b": " ", "f": " ", "n": "\n", "r": "\r", "t": "\t"}
_DEEPEST: Final = 8
"""Levels of escaping that are read. Each level about doubles the backslashes, so deeper text does not occur."""


def fold(text: str) -> str:
    """Return the normalised text; equal for all texts that search treats as the same words."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)).casefold()
    decomposed = _INVISIBLE.sub("", unicodedata.normalize("NFKD", decomposed))
    return unicodedata.normalize("NFC", _LATIN_MARKS.sub("", decomposed)).translate(_QUOTES)


def fold_with_offsets(text: str) -> tuple[str, list[int]]:
    """Return `fold(text)` and, for each of its characters and its end, the offset in `text` where it begins."""
    if text.isascii():
        return text.lower(), list(range(len(text) + 1))
    folded: list[str] = []
    offsets: list[int] = []
    for start, cluster in _clusters(text):
        plain = fold(cluster)
        folded.append(plain)
        offsets += [start] * len(plain)
    return "".join(folded), [*offsets, len(text)]


def views(text: str) -> Iterator[str]:
    """Yield the text, then the text with one more level of backslash escapes resolved, while there are any."""
    yield text
    for _ in range(_DEEPEST):
        if "\\" not in text:
            return
        plain = _ESCAPE.sub(_resolved, text)
        if plain == text:
            return
        # two escapes of a surrogate pair are one character
        text = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        yield text


def _resolved(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _PLAIN.get(match[3], match[3])


def _clusters(text: str) -> Iterator[tuple[int, str]]:
    """Yield each character with the marks and invisible characters that follow it, with its offset."""
    start = 0
    for position in range(1, len(text) + 1):
        if position == len(text) or not _joins(text[position]):
            yield start, text[start:position]
            start = position


def _joins(character: str) -> bool:
    """Whether a character belongs to the previous one."""
    if character.isascii():
        return False
    first = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.combining(first) != 0 or "\u1160" <= first <= "\u11ff" or bool(_INVISIBLE.match(character))
