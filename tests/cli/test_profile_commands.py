"""`memgpt models add|list|show|remove`: profiles are stored, used through --model everywhere, and guarded."""

import pytest
from support.brains import Reply
from support.command_line import CommandLine
from support.strict_server import StrictServer


@pytest.fixture(autouse=True)
def no_model_named(memgpt: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - undoes what it sets
    monkeypatch.delenv("MEMGPT_MODEL")


def test_a_profile_is_added_shown_listed_and_removed(memgpt: CommandLine) -> None:
    added = memgpt.json(
        "models-profile", "models", "add", "local", "--base-url", "http://localhost:11434/v1", "--model", "qwen3:8b",
        "--window", "32768", "--price-input", "0.5", "--key-env", "LOCAL_KEY", "--images", "--protocol", "paper",
    )  # fmt: skip
    assert added["model"] == "qwen3:8b"
    assert added["window"] == 32_768
    assert added["key"] == "$LOCAL_KEY"
    assert added["usd_per_million_tokens"] == {"input": 0.5, "cached": None, "output": None}
    assert memgpt.json("models-profile", "models", "show", "local") == added
    assert memgpt.json("models-list", "models", "list") == [added]
    assert "qwen3:8b" in memgpt("models", "list").out
    assert "32,768" in memgpt("models", "show", "local").out
    assert memgpt.json("models-remove", "models", "remove", "local")["removed"] == "local"
    assert memgpt.json("models-list", "models", "list") == []


def test_an_existing_profile_is_replaced_only_on_request(memgpt: CommandLine) -> None:
    memgpt("models", "add", "local", "--model", "a", "--window", "9000")
    assert "--replace" in memgpt("models", "add", "local", "--model", "b", code=2).err
    assert memgpt.json("models-profile", "models", "show", "local")["model"] == "a"
    memgpt("models", "add", "local", "--model", "b", "--replace")
    shown = memgpt.json("models-profile", "models", "show", "local")
    assert (shown["model"], shown["window"]) == ("b", None), "nothing of the old profile is left"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("gpt-4.1", "--model", "x"), "the name of a model"),
        (("gpt-4.1-2025-04-14", "--model", "x"), "the name of a model"),
        (("offline", "--model", "x"), "not a valid profile name"),
        (("scripted:x", "--model", "x"), "not a valid profile name"),
        (("a b", "--model", "x"), "not a valid profile name"),
        (("-x", "--model", "x"), "No such option"),
        (("", "--model", "x"), "not a valid profile name"),
        (("x" * 65, "--model", "x"), "not a valid profile name"),
        (("x", "--model", "x"), "the name of a model"),
        (("y", "--model", "first"), "'first' is a profile"),
        (("m1", "--model", "x"), "the name of a model"),
        (("y",), "needs a model"),
        (("y", "--model", " "), "expected a text"),
        (("y", "--model", "x", "--base-url", "localhost:11434"), "expected an address"),
        (("y", "--model", "x", "--base-url", "http://user:key@host/v1"), "expected an address"),
        (("y", "--model", "x", "--window", "12"), "--window"),
        (("y", "--model", "x", "--context", "0"), "context"),
        (("y", "--model", "x", "--price-output", "-1"), "US dollars"),
        (("y", "--model", "x", "--price-output", "nan"), "US dollars"),
        (("y", "--model", "x", "--key-env", "sk-secret"), "environment variable"),
        (("y", "--model", "x", "--key-env", "K", "--no-key"), "contradict"),
    ],
)
def test_what_cannot_be_a_profile_is_refused_and_nothing_is_written(
    memgpt: CommandLine, arguments: tuple[str, ...], told: str
) -> None:
    memgpt("models", "add", "first", "--model", "m1")
    file = memgpt.home / "config" / "config.toml"
    before = file.read_bytes()
    done = memgpt("models", "add", *arguments, code=2)
    assert told in done.err
    assert "hint:" in done.err
    assert file.read_bytes() == before


def test_an_unknown_profile_is_not_found_and_the_nearest_is_named(memgpt: CommandLine) -> None:
    assert "models add" in memgpt("models", "show", "x", code=3).err
    memgpt("models", "add", "local", "--model", "a")
    assert "did you mean local" in memgpt("models", "remove", "lcal", code=3).err


def test_a_profile_brings_model_url_window_key_and_effort_to_its_own_server(
    memgpt: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-mine-0123456789abcdef")
    with StrictServer(lambda _: Reply("Hello."), models=("tiny-1",)) as server:
        memgpt(
            "models", "add", "here", "--base-url", server.base_url, "--model", "tiny-1", "--window", "9000",
            "--key-env", "MY_KEY", "--reasoning-effort", "low",
        )  # fmt: skip
        assert "Hello." in memgpt("send", "Hi", "--model", "here").out
        shape = memgpt.json("context", "context", "--model", "here")
        memgpt("config", "set", "model.name", "here")
        assert "Hello." in memgpt("send", "Hi again").out
    assert (shape["window"], shape["model"]) == (9_000, "tiny-1")
    assert {body["model"] for body in server.requests} == {"tiny-1"}
    assert {body["reasoning_effort"] for body in server.requests} == {"low"}
    assert {headers["authorization"] for headers in server.headers} == {"Bearer sk-mine-0123456789abcdef"}


def test_the_key_of_a_profile_is_sent_to_no_other_address(memgpt: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-mine-0123456789abcdef")
    memgpt("models", "add", "there", "--base-url", "http://127.0.0.1:9/v1", "--model", "tiny-1", "--key-env", "MY_KEY")
    with StrictServer(lambda _: Reply("Hello."), models=("tiny-1",)) as server:
        memgpt("send", "Hi", "--model", "there", "--base-url", server.base_url)
    assert not any("authorization" in headers for headers in server.headers)


def test_a_missing_key_variable_is_an_error_that_names_it(memgpt: CommandLine) -> None:
    memgpt("models", "add", "there", "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--key-env", "NO_SUCH_KEY")
    assert "export NO_SUCH_KEY=" in memgpt("send", "Hi", "--model", "there", code=4).err


def test_a_profile_without_a_key_sends_none(memgpt: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    with StrictServer(lambda _: Reply("Hello."), models=("tiny-1",)) as server:
        memgpt("models", "add", "here", "--base-url", server.base_url, "--model", "tiny-1", "--no-key")
        memgpt("send", "Hi", "--model", "here")
    assert not any("authorization" in headers for headers in server.headers)


def test_a_profile_that_is_in_use_is_removed_only_by_force(memgpt: CommandLine) -> None:
    memgpt("models", "add", "local", "--model", "a", "--no-key", "--default")
    assert "model.name" in memgpt("models", "remove", "local", code=2).err
    memgpt("models", "remove", "local", "--force")


def test_a_project_that_is_not_trusted_brings_no_profile(memgpt: CommandLine) -> None:
    folder = memgpt.home.parent / ".memgpt"
    folder.mkdir()
    text = '[profiles.local]\nmodel = "m"\nbase_url = "http://evil.example/v1"\n'
    (folder / "config.toml").write_text(text, encoding="utf-8")
    assert memgpt.json("models-list", "models", "list") == []
    assert "profiles.local" in memgpt("config", "list").err
    memgpt("config", "trust", "--yes")
    assert [p["name"] for p in memgpt.json("models-list", "models", "list")] == ["local"]
    assert "not your settings file" in memgpt("models", "remove", "local", code=2).err


def test_a_faulty_profile_in_the_file_is_named(memgpt: CommandLine) -> None:
    file = memgpt.home / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    for text, told in (
        ("[profiles.x]\nmodle = 'm'\n", "did you mean model?"),
        ("[profiles.x]\nwindow = 'big'\nmodel = 'm'\n", "profiles.x.window: expected a whole number"),
        ("[profiles.x]\nbase_url = 'http://h/v1'\n", "names no model"),
        ("[profiles]\nx = 'm'\n", "one table for each profile"),
        ("profiles = 3\n", "one table for each profile"),
        ("[profiles.'a b']\nmodel = 'm'\n", "not a valid profile name"),
    ):
        file.write_text(text, encoding="utf-8")
        assert told in memgpt("models", "list", code=2).err
