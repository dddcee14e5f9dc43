"""Numbers in figures and in words."""

import pytest

from memgpt_cli.text.numbers import figures_in, numbers_in


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("It costs 1,200 euros.", "1200"),
        ("It costs twelve hundred euros.", "1200"),
        ("seven hundred and fifty", "750"),
        ("twenty-three people", "23"),
        ("two thousand four hundred", "2400"),
        ("at 7.50 each", "7.5"),
        ("一千二百块", "1200"),
        ("三百五", "350"),
        ("两万三千", "23000"),
        ("十五岁", "15"),
        ("二〇一九年", "2019"),
        ("１２３", "123"),
        ("007", "7"),
    ],
)
def test_a_number_is_found_in_every_spelling(text: str, number: str) -> None:
    assert number in numbers_in(text)


def test_figures_of_a_value() -> None:
    assert figures_in("700 euros, 3.0 rooms, 1,200 m") == ["700", "3", "1200"]
