"""Split a text into words, in the same way for stored texts and for queries.

Scripts without spaces (Chinese, Japanese, Korean, Thai and similar) are split into single characters; a query searches
for each pair of neighbouring characters. `stems` does the stemming.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from memgpt_cli.text.vocabulary import STOP_CHARACTERS, STOP_WORDS

_IDEOGRAPHS: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_UNSPACED: Final = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u1100-\u11ff\uac00-\ud7af"  # Hangul
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana with its iteration and length marks
    f"{_IDEOGRAPHS}"
)
_UNSPACED_CHARACTER: Final = re.compile(f"([{_UNSPACED}])")
_IDEOGRAPH: Final = re.compile(f"[{_IDEOGRAPHS}]")
_KANA_OR_HANGUL: Final = re.compile("[\u3040-\u30ff\u1100-\u11ff\uac00-\ud7af]")
_PIECE: Final = re.compile(f"[{_UNSPACED}]+|[^\\W_{_UNSPACED}]+")
_WORD: Final = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")


def segment(text: str) -> str:
    """Return the text for the full-text tables: characters of scripts without spaces are separated."""
    if text.isascii():
        return text
    return _UNSPACED_CHARACTER.sub(r" \1 ", unicodedata.normalize("NFKC", text))


def words(text: str) -> list[str]:
    """Return all words in lower case, in order, with repetitions; a character of a script without spaces is a word."""
    return [match.group().casefold() for match in _WORD.finditer(unicodedata.normalize("NFKC", text))]


def pieces(text: str) -> list[str]:
    """Return all words in lower case, in order; a run of characters without spaces is one piece."""
    return [match.group().casefold() for match in _PIECE.finditer(unicodedata.normalize("NFKC", text))]


def query_words(query: str) -> list[str]:
    """Return the words to search for, in order, each once: no stop words, pairs in scripts without spaces.

    If a query contains only stop words, they are used.
    """
    found = pieces(query)
    chosen = [word for piece in found for word in _content(piece)]
    if not chosen:
        chosen = [word for piece in found for word in pairs(piece)]
    return list(dict.fromkeys(chosen))


def pairs(piece: str) -> Iterator[str]:
    """Yield each pair of neighbouring characters of a script without spaces; other pieces unchanged."""
    if len(piece) < 2 or not is_unspaced(piece):  # noqa: PLR2004 - a pair
        yield piece
    else:
        yield from (piece[n : n + 2] for n in range(len(piece) - 1))


def is_unspaced(text: str) -> bool:
    """Whether a text begins with a character of a script that is written without spaces."""
    return _UNSPACED_CHARACTER.match(text) is not None


def has_unspaced(text: str) -> bool:
    """Whether a text contains a character of a script that is written without spaces."""
    return not text.isascii() and _UNSPACED_CHARACTER.search(text) is not None


def is_chinese(text: str) -> bool:
    """Whether a text contains ideographs and neither kana nor Hangul."""
    return not text.isascii() and _IDEOGRAPH.search(text) is not None and _KANA_OR_HANGUL.search(text) is None


def _content(piece: str) -> Iterator[str]:
    if not is_unspaced(piece):
        if piece not in STOP_WORDS:
            yield piece
        return
    for run in STOP_CHARACTERS.split(piece):
        if len(run) > 1 or run == piece or _IDEOGRAPH.match(run):
            yield from pairs(run)
