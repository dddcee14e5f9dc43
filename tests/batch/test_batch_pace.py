"""One pace for all workers, on a clock of the test's own."""

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.brains import plan
from support.strict_server import Fault, StrictServer

from memgpt_cli.batch.pace import LONGEST_PAUSE_S, Limits, Pace, PacedModel, RunEndsError, SpendingLimitError
from memgpt_cli.domain.chat import ChatRequest, Delta, PromptMessage, TextDelta, Usage
from memgpt_cli.domain.settings import ModelSettings
from memgpt_cli.errors import ModelError, RateLimitError

PRICED = ModelSettings(name="m", input_usd_per_million=1_000_000.0, output_usd_per_million=0.0)


class StoppedClock:
    """Time goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.moment = 0.0

    def now(self) -> float:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.moment += seconds


def paced(limits: Limits | None = None) -> tuple[Pace, StoppedClock]:
    clock = StoppedClock()
    return Pace(limits or Limits(), now=clock.now, sleep=clock.sleep), clock


class Said:
    """A model that does what a list says: an error is raised, a text is said."""

    name = "m"

    def __init__(self, *steps: str | Exception) -> None:
        self.steps = list(steps)
        self.calls = 0

    def body(self, request: ChatRequest) -> dict[str, Any]:
        return request.body()

    def close(self) -> None: ...

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        del request
        self.calls += 1
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        yield TextDelta(step)
        yield Usage(prompt_tokens=2)


REQUEST = ChatRequest(model="m", messages=(PromptMessage(role="user", content="abcdef"),))


@settings(max_examples=40, deadline=None)
@given(st.floats(1, 10_000), st.integers(2, 30))
def test_requests_a_minute_are_never_exceeded(rpm: float, calls: int) -> None:
    pace, clock = paced(Limits(rpm=rpm))
    begun = []
    for _ in range(calls):
        pace.settle(pace.begin(tokens=1, usd=None), tokens=1, usd=None)
        begun.append(clock.now())
    assert (calls - 1) / max(1e-9, begun[-1] - begun[0]) * 60 <= rpm * 1.001


@settings(max_examples=40, deadline=None)
@given(st.integers(100, 10_000), st.lists(st.tuples(st.integers(1, 500), st.integers(1, 900)), min_size=2, max_size=20))
def test_tokens_a_minute_are_held_by_what_calls_really_took(tpm: int, calls: list[tuple[int, int]]) -> None:
    pace, clock = paced(Limits(tpm=tpm))
    begun = []
    for estimate, taken in calls:
        ticket = pace.begin(tokens=estimate, usd=None)
        begun.append(clock.now())
        pace.settle(ticket, tokens=taken, usd=None)
    taken_before_last = sum(taken for _, taken in calls[:-1])
    assert begun[-1] - begun[0] >= taken_before_last * 60 / tpm - 0.001


def test_a_refusal_holds_everybody_back_for_as_long_as_the_server_asks() -> None:
    pace, clock = paced()
    pace.refused(7.0, attempt=1)
    pace.begin(tokens=1, usd=None)
    assert clock.now() == 7.0
    pace.begin(tokens=1, usd=None)
    assert clock.now() > 7.0  # and then they come one after the other
    assert pace.refusals == 1
    assert pace.waited() == clock.now()


def test_the_gap_between_calls_grows_with_refusals_and_is_gone_when_all_goes_well() -> None:
    pace, clock = paced()
    for _ in range(4):
        pace.refused(0.0, attempt=1)
    pace.begin(tokens=1, usd=None)
    before = clock.now()
    pace.begin(tokens=1, usd=None)
    assert clock.now() - before == pytest.approx(0.4)
    for _ in range(30):
        pace.went_well()
    pace.begin(tokens=1, usd=None)
    before = clock.now()
    pace.begin(tokens=1, usd=None)
    assert clock.now() == before


def test_calls_that_are_refused_together_widen_the_gap_once() -> None:
    pace, clock = paced()
    tickets = [pace.begin(tokens=1, usd=None) for _ in range(32)]
    clock.sleep(0.2)
    for ticket in tickets:
        pace.refused(0.0, attempt=1, begun=ticket.begun)
    pace.begin(tokens=1, usd=None)
    before = clock.now()
    pace.begin(tokens=1, usd=None)
    assert clock.now() - before == pytest.approx(0.05)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 20), st.floats(0.1, 30), st.floats(1, 60))
def test_who_waited_for_its_place_when_everybody_was_told_to_pause_takes_another(
    waiting: int, at: float, pause: float
) -> None:
    """Or all whose places fell into the pause would begin at its end, at once."""
    clock = StoppedClock()
    begun: list[float] = []
    told = False

    def sleep(seconds: float) -> None:
        nonlocal told
        clock.sleep(seconds)
        if clock.now() >= at and not told:
            told = True
            pace.refused(pause, attempt=1)

    pace = Pace(Limits(rpm=60), now=clock.now, sleep=sleep)
    for _ in range(waiting):
        pace.begin(tokens=1, usd=None)
        begun.append(clock.now())
    assert all(later - earlier >= 0.999 for earlier, later in pairwise(begun))


def test_who_would_wait_for_long_gives_up_when_the_run_is_to_end() -> None:
    pace, clock = paced(Limits(max_usd=1.0))
    pace.refused(3_000.0, attempt=1)
    pace.stop()
    with pytest.raises(RunEndsError):
        pace.begin(tokens=1, usd=1.0)
    assert clock.now() == 0.0
    pace.refused(0.0, attempt=1)
    clock.sleep(3_000.0)
    pace.begin(tokens=1, usd=1.0)  # what was set aside has come back


@pytest.mark.parametrize("asked", [float("nan"), float("inf"), -5.0, 1e12])
def test_no_server_holds_a_run_back_for_longer_than_an_hour_at_a_time(asked: float) -> None:
    pace, _ = paced()
    pace.refused(asked, attempt=1)
    assert 0.0 < pace.paused() <= 3_600.0


def test_what_was_waited_for_and_what_failed_is_known() -> None:
    pace, clock = paced()

    class Slow(Said):
        def stream(self, request: ChatRequest) -> Iterator[Delta]:
            clock.sleep(2.0)
            yield from super().stream(request)

    list(PacedModel(Slow(RateLimitError("slow down", retry_after_s=7.0), "Hello."), pace, PRICED).stream(REQUEST))
    assert clock.now() == pytest.approx(2.0 + 7.0 + 2.0)
    assert pace.waited() == pytest.approx(2.0 + 7.0)


def test_a_refused_call_is_repeated_until_it_is_answered() -> None:
    pace, clock = paced()
    model = Said(*(RateLimitError("slow down") for _ in range(8)), "Hello.")
    deltas = list(PacedModel(model, pace, PRICED).stream(REQUEST))
    assert deltas[0] == TextDelta("Hello.")
    assert model.calls == 9
    assert 100 < clock.now() < 8 * LONGEST_PAUSE_S


def test_what_passes_is_tried_again_and_what_does_not_is_not() -> None:
    pace, _ = paced()
    passing = Said(ModelError("broken", transient=True), "Hello.")
    assert next(PacedModel(passing, pace, PRICED).stream(REQUEST)) == TextDelta("Hello.")
    lasting = Said(ModelError("no such model"), "Hello.")
    with pytest.raises(ModelError):
        list(PacedModel(lasting, pace, PRICED).stream(REQUEST))
    assert lasting.calls == 1


def test_money_is_never_overspent_and_what_was_set_aside_comes_back() -> None:
    pace, _ = paced(Limits(max_usd=10.0))
    model = PacedModel(Said("a", "b", "c", "d", "e"), pace, PRICED)
    for _ in range(5):  # each may cost 2 tokens of 1 USD, and did
        list(model.stream(REQUEST))
    with pytest.raises(SpendingLimitError):
        list(model.stream(REQUEST))
    assert pace.spent == 10.0


def test_who_would_overspend_waits_for_running_calls_before_giving_up() -> None:
    pace = Pace(Limits(max_usd=3.0))
    first = pace.begin(tokens=1, usd=2.0)
    begun = threading.Event()
    thread = threading.Thread(target=lambda: (pace.begin(tokens=1, usd=2.0), begun.set()), daemon=True)
    thread.start()
    time.sleep(0.05)
    assert not begun.is_set()
    pace.settle(first, tokens=1, usd=0.5)
    assert begun.wait(5)
    thread.join()


def test_an_unknown_price_cannot_be_held_to_a_budget() -> None:
    pace, _ = paced(Limits(max_usd=1.0))
    with pytest.raises(SpendingLimitError, match="price"):
        pace.begin(tokens=1, usd=None)


@pytest.mark.parametrize("fault", [Fault.rate_limited(), Fault.error(503)], ids=["429", "503"])
def test_real_refusals_are_waited_out(fault: Fault) -> None:
    from memgpt_cli.llm.openai_chat import OpenAIChat

    pace = Pace(Limits())
    with StrictServer(plan(["Hello."]), faults=[fault, fault]) as server:
        client = OpenAIChat("gpt-4o", base_url=server.base_url, api_key=None, max_retries=0)
        model = PacedModel(client, pace, ModelSettings(name="gpt-4o"))
        said = "".join(delta.text for delta in model.stream(REQUEST) if isinstance(delta, TextDelta))
        client.close()
    assert said == "Hello."
    assert len(server.exchanges) == 1
