"""A tolerant reader of object literals: JSON, Python and JavaScript mixed, as models write them.

Single quotes, `True`/`None`, bare keys, trailing commas, raw line ends in strings, Gemma 4's `<|"|>` quotes. It
distinguishes an unfinished literal (more may come) from one that can never become valid.
"""

import json
import re
from typing import Any, Final

_DEEPEST: Final = 64
_BLANK: Final = re.compile(r"[\s,]*")
_SPACE: Final = re.compile(r"\s*")
_NAME: Final = re.compile(r"[A-Za-z_][\w.-]*")
_NUMBER: Final = re.compile(r"[+-]?(?:\d[\d_]*)?(?:\.\d*)?(?:[eE][+-]?\d+)?")
_BARE: Final = re.compile(r"[^,\]})\n]*")
_CONSTANTS: Final = {"true": True, "false": False, "null": None, "none": None}
_QUOTES: Final = ('<|"|>', "<escape>", '"""', "'''", '"', "'")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}
_STRICT: Final = json.JSONDecoder(strict=False)


class InvalidLiteralError(ValueError):
    """No continuation makes this a literal."""


class UnfinishedLiteralError(ValueError):
    """The literal may still be completed by more text."""


def read_object(text: str) -> Any:
    """Return the one object or list that `text` consists of; None for anything else."""
    stripped = text.strip()
    if stripped[:1] not in ("{", "["):
        return None
    try:
        value, end = read_literal(stripped, 0)
    except (InvalidLiteralError, UnfinishedLiteralError):
        return None
    return value if end == len(stripped) else None


def read_literal(text: str, start: int) -> tuple[Any, int]:
    """Return the object or list that begins at `start`, and its end.

    Raises UnfinishedLiteralError or InvalidLiteralError.
    """
    try:
        return _STRICT.raw_decode(text, start)
    except (ValueError, RecursionError):
        return _Reader(text).value(start, 0)


def read_value(text: str, start: int) -> tuple[Any, int]:
    """Return any value that begins at `start`, as in a Python call; raises like `read_literal`."""
    return _Reader(text).value(start, 0)


class _Reader:
    """A recursive descent over one text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def value(self, at: int, depth: int) -> tuple[Any, int]:
        text = self._text
        if at >= len(text):
            raise UnfinishedLiteralError
        if depth > _DEEPEST:
            raise InvalidLiteralError
        if text[at] == "{":
            return self._object(at + 1, depth + 1)
        if text[at] in "[(":
            return self._list(at + 1, "]" if text[at] == "[" else ")", depth + 1)
        if (quote := self._quote(at)) is not None:
            return self._string(at, quote)
        return self._scalar(at)

    def _object(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        while True:
            at = self._skip(_BLANK, at)
            if self._text[at] == "}":
                return found, at + 1
            key, at = self._key(at)
            at = self._skip(_SPACE, at)
            if self._text[at] not in ":=":
                raise InvalidLiteralError
            found[key], at = self.value(self._skip(_SPACE, at + 1), depth)
            self._require_separator(at, "}")

    def _list(self, at: int, closing: str, depth: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        while True:
            at = self._skip(_BLANK, at)
            if self._text[at] == closing:
                return found, at + 1
            item, at = self.value(at, depth)
            found.append(item)
            self._require_separator(at, closing)

    def _require_separator(self, at: int, closing: str) -> None:
        if self._text[self._skip(_SPACE, at)] not in ("," + closing):
            raise InvalidLiteralError

    def _skip(self, pattern: re.Pattern[str], at: int) -> int:
        """Return the position after a match of `pattern`, which must be in the text."""
        match = pattern.match(self._text, at)
        at = match.end() if match else at
        if at >= len(self._text):
            raise UnfinishedLiteralError
        return at

    def _key(self, at: int) -> tuple[str, int]:
        if (quote := self._quote(at)) is not None:
            return self._string(at, quote)
        match = _NAME.match(self._text, at)
        if match is None:
            raise InvalidLiteralError
        return match[0], match.end()

    def _quote(self, at: int) -> str | None:
        """Return the quotes that open a string here; raises UnfinishedLiteralError if that depends on later text."""
        found = next((quote for quote in _QUOTES if self._text.startswith(quote, at)), None)
        rest = len(self._text) - at
        if rest < max(map(len, _QUOTES)):
            tail = self._text[at:]
            if any(len(quote) > rest and quote.startswith(tail) for quote in _QUOTES):
                raise UnfinishedLiteralError
        return found

    def _string(self, at: int, quote: str) -> tuple[str, int]:
        at += len(quote)
        if len(quote) > 1:
            end = self._text.find(quote, at)
            if end < 0:
                raise UnfinishedLiteralError
            return self._text[at:end], end + len(quote)
        pieces: list[str] = []
        pattern = re.compile(rf"[^\\{quote}]*")
        while True:
            match = pattern.match(self._text, at)
            at = match.end() if match else at
            pieces.append(match[0] if match else "")
            if at >= len(self._text):
                raise UnfinishedLiteralError
            if self._text[at] == quote:
                return "".join(pieces), at + 1
            piece, at = self._escape(at + 1)
            pieces.append(piece)

    def _escape(self, at: int) -> tuple[str, int]:
        text = self._text
        if at >= len(text):
            raise UnfinishedLiteralError
        width = {"u": 4, "x": 2}.get(text[at], 0)
        if not width:
            return _ESCAPES.get(text[at], text[at]), at + 1
        digits = text[at + 1 : at + 1 + width]
        if len(digits) < width:
            raise UnfinishedLiteralError
        try:
            return chr(int(digits, 16)), at + 1 + width
        except ValueError:
            raise InvalidLiteralError from None

    def _scalar(self, at: int) -> tuple[Any, int]:
        """Read a number, a constant, or bare text; it needs the next character to know that it is complete."""
        match = _BARE.match(self._text, at)
        end = match.end() if match else at
        if end >= len(self._text):
            raise UnfinishedLiteralError
        word = self._text[at:end].strip()
        if word.lower() in _CONSTANTS:
            return _CONSTANTS[word.lower()], end
        if word and _NUMBER.fullmatch(word):
            return _number(word), end
        raise InvalidLiteralError


def _number(word: str) -> int | float:
    try:
        return float(word) if set(word) & set(".eE") else int(word)
    except ValueError:
        raise InvalidLiteralError from None
