"""Decode bytes: detect the encoding of a file, and whether it is text at all."""

import codecs
import re
from typing import Final

from memgpt_cli.errors import DocumentError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is a prefix of it
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LEGACY: Final = ["gb18030", "big5", "cp932", "euc_jp", "euc_kr", "cp1251", "koi8_r", "cp1252"]
"""Candidates for a file that is not Unicode; with more of them, short Western texts are guessed wrong."""

_WESTERN: Final = "cp1252"
_CYRILLIC: Final = ("cp1251", "koi8_r")
_HIGH: Final = bytes(range(128, 256))

_SAMPLE: Final = 256 * 1024
_CONTROLS: Final = re.compile(r"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
_TOO_MANY_CONTROLS: Final = 0.02
_TOO_MANY_ZEROS: Final = 0.001
_COOKIE: Final = re.compile(rb"coding[:=][ \t]*([-\w.]{2,30})")
_LINE_ENDS: Final = re.compile(r"\r\n?")


def decode(data: bytes, *, declared: str | None = None) -> str:
    r"""Return the text of a file, without byte order mark, its lines ended by \n.

    `declared` is the encoding that the file declares; it is used if it is valid. Raises DocumentError if the bytes are
    not text.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _tidy(data[len(mark) :].decode(name, "replace"))
    text = _without_mark(data, declared or _cookie(data))
    if len(_CONTROLS.findall(text, 0, _SAMPLE)) > _TOO_MANY_CONTROLS * min(len(text), _SAMPLE):
        raise DocumentError("not text")
    return _tidy(text)


def _without_mark(data: bytes, declared: str | None) -> str:
    wide = _wide(data)
    if wide is not None:
        return data.decode(wide, "replace")
    if data.count(0) > _TOO_MANY_ZEROS * len(data):
        raise DocumentError("not text")
    for name in ("utf-8", declared):
        try:
            return data.decode(name) if name else _mostly_utf8(data) or _guessed(data)
        except (LookupError, UnicodeError):
            continue
    return _mostly_utf8(data) or _guessed(data)


def _wide(data: bytes) -> str | None:
    """Detect UTF-16 without a mark: every other byte of Western text is zero."""
    head = data[: 4096 & ~1]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd * 5 > len(head) and even * 20 < odd:
        return "utf-16-le"
    return "utf-16-be" if even * 5 > len(head) and odd * 20 < even else None


def _mostly_utf8(data: bytes) -> str | None:
    """Decode a text with some invalid bytes, such as a log or a truncated file."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(1 for character in text if character > "\x7f") - broken
    return text if broken * 10 <= whole else None


def _guessed(data: bytes) -> str:
    from charset_normalizer import from_bytes

    sample = data[:_SAMPLE]
    if len(data) > _SAMPLE:
        sample = sample[: sample.rfind(b"\n") + 1] or sample  # do not cut a multi-byte character
    match = from_bytes(sample, cp_isolation=_LEGACY).best()
    name = match.encoding if match is not None else _WESTERN
    is_mostly_latin = len(sample.translate(None, _HIGH)) > len(sample) // 2
    return data.decode(_WESTERN if name in _CYRILLIC and is_mostly_latin else name, "replace")


def _cookie(data: bytes) -> str | None:
    """Return the encoding declared in the first two lines of a source file."""
    match = _COOKIE.search(data, 0, 300)
    return match[1].decode("ascii", "replace") if match and data.count(b"\n", 0, match.start()) < 2 else None  # noqa: PLR2004


def _tidy(text: str) -> str:
    if "\x00" in text:
        text = text.replace("\x00", "")
    return _LINE_ENDS.sub("\n", text.removeprefix("\ufeff"))
