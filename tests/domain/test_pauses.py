"""Pauses double up to a bound, unless the server asks for another one."""

import pytest

from memgpt_cli.domain.pauses import pause_s


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0.5), (1, 1.0), (4, 8.0), (5, 8.0), (200, 8.0)])
def test_pauses_double_up_to_the_longest(failures: int, seconds: float) -> None:
    assert pause_s(failures, first_s=0.5, longest_s=8.0) == seconds


@pytest.mark.parametrize(("asked", "seconds"), [(3.0, 3.0), (0.0, 0.0), (90.0, 60.0), (-1.0, 0.5)])
def test_a_server_gets_the_pause_that_it_asks_for(asked: float, seconds: float) -> None:
    assert pause_s(0, first_s=0.5, longest_s=8.0, asked_s=asked, longest_asked_s=60.0) == seconds
