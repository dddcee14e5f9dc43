"""What is particular to single providers: Azure's addresses and key, OpenRouter's routing, cost and errors."""

from typing import Any

import pytest
from support.api_server import ApiFault, ApiServer
from support.brains import Reply, plan
from support.responses_api import ResponsesApi
from support.strict_server import StrictServer

from memgpt_cli.agent.budget import cost_of, worst_case
from memgpt_cli.bootstrap.providers import Connection, connect
from memgpt_cli.domain.chat import ChatRequest, Delta, PromptMessage, TextDelta, Usage
from memgpt_cli.domain.endpoints import Endpoint
from memgpt_cli.domain.settings import ModelSettings
from memgpt_cli.errors import ModelError
from memgpt_cli.llm.endpoint_memory import ProcessEndpointMemory
from memgpt_cli.ports import ChatModel

ROUTING = '{"provider": {"order": ["x"], "allow_fallbacks": false}}'


class ChatApi:
    """Just enough of Chat Completions for the address, the headers and the body to be looked at."""

    def __init__(self, path: str = "/chat/completions", usage: dict[str, Any] | None = None) -> None:
        self.path = path
        self.usage = usage or {"prompt_tokens": 10, "completion_tokens": 2}

    def authorise(self, headers: dict[str, str], api_key: str | None) -> None: ...

    def check(self, body: Any) -> None: ...

    def as_chat(self, body: dict[str, Any]) -> dict[str, Any]:
        return body

    def refusal(self, error: Exception) -> dict[str, Any]:
        return {"error": {"message": str(error)}}

    def events(self, body: dict[str, Any], reply: Reply, number: int) -> Any:  # noqa: ARG002 - the dialect's
        envelope = {"type": "chunk", "object": "chat.completion.chunk", "model": body["model"]}
        for word in (reply.text or "").split():
            yield envelope | {"choices": [{"index": 0, "delta": {"content": word}}]}
        yield envelope | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        yield envelope | {"choices": [], "usage": self.usage}


def speak(endpoint: Endpoint, *, model: str = "m", key: str | None = "k", effort: str | None = None) -> ChatModel:
    settings = ModelSettings(name=model, timeout_s=5, reasoning_effort=effort)
    return connect(
        Connection(
            model=model,
            endpoint=endpoint,
            api_key=key,
            settings=settings,
            max_retries=0,
            memory=ProcessEndpointMemory(),
        )
    )


def ask(model: ChatModel) -> list[Delta]:
    messages = (PromptMessage(role="system", content="Be brief."), PromptMessage(role="user", content="Hello"))
    return list(model.stream(ChatRequest(model=model.name, messages=messages, max_tokens=100)))


@pytest.mark.parametrize(
    ("prefix", "query"),
    [
        ("/openai/deployments/mine", "?api-version=2025-01-01-preview"),
        ("/openai/v1", ""),
    ],
)
def test_azure_is_reached_at_both_of_its_addresses_with_the_key_in_its_header(prefix: str, query: str) -> None:
    with ApiServer(ChatApi(), plan(["Good morning."]), path_prefix=prefix) as server:
        deltas = ask(speak(Endpoint.at(server.base_url + query, provider="azure")))
        assert server.paths == [f"{prefix}/chat/completions{query}"]
        assert server.headers[0]["api-key"] == "k"
        assert "authorization" not in server.headers[0]
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == "Goodmorning."


def test_azures_newer_address_speaks_the_responses_api_too() -> None:
    with ApiServer(ResponsesApi(), path_prefix="/openai/v1", api_key="k") as server:
        # The provider says how the key is sent only where the host does not: here the header is the usual one.
        assert ask(speak(Endpoint.at(server.base_url, model="gpt-6", provider="openai_responses"), model="gpt-6"))
        assert server.paths == ["/openai/v1/responses"]


def test_another_query_survives_too() -> None:
    with ApiServer(ChatApi(), plan(["Hi"])) as server:
        ask(speak(Endpoint.at(f"{server.base_url}?team=a%20b")))
        assert server.paths[0].partition("?")[2] in ("team=a%20b", "team=a+b")


def test_extra_fields_go_into_each_request_of_every_api() -> None:
    for provider in ("openai_chat", "openai_responses", "anthropic"):
        endpoint = Endpoint.at("http://h/v1", provider=provider)
        extended = Endpoint(provider=endpoint.provider, base_url=endpoint.base_url, extra_body=ROUTING)
        body = speak(extended).body(ChatRequest(model="m", messages=(PromptMessage(role="user", content="Hi"),)))
        assert body["provider"] == {"order": ["x"], "allow_fallbacks": False}


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0.0012}, 0.0012),
        ({"cost": 0}, 0.0),
        ({"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.5}}, 0.51),
        ({"cost": 0.01, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.5}}, 0.01),
        ({"cost": -1}, None),
        ({"cost": 1e30}, None),
        ({"cost": "0.1"}, None),
        ({"cost": True}, None),
        ({}, None),
    ],
)
def test_a_cost_that_the_server_states_is_booked(usage: dict[str, Any], cost: float | None) -> None:
    api = ChatApi(usage={"prompt_tokens": 10, "completion_tokens": 2, **usage})
    with ApiServer(api, plan(["Hi"])) as server:
        deltas = ask(speak(Endpoint.at(server.base_url)))
    reported = deltas[-1]
    assert isinstance(reported, Usage)
    assert reported.cost_usd == cost
    assert cost_of(reported, ModelSettings()) == cost


def test_an_error_in_the_middle_of_a_stream_is_an_error() -> None:
    error = {"code": 502, "message": "Provider disconnected", "metadata": {"provider_name": "x"}}
    chunk = {"type": "chunk", "error": error, "choices": [{"delta": {"content": ""}, "finish_reason": "error"}]}
    with ApiServer(ChatApi(), plan(["one two three"]), faults=[ApiFault(event_after=(2, chunk))]) as server:
        with pytest.raises(ModelError) as caught:
            ask(speak(Endpoint.at(server.base_url)))
    assert "Provider disconnected" in caught.value.message
    assert caught.value.transient


def test_tokens_written_to_the_cache_have_their_own_price() -> None:
    prices = ModelSettings(
        input_usd_per_million=2.0,
        cached_usd_per_million=0.5,
        cache_write_usd_per_million=2.5,
        output_usd_per_million=10.0,
    )
    usage = Usage(prompt_tokens=1000, cached_tokens=600, cache_write_tokens=300, completion_tokens=10)
    assert cost_of(usage, prices) == pytest.approx((100 * 2.0 + 600 * 0.5 + 300 * 2.5 + 10 * 10.0) / 1e6)
    assert cost_of(worst_case(1000, 0), prices) == pytest.approx(1000 * 2.5 / 1e6)


def test_a_strict_chat_server_takes_what_an_endpoint_without_extra_fields_is_sent() -> None:
    with StrictServer() as server:
        assert ask(speak(Endpoint.at(server.base_url), key=None))
        assert not server.refusals
