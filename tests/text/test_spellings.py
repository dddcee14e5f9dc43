"""Other spellings of days and numbers."""

import pytest

from memgpt_cli.text.spellings import other_spellings


@pytest.mark.parametrize(
    "query",
    ["what was on 8 May", "on May 8th", "on the 8th of May", "05-08 in 2023-05-08", "5月8日发生了什么", "5월 8일에"],
)
def test_a_day_has_all_its_spellings(query: str) -> None:
    [spelled] = other_spellings(query)
    assert {"8 may", "may 8th", "8th of may", "5月8日"} <= set(spelled)
    assert any(spelling.endswith("05-08") for spelling in spelled)


@pytest.mark.parametrize(
    ("day", "ordinal"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (13, "13th"), (22, "22nd")]
)
def test_ordinals_end_as_they_are_written(day: int, ordinal: str) -> None:
    [spelled] = other_spellings(f"on {day} June")
    assert f"june {ordinal}" in spelled


@pytest.mark.parametrize(
    "query", ["may I ask", "in May", "in 2023", "since 1987", "on 5/8", "8.5.2023", "room 0815", "13月40日"]
)
def test_what_is_no_day_and_no_large_number_has_none(query: str) -> None:
    assert list(other_spellings(query)) == []


def test_a_number_is_the_same_with_and_without_separators() -> None:
    assert list(other_spellings("who paid 1,200 euros")) == [["1,200", "1200"]]
    assert list(other_spellings("who paid 1200 euros")) == [["1200", "1,200"]]
    assert list(other_spellings("who paid 2000 euros")) == [["2000", "2,000"]]
