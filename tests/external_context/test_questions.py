"""What a question says besides its words, and whether a message holds the kind of answer it wants."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgpt_cli.external_context.questions import nearness, read_question
from memgpt_cli.text.asking import asking_share, has_name, has_time, of_oneself

FRIENDS = ("Ana", "Ben Carter")
KNOWN = frozenset({"ana", "ben", "carter"})
BERLIN = ZoneInfo("Europe/Berlin")


def read(text: str, zone: ZoneInfo = BERLIN):  # noqa: ANN201
    return read_question(text, participants=FRIENDS, zone=zone)


def test_a_question_about_one_participant_is_about_them_and_their_name_is_not_embedded() -> None:
    asked = read("Where did Ana's sister live?")
    assert asked.speaker == "Ana"
    assert asked.meaning == "Where did sister live?"


@pytest.mark.parametrize("text", ["Did Ana and Ben Carter meet?", "Where was it?", "Anabel's house", "banana"])
def test_a_question_about_both_or_none_is_about_nobody(text: str) -> None:
    assert read(text).speaker is None


@pytest.mark.parametrize(
    ("name", "text"), [("小明", "小明在哪里看书"), ("田中", "田中さんはどこ"), ("민지", "민지는 어디에 살아요")]
)
def test_a_name_is_found_in_writing_without_spaces(name: str, text: str) -> None:
    asked = read_question(text, participants=(name, "Ana"), zone=BERLIN)
    assert asked.speaker == name
    assert name not in asked.meaning


def test_a_name_alone_is_embedded_as_it_stands() -> None:
    assert read("Ana?").meaning == "Ana?"


@pytest.mark.parametrize(
    "text", ["When was it?", "since when", "What day was it?", "什么时候去的？", "いつですか", "언제"]
)
def test_it_asks_when(text: str) -> None:
    assert read(text).asks_when


def test_it_asks_for_a_name() -> None:
    assert read("Who came?").asks_name
    assert read("What book did she read?").asks_name
    assert not read("What did she say?").asks_name


@pytest.mark.parametrize(
    "text", ["I went yesterday", "two weeks ago", "next Friday", "in 2019", "last summer", "上周去的"]
)
def test_a_message_tells_a_time(text: str) -> None:
    assert has_time(text)


def test_a_message_tells_no_time() -> None:
    assert not has_time("I like the lake")


def test_a_name_is_a_capital_within_a_sentence_but_no_participant() -> None:
    assert has_name("we met Olga there", known=KNOWN)
    assert not has_name("Thanks for it. Good idea, Ana", known=KNOWN)
    assert not has_name("so good, Carter", known=KNOWN)


def test_a_message_speaks_of_its_speaker_or_asks() -> None:
    assert of_oneself("then I left")
    assert of_oneself("我喜欢")
    assert not of_oneself("You left. It rained.")
    assert asking_share("It rained.") == 0
    assert asking_share("Did it rain?") == 1
    assert asking_share("It rained all day. Did you swim?") == pytest.approx(13 / 31)
    assert asking_share("I am working on the boat, can you help?") == 0  # it tells what they are doing


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_message_lies_near_the_date_that_is_asked_for() -> None:
    asked = read("What happened on 8 May 2023?").dates
    assert nearness(day("2023-05-08T12:00"), asked, BERLIN) == 1
    assert nearness(day("2023-05-07T22:30"), asked, BERLIN) == 1  # half past midnight in Berlin
    assert 0.3 < nearness(day("2023-05-15T22:00"), asked, BERLIN) < 0.4
    assert nearness(day("2024-05-08T12:00"), asked, BERLIN) < 0.001


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("in May 2023", "2023-05-20T12:00", "2023-09-01T12:00"),
        ("in June", "2021-06-20T12:00", "2021-09-01T12:00"),
        ("on the 3rd of March", "2020-03-03T12:00", "2020-05-03T12:00"),
        ("during 2022", "2022-01-20T12:00", "2023-05-01T12:00"),
        ("on 2022-02-03", "2022-02-03T12:00", "2022-06-03T12:00"),
        ("他在2023年做了什么", "2023-06-20T12:00", "2024-06-01T12:00"),
        ("2023年5月8日どこにいた", "2023-05-08T12:00", "2023-08-08T12:00"),
        ("2023년 5월에 뭐 했어요", "2023-05-20T12:00", "2023-09-01T12:00"),
        ("around New Year, December 31", "2021-12-31T12:00", "2021-07-01T12:00"),
    ],
)
def test_dates_are_read_in_the_forms_people_write(text: str, inside: str, outside: str) -> None:
    asked = read(text).dates
    assert nearness(day(inside), asked, BERLIN) == 1
    assert nearness(day(outside), asked, BERLIN) < 0.05


def test_may_is_a_month_only_where_it_can_be_one() -> None:
    assert read("What may she like?").dates == ()
    assert len(read("What did she do in May?").dates) == 1


def test_a_date_that_does_not_exist_is_none() -> None:
    assert read("on 31 February 2023").dates == ()


@given(text=st.text(), when=st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)))  # noqa: DTZ001
def test_any_text_can_be_read(text: str, when: datetime) -> None:
    asked = read(text)
    assert asked.meaning or not text.strip()
    assert 0 <= nearness(when.replace(tzinfo=UTC), asked.dates, BERLIN) <= 1
    assert 0 <= asking_share(text) <= 1
    has_name(text, known=KNOWN)
