"""Finding quotations in texts."""

import pytest

from memgpt_cli.text.runs_of_words import locate, sentences_of

_TEXTS = [
    "I told Ben that the rent went up to 700. It was 650 before.",
    "Sure! The rent of a flat like yours is about 700 euros in Lyon.",
    "我的电话换了，现在是13912345678。以前的号码不用了。",
]


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("the rent went up to 700", [(0, True)]),
        ("The RENT went “up” to 700", [(0, True)]),
        ("my rent went up to 700 now", [(0, False)]),
        ("rent went up ... It was 650", [(0, True)]),
        ("It was 650 ... rent went up", [(0, False)]),
        ("我的电话换了", [(2, True)]),
        ("电话换了，是13912345678", [(2, False)]),
        ("the weather in Paris is lovely", []),
        ("700", []),
        ("", []),
        ("...", []),
        ("我的猫叫咪咪", []),
    ],
)
def test_a_quote_is_located_or_not(quote: str, found: list[tuple[int, bool]]) -> None:
    assert [(located.index, located.exact) for located in locate(quote, _TEXTS)] == found


def test_the_sentences_of_a_quote() -> None:
    assert sentences_of("It was 650", _TEXTS[0]) == "It was 650 before."
    assert sentences_of("up to 700. It was 650", _TEXTS[0]) == _TEXTS[0]
    assert sentences_of("not there at all", _TEXTS[0]) == "not there at all"
