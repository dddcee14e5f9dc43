"""Endpoints: what follows from an address as people write it."""

import pytest

from memgpt_cli.domain.endpoints import KEY_VARIABLES, Endpoint, Provider
from memgpt_cli.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "model", "provider", "base_url"),
    [
        (None, "gpt-4.1-mini", Provider.OPENAI_CHAT, "https://api.openai.com/v1"),
        ("  ", "gpt-4.1-mini", Provider.OPENAI_CHAT, "https://api.openai.com/v1"),
        (None, "gpt-5-mini", Provider.OPENAI_RESPONSES, "https://api.openai.com/v1"),
        (None, "o3", Provider.OPENAI_RESPONSES, "https://api.openai.com/v1"),
        (None, "ft:gpt-5:mine", Provider.OPENAI_RESPONSES, "https://api.openai.com/v1"),
        (None, "gpt-5-chat-latest", Provider.OPENAI_CHAT, "https://api.openai.com/v1"),
        (None, "gpt-oss-120b", Provider.OPENAI_CHAT, "https://api.openai.com/v1"),
        ("https://eu.api.openai.com/v1", "gpt-6", Provider.OPENAI_RESPONSES, "https://eu.api.openai.com/v1"),
        ("https://openrouter.ai/api/v1/", "openai/gpt-5", Provider.OPENAI_CHAT, "https://openrouter.ai/api/v1"),
        ("http://localhost:1234/v1/chat/completions", "gpt-5", Provider.OPENAI_CHAT, "http://localhost:1234/v1"),
        (None, "claude-sonnet-4-5", Provider.ANTHROPIC, "https://api.anthropic.com/v1"),
        ("https://api.anthropic.com", "x", Provider.ANTHROPIC, "https://api.anthropic.com/v1"),
        ("https://api.anthropic.com/v1/messages", "x", Provider.ANTHROPIC, "https://api.anthropic.com/v1"),
        ("https://api.z.ai/api/anthropic", "glm", Provider.ANTHROPIC, "https://api.z.ai/api/anthropic/v1"),
        ("https://me.openai.azure.com", "d", Provider.AZURE, "https://me.openai.azure.com/openai/v1"),
        ("https://me.openai.azure.com/openai/v1/", "d", Provider.AZURE, "https://me.openai.azure.com/openai/v1"),
        (
            "https://me.services.ai.azure.com/openai/deployments/d/chat/completions?api-version=2025-01-01-preview",
            "d",
            Provider.AZURE,
            "https://me.services.ai.azure.com/openai/deployments/d",
        ),
    ],
)
def test_address_and_model_decide_the_protocol(url: str | None, model: str, provider: Provider, base_url: str) -> None:
    endpoint = Endpoint.at(url, model=model)
    assert (endpoint.provider, endpoint.base_url) == (provider, base_url)


def test_a_stated_protocol_is_taken_as_stated() -> None:
    assert Endpoint.at(None, model="gpt-5", provider="openai_chat").provider is Provider.OPENAI_CHAT
    assert Endpoint.at(None, model="m", provider="anthropic").base_url == "https://api.anthropic.com/v1"
    assert Endpoint.at("http://localhost:4000", provider="anthropic").base_url == "http://localhost:4000/v1"


def test_the_query_survives_and_azures_deployments_have_a_version() -> None:
    stated = Endpoint.at("https://me.openai.azure.com/openai/deployments/d?api-version=2025-01-01")
    assert stated.query == (("api-version", "2025-01-01"),)
    assert dict(Endpoint.at("https://me.openai.azure.com/openai/deployments/d").query)["api-version"]
    assert Endpoint.at("https://me.openai.azure.com/openai/v1").query == ()
    assert Endpoint.at("http://h/v1?a=1&b=x%20y").query == (("a", "1"), ("b", "x y"))
    assert Endpoint.at(stated.url) == stated


@pytest.mark.parametrize(
    "url", ["localhost:11434/v1", "ftp://somewhere/v1", "http://", "/v1", "http://h:port/v1", "http://[::1/v1"]
)
def test_what_is_not_an_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        Endpoint.at(url)


def test_azure_has_no_common_address() -> None:
    with pytest.raises(ConfigError) as caught:
        Endpoint.at(None, provider="azure")
    assert "--base-url" in caught.value.hint


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("LOCALHOST:8080", True),
        ("127.0.0.1", True),
        ("127.9.9.9:80", True),
        ("0.0.0.0:8000", True),
        ("[::1]:8000", True),
        ("[::]", True),
        ("[::ffff:127.0.0.1]", True),
        ("192.168.0.4", False),
        ("10.0.0.1:11434", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("host.docker.internal", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_else(host: str, loopback: bool) -> None:
    assert Endpoint.at(f"http://{host}/v1").is_loopback is loopback


@pytest.mark.parametrize(
    ("url", "is_openai", "key_name"),
    [
        (None, True, "openai"),
        ("https://API.openai.com/v1", True, "openai"),
        ("https://us.api.openai.com/v1", True, "openai"),
        ("https://api.openai.com.evil.example/v1", False, "api.openai.com.evil.example"),
        ("https://api.openai.com@evil.example/v1", False, "evil.example"),
        ("https://evilapi.openai.com/v1", False, "evilapi.openai.com"),
        ("https://api.anthropic.com", False, "anthropic"),
        ("http://[::1]:8000/v1", False, "[::1]:8000"),
    ],
)
def test_keys_belong_to_hosts(url: str | None, is_openai: bool, key_name: str) -> None:
    endpoint = Endpoint.at(url)
    assert (endpoint.is_openai, endpoint.key_name) == (is_openai, key_name)


def test_azure_reads_the_key_from_its_own_header_and_variable() -> None:
    azure = Endpoint.at("https://me.openai.azure.com/openai/v1", provider="openai_responses")
    assert azure.key_in_api_key_header
    assert azure.own_variable == "AZURE_OPENAI_API_KEY"
    gateway = Endpoint.at("https://gateway.example/v1", provider="azure")
    assert gateway.key_in_api_key_header
    assert (gateway.own_variable, gateway.general_variable) == (None, "AZURE_OPENAI_API_KEY")
    assert not Endpoint.at("https://azure.com.example/v1").key_in_api_key_header


def test_every_known_host_has_its_variable_in_the_hint() -> None:
    for host, variable in KEY_VARIABLES.items():
        endpoint = Endpoint.at(f"https://{host}/v1")
        assert endpoint.own_variable == variable
        assert variable in endpoint.key_hint
        assert f"memgpt keys set {endpoint.key_name}" in endpoint.key_hint
    assert Endpoint.at("https://h.example/v1").key_hint == "memgpt keys set h.example"
