"""Words, stems and terms: the stemmer against FTS5's own, and what a query looks for."""

import sqlite3
import string
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from memgpt_cli.text.stems import base, stem
from memgpt_cli.text.terms import TermFinder, query_terms, text_terms
from memgpt_cli.text.vocabulary import IRREGULAR, STOP_WORDS

ENDINGS = tuple(
    "s es ed ing ly ies ied eed ational tional enci izer logi alism iveness fulness biliti icate alize ness"  # noqa: SIM905
    " ement ment ion tion sion able ible ous ive e ll y".split()
)


def stems_of_fts5(words: list[str]) -> list[str]:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE VIRTUAL TABLE texts USING fts5 (word, tokenize = 'porter ascii')")
        db.execute("CREATE VIRTUAL TABLE terms USING fts5vocab (texts, instance)")
        db.executemany("INSERT INTO texts (rowid, word) VALUES (?, ?)", enumerate(words))
        return [row[0] for row in db.execute("SELECT term FROM terms ORDER BY doc")]


def test_stems_are_those_of_the_full_text_index() -> None:
    words = [word for group in IRREGULAR for word in group] + sorted(STOP_WORDS)
    words += [start + ending for start in ("happ", "relat", "hop", "stat", "creat", "fly") for ending in ENDINGS]
    assert [stem(word) for word in words] == stems_of_fts5(words)


@given(st.lists(st.tuples(st.text(string.ascii_lowercase, min_size=3, max_size=8), st.sampled_from(ENDINGS))))
def test_stems_of_any_letters_are_those_of_the_full_text_index(parts: list[tuple[str, str]]) -> None:
    words = [start + ending for start, ending in parts]
    assert [stem(word) for word in words] == stems_of_fts5(words)


def test_forms_of_one_word_are_one_term() -> None:
    assert query_terms("What did Ana buy, and who bought the books?") == [base("ana"), base("buy"), base("book")]
    assert len({base(form) for form in "go went gone going".split()}) == 1  # noqa: SIM905


def test_unspaced_text_is_looked_for_by_pairs() -> None:
    assert query_terms("妈妈做了什么菜") == ["妈妈", "妈做", "菜"]
    assert list(TermFinder({"妈做": 1.0, "菜": 1.0}).find("妈妈做菜")) == [(1, "妈做"), (3, "菜")]


@given(st.text(max_size=60), st.lists(st.sampled_from(["went", "café", "菜单", "x1", "running"]), max_size=4))
def test_the_finder_finds_what_is_among_the_terms_of_a_text(text: str, words: list[str]) -> None:
    said = " ".join([text, *words])
    terms = dict.fromkeys(query_terms("go cafe café 菜单 x1 run"), 1.0)
    spaced = [term for term in text_terms(said) if term in terms and term.isascii()]
    assert [term for _, term in TermFinder(terms).find(said) if term.isascii()] == spaced
