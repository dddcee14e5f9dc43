"""Questions by their form, and words for relatives with the names that they are given."""

import pytest

from memgpt_cli.text.asking import asks
from memgpt_cli.text.people import begins_with_kin, kin_in, named_kin


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("where do I live", True),
        ("I know where I live", False),
        ("tell me about Nina", True),
        ("我住在哪里", True),
        ("what a day", False),
        ("我不知道", False),
        ("Ann came?", True),
        ("remind me to call", False),
    ],
)
def test_a_question_is_told_by_its_form(sentence: str, expected: bool) -> None:
    assert asks(sentence) == expected


def test_names_are_read_where_they_are_told() -> None:
    assert {name for name, _ in named_kin("my sister Ann and our cat is called Tom")} == {"Ann", "Tom"}
    assert {name for name, _ in named_kin("我有一个女儿，叫朵朵，今年五岁。")} == {"朵朵"}
    assert begins_with_kin("my sister lives here")
    assert not begins_with_kin("my sister and I live here")
    assert kin_in("mum") == kin_in("我妈") != frozenset()
