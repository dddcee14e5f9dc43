"""Sentences in English and Chinese, with abbreviations, quotations and lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgpt_cli.text.sentences import is_question, sentence_spans, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rained. Was it cold? Yes!", ["It rained.", "Was it cold?", "Yes!"]),
        ("Dr. Smith came at 5 p.m. today. He left.", ["Dr. Smith came at 5 p.m. today.", "He left."]),
        ("Version 3.11 works.", ["Version 3.11 works."]),
        ('She said "no." Then she left.', ['She said "no."', "Then she left."]),
        ("- one\n- two\n\nthree", ["- one", "- two", "three"]),
        ("下雨了。冷吗？“冷！”他说", ["下雨了。", "冷吗？", "“冷！”", "他说"]),
        ("  \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert list(sentences(text)) == expected


@given(st.text(alphabet='ab .?!。\n"Mr', max_size=80))
def test_spans_cover_the_text_without_gaps(text: str) -> None:
    spans = list(sentence_spans(text))
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start < end for start, end in spans)


@pytest.mark.parametrize(
    ("sentence", "asks"), [("Really?", True), ("真的吗？”", True), ("What?!", True), ("No.", False)]
)
def test_a_question_ends_in_its_mark(sentence: str, asks: bool) -> None:
    assert is_question(sentence) is asks
