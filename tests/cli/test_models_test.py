"""`memgpt models test`: a few calls find out what an endpoint can do; odd servers end in rows, not in crashes."""

import json
from typing import Any

import pytest
from support.brains import Body, Call, Reply
from support.command_line import CommandLine
from support.strict_server import Fault, StrictServer

MODELS = ("tiny-1",)


def able(body: Body) -> Reply:
    """A model that can do everything that is asked for."""
    said = body["messages"][-1]["content"]
    if isinstance(said, list):
        return Reply("Red.")
    if "twice" in said:
        return Reply(calls=(Call("note_word", {"word": "apple"}), Call("note_word", {"word": "pear"})))
    if "tools" in body:
        return Reply(calls=(Call("note_word", {"word": "apple"}),))
    return Reply("1, 2, 3, 4, 5, 6, 7, 8, 9, 10", reasoning="I shall count.")


def findings(memgpt: CommandLine, server: StrictServer, *, code: int = 0) -> dict[str, Any]:
    """The findings by name, and the whole report under an empty name."""
    memgpt("models", "add", "here", "--base-url", server.base_url, "--model", "tiny-1", "--no-key", "--replace")
    from jsonschema import Draft202012Validator
    from support.command_line import SCHEMAS

    report = memgpt("models", "test", "here", "--json", code=code).json
    Draft202012Validator(json.loads((SCHEMAS / "models-test.schema.json").read_text("utf-8"))).validate(report)
    return {"": report, **{probe["what"]: probe for probe in report["probes"]}}


def test_an_able_model_is_found_able_in_few_calls(memgpt: CommandLine) -> None:
    with StrictServer(able, models=MODELS) as server:
        found = findings(memgpt, server)
        assert len(server.requests) == found[""]["calls"] == 3
    for what in (
        "endpoint",
        "model",
        "reply",
        "streaming",
        "functions",
        "parallel calls",
        "images",
        "usage",
        "reasoning",
    ):
        assert found[what]["ok"], found[what]
    assert found[""]["prompt_tokens"] > 0
    assert found[""]["cost_usd"] is None


def test_the_cost_is_told_where_the_prices_are_known(memgpt: CommandLine) -> None:
    with StrictServer(able, models=MODELS) as server:
        prices = ("--price-input", "10", "--price-output", "20")
        memgpt("models", "add", "here", "--base-url", server.base_url, "--model", "tiny-1", *prices)
        done = memgpt("models", "test", "here")
    assert "3 calls" in done.out
    assert "$0.0" in done.out
    assert "up to 4 short calls" in done.err


def test_a_model_that_only_talks_is_found_out(memgpt: CommandLine) -> None:
    with StrictServer(lambda _: Reply("I am a teapot."), models=MODELS) as server:
        found = findings(memgpt, server, code=1)
    assert found["reply"]["ok"]
    assert found["functions"]["ok"] is False
    assert found["functions"]["hint"]
    assert found["parallel calls"]["ok"] is False
    assert found["images"]["ok"] is False
    assert "teapot" in found["images"]["says"]
    assert not found[""]["works"]


def test_one_call_at_a_time_is_enough(memgpt: CommandLine) -> None:
    def one_by_one(body: Body) -> Reply:
        return Reply(calls=(Call("note_word", {"word": "apple"}),)) if "tools" in body else Reply("1, 2, 3")

    with StrictServer(one_by_one, models=MODELS) as server:
        found = findings(memgpt, server)
    assert found["functions"]["ok"]
    assert found["parallel calls"]["ok"] is False


@pytest.mark.parametrize(
    "fault",
    [Fault.error(500, "boom"), Fault.rate_limited(), Fault.cut(1), Fault.ended(1), Fault.error(401, "no such key")],
    ids=["500", "429", "cut", "ended", "401"],
)
def test_a_failing_call_is_a_row(memgpt: CommandLine, fault: Fault) -> None:
    with StrictServer(able, models=MODELS, faults=[fault]) as server:
        found = findings(memgpt, server, code=1)
    assert not found[""]["works"]
    assert [p for p in found[""]["probes"] if p["needed"] and p["ok"] is False]


def test_a_server_that_is_not_there_is_one_row_and_no_call(memgpt: CommandLine) -> None:
    with StrictServer(models=MODELS) as server:
        pass
    found = findings(memgpt, server, code=1)
    assert [p["what"] for p in found[""]["probes"]] == ["endpoint"]
    assert found[""]["calls"] == 0


def test_an_unlisted_model_is_told_and_tried_all_the_same(memgpt: CommandLine) -> None:
    with StrictServer(able, models=("other",)) as server:
        found = findings(memgpt, server, code=1)
    assert found["model"]["ok"] is False


def test_what_needs_no_server_is_not_tested(memgpt: CommandLine) -> None:
    assert "no endpoint to test" in memgpt("models", "test", code=2).err
    assert "no profile 'x'" in memgpt("models", "test", "x", code=3).err
