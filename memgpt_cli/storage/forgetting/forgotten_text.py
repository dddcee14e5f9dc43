"""Find a text to be deleted: in texts, in JSON at any depth, and in the raw bytes of files.

It matches every spelling that search treats as equal (`spelling.fold`), with anything between its words, and under any
number of backslash escapes. The check (`proof`) uses independent code.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from memgpt_cli.domain.forgetting import SHORTEST_INSIDE, SHORTEST_RAW
from memgpt_cli.storage.forgetting.spelling import fold, fold_with_offsets, views

_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u1100-\u11ff\uac00-\ud7af\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # Hangul, kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # ideographs
)
_IS_UNSPACED: Final = re.compile(f"[{_UNSPACED}]")
_TOKEN: Final = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")
_SENTENCE: Final = re.compile(r".+?(?:[.!?;]+(?=\s)\s*|[。！？；]+|\n+|$)|\n+", re.DOTALL)
_BLOCK: Final = 16_000_000
_LONGEST_CUT: Final = 12
"""Maximum number of sentences of one occurrence; after that, the rest of the text is removed too."""


class ForgottenText:
    """One text, and its possible spellings.

    A text of at least `SHORTEST_INSIDE` letters, or one that begins and ends in a script without spaces, also matches
    inside longer words; a shorter one only as whole words.
    """

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split())
        folded = fold(self.text)
        tokens = _TOKEN.findall(folded)
        short = sum(map(len, tokens)) < SHORTEST_INSIDE
        self.whole_words = short and not all(map(_IS_UNSPACED.match, tokens))
        edges = _edges(folded, tokens) if short and tokens else ("", "")
        self._pattern = re.compile(edges[0] + _expression(folded, tokens, whole_words=self.whole_words) + edges[1])

    def is_in(self, text: str | None) -> bool:
        """Whether a text contains it, plain or with any number of levels of escapes."""
        return bool(text) and any(self._pattern.search(fold(view)) for view in views(text or ""))

    def forms_in(self, text: str | None) -> set[str]:
        """Return its spellings in a text, with escapes resolved."""
        forms = set()
        for view in views(text or ""):
            folded, offsets = fold_with_offsets(view)
            spans = (match.span() for match in self._pattern.finditer(folded))
            forms |= {view[offsets[start] : offsets[end]] for start, end in spans}
        return forms

    def cut(self, text: str) -> str:
        """Return the text without the sentences that contain it."""
        if not self.is_in(text):
            return text
        sentences = _SENTENCE.findall(text)
        width = 1
        while self.is_in("".join(sentences)):
            start = next((i for i in range(len(sentences)) if self.is_in("".join(sentences[i : i + width]))), None)
            if width > _LONGEST_CUT:
                return ""
            if start is None:
                width += 1
                continue
            removed = "".join(sentences[start : start + width])
            sentences[start : start + width] = ["\n"] if removed.endswith("\n") else []
        lines = "".join(sentences).split("\n")
        return "\n".join(line.rstrip() for line in lines if line.strip())

    def raw(self, also: Iterable[str] = ()) -> set[bytes]:
        """Return the byte sequences to search files for, with ASCII letters in lower case.

        None for a text that matches only whole words or is under `SHORTEST_RAW` bytes: its bytes occur by chance.
        """
        if self.whole_words or len(self.text.encode()) < SHORTEST_RAW:
            return set()
        spellings = {v for form in {self.text, *also} for v in (form, form.lower(), form.upper(), form.title())}
        return {variant for spelling in spellings for variant in raw_forms(spelling)}


def raw_forms(text: str) -> set[bytes]:
    """Return a text as it occurs in files: UTF-8, JSON, JSON within JSON, UTF-16; ASCII letters in lower case."""
    forms = {text}
    for _ in range(2):
        forms |= {json.dumps(form, ensure_ascii=ascii_only)[1:-1] for form in forms for ascii_only in (True, False)}
    written = {form.encode("utf-8", "replace") for form in forms}
    written |= {text.encode(encoding, "replace") for encoding in ("utf-16-le", "utf-16-be")}
    return {form.lower() for form in written}


def decoded(data: bytes) -> str:
    """Decode a small file as an editor may have saved it: UTF-16 with its mark, else UTF-8."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if marked else "utf-8", "replace")


def search_files(files: Iterable[Path], sought: Iterable[bytes]) -> Iterator[tuple[Path, int, bool]]:
    """Yield each file with its size in bytes and whether it contains one of these sequences, ignoring ASCII case."""
    wanted = list(sought)
    for path in files:
        try:
            size, found = _search_file(path, wanted)
        except FileNotFoundError:
            continue  # a temporary file of another process
        yield path, size, found


def _search_file(path: Path, sought: list[bytes]) -> tuple[int, bool]:
    size = 0
    overlap = max((len(form) for form in sought), default=1) - 1
    tail = b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            size += len(block)
            text = tail + block.lower()
            if any(form in text for form in sought):
                return size, True
            tail = text[-overlap:] if overlap else b""
    return size, False


def _edges(folded: str, tokens: list[str]) -> tuple[str, str]:
    """Return the characters before the first and after the last word of a short text: "C++" is not "C"."""
    first, last = folded.index(tokens[0]), folded.rindex(tokens[-1]) + len(tokens[-1])
    return re.sub(r"(\\\s)+", r"\\s+", re.escape(folded[:first])), re.sub(r"(\\\s)+", r"\\s+", re.escape(folded[last:]))


def _expression(folded: str, tokens: list[str], *, whole_words: bool) -> str:
    """Return a regular expression over folded text: the words in order, with no letters or digits between.

    A text without words is matched literally.
    """
    if not tokens:
        return r"\s+".join(map(re.escape, folded.split()))
    parts = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None:
            unspaced = _IS_UNSPACED.match(before) or _IS_UNSPACED.match(token)
            parts.append(r"[\W_]*" if unspaced else r"[\W_]+")
        parts.append(re.escape(token))
    letter = f"[^\\W_{_UNSPACED}]"
    before_word = f"(?<!{letter})" if whole_words and not _IS_UNSPACED.match(tokens[0]) else ""
    after_word = f"(?!{letter})" if whole_words and not _IS_UNSPACED.match(tokens[-1]) else ""
    return before_word + "".join(parts) + after_word
