"""The words of a query as FTS5 cuts and stems them (`porter unicode61`): what makes a word of a text is in `text`."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from memgpt_cli.text.spellings import other_spellings
from memgpt_cli.text.vocabulary import IRREGULAR
from memgpt_cli.text.words import query_words, segment

_KNOWN_WORDS: Final = 10_000
"""How many words a tokenizer keeps in mind: about a megabyte."""


@dataclass(frozen=True, slots=True)
class Form:
    """A word, and the tokens that the full-text table makes of it; several are a phrase."""

    word: str
    tokens: tuple[str, ...]

    @property
    def quoted(self) -> str:
        """The word for MATCH, as a phrase: nothing of it can be taken for FTS5's own syntax."""
        return f'"{segment(self.word)}"'


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to look for: `word` as it was typed, and the forms that are as good as it, its own first."""

    word: str
    forms: tuple[Form, ...]


class Tokenizer:
    """Asks FTS5 itself how it cuts and stems words, in a database of its own in memory."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("CREATE VIRTUAL TABLE words USING fts5 (word, content = '', tokenize = 'porter unicode61')")
        self._db.execute("CREATE VIRTUAL TABLE cut USING fts5vocab (words, instance)")
        self._known: dict[str, tuple[str, ...]] = {}
        self._groups: dict[tuple[str, ...], tuple[Form, ...]] = {}

    def terms(self, query: str) -> list[Term]:
        """The terms of a query; forms of one word are one term, words without any token are left out.

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
        """For the stem of each irregular form all forms of its word, one for each stem."""
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
