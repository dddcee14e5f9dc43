"""`memgpt agent set`: an agent's own settings are changed, checked, shown and set back."""

import pytest
from support.brains import Reply
from support.command_line import CommandLine
from support.strict_server import StrictServer


@pytest.fixture(autouse=True)
def no_model_named(memgpt: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - undoes what it sets
    monkeypatch.delenv("MEMGPT_MODEL")


def test_settings_are_changed_shown_and_set_back(memgpt: CommandLine) -> None:
    memgpt("agent", "create", "tutor")
    done = memgpt("agent", "set", "tutor", "--model", "offline", "--window", "16384", "--protocol", "paper")
    assert "model (configured) -> offline" in done.out
    assert "a new epoch begins" in done.err
    shown = memgpt.json("agent-show", "agent", "show", "tutor")
    assert (shown["model"], shown["window"], shown["protocol"]) == ("offline", 16_384, "paper")
    assert [c["setting"] for c in shown["changes"]] == ["model", "window", "protocol"]
    assert "changed" in memgpt("agent", "show", "tutor").out
    undo = done.err.rpartition("to undo: memgpt ")[2].split()
    memgpt(*undo)
    shown = memgpt.json("agent-show", "agent", "show", "tutor")
    assert (shown["model"], shown["window"], shown["protocol"]) == (None, None, "native")


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--window", "99999999999", "from 512 to 10,000,000"),
        ("--window", "20000000", "from 512 to 10,000,000"),
        ("--window", "100", "from 512 to 10,000,000"),
        ("--model", "", "expected a text"),
        ("--model", "a\x01b", "expected a text"),
    ],
)
def test_a_value_out_of_range_changes_nothing(memgpt: CommandLine, option: str, value: str, expected: str) -> None:
    memgpt("agent", "create", "tutor")
    assert expected in memgpt("agent", "set", "tutor", option, value, code=2).err
    shown = memgpt.json("agent-show", "agent", "show", "tutor")
    assert (shown["model"], shown["window"]) == (None, None)


def test_the_answer_comes_from_what_was_set_and_default_returns_to_the_configuration(memgpt: CommandLine) -> None:
    with StrictServer(lambda _: Reply("From the server."), models=("tiny-1",)) as server:
        memgpt("agent", "create", "tutor")
        memgpt("send", "-a", "tutor", "Hi")
        told = memgpt("agent", "set", "tutor", "--model", "tiny-1", "--base-url", server.base_url).err
        assert "go to 127.0.0.1" in told
        assert memgpt("send", "-a", "tutor", "Hello again").out == "From the server.\n"
        memgpt("agent", "set", "tutor", "--default")
        shown = memgpt.json("agent-show", "agent", "show", "tutor")
        assert (shown["model"], shown["base_url"], shown["window"]) == (None, None, None)
    assert memgpt.json("context", "context", "-a", "tutor")["model"] == "offline"


def test_a_profile_takes_the_place_of_model_and_base_url(memgpt: CommandLine) -> None:
    with StrictServer(lambda _: Reply("Hello."), models=("tiny-1",)) as server:
        memgpt("models", "add", "local", "--base-url", server.base_url, "--model", "tiny-1", "--window", "9000")
        memgpt("agent", "create", "tutor", "--model", "m", "--base-url", "http://127.0.0.1:9/v1")
        memgpt("agent", "set", "tutor", "--model", "local")
        shown = memgpt.json("agent-show", "agent", "show", "tutor")
        assert (shown["profile"], shown["model"], shown["base_url"]) == ("local", None, None)
        assert memgpt.json("context", "context", "-a", "tutor")["window"] == 9_000
        assert memgpt("send", "-a", "tutor", "Hi").out == "Hello.\n"
        assert "tutor" in memgpt("models", "remove", "local", code=2).err
        assert "own base URL" in memgpt("agent", "set", "tutor", "--base-url", "http://h/v1", code=2).err
        memgpt("models", "remove", "local", "--force")
        assert "does not exist" in memgpt("send", "-a", "tutor", "Hi", code=2).err, "its history goes nowhere else"
        assert len(server.requests) == 1


def test_an_agent_created_with_a_profile_keeps_its_name_and_protocol(memgpt: CommandLine) -> None:
    memgpt("models", "add", "local", "--base-url", "http://127.0.0.1:9/v1", "--model", "tiny-1", "--protocol", "paper")
    created = memgpt.json("agent-show", "agent", "create", "tutor", "--model", "local")
    assert (created["profile"], created["model"], created["protocol"]) == ("local", None, "paper")
    memgpt("models", "add", "local", "--base-url", "http://127.0.0.1:8/v1", "--model", "tiny-2", "--replace")
    assert memgpt.json("context", "context", "-a", "tutor")["model"] == "tiny-2"


def test_a_model_that_the_endpoint_does_not_serve_is_refused(memgpt: CommandLine) -> None:
    memgpt("agent", "create", "tutor")
    with StrictServer(models=("tiny-1", "qwen3:latest")) as server:
        url = ("--base-url", server.base_url)
        done = memgpt("agent", "set", "tutor", "--model", "tiny-2", *url, code=2)
        assert "did you mean tiny-1" in done.err
        assert memgpt.json("agent-show", "agent", "show", "tutor")["changes"] == [], "nothing was changed"
        memgpt("agent", "set", "tutor", "--model", "qwen3", *url)
        memgpt("agent", "set", "tutor", "--model", "tiny-2", *url, "--no-check")
        gone = server.base_url
    told = memgpt("agent", "set", "tutor", "--model", "tiny-3", "--base-url", gone).err
    assert "could not be checked" in told


def test_a_window_that_its_memory_does_not_fit_is_refused_and_nothing_changes(memgpt: CommandLine) -> None:
    memgpt("agent", "create", "tutor", "--block", "notes=x")
    done = memgpt("agent", "set", "tutor", "--window", "1024", "--protocol", "paper", code=2)
    assert "1,024" in done.err or "1024" in done.err
    shown = memgpt.json("agent-show", "agent", "show", "tutor")
    assert (shown["window"], shown["protocol"], shown["changes"]) == (None, "native", [])


def test_wrong_usage_is_told(memgpt: CommandLine) -> None:
    memgpt("agent", "create", "tutor")
    assert "nothing to change" in memgpt("agent", "set", "tutor", code=2).err
    memgpt("agent", "set", "nobody", "--window", "9000", code=3)
    memgpt("agent", "set", "tutor", "--unset", "protocol", code=2)
    memgpt("agent", "set", "tutor", "--window", "9000")
    assert "already" in memgpt("agent", "set", "tutor", "--window", "9000").err


def test_a_change_of_protocol_keeps_the_conversation_going(memgpt: CommandLine) -> None:
    with StrictServer(models=("tiny-1",)) as server:
        memgpt("agent", "create", "tutor", "--protocol", "paper", "--model", "tiny-1", "--base-url", server.base_url)
        memgpt("send", "-a", "tutor", "One")
        memgpt("agent", "set", "tutor", "--protocol", "native")
        memgpt("send", "-a", "tutor", "Two")
        memgpt("agent", "set", "tutor", "--protocol", "paper")
        memgpt("send", "-a", "tutor", "Three")
    assert not server.refusals


def test_a_clone_may_have_another_model_or_there_is_no_clone(memgpt: CommandLine) -> None:
    memgpt("agent", "create", "tutor")
    made = memgpt.json("agent-show", "agent", "clone", "tutor", "second", "--model", "offline", "--window", "9000")
    assert (made["model"], made["window"]) == ("offline", 9_000)
    memgpt("agent", "clone", "tutor", "third", "--window", "1024", code=2)
    memgpt("agent", "show", "third", code=3)


def test_an_imported_agent_names_no_profile_of_this_machine(memgpt: CommandLine) -> None:
    memgpt("models", "add", "local", "--base-url", "http://127.0.0.1:9/v1", "--model", "tiny-1")
    memgpt("agent", "create", "tutor", "--model", "local")
    memgpt("agent", "export", "tutor", "t.memgpt")
    assert memgpt.json("agent-show", "agent", "import", "t.memgpt", "--as", "second")["profile"] is None
    kept = memgpt.json("agent-show", "agent", "import", "t.memgpt", "--as", "third", "--keep-endpoint")
    assert kept["profile"] == "local"


def test_a_setting_that_the_agent_in_use_does_not_follow_is_told(memgpt: CommandLine) -> None:
    memgpt("agent", "create", "default", "--model", "offline")
    told = memgpt("config", "set", "model.name", "gpt-4.1").err
    assert "agent default has its own model (offline)" in told
    assert "memgpt agent set default --default" in told
    assert "own" not in memgpt("config", "set", "window.tokens", "16384").err
