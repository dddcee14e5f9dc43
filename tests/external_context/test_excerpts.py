"""What a search result shows of a long text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgpt_cli.external_context.excerpts import EXCERPT_TOKENS, excerpt
from memgpt_cli.text.terms import query_terms


def count(text: str) -> int:
    return len(text.split()) + sum(1 for letter in text if letter >= "\u3000")


def shown(text: str, query: str) -> str:
    return excerpt(text, dict.fromkeys(query_terms(query), 3.0), count=count).text


FILLER = "The weather stayed fine all week and everybody enjoyed it. "


def test_a_short_text_is_shown_whole() -> None:
    part = excerpt("  I moved to Lisbon. ", {"lisbon": 1.0}, count=count)
    assert (part.text, part.cut, part.tokens) == ("I moved to Lisbon.", False, 4)


def test_the_part_shown_holds_what_was_looked_for() -> None:
    text = FILLER * 30 + "We bought two bicycles in Utrecht. " + FILLER * 30
    part = shown(text, "buying a bicycle")
    assert "bought two bicycles" in part
    assert part.startswith("… ")
    assert part.endswith(" …")
    assert count(part) <= EXCERPT_TOKENS + 2


def test_rare_words_count_more_than_common_ones() -> None:
    text = "weather " * 60 + ".\n" + FILLER * 30 + "Utrecht was wet. " + FILLER * 30
    part = excerpt(text, {"weather": 0.2, "utrecht": 6.0}, count=count)
    assert "Utrecht" in part.text


def test_without_a_match_the_beginning_is_shown() -> None:
    assert shown("Dear Ana. " + FILLER * 40, "zebra").startswith("Dear Ana.")


def test_chinese_is_cut_at_its_own_marks() -> None:
    text = "今天天气很好。" * 60 + "妈妈做了红烧肉。" + "今天天气很好。" * 60
    part = shown(text, "妈妈做了什么菜")
    assert "红烧肉" in part
    assert part.strip("… ").startswith(("今", "妈"))


@pytest.mark.parametrize("text", ["a" * 50_000, "a " * 50_000, "很" * 50_000, ".\n" * 50_000, "x_" * 40_000])
def test_texts_without_sentences_are_cut_too(text: str) -> None:
    part = excerpt(text, {"a": 1.0, "很很": 1.0}, count=len)
    assert len(part.text) <= EXCERPT_TOKENS + 4


@given(st.lists(st.sampled_from(["one two three. ", "四五六。", "\n", "- item ", "lisbon "]), max_size=300))
def test_an_excerpt_is_part_of_its_text_and_bounded(parts: list[str]) -> None:
    text = "".join(parts)
    part = excerpt(text, {"lisbon": 2.0}, count=count)
    assert part.text.removeprefix("… ").removesuffix(" …") in text
    assert part.cut or part.text == text.strip()
