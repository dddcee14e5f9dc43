"""Failed calls are repeated, and each wait is told."""

from pathlib import Path

import pytest
from support.agents import reply, run, session
from support.brains import Body, echo
from support.families import Family, ministral
from support.histories import called, result, user
from support.strict_rules import RefusalError
from support.strict_server import Fault, StrictServer

from memgpt_cli.domain.chat import ChatRequest, PromptMessage, TextDelta, WaitDelta
from memgpt_cli.domain.events import Waiting
from memgpt_cli.errors import ModelError, ModelLoadingError, RateLimitError
from memgpt_cli.llm.openai_chat import OpenAIChat
from memgpt_cli.llm.refusals import MOST_ATTEMPTS
from memgpt_cli.llm.retrying import LOADING_S, LOADING_STEP_S, RetryingModel

REQUEST = ChatRequest(model="gpt-4o", messages=(PromptMessage(role="user", content="Hi"),))
LOADING = Fault.error(503, "Loading model")


def asked(*faults: Fault, max_retries: int = 2) -> tuple[str, list[str], list[float]]:
    """The reply, what was told, and how long was waited."""
    slept: list[float] = []
    with StrictServer(echo, faults=faults) as server:
        inner = OpenAIChat("gpt-4o", base_url=server.base_url, api_key=None, max_retries=0)
        deltas = list(RetryingModel(inner, max_retries=max_retries, sleep=slept.append).stream(REQUEST))
    told = [delta.text for delta in deltas if isinstance(delta, WaitDelta)]
    assert told[1::2] == [""] * (len(told) // 2)
    return "".join(d.text for d in deltas if isinstance(d, TextDelta)), told[::2], slept


def test_a_rate_limit_is_waited_out_as_long_as_the_server_asks_and_told() -> None:
    text, told, slept = asked(Fault.rate_limited(5), Fault.rate_limited(0.25))
    assert text == "You said: Hi"
    assert told == ["rate limited, retrying in 5 s (1 of 2)", "rate limited, retrying in 0.25 s (2 of 2)"]
    assert slept == [5, 0.25]


def test_a_failing_server_is_asked_again_with_growing_pauses() -> None:
    text, told, slept = asked(Fault.error(502), Fault.error(500))
    assert text == "You said: Hi"
    assert slept == [0.5, 1.0]
    assert "failed (status 502)" in told[0]
    with pytest.raises(ModelError):
        asked(Fault.error(502), max_retries=0)


def test_a_server_that_loads_its_model_is_waited_for_without_using_up_the_retries() -> None:
    text, told, slept = asked(*[LOADING] * 5, max_retries=0)
    assert text == "You said: Hi"
    assert told[2] == "the server is loading the model, 4 s so far"
    assert slept == [LOADING_STEP_S] * 5


def test_loading_has_a_bound() -> None:
    with pytest.raises(ModelLoadingError):
        asked(*[LOADING] * int(LOADING_S / LOADING_STEP_S + 2))


def test_an_absurd_wait_is_an_error_that_says_how_long() -> None:
    with pytest.raises(RateLimitError, match="rate limiting") as error:
        asked(Fault.rate_limited(3600))
    assert "3600 s" in error.value.hint


def test_nothing_is_repeated_once_a_part_of_the_reply_has_come() -> None:
    with pytest.raises(ModelError):
        asked(Fault.cut(3))


def test_ctrl_c_ends_a_wait_at_once() -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with StrictServer(echo, faults=[Fault.rate_limited(5)]) as server:
        inner = OpenAIChat("gpt-4o", base_url=server.base_url, api_key=None, max_retries=0)
        with pytest.raises(KeyboardInterrupt):
            list(RetryingModel(inner, max_retries=2, sleep=interrupted).stream(REQUEST))


def test_a_turn_tells_that_it_waits(tmp_path: Path) -> None:
    with StrictServer(echo, faults=[Fault.rate_limited(0.01)]) as server:
        with session(tmp_path, base_url=server.base_url) as opened:
            happenings = run(opened, "Hello")
    assert "Hello" in reply(happenings)
    assert [h.text for h in happenings if isinstance(h, Waiting)] == ["rate limited, retrying in 0.01 s (1 of 2)", ""]


REFUSED_FORM = ChatRequest(
    model="m", messages=(user(), called("123456789"), result("123456789"), user("And now?")), max_tokens=50
)


def refused(family: Family) -> tuple[list[float], int, ModelError | None]:
    """The waits, how often the request was sent, and the error."""
    slept: list[float] = []
    error = None
    with StrictServer(echo, family=family) as server:
        inner = OpenAIChat("m", base_url=server.base_url, api_key=None, max_retries=0)
        try:
            list(RetryingModel(inner, max_retries=2, sleep=slept.append).stream(REFUSED_FORM))
        except ModelError as raised:
            error = raised
    return slept, len(server.headers), error


def test_a_refused_form_is_adapted_at_once_although_the_status_is_that_of_a_broken_server() -> None:
    assert refused(Family("ministral", ministral)) == ([], 2, None)


def test_a_form_that_nothing_makes_acceptable_is_an_error_without_repeats() -> None:
    def refuses_all(_: Body) -> None:
        raise RefusalError("Jinja Exception: conversation roles must alternate", status=500)

    slept, sent, error = refused(Family("never", refuses_all))
    assert slept == []
    assert sent <= MOST_ATTEMPTS
    assert error is not None
    assert not error.transient
