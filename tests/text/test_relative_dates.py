"""Time words of English and Chinese, resolved against the day on which they were said."""

from datetime import date

import pytest

from memgpt_cli.text import relative_dates as dates

SAID_ON = date(2023, 5, 10)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("I went there yesterday", "9 May 2023"),
        ("last Saturday", "6 May 2023"),
        ("next Friday", "12 May 2023"),
        ("last week", "the week of 1 May 2023"),
        ("last weekend", "the weekend of 6 May 2023"),
        ("last month", "April 2023"),
        ("last year", "2022"),
        ("ten years ago", "around 2013"),
        ("two days ago", "8 May 2023"),
        ("a month ago", "around April 2023"),
        ("the day before yesterday", "8 May 2023"),
    ],
)
def test_time_words_are_resolved_against_the_day_they_were_said(text: str, meaning: str) -> None:
    assert [dates.in_words(when, chinese=False) for when in dates.resolve(text, SAID_ON)] == [meaning]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("我昨天去了", "2023年5月9日"),
        ("上周六", "2023年5月6日"),
        ("上周日", "2023年5月7日"),
        ("下周", "2023年5月15日那一周"),
        ("上个月", "2023年4月"),
        ("去年", "2022年"),
        ("三天前", "2023年5月7日"),
    ],
)
def test_chinese_time_words_too(text: str, meaning: str) -> None:
    assert [dates.in_words(when, chinese=True) for when in dates.resolve(text, SAID_ON)] == [meaning]


@pytest.mark.parametrize("text", ["recently", "on Friday", "7 May 2023", "999 years ago in year 1", "以前", ""])
def test_what_is_vague_or_says_its_own_date_is_left_alone(text: str) -> None:
    assert dates.resolve(text, date(30, 1, 1)) == []
