"""Keys: stored for their owner's eyes, sent only where they belong."""

import os
import stat

import pytest

from memgpt_cli.config.keys import ApiKeys, mask, provider_name
from memgpt_cli.config.paths import Paths
from memgpt_cli.config.settings import SettingSource
from memgpt_cli.domain.endpoints import Endpoint
from memgpt_cli.errors import APIKeyError, NotFoundError, UsageError

KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz"
OTHER = "or-0123456789abcdefghij"
ELSEWHERE = "https://openrouter.ai/api/v1"
OPENAI = Endpoint.at(None)
ANTHROPIC = Endpoint.at(None, provider="anthropic")


def test_a_stored_key_is_found_in_a_file_that_only_its_owner_can_read(paths: Paths) -> None:
    ApiKeys(paths.keys_file, {}).set("openai", f" {KEY}\n")
    assert stat.S_IMODE(paths.keys_file.stat().st_mode) == 0o600
    assert ApiKeys(paths.keys_file, {}).find(OPENAI) == KEY
    assert [entry.name for entry in paths.config.iterdir()] == ["keys.toml"]


def test_a_second_key_keeps_the_first_and_the_mode(paths: Paths) -> None:
    keys = ApiKeys(paths.keys_file, {})
    keys.set("openai", KEY)
    keys.set(ELSEWHERE, OTHER)
    assert keys.find(OPENAI) == KEY
    assert keys.find(Endpoint.at(ELSEWHERE)) == OTHER
    assert stat.S_IMODE(paths.keys_file.stat().st_mode) == 0o600
    keys.delete("openai")
    assert keys.find(OPENAI) is None
    assert keys.find(Endpoint.at(ELSEWHERE)) == OTHER


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused_with_the_command_that_repairs_it(paths: Paths, mode: int) -> None:
    keys = ApiKeys(paths.keys_file, {})
    keys.set("openai", KEY)
    paths.keys_file.chmod(mode)
    with pytest.raises(APIKeyError) as caught:
        keys.find(OPENAI)
    assert caught.value.hint == f"chmod 600 {paths.keys_file}"
    assert KEY not in caught.value.message


def test_keys_are_masked_everywhere_they_are_shown(paths: Paths) -> None:
    keys = ApiKeys(paths.keys_file, {"OPENAI_API_KEY": KEY})
    entry = keys.set("openrouter.ai", OTHER)
    shown = repr(entry) + repr(keys.entries())
    assert KEY not in shown
    assert OTHER not in shown
    assert KEY[-4:] in shown
    assert mask("short") == "…"


@pytest.mark.parametrize(
    ("url", "source", "sent"),
    [
        (None, SettingSource.DEFAULT, True),
        ("https://api.openai.com/v1", SettingSource.AGENT, True),
        ("http://localhost:11434/v1", SettingSource.AGENT, True),
        ("http://[::1]:8000/v1", SettingSource.AGENT, True),
        ("http://0.0.0.0:8000/v1", SettingSource.AGENT, True),
        (ELSEWHERE, SettingSource.FLAG, True),
        (ELSEWHERE, SettingSource.ENVIRONMENT, True),
        (ELSEWHERE, SettingSource.USER, True),
        (ELSEWHERE, SettingSource.AGENT, False),
        ("https://api.openai.com.evil.example/v1", SettingSource.AGENT, False),
    ],
)
def test_the_variable_goes_only_where_the_person_sent_it(
    paths: Paths, url: str | None, source: SettingSource, sent: bool
) -> None:
    keys = ApiKeys(paths.keys_file, {"OPENAI_API_KEY": KEY})
    assert keys.find(Endpoint.at(url), source) == (KEY if sent else None)


def test_a_stored_openai_key_goes_nowhere_else_and_a_hosts_own_key_comes_first(paths: Paths) -> None:
    keys = ApiKeys(paths.keys_file, {})
    keys.set("openai", KEY)
    assert keys.find(Endpoint.at(ELSEWHERE), SettingSource.FLAG) is None
    both = ApiKeys(paths.keys_file, {"OPENAI_API_KEY": KEY})
    both.set("openrouter.ai", OTHER)
    assert both.find(Endpoint.at(ELSEWHERE), SettingSource.FLAG) == OTHER


def test_a_providers_own_variable_goes_to_its_host_and_to_no_other(paths: Paths) -> None:
    keys = ApiKeys(paths.keys_file, {"OPENROUTER_API_KEY": OTHER, "ANTHROPIC_API_KEY": KEY})
    assert keys.find(Endpoint.at(ELSEWHERE), SettingSource.AGENT) == OTHER
    assert keys.find(Endpoint.at("https://api.groq.com/openai/v1"), SettingSource.FLAG) is None
    assert keys.find(ANTHROPIC) == KEY
    assert keys.find(OPENAI, SettingSource.FLAG) is None
    proxy = "https://proxy.example/anthropic"
    assert keys.find(Endpoint.at(proxy), SettingSource.FLAG) == KEY
    assert keys.find(Endpoint.at(proxy), SettingSource.AGENT) is None


def test_a_named_variable_is_the_only_place_where_its_endpoints_key_is_looked_for(paths: Paths) -> None:
    keys = ApiKeys(paths.keys_file, {"WORK_KEY": OTHER, "OPENAI_API_KEY": KEY})
    assert keys.find(Endpoint.at(ELSEWHERE, key_env="WORK_KEY")) == OTHER
    missing = Endpoint.at(ELSEWHERE, key_env="HOME_KEY")
    assert keys.find(missing, SettingSource.FLAG) is None
    with pytest.raises(APIKeyError) as caught:
        keys.require(missing, SettingSource.FLAG)
    assert caught.value.hint == "export HOME_KEY=..."


def test_an_anthropic_key_is_stored_under_its_name(paths: Paths) -> None:
    keys = ApiKeys(paths.keys_file, {})
    keys.set("anthropic", OTHER)
    assert keys.find(ANTHROPIC) == OTHER
    assert keys.find(Endpoint.at("https://api.anthropic.com")) == OTHER
    assert keys.find(OPENAI) is None
    with pytest.raises(APIKeyError) as caught:
        ApiKeys(paths.keys_file, {}).require(Endpoint.at(None, provider="anthropic", key_env="X"))
    assert "X is not set" in caught.value.message


def test_openai_without_a_key_is_an_error_and_a_local_server_without_one_is_not(paths: Paths) -> None:
    keys = ApiKeys(paths.keys_file, {})
    with pytest.raises(APIKeyError) as caught:
        keys.require(OPENAI)
    assert caught.value.hint == "memgpt keys set openai"
    assert keys.require(Endpoint.at("http://localhost:11434/v1")) is None


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\nline", "schlüssel"])
def test_what_cannot_be_a_key_is_refused_and_not_repeated(paths: Paths, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        ApiKeys(paths.keys_file, {}).set("openai", key)
    assert not key.strip() or key not in caught.value.message
    assert not paths.keys_file.exists()


@pytest.mark.parametrize(
    ("text", "provider"),
    [
        ("openai", "openai"),
        ("OpenAI", "openai"),
        ("api.openai.com", "openai"),
        ("https://api.openai.com/v1", "openai"),
        ("anthropic", "anthropic"),
        ("https://api.anthropic.com/v1", "anthropic"),
        ("openrouter.ai", "openrouter.ai"),
        (ELSEWHERE, "openrouter.ai"),
        ("localhost:8000", "localhost:8000"),
    ],
)
def test_providers_are_hosts(text: str, provider: str) -> None:
    assert provider_name(text) == provider


@pytest.mark.parametrize("text", ["", "opnai", "sk-proj-abc", "a b.c", "https://"])
def test_what_is_no_host_is_no_provider(text: str) -> None:
    with pytest.raises(UsageError):
        provider_name(text)


def test_deleting_a_key_that_is_not_there_says_what_to_do(paths: Paths) -> None:
    with pytest.raises(NotFoundError, match="openai"):
        ApiKeys(paths.keys_file, {}).delete("openai")
    with pytest.raises(NotFoundError) as caught:
        ApiKeys(paths.keys_file, {"OPENAI_API_KEY": KEY}).delete("openai")
    assert caught.value.hint == "unset OPENAI_API_KEY"


def test_a_key_with_toml_characters_survives(paths: Paths) -> None:
    key = 'a"b\\c#d=e[f]'
    keys = ApiKeys(paths.keys_file, {})
    keys.set("openai", key)
    assert keys.find(OPENAI) == key
