"""Check that a deleted text is in no row, with code that is independent of the search.

Values are decoded with the JSON parser at every depth and split into words by FTS5's own tokenizer, so that an error in
`forgotten_text` is detected. It recognises whole words; the byte search in files finds parts of words.
"""

import json
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from memgpt_cli.domain.forgetting import SHORTEST_INSIDE
from memgpt_cli.text.words import segment

_BATCH: Final = 5_000
_DEEPEST: Final = 8


class RowProof:
    """Reports the columns of a database in which a text can still be found."""

    def __init__(self, text: str) -> None:
        self._text = _visible(text)
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        self._db.execute("CREATE VIRTUAL TABLE texts USING fts5 (text, content = '', tokenize = 'unicode61')")
        bare = self._text.strip()
        letters = sum(map(str.isalnum, bare))
        # The tokenizer cannot tell "C++" from "C".
        self._literal = letters < SHORTEST_INSIDE and not (bare[:1].isalnum() and bare[-1:].isalnum())
        self._phrase = '"{}"'.format(segment(self._text).replace('"', " "))
        self._longest_word = max(bare.lower().split() or [""], key=len) if bare.isascii() else ""

    def columns_with(self, connection: sqlite3.Connection, columns: Iterable[tuple[str, str]]) -> Iterator[str]:
        """Yield those of these (table, column) pairs that still contain the text, as `table.column`."""
        for table, column in columns:
            rows = connection.execute(f'SELECT "{column}" FROM "{table}" WHERE "{column}" <> \'\'')  # noqa: S608
            while batch := rows.fetchmany(_BATCH):
                if self._in_any(str_of(value) for (value,) in batch):
                    yield f"{table}.{column}"
                    break

    def _in_any(self, values: Iterable[str]) -> bool:
        texts = [_visible(text) for value in values if self._possible(value) for text in decoded_texts(value)]
        if self._literal:
            wanted = " ".join(self._text.casefold().split())
            return any(wanted in " ".join(text.casefold().split()) for text in texts)
        self._db.executemany("INSERT INTO texts (text) VALUES (?)", ((segment(text),) for text in texts))
        found = self._db.execute("SELECT 1 FROM texts WHERE texts MATCH ? LIMIT 1", (self._phrase,)).fetchone()
        self._db.execute("INSERT INTO texts (texts) VALUES ('delete-all')")
        return found is not None

    def _possible(self, value: str) -> bool:
        """False for plain ASCII without escapes and without the longest word: it contains no spelling of the text."""
        if not self._longest_word.isalnum() or not value.isascii() or "\\" in value:
            return True
        return self._longest_word in value.lower()


def decoded_texts(value: str) -> Iterator[str]:
    """Yield the text itself, and every string in it if it is JSON, at any depth."""
    yield value
    waiting: list[tuple[object, int]] = [(_parsed(value), 0)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, dict):
            waiting += [(part, depth) for pair in item.items() for part in pair]
        elif isinstance(item, list):
            waiting += [(part, depth) for part in item]
        elif isinstance(item, str):
            yield item
            if depth < _DEEPEST and (inner := _parsed(item)) is not None:
                waiting.append((inner, depth + 1))


def str_of(value: object) -> str:
    """Return a cell of a database as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _parsed(text: str) -> object:
    if text.lstrip()[:1] not in {"{", "[", '"'}:
        return None
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def _visible(text: str) -> str:
    """Remove characters of the category "format" (zero-width characters, soft hyphens) and compose the rest."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", "".join(c for c in text if unicodedata.category(c) != "Cf"))
