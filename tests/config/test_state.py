"""state.db: calibration and spending, over real files."""

import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgpt_cli.domain.endpoint_traits import FRESH_FOR, EndpointTraits
from memgpt_cli.errors import StorageError
from memgpt_cli.storage.state import BOUNDS, KEPT_REPORTS, MARGIN, NEWEST_REPORTS, StateDatabase, upper_ratio

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_reading_creates_no_file(tmp_path: Path) -> None:
    state = StateDatabase(tmp_path / "deep" / "state.db")
    assert state.ratio("m") is None
    assert state.spent_on(date(2026, 3, 1)) == 0.0
    assert not (tmp_path / "deep").exists()


def test_reports_and_spending_survive_a_restart_and_belong_to_their_model_and_day(tmp_path: Path) -> None:
    first = StateDatabase(tmp_path / "state.db")
    first.observe("m", counted=1000, reported=1100)
    first.add_spending(NOON, 0.25)
    first.add_spending(NOON, 0.5)
    first.close()
    second = StateDatabase(tmp_path / "state.db")
    assert second.ratio("m") == pytest.approx(1.1)
    assert second.ratio("other") is None
    assert second.spent_on(date(2026, 3, 1)) == pytest.approx(0.75)
    assert second.spent_on(date(2026, 3, 2)) == 0.0
    second.close()


def test_a_day_begins_where_the_person_is(tmp_path: Path) -> None:
    state = StateDatabase(tmp_path / "state.db", zone=ZoneInfo("Asia/Tokyo"))
    state.add_spending(datetime(2026, 3, 1, 16, tzinfo=UTC), 1.0)
    assert state.spent_on(date(2026, 3, 2)) == 1.0
    state.close()


def test_two_odd_reports_in_twenty_do_not_move_the_ratio_once_they_are_past(tmp_path: Path) -> None:
    state = StateDatabase(tmp_path / "state.db")
    for reported in [3000, 3000] + [1050] * (KEPT_REPORTS - 2):
        state.observe("m", counted=1000, reported=reported)
    assert state.ratio("m") == pytest.approx(1.05)
    state.close()


def test_one_larger_report_counts_at_once(tmp_path: Path) -> None:
    state = StateDatabase(tmp_path / "state.db")
    for reported in [1000] * 19 + [1500]:
        state.observe("m", counted=1000, reported=reported)
    assert state.ratio("m") == pytest.approx(1.5 * (1 - MARGIN))
    state.close()


def test_old_reports_are_forgotten_and_useless_ones_are_not_kept(tmp_path: Path) -> None:
    state = StateDatabase(tmp_path / "state.db")
    for _ in range(3 * KEPT_REPORTS):
        state.observe("m", counted=10, reported=12)
    state.observe("n", counted=5, reported=5)
    state.observe("m", counted=0, reported=12)
    state.observe("m", counted=10, reported=0)
    state.close()
    with sqlite3.connect(tmp_path / "state.db") as rows:
        counts = dict(rows.execute("SELECT model, count(*) FROM reports GROUP BY model"))
    rows.close()
    assert counts == {"m": KEPT_REPORTS, "n": 1}


@given(st.lists(st.floats(min_value=0.01, max_value=100), min_size=1, max_size=KEPT_REPORTS))
def test_the_ratio_stays_in_bounds_and_near_the_largest_of_the_newest(ratios: list[float]) -> None:
    ratio = upper_ratio(ratios)
    low, high = BOUNDS
    assert low <= ratio <= high
    assert ratio >= min((1 - MARGIN) * max(ratios[:NEWEST_REPORTS]), high)
    assert ratio <= max(*ratios, low)


def test_processes_that_start_together_share_one_database(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from memgpt_cli.storage.state import StateDatabase\n"
        "s = StateDatabase(Path(sys.argv[1]))\n"
        "for _ in range(40): s.add_spending(datetime(2026, 3, 1, 12, tzinfo=UTC), 0.5)\n"
        "s.close()"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "state.db")]) for _ in range(4)]
    assert [run.wait() for run in runs] == [0] * 4
    state = StateDatabase(tmp_path / "state.db")
    assert state.spent_on(date(2026, 3, 1)) == pytest.approx(80.0)
    state.close()


def test_traits_survive_a_restart_and_belong_to_their_endpoint_and_model(tmp_path: Path) -> None:
    first = StateDatabase(tmp_path / "state.db", now=lambda: NOON)
    first.learn("http://a/v1", "m", EndpointTraits(window=4096, window_source="/props", takes_tools=False))
    first.learn("http://a/v1", "m", EndpointTraits(refused_fields=frozenset({"stream_options"}), limit_field=""))
    first.learn(None, "m", EndpointTraits(alternates=True))
    first.close()
    second = StateDatabase(tmp_path / "state.db", now=lambda: NOON)
    assert second.traits("http://a/v1", "m") == EndpointTraits(
        window=4096,
        window_source="/props",
        takes_tools=False,
        refused_fields=frozenset({"stream_options"}),
        limit_field="",
    )
    assert second.traits(None, "m") == EndpointTraits(alternates=True)
    assert second.traits("http://a/v1", "n") == second.traits("http://b/v1", "m") == EndpointTraits()
    assert len(second.learned_traits()) == 6


def test_a_trait_is_believed_for_a_day_and_can_be_learned_anew(tmp_path: Path) -> None:
    now = NOON
    state = StateDatabase(tmp_path / "state.db", now=lambda: now)
    state.learn(None, "m", EndpointTraits(takes_tools=False))
    now += FRESH_FOR
    assert state.traits(None, "m").takes_tools is False
    now += timedelta(seconds=1)
    assert state.traits(None, "m") == EndpointTraits()
    assert [t.stale for t in state.learned_traits()] == [True]
    state.learn(None, "m", EndpointTraits(takes_tools=True))
    assert [(t.value, t.stale) for t in state.learned_traits()] == [(True, False)]


@pytest.mark.parametrize("content", [b"this is no database, but longer than a header would be" * 40, b"SQLite"])
def test_a_damaged_file_is_a_storage_error_that_says_what_is_lost(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(content)
    state = StateDatabase(path)
    with pytest.raises(StorageError) as caught:
        state.ratio("m")
    assert str(path) in caught.value.message
    assert "no memory" in caught.value.hint


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state.db") as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StorageError, match="newer"):
        StateDatabase(tmp_path / "state.db").ratio("m")


def test_a_forgotten_object_closes_its_file(tmp_path: Path) -> None:
    state = StateDatabase(tmp_path / "state.db")
    state.observe("m", counted=10, reported=12)
    assert (tmp_path / "state.db-wal").exists()
    del state
    assert not (tmp_path / "state.db-wal").exists()
