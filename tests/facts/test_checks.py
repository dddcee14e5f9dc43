"""Checks of numbers, dates and authorship."""

from datetime import date

import pytest

from memgpt_cli.domain.messages import Role
from memgpt_cli.domain.partial_dates import PartialDate, Validity
from memgpt_cli.facts.checks import checked_validity, unfounded_numbers
from memgpt_cli.facts.whose_word import Word, is_denial, whose_word

_FRIDAY = date(2023, 1, 27)


@pytest.mark.parametrize(
    ("value", "text", "unfounded"),
    [
        ("700 euros", "the rent went up to 700", []),
        ("700 euros", "the rent went up to seven hundred", []),
        ("710 euros", "the rent went up to 700", ["710"]),
        ("1200", "it is 1,200 now", []),
        ("350元", "涨到三百五了", []),
        ("530元", "涨到三百五了", ["530"]),
        ("moved on 2023-01-26", "we moved yesterday", []),
        ("met in June 2022", "we met in June last year", []),
        ("met in June 2019", "we met in June last year", ["2019"]),
        ("no figures", "nothing", []),
    ],
)
def test_figures_of_a_value_come_from_the_source(value: str, text: str, unfounded: list[str]) -> None:
    assert unfounded_numbers(value, [text], _FRIDAY) == unfounded


@pytest.mark.parametrize(
    ("start", "sentence", "checked"),
    [
        ("2023-01-26", "I moved yesterday.", "2023-01-26"),
        ("2023-01-27", "I moved yesterday.", "2023-01-26"),
        ("2022-12", "I moved last month.", "2022-12"),
        ("2023-01", "I moved last month.", "2022-12"),
        ("2023", "I moved yesterday.", "2023"),
        ("2019-06", "We met in June 2019.", "2019-06"),
        ("2018-06", "We met in June 2019.", "2019-06"),
        ("2022-06", "We met in June.", "2022-06"),
        ("2022-07", "We met in June.", "2022-06"),
        ("2020", "We met three years ago.", "2020"),
        ("2015", "We met three years ago.", "2020"),
        ("2023-01-20", "I moved yesterday, and Ben last week.", "2023-01-20"),
        ("2023-01-14", "I moved yesterday, and Ben last week.", "2023-01"),
        ("2019-05-03", "I moved yesterday, and Ben last week.", None),
        ("2022", "我去年搬家了。", "2022"),
        ("2021", "我去年搬家了。", "2022"),
        ("2023-01-26", "昨天我换了电话。", "2023-01-26"),
        ("2023-01-10", "I moved to Lyon.", "2023-01-10"),
        (None, "I moved yesterday.", None),
    ],
)
def test_a_start_agrees_with_the_time_words_of_its_source(
    start: str | None, sentence: str, checked: str | None
) -> None:
    valid = Validity(PartialDate.parse(start) if start else None)
    found = checked_validity(valid, sentence, sentence, _FRIDAY).start
    assert (None if found is None else str(found)) == checked


@pytest.mark.parametrize(
    ("role", "text", "quote", "word"),
    [
        (Role.USER, "I live in Lyon now.", "live in Lyon", Word.PERSON),
        (Role.ASSISTANT, "You live in Lyon now.", "live in Lyon", Word.OTHER),
        (Role.TOOL, "I live in Lyon now.", "live in Lyon", Word.OTHER),
        (Role.USER, "Look:\n> I live in Lyon now.\nHe wrote that.", "live in Lyon", Word.PASTED),
        (Role.USER, "Look:\n```\nI live in Lyon now.\n```", "live in Lyon", Word.PASTED),
        (Role.USER, "> where?\nI live in Lyon now.", "live in Lyon", Word.PERSON),
        (Role.USER, "x " * 2_000 + "I live in Lyon now.", "live in Lyon", Word.PASTED),
        (Role.USER, "Imagine I live in Lyon.", "live in Lyon", Word.IMAGINED),
        (Role.USER, "If I win, I move. I live in Lyon.", "live in Lyon", Word.PERSON),
        (Role.USER, "如果我住在里昂就好了。", "我住在里昂", Word.IMAGINED),
        (Role.USER, "开玩笑的，我有十只猫。", "我有十只猫", Word.IMAGINED),
        (Role.USER, "我住在里昂。", "我住在里昂", Word.PERSON),
    ],
)
def test_whose_word_a_quote_is(role: Role, text: str, quote: str, word: Word) -> None:
    assert whose_word(role, text, quote) is word


@pytest.mark.parametrize(
    ("quote", "denies"),
    [
        ("I have never lived in Lyon", True),
        ("我从来没去过里昂", True),
        ("I live in Lyon", False),
        ("我住在里昂", False),
    ],
)
def test_denials(quote: str, denies: bool) -> None:
    assert is_denial(quote) is denies
