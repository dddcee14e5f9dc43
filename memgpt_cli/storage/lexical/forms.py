"""The words of a query as FTS5 splits and stems them (`porter unicode61`). `text` splits texts into words."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from memgpt_cli.text.spellings import other_spellings
from memgpt_cli.text.vocabulary import IRREGULAR
from memgpt_cli.text.words import query_words, segment

_KNOWN_WORDS: Final = 10_000
"""Maximum words in a tokenizer's cache: about a megabyte."""


@dataclass(frozen=True, slots=True)
class Form:
    """A word, and its tokens in the full-text table; several are a phrase."""

    word: str
    tokens: tuple[str, ...]

    @property
    def quoted(self) -> str:
        """Return the word for MATCH, as a quoted phrase: no part of it is parsed as FTS5's syntax."""
        return f'"{segment(self.word)}"'


@dataclass(frozen=True, slots=True)
class Term:
    """One search term: `word` as it was typed, and its equivalent forms, its own first."""

    word: str
    forms: tuple[Form, ...]


class Tokenizer:
    """Uses FTS5 to split and stem words, in a separate in-memory database."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("CREATE VIRTUAL TABLE words USING fts5 (word, content = '', tokenize = 'porter unicode61')")
        self._db.execute("CREATE VIRTUAL TABLE cut USING fts5vocab (words, instance)")
        self._known: dict[str, tuple[str, ...]] = {}
        self._groups: dict[tuple[str, ...], tuple[Form, ...]] = {}

    def terms(self, query: str) -> list[Term]:
        """Return the terms of a query; forms of one word are one term, words without tokens are skipped.

        A day and a number with separators are one term each, in all their spellings.
        """
        groups = self._irregular()
        words = query_words(query)
        tokens_of = self._cut(words)
        terms: dict[frozenset[tuple[str, ...]], Term] = {}
        for word in words:
            if tokens := tokens_of[word]:
                forms = (Form(word, tokens), *(form for form in groups.get(tokens, ()) if form.tokens != tokens))
                terms.setdefault(frozenset(form.tokens for form in forms), Term(word, forms))
        for spelled in other_spellings(query):
            cut = self._cut(spelled)
            spellings = {cut[spelling]: Form(spelling, cut[spelling]) for spelling in spelled if cut[spelling]}
            term = Term(spelled[0], tuple(spellings.values()))
            terms = {key: known for key, known in terms.items() if known.word != term.word}
            terms[frozenset(spellings)] = term
        return list(terms.values())

    def close(self) -> None:
        """Release the database."""
        self._db.close()

    def _irregular(self) -> dict[tuple[str, ...], tuple[Form, ...]]:
        """Return for the stem of each irregular form all forms of its word, one for each stem."""
        if not self._groups:
            for group in IRREGULAR:
                forms = {tokens: Form(word, tokens) for word, tokens in self._cut(group).items()}
                self._groups.update(dict.fromkeys(forms, tuple(forms.values())))
        return self._groups

    def _cut(self, words: Sequence[str]) -> dict[str, tuple[str, ...]]:
        if len(self._known) > _KNOWN_WORDS:
            self._known.clear()
        new = [word for word in words if word not in self._known]
        if new:
            self._db.executemany(
                "INSERT INTO words (rowid, word) VALUES (?, ?)", ((n, segment(word)) for n, word in enumerate(new))
            )
            cut: dict[int, list[str]] = {}
            for number, token in self._db.execute("SELECT doc, term FROM cut ORDER BY doc, offset"):
                cut.setdefault(number, []).append(token)
            self._db.execute("INSERT INTO words (words) VALUES ('delete-all')")
            self._known.update({word: tuple(cut.get(number, ())) for number, word in enumerate(new)})
        return {word: self._known[word] for word in words}
