"""Text cut into words, alike for what is stored and for what is asked.

Writing without spaces (Chinese, Japanese, Korean, Thai and their neighbours) becomes one token for each character; a
query asks for two neighbouring ones as a phrase, so a two-character word is found wherever it stands. Everything else
is left to FTS5's own tokenizer (`porter unicode61`). No SQL but the one that asks FTS5 how it would cut a query.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from memgpt_cli.storage.english import IRREGULAR, STOP_WORDS

_UNSPACED: Final = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u1100-\u11ff\uac00-\ud7af"  # Hangul
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana with its iteration and length marks
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # ideographs
)
_UNSPACED_CHARACTER: Final = re.compile(f"([{_UNSPACED}])")
_IDEOGRAPH: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_PIECE: Final = re.compile(f"[{_UNSPACED}]+|[^\\W_{_UNSPACED}]+")

_STOP_CHARACTERS: Final = re.compile(
    "什么时候|什么|怎么样|怎么|怎样|为什么|哪里|哪儿|哪个|哪些|多少|是不是|有没有|我们|你们|他们|她们|它们|这个|那个|这些|那些|"
    "的|了|吗|呢|吧|啊|是|在|我|你|他|她|它|您|和|与|及|或|也|都|就|把|被|给|对|很|这|那|哪|谁|"
    "什麼時候|什麼|怎麼樣|怎麼|為什麼|哪裡|哪裏|多少|我們|你們|他們|她們|這個|那個|這些|嗎|這|誰|"
    "ですか|ますか|でした|ました|です|ます|した|している|する|いつ|どこ|だれ|誰|なに|何|どの|どんな|どれ|どう|なぜ|"
    "わたし|あなた|この|その|あの|これ|それ|から|まで|は|が|を|に|で|と|の|も|へ|か|"
    "무엇|언제|어디|누구|어떤|어느|왜|어떻게|나는|너는|내가|네가"
)
"""Words that say nothing, in Chinese (both scripts), Japanese and Korean: a query is divided where they stand."""

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


def segment(text: str) -> str:
    """The text as the full-text tables get it: characters of unspaced scripts each on their own."""
    if text.isascii():
        return text
    return _UNSPACED_CHARACTER.sub(r" \1 ", unicodedata.normalize("NFKC", text))


def query_words(query: str) -> list[str]:
    """What a query asks for, in order and once each: words without stop words, pairs of unspaced characters.

    A query of nothing but stop words asks for them.
    """
    pieces = [match.group().casefold() for match in _PIECE.finditer(unicodedata.normalize("NFKC", query))]
    chosen = [word for piece in pieces for word in _telling(piece)]
    if not chosen:
        chosen = [word for piece in pieces for word in _pairs(piece)]
    return list(dict.fromkeys(chosen))


def _telling(piece: str) -> Iterator[str]:
    if not _UNSPACED_CHARACTER.match(piece):
        if piece not in STOP_WORDS:
            yield piece
        return
    for run in _STOP_CHARACTERS.split(piece):
        if len(run) > 1 or run == piece or _IDEOGRAPH.match(run):
            yield from _pairs(run)


def _pairs(piece: str) -> Iterator[str]:
    if len(piece) < 2 or not _UNSPACED_CHARACTER.match(piece):  # noqa: PLR2004 - a pair
        if piece:
            yield piece
        return
    for i in range(len(piece) - 1):
        yield piece[i : i + 2]


class Tokenizer:
    """Asks FTS5 itself how it cuts and stems words, in a database of its own in memory."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("CREATE VIRTUAL TABLE words USING fts5 (word, content = '', tokenize = 'porter unicode61')")
        self._db.execute("CREATE VIRTUAL TABLE cut USING fts5vocab (words, instance)")
        self._known: dict[str, tuple[str, ...]] = {}
        self._groups: dict[tuple[str, ...], tuple[Form, ...]] = {}

    def terms(self, query: str) -> list[Term]:
        """The terms of a query; forms of one word are one term, words without any token are left out."""
        groups = self._irregular()
        words = query_words(query)
        tokens_of = self._cut(words)
        terms: dict[frozenset[tuple[str, ...]], Term] = {}
        for word in words:
            if tokens := tokens_of[word]:
                forms = (Form(word, tokens), *(form for form in groups.get(tokens, ()) if form.tokens != tokens))
                terms.setdefault(frozenset(form.tokens for form in forms), Term(word, forms))
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
