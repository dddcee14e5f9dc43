"""A text to be forgotten, as something to find: in texts, in JSON, and in the raw bytes of files.

Found in any case and whatever blanks stand between its words; composed and decomposed letters are the same. Not here:
what is done with what is found.
"""

import codecs
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from memgpt_cli.domain.forgetting import SHORTEST_RAW

_ESCAPED: Final = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|([nrt]))")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；])|\n")
_BLOCK: Final = 16_000_000


class Needle:
    """One text, and how it may be written."""

    def __init__(self, text: str) -> None:
        words = " ".join(text.split())
        self.text = words
        self.short = len(words.encode()) < SHORTEST_RAW
        self._forms = {unicodedata.normalize(form, words) for form in ("NFC", "NFD", "NFKC")} | {words}
        alternatives = "|".join(r"\s+".join(map(re.escape, form.split())) for form in sorted(self._forms))
        # A short text is a word of its own, or every "planning" would go with Ann.
        edges = (r"(?<!\w)", r"(?!\w)") if self.short and words.isascii() else ("", "")
        self._pattern = re.compile(f"{edges[0]}(?:{alternatives}){edges[1]}", re.IGNORECASE)

    def is_in(self, text: str | None) -> bool:
        """Whether a text holds it, written plainly or with the escapes of JSON."""
        if not text:
            return False
        if self._pattern.search(text):
            return True
        return "\\" in text and self._pattern.search(_unescaped(text)) is not None

    def forms_in(self, text: str | None) -> set[str]:
        """How it is written there, letter by letter."""
        return {match.group() for match in self._pattern.finditer(text or "")}

    def cut(self, text: str) -> str:
        """The text without the sentences that hold it."""
        while match := self._pattern.search(text):
            ends = [end.end() for end in _SENTENCE_END.finditer(text)]
            start = max((end for end in ends if end <= match.start()), default=0)
            stop = min((end for end in ends if end >= match.end()), default=len(text))
            joint = "\n" if text[start:stop].endswith("\n") else ""
            text = text[:start] + joint + text[stop:]
            text = "\n".join(line.rstrip() for line in text.split("\n") if line.strip())
        return text

    def raw(self, also: Iterable[str] = ()) -> set[bytes]:
        """The byte sequences to look for in files, in lower case as far as ASCII goes; none for a short text."""
        if self.short:
            return set()
        spellings = {v for form in self._forms | set(also) for v in (form, form.lower(), form.upper(), form.title())}
        return {variant for spelling in spellings for variant in raw_forms(spelling)}


def raw_forms(text: str) -> set[bytes]:
    """A text as it stands in files: UTF-8, as JSON with escapes, UTF-16. In lower case as far as ASCII goes."""
    forms = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    written = {form.encode("utf-8", "replace") for form in forms}
    written |= {text.encode(encoding, "replace") for encoding in ("utf-16-le", "utf-16-be")}
    return {form.lower() for form in written}


def decoded(data: bytes) -> str:
    """The text of a small file as an editor may have left it: UTF-16 with its mark, else UTF-8."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if marked else "utf-8", "replace")


def search_files(files: Iterable[Path], needles: Iterable[bytes]) -> Iterator[tuple[Path, int, bool]]:
    """Each file with its size and whether it holds one of these byte sequences, in any case of ASCII letters."""
    wanted = list(needles)
    for path in files:
        try:
            size, found = _search_file(path, wanted)
        except FileNotFoundError:
            continue  # somebody's temporary file
        yield path, size, found


def _search_file(path: Path, needles: list[bytes]) -> tuple[int, bool]:
    size = 0
    overlap = max((len(needle) for needle in needles), default=1) - 1
    tail = b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            size += len(block)
            text = tail + block.lower()
            if any(needle in text for needle in needles):
                return size, True
            tail = text[-overlap:] if overlap else b""
    return size, False


def _unescaped(text: str) -> str:
    plain = _ESCAPED.sub(lambda match: chr(int(match[1], 16)) if match[1] else " ", text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
