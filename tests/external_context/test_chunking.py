"""Chunks lose no text, keep their limit, fall at meaningful borders and say where they come from."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgpt_cli.domain.documents import TextKind
from memgpt_cli.external_context.chunking import Chunk, chunk


def words(text: str) -> int:
    """A counter of words, and of letters in scripts without spaces."""
    return len(re.findall(r"[\u3040-\u9fff]|[^\s\u3040-\u9fff]+", text))


def utf8(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def thirds(text: str) -> int:
    return -(-len(text) // 3)


def bare(text: str) -> str:
    return "".join(text.split())


def texts(chunks: list[Chunk]) -> list[str]:
    return [piece.text for piece in chunks]


MARKUP = ["# Head", "## Sub ##", "Title\n===", "```py\n", "```", "- item\n", "| a | b |\n", "CHAPTER 2", "1.2 Scope"]
PROSE = ["word", "A sentence. ", "他来了。", "！？", "e.g. ", "x" * 90, "👩‍👩‍👧‍👦", "é", "。" * 30]
LAYOUT = ["\n\n", "\n", " ", "\u3000", "\r\n", "def f():\n    return 1\n", "}\n"]
SNIPPETS = st.sampled_from([*MARKUP, *PROSE, *LAYOUT])
DOCUMENTS = st.one_of(
    st.text(max_size=400), st.lists(st.one_of(SNIPPETS, st.text(max_size=8)), max_size=60).map("".join)
)
COUNTERS = st.sampled_from([words, utf8, thirds])
KINDS = st.sampled_from(["text", "markdown", "code"])


@settings(max_examples=300, deadline=None)
@given(text=DOCUMENTS, limit=st.integers(1, 60), count=COUNTERS, kind=KINDS)
def test_no_text_is_lost_and_no_chunk_is_over_the_limit(
    text: str, limit: int, count: Callable[[str], int], kind: TextKind
) -> None:
    chunks = chunk(text, max_tokens=limit, count=count, kind=kind)
    assert bare("".join(texts(chunks))) == bare(text)
    assert all(count(piece.text) <= limit or len(piece.text.strip()) == 1 for piece in chunks)
    assert all(piece.text.strip() for piece in chunks)
    assert chunks == chunk(text, max_tokens=limit, count=count, kind=kind)


@settings(max_examples=200, deadline=None)
@given(text=DOCUMENTS, limit=st.integers(1, 60), kind=KINDS)
def test_the_line_range_of_a_chunk_holds_its_text(text: str, limit: int, kind: TextKind) -> None:
    rows = text.split("\n")
    before = 1
    for piece in chunk(text, max_tokens=limit, count=thirds, kind=kind):
        assert piece.text.strip() in "\n".join(rows[piece.start_line - 1 : piece.end_line])
        assert before <= piece.start_line <= piece.end_line <= len(rows)
        before = piece.end_line


def test_a_small_document_stays_whole() -> None:
    [only] = chunk("One.\n\nTwo.\n", max_tokens=50, count=words)
    assert only == Chunk(text="One.\n\nTwo.", location="lines 1-3", start_line=1, end_line=3)


def test_an_empty_text_has_no_chunks() -> None:
    assert chunk(" \n\t\n", max_tokens=5, count=words) == []


def test_paragraphs_are_kept_whole_where_they_fit() -> None:
    text = "one two three\n\nfour five six\nseven\n\neight nine"
    assert texts(chunk(text, max_tokens=6, count=words)) == ["one two three", "four five six\nseven\n\neight nine"]


def test_a_long_paragraph_is_divided_after_sentences_but_not_after_abbreviations() -> None:
    text = "We met Dr. Smith at noon. He was late, e.g. by an hour! Nobody minded."
    assert texts(chunk(text, max_tokens=8, count=words)) == [
        "We met Dr. Smith at noon.",
        "He was late, e.g. by an hour!",
        "Nobody minded.",
    ]


def test_chinese_and_japanese_sentences_end_without_spaces() -> None:
    text = "今天天气很好。我们去公园散步了！「明日は雨です。」と彼は言った。"
    assert texts(chunk(text, max_tokens=11, count=words)) == [
        "今天天气很好。",
        "我们去公园散步了！",
        "「明日は雨です。」",
        "と彼は言った。",
    ]


def test_lines_come_before_words() -> None:
    text = "alpha beta gamma\ndelta epsilon\nzeta eta theta iota\n"
    assert texts(chunk(text, max_tokens=5, count=words)) == ["alpha beta gamma\ndelta epsilon", "zeta eta theta iota"]


def test_an_endless_word_is_divided_by_force() -> None:
    pieces = texts(chunk("x" * 1000, max_tokens=100, count=utf8))
    assert "".join(pieces) == "x" * 1000
    assert len(pieces) <= 11


def test_a_family_emoji_and_a_marked_letter_are_not_parted() -> None:
    family = "👩‍👩‍👧‍👦"
    pieces = texts(chunk(family * 20, max_tokens=40, count=utf8))
    assert all(set(piece.split(family)) == {""} for piece in pieces)


def test_chunks_carry_the_path_of_their_headings() -> None:
    text = (
        "intro words here\n# Guide\n\n## Install ##\nrun pip now\n\n### Linux\nuse apt first\n## C#\nwrite some code\n"
    )
    found = chunk(text, max_tokens=8, count=words, kind="markdown")
    assert [(piece.text.split("\n")[-1], piece.location) for piece in found] == [
        ("intro words here", "line 1"),
        ("run pip now", "Guide > Install, lines 2-5"),
        ("use apt first", "Guide > Install > Linux, lines 7-8"),
        ("write some code", "Guide > C#, lines 9-10"),
    ]


def test_a_bare_heading_goes_with_what_follows_it() -> None:
    text = "# Guide\n## Install\nrun pip now\n## Use\n" + "word " * 12
    first = chunk(text, max_tokens=8, count=words, kind="markdown")[0]
    assert first.text == "# Guide\n## Install\nrun pip now"
    assert first.location == "Guide > Install, lines 1-3"


def test_a_title_beside_the_first_heading_is_no_chunk_of_its_own() -> None:
    text = "# Field report\n\n# Findings\n\n" + "Otters were seen. " * 20 + "\n\n# Thanks\n"
    found = chunk(text, max_tokens=40, count=words, kind="markdown")
    assert found[0].text.startswith("# Field report\n\n# Findings\n\nOtters")
    assert [piece.location for piece in found] == ["Findings, lines 1-5", "Findings, line 5", "Thanks, line 7"]
    endless = "".join(f"# {n}\n\n" for n in range(3000))
    assert all(words(piece.text) <= 40 for piece in chunk(endless, max_tokens=40, count=words, kind="markdown"))


def test_a_section_that_fits_stays_with_its_subsections() -> None:
    text = "# A\none\n## B\ntwo\n# C\n" + "word " * 20
    first = chunk(text, max_tokens=10, count=words, kind="markdown")[0]
    assert (first.text, first.location) == ("# A\none\n## B\ntwo", "A, lines 1-4")


def test_hashes_in_fenced_code_and_front_matter_are_no_headings() -> None:
    text = "---\ntitle: x\n---\n# Real\n```sh\n# comment\n\nls\n```\nafter the fence\n"
    found = chunk(text, max_tokens=9, count=words, kind="markdown")
    assert {piece.location.split(",")[0] for piece in found if piece.location} == {"lines 1-3", "Real"}
    assert "```sh\n# comment\n\nls\n```" in "\n".join(texts(found))


def test_underlined_headings_count_in_markdown_and_plain_text() -> None:
    text = "Top\n===\n\nwords of the top\n\nBelow\n-----\n\nwords that stand below\n"
    for kind in ("markdown", "text"):
        locations = [piece.location for piece in chunk(text, max_tokens=7, count=words, kind=kind)]  # type: ignore[arg-type]
        assert locations == ["Top, lines 1-4", "Top > Below, lines 6-9"]


@pytest.mark.parametrize(
    "title", ["CHAPTER IV", "Chapter 12: The Sea", "第三章 出发", "THE LONG NIGHT", "2.1 Scope of supply", "Appendix B"]
)
def test_plain_headings_are_known_by_their_look(title: str) -> None:
    text = f"{'before ' * 8}\n\n{title}\n\n{'after ' * 8}"
    assert chunk(text, max_tokens=13, count=words)[-1].location == f"{title}, lines 3-5"


def test_code_is_divided_between_top_level_blocks() -> None:
    text = "import os\n\n\ndef one():\n    a = 1\n\n    return a\n\n\nclass Two:\n    x = 3\n\n    y = 4\n"
    found = chunk(text, max_tokens=12, count=words, kind="code")
    assert [piece.text.split("\n")[0] for piece in found] == ["import os", "class Two:"]
    assert texts(found)[0].endswith("    return a")


def test_a_code_chunk_keeps_its_indentation() -> None:
    text = "def f():\n    one two three four\n\n    five six seven eight\n"
    assert texts(chunk(text, max_tokens=7, count=words, kind="code"))[1] == "    five six seven eight"


def test_a_page_or_rows_are_cited_in_place_of_lines() -> None:
    assert chunk("a\nb", max_tokens=9, count=words, unit="row")[0].location == "rows 1-2"
    assert chunk("some text", max_tokens=9, count=words, place="page 3")[0].location == "page 3"
    assert chunk("# A\ntext", max_tokens=9, count=words, kind="markdown", unit=None)[0].location == "A"
    assert chunk("some text", max_tokens=9, count=words, unit=None)[0].location is None


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        chunk("text", max_tokens=0, count=words)


@pytest.mark.parametrize("kind", ["text", "markdown", "code"])
@pytest.mark.parametrize(
    "unit", ["x", ".", "\n", " \n", "。", "# a\n", "`", "a b ", "-\n", "\u0301", "...a", "\n\n ", "#  #", "9. "]
)
def test_each_character_is_counted_a_bounded_number_of_times(unit: str, kind: TextKind) -> None:
    counted = 0

    def count(text: str) -> int:
        nonlocal counted
        counted += len(text)
        assert len(text) <= 16 * 64
        return utf8(text)

    text = unit * (60_000 // len(unit))
    chunk(text, max_tokens=64, count=count, kind=kind)
    assert counted <= 8 * len(text)
