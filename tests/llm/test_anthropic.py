"""Anthropic's Messages API against a test server that checks bodies with the anthropic package's own types."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import openai
import pytest
from support.api_server import ApiFault, ApiServer
from support.brains import Call, Reply, plan
from support.messages_api import MessagesApi

from memgpt_cli.domain.chat import (
    CallDelta,
    ChatRequest,
    CutDelta,
    Delta,
    PromptMessage,
    TextDelta,
    ThoughtDelta,
    ToolSchema,
    Usage,
)
from memgpt_cli.domain.endpoints import Endpoint
from memgpt_cli.domain.messages import FunctionCall, Opaque
from memgpt_cli.domain.pictures import Picture
from memgpt_cli.errors import APIKeyError, ContextLengthError, MemGPTError, ModelError, RateLimitError
from memgpt_cli.llm.anthropic.wire import AnthropicWire
from memgpt_cli.llm.connection import headers_for
from memgpt_cli.llm.endpoint_model import EndpointModel
from memgpt_cli.llm.server_errors import Target
from memgpt_cli.llm.transport import Transport

SEARCH = ToolSchema(
    name="conversation_search",
    description="Search what was said.",
    parameters={"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
)
SYSTEM = PromptMessage(role="system", content="Be brief.")
CALLS = (Call("conversation_search", {"query": "a"}), Call("conversation_search", {"query": "b"}))


def model(server: ApiServer, *, effort: str | None = None, key: str | None = None, retries: int = 0) -> EndpointModel:
    endpoint = Endpoint.at(server.base_url, model="claude-x", provider="anthropic")
    target = Target(model="claude-x", endpoint=endpoint, api_key=key)
    return EndpointModel(target, AnthropicWire(target, effort), Transport(target, timeout_s=5, max_retries=retries))


def request(*messages: PromptMessage, max_tokens: int | None = 200) -> ChatRequest:
    return ChatRequest(model="claude-x", messages=(SYSTEM, *messages), tools=(SEARCH,), max_tokens=max_tokens)


def user(text: str) -> PromptMessage:
    return PromptMessage(role="user", content=text)


def text_of(deltas: Sequence[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


def reply_of(deltas: Sequence[Delta], turn: int) -> PromptMessage:
    """The reply as the agent stores it and shows it again: with ids of its own."""
    calls: dict[int, dict[str, str]] = {}
    for delta in deltas:
        if isinstance(delta, CallDelta):
            call = calls.setdefault(delta.index, {"name": "", "arguments": ""})
            call["name"] = delta.name or call["name"]
            call["arguments"] += delta.arguments
    return PromptMessage(
        role="assistant",
        content=text_of(deltas) or None,
        calls=tuple(FunctionCall(id=f"{turn:07d}{n:02d}", **call) for n, call in calls.items()),
        opaque=next((delta for delta in deltas if isinstance(delta, Opaque)), None),
    )


def results(message: PromptMessage) -> list[PromptMessage]:
    return [PromptMessage(role="tool", content="found nothing", call_id=call.id) for call in message.calls]


def blocks(body: dict[str, Any]) -> list[tuple[str, str]]:
    """The prompt of a body, block by block, without cache breakpoints."""
    head = [("tools", json.dumps(body["tools"])), *(("system", block["text"]) for block in body["system"])]
    return head + [
        (message["role"], json.dumps({key: value for key, value in block.items() if key != "cache_control"}))
        for message in body["messages"]
        for block in message["content"]
    ]


def kinds(body: dict[str, Any]) -> list[str]:
    return [block["type"] for message in body["messages"] for block in message["content"]]


def test_a_reply_comes_in_pieces_with_its_thinking_and_usage() -> None:
    with ApiServer(
        MessagesApi(), plan([Reply("Good morning to you.", reasoning="Greet them.")]), api_key="k"
    ) as server:
        deltas = list(model(server, key="k").stream(request(user("Hello"))))
        assert not server.refusals
        assert server.headers[0]["anthropic-version"]
        assert server.paths == ["/v1/messages"]
    assert text_of(deltas) == "Good morning to you."
    assert sum(isinstance(delta, TextDelta) for delta in deltas) > 2
    assert "".join(d.text for d in deltas if isinstance(d, ThoughtDelta)) == "Greet them."
    assert deltas[-1] == Usage(prompt_tokens=1000, completion_tokens=50, cached_tokens=600, cache_write_tokens=300)
    assert isinstance(deltas[-2], Opaque)
    assert "Good morning" not in deltas[-2].content


def test_the_body_is_exactly_what_is_sent() -> None:
    with ApiServer(MessagesApi()) as server:
        speaker = model(server, effort="low")
        asked = request(user("Grüße 👋 \ud83d"))
        list(speaker.stream(asked))
        body = server.requests[0]
        assert body == speaker.body(asked)
    assert (body["max_tokens"], body["thinking"], body["output_config"]) == (
        200,
        {"type": "adaptive"},
        {"effort": "low"},
    )
    assert body["tool_choice"] == {"type": "auto"}
    assert AnthropicWire(speaker._target, "none").body(asked)["thinking"] == {"type": "disabled"}
    plain = AnthropicWire(speaker._target).body(replace(asked, max_tokens=None, tools=()))
    assert plain["max_tokens"] == 4096
    assert not {"thinking", "output_config", "tools", "tool_choice"} & set(plain)


@pytest.mark.parametrize("redacts", [False, True])
def test_thinking_goes_back_unmodified_and_each_prompt_extends_the_one_before(redacts: bool) -> None:
    replies = [Reply("Let me look.", CALLS, reasoning="Search."), Reply(calls=CALLS[:1]), Reply("It is blue."), "Fine."]
    with ApiServer(MessagesApi(redacts=redacts), plan(replies)) as server:
        messages = [user("What is my colour?")]
        for turn in range(4):
            answer = reply_of(list(model(server).stream(request(*messages))), turn)
            messages += [answer, *results(answer), user("Notice"), user("And?")]
        list(model(server).stream(request(*messages)))
        assert not server.refusals
        bodies = server.requests
    for before, after in pairwise(bodies):
        assert blocks(after)[: len(blocks(before))] == blocks(before)
    assert kinds(bodies[-1]).count("thinking") == 4
    assert kinds(bodies[-1]).count("redacted_thinking") == (4 if redacts else 0)


def test_after_an_eviction_no_thinking_of_the_old_prompt_is_sent() -> None:
    with ApiServer(MessagesApi(), plan([Reply("One."), Reply("Two."), Reply("Three."), Reply("Four.")])) as server:
        first = reply_of(list(model(server).stream(request(user("1")))), 1)
        second = reply_of(list(model(server).stream(request(user("1"), first, user("2")))), 2)
        evicted = (user("Summary: they counted."), user("2"), second, user("3"))
        third = reply_of(list(model(server).stream(request(*evicted))), 3)
        list(model(server).stream(request(*evicted, third, user("4"))))
        assert not server.refusals
        assert [kinds(body).count("thinking") for body in server.requests] == [0, 1, 0, 1]


def test_thinking_that_cannot_be_verified_is_left_out_from_then_on() -> None:
    api = MessagesApi()
    with ApiServer(api, plan([Reply("One."), Reply("Two."), Reply("Three.")])) as server:
        speaker = model(server)
        first = reply_of(list(speaker.stream(request(user("1")))), 1)
        api.rejects_thinking = True
        second = reply_of(list(speaker.stream(request(user("1"), first, user("2")))), 2)
        assert second.content == "Two."
        assert len(server.refusals) == 1
        api.rejects_thinking = False
        list(speaker.stream(request(user("1"), first, user("2"), second, user("3"))))
        assert len(server.refusals) == 1
        assert kinds(server.requests[-1]).count("thinking") == 1


def test_breakpoints_stand_after_the_head_and_after_the_last_two_prompts() -> None:
    with ApiServer(MessagesApi(), plan([Reply(calls=CALLS), Reply("Done."), Reply("Yes.")])) as server:
        first = reply_of(list(model(server).stream(request(user("1")))), 1)
        list(model(server).stream(request(user("1"), first, *results(first))))
        body = server.requests[-1]
    marked = [block for message in body["messages"] for block in message["content"] if "cache_control" in block]
    assert "cache_control" in body["system"][-1]
    assert [block["type"] for block in marked] == ["text", "tool_result"]
    assert marked[-1]["tool_use_id"] == first.calls[-1].id


def test_roles_alternate_and_results_come_first_whatever_the_queue_holds() -> None:
    call = FunctionCall(id="000010101", name="conversation_search", arguments="{}")
    answer = PromptMessage(role="assistant", content=None, calls=(call,))
    spoken = PromptMessage(role="assistant", content="And?")
    blank = PromptMessage(role="user", content=" ")
    with ApiServer(MessagesApi()) as server:
        list(model(server).stream(request(answer, *results(answer), user("a"), blank, spoken, spoken, user("b"))))
        assert not server.refusals
        assert [message["role"] for message in server.requests[0]["messages"]] == [
            "user", "assistant", "user", "assistant", "user",
        ]  # fmt: skip


def test_a_summary_may_not_call_and_a_picture_is_sent_as_base64() -> None:
    picture = Picture(content=b"\x89PNG\r\n", kind="image/png", name="a.png")
    with ApiServer(MessagesApi(), plan([Reply("Words.", CALLS)])) as server:
        seen = PromptMessage(role="user", content="What is this?", picture=picture)
        deltas = list(model(server).stream(replace(request(seen), may_call=False)))
        assert not server.refusals
        assert server.requests[0]["tool_choice"] == {"type": "none"}
        assert kinds(server.requests[0]) == ["image", "text"]
    assert reply_of(deltas, 1).calls == ()


@pytest.mark.parametrize(
    ("stop", "cut"),
    [
        ("end_turn", None),
        ("stop_sequence", None),
        ("pause_turn", None),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
    ],
)
def test_every_stop_reason_has_its_meaning(stop: str, cut: str | None) -> None:
    api = MessagesApi()
    api.stop_reason = stop
    with ApiServer(api, plan([Reply("Half a"), Reply()])) as server:
        deltas = list(model(server).stream(request(user("Hi"))))
        assert [d.reason for d in deltas if isinstance(d, CutDelta)] == ([cut] if cut else [])
        with pytest.raises(ModelError):
            list(model(server).stream(request(user("Hi"))))


def error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


@pytest.mark.parametrize(
    ("status", "body", "expected", "says"),
    [
        (
            400,
            error("invalid_request_error", "prompt is too long: 205148 tokens > 200000 maximum"),
            ContextLengthError,
            "",
        ),
        (401, error("authentication_error", "invalid x-api-key"), APIKeyError, "invalid x-api-key"),
        (404, error("not_found_error", "model: claude-x"), ModelError, "does not serve the model claude-x"),
        (429, error("rate_limit_error", "Number of request tokens has exceeded your limit"), RateLimitError, ""),
        (529, error("overloaded_error", "Overloaded"), ModelError, "Overloaded"),
        (
            400,
            error("invalid_request_error", "Your credit balance is too low to access the API."),
            ModelError,
            "credit",
        ),
    ],
)
def test_refusals_are_mapped(status: int, body: dict[str, Any], expected: type[MemGPTError], says: str) -> None:
    with ApiServer(MessagesApi(), faults=[ApiFault(status=status, body=body)]) as server:
        with pytest.raises(expected) as caught:
            list(model(server, key="my-key-0123").stream(request(user("Hi"))))
    assert says in caught.value.message
    if isinstance(caught.value, ContextLengthError):
        assert (caught.value.limit, caught.value.counted) == (200000, 205148)
    assert getattr(caught.value, "transient", False) is (status in (429, 529))


def test_an_overloaded_server_is_asked_again_before_anything_has_come() -> None:
    overloaded = ApiFault(status=529, body=error("overloaded_error", "Overloaded"), headers=(("retry-after-ms", "5"),))
    with ApiServer(MessagesApi(), faults=[overloaded]) as server:
        assert text_of(list(model(server, retries=1).stream(request(user("Hi")))))


def test_an_error_or_a_break_in_mid_stream_is_transient() -> None:
    broken = ApiFault(event_after=(5, error("overloaded_error", "Overloaded")))
    with ApiServer(MessagesApi(), faults=[broken, ApiFault(cut_after=5)]) as server:
        for _ in range(2):
            with pytest.raises(ModelError) as caught:
                list(model(server).stream(request(user("Hi"))))
            assert caught.value.transient


def test_a_reply_is_bounded_in_characters_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    with ApiServer(MessagesApi(), plan([Reply("word " * 30_000), "Short."])) as server:
        with pytest.raises(ModelError, match="longer reply than was asked for"):
            list(model(server).stream(request(user("Hi"))))
        monkeypatch.setattr("memgpt_cli.llm.replies.bounds.MOST_BYTES", 500)
        with pytest.raises(ModelError, match="longer reply than was asked for"):
            list(model(server).stream(request(user("Hi"))))


def test_a_server_that_does_not_stream_is_read() -> None:
    api = MessagesApi()
    whole = api.whole({"model": "m", "messages": []}, Reply("All at once.", CALLS, reasoning="Hm."), 1)
    with ApiServer(api, faults=[ApiFault(status=200, body=whole)]) as server:
        answer = reply_of(list(model(server).stream(request(user("Hi")))), 1)
    assert answer.content == "All at once."
    assert [call.arguments for call in answer.calls] == ['{"query": "a"}', '{"query": "b"}']
    assert answer.opaque is not None


@pytest.mark.parametrize("field", ["thinking", "output_config"])
def test_a_field_that_the_model_does_not_take_is_left_out_from_then_on(field: str) -> None:
    with ApiServer(MessagesApi(refused_fields=(field,))) as server:
        speaker = model(server, effort="low")
        list(speaker.stream(request(user("Hi"))))
        list(speaker.stream(request(user("Hi"))))
        assert len(server.refusals) == 1
        assert all(field not in body for body in server.requests)


def test_anthropic_gets_the_key_in_its_own_header_only() -> None:
    anthropic, compatible = Endpoint.at(None, model="claude-x"), Endpoint.at("https://api.z.ai/api/anthropic")
    headers = headers_for(anthropic, api_key="k")
    assert headers["x-api-key"] == "k"
    assert isinstance(headers["Authorization"], openai.Omit)
    assert "Authorization" not in headers_for(compatible, api_key="k")
    none = Target(model="claude-x", endpoint=Endpoint.at(None, model="claude-x"), api_key=None)
    speaker = EndpointModel(none, AnthropicWire(none), Transport(none, timeout_s=5, max_retries=0))
    with pytest.raises(APIKeyError) as caught:
        list(speaker.stream(request(user("Hi"))))
    assert "ANTHROPIC_API_KEY" in caught.value.hint


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "assistant", "content": [{"type": "text", "text": "a"}]}],
        [{"role": "user", "content": [{"type": "text", "text": " "}]}],
        [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x", "content": ""}]}],
        [{"role": "user", "content": [{"type": "text", "text": "a"}]}] * 2,
    ],
)
def test_the_test_server_refuses_what_the_api_refuses(messages: list[dict[str, Any]]) -> None:
    from support.strict_rules import RefusalError

    with pytest.raises(RefusalError):
        MessagesApi().check({"model": "m", "max_tokens": 9, "messages": messages})
