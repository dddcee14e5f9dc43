"""Values that are written as text and read back: times, ids, labels, suggestions, call arguments."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgpt_cli.domain import times
from memgpt_cli.domain.blocks import is_label
from memgpt_cli.domain.chat import arguments_object
from memgpt_cli.domain.messages import clean, message_ref
from memgpt_cli.domain.names import did_you_mean, nearest

BERLIN = ZoneInfo("Europe/Berlin")
MOMENTS = st.datetimes(
    min_value=datetime(1000, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(9998, 12, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(MOMENTS, MOMENTS)
def test_stored_times_sort_like_the_instants_and_keep_milliseconds(one: datetime, other: datetime) -> None:
    first, second = (moment.replace(microsecond=moment.microsecond // 1000 * 1000) for moment in (one, other))
    assert times.from_text(times.to_text(first)) == first
    assert (times.to_text(first) < times.to_text(second)) == (first < second)


def test_a_time_without_a_zone_is_not_stored() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        times.to_text(datetime(2024, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "days"),
    [("2024", 366), ("2024-02", 29), ("2024-02-29", 1), ("2024-03-31", 23 / 24), ("2024-10-27", 25 / 24)],
)
def test_a_date_names_a_whole_range_in_its_zone(text: str, days: float) -> None:
    start, end = times.span(text, BERLIN)
    assert (end - start) / timedelta(days=1) == pytest.approx(days)
    assert times.for_people(start, BERLIN).endswith("00:00")


@pytest.mark.parametrize("text", ["", "2024-13", "2023-02-29", "24", "yesterday"])
def test_an_invalid_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        times.span(text, BERLIN)


@given(st.text())
def test_cleaned_text_can_be_encoded_and_valid_text_is_unchanged(text: str) -> None:
    cleaned = clean(text + "\ud800")
    assert cleaned.encode().decode() == cleaned
    assert cleaned.endswith("\ufffd")
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(("label", "valid"), [("human", True), ("a.b-c_1", True), ("-a", False), ("", False)])
def test_labels(label: str, valid: bool) -> None:
    assert is_label(label) is valid
    assert not is_label("a" * 41)


def test_suggestions_ignore_case_and_unrelated_names_give_none() -> None:
    assert nearest("HUMAM", ["human", "persona"]) == ["human"]
    assert did_you_mean("humam", ["human", "persona"]) == "; did you mean human?"
    assert did_you_mean("xyz", ["human", "persona"]) == ""
    assert message_ref(12) == "m12"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_only_an_object_counts_as_arguments(value: object) -> None:
    read = arguments_object(json.dumps(value))
    assert read == (value if isinstance(value, dict) else None)
    assert arguments_object(json.dumps(value)[:-1] + "\x00") is None
