"""Which model answers: a table, a row for each way in which it may be decided."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from memgpt_cli.config.keys import ApiKeys
from memgpt_cli.config.models import MAX_DEFAULT_WINDOW, Destination, resolve_model
from memgpt_cli.config.paths import Paths
from memgpt_cli.config.settings import Configuration, SettingSource
from memgpt_cli.domain.agents import AgentConfig
from memgpt_cli.domain.endpoints import Endpoint, Provider

Load = Callable[..., Configuration]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = {"OPENAI_API_KEY": "sk-test-0123456789abcdef"}
LOCAL = "http://localhost:11434/v1"


def agent(**own: object) -> AgentConfig:
    return AgentConfig(name="a", created_at=NOW, **own)


def at(model: str, url: str | None = None) -> Destination:
    return Destination(model=model, endpoint=Endpoint.at(url, model=model))


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    source: SettingSource
    url: str | None = None
    flags: dict[str, str] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    own: AgentConfig | None = None
    user: str | None = None
    notice: str = ""


CASES = {
    "nothing at all": Case(name="offline", source=SettingSource.DEFAULT, notice="offline"),
    "a key": Case(name="gpt-4.1-mini", source=SettingSource.DEFAULT, environ=KEY),
    "a user file, no key": Case(name="gpt-5", source=SettingSource.USER, user="[model]\nname = 'gpt-5'\n"),
    "the agent's own before the file": Case(
        name="llama3", source=SettingSource.AGENT, own=agent(model="llama3"), user="[model]\nname = 'gpt-5'\n"
    ),
    "the agent's own endpoint": Case(
        name="llama3", source=SettingSource.AGENT, url=LOCAL, own=agent(model="llama3", base_url=LOCAL)
    ),
    "an agent that is offline stays so with a key": Case(
        name="offline", source=SettingSource.AGENT, own=agent(model="offline"), environ=KEY
    ),
    "a variable before the agent's own": Case(
        name="m", source=SettingSource.ENVIRONMENT, environ={"MEMGPT_MODEL": "m"}, own=agent(model="llama3")
    ),
    "a flag before all": Case(
        name="f",
        source=SettingSource.FLAG,
        flags={"model.name": "f"},
        environ={**KEY, "MEMGPT_MODEL": "m"},
        own=agent(model="llama3"),
    ),
    "an endpoint without a model": Case(
        name="offline", source=SettingSource.DEFAULT, flags={"model.base_url": LOCAL}, notice="--model NAME"
    ),
    "an endpoint without a model, a key": Case(
        name="gpt-4.1-mini", source=SettingSource.DEFAULT, url=LOCAL, environ={**KEY, "OPENAI_BASE_URL": LOCAL}
    ),
    "offline needs no endpoint": Case(
        name="offline", source=SettingSource.FLAG, flags={"model.name": "offline", "model.base_url": LOCAL}
    ),
    "a script needs none either": Case(
        name="scripted:demo.jsonl", source=SettingSource.FLAG, flags={"model.name": "scripted:demo.jsonl"}
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_model_is_chosen_as_documented(load_config: Load, paths: Paths, case: Case) -> None:
    config = load_config(user=case.user, environ=case.environ, flags=case.flags)
    keys = ApiKeys(paths.keys_file, case.environ)
    choice = resolve_model(config, has_key=keys.has, agent=case.own)
    assert (choice.name, choice.source, choice.base_url) == (case.name, case.source, case.url)
    assert (choice.endpoint is None) == (choice.name == "offline" or choice.name.startswith("scripted:"))
    assert case.notice in (choice.notice or "") if case.notice else choice.notice is None
    assert choice.settings.name == choice.name
    assert choice.apply(config.settings).model.name == choice.name


def test_a_stored_key_counts_like_the_variable(load_config: Load, paths: Paths) -> None:
    keys = ApiKeys(paths.keys_file, {})
    keys.set("openai", "sk-test-0123456789abcdef")
    assert resolve_model(load_config(), has_key=keys.has).name == "gpt-4.1-mini"


@pytest.mark.parametrize(
    ("model", "own", "environ", "window", "source"),
    [
        ("gpt-4.1-mini", None, {}, MAX_DEFAULT_WINDOW, SettingSource.DEFAULT),
        ("nobody-knows", None, {}, MAX_DEFAULT_WINDOW, SettingSource.DEFAULT),
        ("small", None, {}, 4096, SettingSource.DEFAULT),
        ("small", 2048, {}, 2048, SettingSource.AGENT),
        ("small", 2048, {"MEMGPT_WINDOW": "3000"}, 3000, SettingSource.ENVIRONMENT),
        ("gpt-4o", 200_000, {}, 128_000, SettingSource.AGENT),
        ("offline", 5_000_000, {}, 5_000_000, SettingSource.AGENT),
    ],
)
def test_the_window_is_what_was_asked_for_or_what_the_model_takes(
    load_config: Load, model: str, own: int | None, environ: dict[str, str], window: int, source: SettingSource
) -> None:
    user = "[models.small]\ncontext = 4096\n"
    config = load_config(user=user, environ=environ, flags={"model.name": model})
    choice = resolve_model(config, has_key=lambda *_: False, agent=agent(window=own))
    assert (choice.window, choice.window_source) == (window, source)
    assert (choice.notice is not None) == (own == 200_000)
    assert choice.apply(config.settings).window.window == window


@pytest.mark.parametrize(
    ("last", "now", "says"),
    [
        (Destination(model="offline"), {"model.name": "gpt-5"}, "api.openai.com"),
        (at("gpt-5"), {"model.name": "offline"}, "this machine"),
        (at("x", LOCAL), {"model.name": "x", "model.base_url": "http://10.0.0.1/v1"}, "10.0.0.1"),
        (at("x", LOCAL), {"model.name": "y", "model.base_url": LOCAL}, None),
        (at("gpt-5"), {"model.name": "gpt-4o"}, None),
        (Destination(model="offline"), {"model.name": "scripted:x"}, None),
    ],
)
def test_no_agent_moves_to_another_endpoint_without_saying_so(
    load_config: Load, last: Destination, now: dict[str, str], says: str | None
) -> None:
    choice = resolve_model(load_config(flags=now), has_key=lambda *_: True, last=last)
    if says is None:
        assert choice.notice is None
    else:
        assert choice.notice is not None
        assert f"on {says}" in choice.notice
        assert f"--model {last.model}" in choice.notice


def test_moving_from_offline_to_the_paid_default_is_said(load_config: Load) -> None:
    choice = resolve_model(load_config(), has_key=lambda *_: True, last=Destination(model="offline"))
    assert choice.notice is not None
    assert "now that there is a key" in choice.notice


@pytest.mark.parametrize(
    ("model", "url", "user", "prices"),
    [
        ("gpt-4.1-mini", None, None, (0.4, 0.1, 1.6)),
        ("gpt-4.1-mini-2025-04-14", None, None, (0.4, 0.1, 1.6)),
        ("gpt-4.1-mini", "https://api.openai.com/v1/", None, (0.4, 0.1, 1.6)),
        ("gpt-4.1-mini", "https://elsewhere.example/v1", None, (None, None, None)),
        ("unknown", None, None, (None, None, None)),
        ("offline", None, None, (0.0, 0.0, 0.0)),
        ("scripted:x", None, None, (0.0, 0.0, 0.0)),
        ("llama3", LOCAL, "[models.llama3]\ninput = 0\noutput = 0\n", (0.0, 0.0, 0.0)),
        ("gpt-4o", None, '[models."gpt-4o"]\ninput = 9.5\n', (9.5, 1.25, 10.0)),
    ],
)
def test_prices_hold_where_they_are_known_and_are_unknown_elsewhere(
    load_config: Load, model: str, url: str | None, user: str | None, prices: tuple[float | None, ...]
) -> None:
    config = load_config(user=user, flags={"model.name": model, "model.base_url": url})
    settings = resolve_model(config, has_key=lambda *_: True).settings
    found = (settings.input_usd_per_million, settings.cached_usd_per_million, settings.output_usd_per_million)
    assert found == prices


def test_every_packaged_model_has_a_context_and_prices_and_cache_is_no_dearer(load_config: Load) -> None:
    for name, table in load_config().models.items():
        assert table["context"] >= 4096, name
        assert 0 <= table.get("cached", 0) <= table["input"], name
        assert table["output"] >= table["input"] or (table["output"] == 0 and "embedding" in name), name


def test_the_reasoning_effort_is_the_settings_or_else_the_models(load_config: Load) -> None:
    def effort(model: str, user: str = "") -> str | None:
        config = load_config(user=user, flags={"model.name": model})
        return resolve_model(config, has_key=lambda *_: True).settings.reasoning_effort

    assert effort("gpt-4.1-mini") is None
    assert effort("gpt-6-luna") is None
    assert effort("gpt-6-luna", "[model]\nprovider = 'openai_chat'\n") == "none"
    assert effort("gpt-6-luna", "[model]\nreasoning_effort = 'low'\n") == "low"
    assert effort("offline") is None


@pytest.mark.parametrize(
    ("flags", "user", "provider", "host"),
    [
        ({"model.name": "gpt-4.1"}, "", Provider.OPENAI_CHAT, "api.openai.com"),
        ({"model.name": "gpt-6-luna"}, "", Provider.OPENAI_RESPONSES, "api.openai.com"),
        ({"model.name": "claude-opus-4-1"}, "", Provider.ANTHROPIC, "api.anthropic.com"),
        ({"model.name": "m"}, "provider = 'anthropic'", Provider.ANTHROPIC, "api.anthropic.com"),
        ({"model.name": "gpt-6-luna"}, "provider = 'openai_chat'", Provider.OPENAI_CHAT, "api.openai.com"),
        # What a file says of its own address does not hold for an address from the command line.
        (
            {"model.name": "m", "model.base_url": LOCAL},
            "provider = 'anthropic'",
            Provider.OPENAI_CHAT,
            "localhost:11434",
        ),
        (
            {"model.name": "m", "model.base_url": LOCAL, "model.provider": "anthropic"},
            "",
            Provider.ANTHROPIC,
            "localhost:11434",
        ),
        ({"model.name": "m"}, f"base_url = '{LOCAL}'\nprovider = 'azure'", Provider.AZURE, "localhost:11434"),
    ],
)
def test_the_provider_holds_for_the_address_of_its_layer(
    load_config: Load, flags: dict[str, str], user: str, provider: Provider, host: str
) -> None:
    choice = resolve_model(load_config(user=f"[model]\n{user}\n", flags=flags), has_key=lambda *_: True)
    assert choice.endpoint is not None
    assert (choice.endpoint.provider, choice.endpoint.host) == (provider, host)
