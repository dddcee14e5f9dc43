"""The Responses API against a test server that checks bodies with the openai package's own types."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from support.api_server import ApiFault, ApiServer
from support.brains import Call, Reply, plan
from support.responses_api import ResponsesApi

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
from memgpt_cli.llm.endpoint_model import EndpointModel
from memgpt_cli.llm.responses.wire import ResponsesWire
from memgpt_cli.llm.server_errors import Target
from memgpt_cli.llm.transport import Transport

SEARCH = ToolSchema(
    name="conversation_search",
    description="Search what was said.",
    parameters={"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
)
SYSTEM = PromptMessage(role="system", content="Be brief.")


def model(server: ApiServer, *, effort: str | None = None, key: str | None = None, retries: int = 0) -> EndpointModel:
    endpoint = Endpoint.at(server.base_url, model="gpt-6", provider="openai_responses")
    target = Target(model="gpt-6", endpoint=endpoint, api_key=key)
    return EndpointModel(target, ResponsesWire(target, effort), Transport(target, timeout_s=5, max_retries=retries))


def request(*messages: PromptMessage, max_tokens: int | None = 200) -> ChatRequest:
    return ChatRequest(model="gpt-6", messages=(SYSTEM, *messages), tools=(SEARCH,), max_tokens=max_tokens)


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


def test_a_reply_comes_in_pieces_with_its_reasoning_and_usage() -> None:
    with ApiServer(ResponsesApi(), plan([Reply("Good morning to you.", reasoning="Greet them.")])) as server:
        deltas = list(model(server).stream(request(user("Hello"))))
        assert not server.refusals
    assert text_of(deltas) == "Good morning to you."
    assert "".join(d.text for d in deltas if isinstance(d, ThoughtDelta)) == "Greet them."
    assert sum(isinstance(delta, TextDelta) for delta in deltas) > 2
    assert deltas[-1] == Usage(prompt_tokens=1001, completion_tokens=50, cached_tokens=512)
    opaque = deltas[-2]
    assert isinstance(opaque, Opaque)
    assert opaque.tokens == 20
    assert "Good morning" not in opaque.content


def test_the_request_is_stateless_and_its_body_is_exactly_what_is_sent() -> None:
    with ApiServer(ResponsesApi(reasons=False)) as server:
        speaker = model(server, effort="low")
        asked = request(user("Grüße 👋 \ud83d"))
        list(speaker.stream(asked))
        body = server.requests[0]
        assert body == speaker.body(asked)
    assert (body["store"], body["include"], body["stream"]) == (False, ["reasoning.encrypted_content"], True)
    assert body["reasoning"] == {"effort": "low"}
    assert body["max_output_tokens"] == 200
    assert body["instructions"] == "Be brief."
    assert body["tool_choice"] == "auto"
    assert body["tools"][0]["strict"] is False
    assert "reasoning" not in speaker_without_effort(asked)


def speaker_without_effort(asked: ChatRequest) -> dict[str, Any]:
    target = Target(model="gpt-6", endpoint=Endpoint.at(None, model="gpt-6"), api_key="k")
    return ResponsesWire(target).body(asked)


def test_reasoning_goes_back_before_its_call_and_each_request_extends_the_one_before() -> None:
    calls = (Call("conversation_search", {"query": "a"}), Call("conversation_search", {"query": "b"}))
    replies = [
        Reply("Let me look.", calls, reasoning="Search."),
        Reply(calls=calls[:1]),
        Reply("It is blue."),
        Reply("You are welcome."),
    ]
    with ApiServer(ResponsesApi(phase="commentary"), plan(replies)) as server:
        messages = [user("What is my colour?")]
        for turn in range(4):
            deltas = list(model(server).stream(request(*messages)))
            answer = reply_of(deltas, turn)
            messages += [answer, *(results(answer) or [user("Thank you")])]
        list(model(server).stream(request(*messages)))
        assert not server.refusals
        inputs = [body["input"] for body in server.requests]
        heads = [{k: v for k, v in body.items() if k != "input"} for body in server.requests]
    for before, after in pairwise(inputs):
        assert after[: len(before)] == before
    assert all(head == heads[0] for head in heads)
    kinds = [item["type"] for item in inputs[-1]]
    assert kinds[:7] == ["message", "reasoning", "message", "reasoning", "function_call", "function_call", kinds[6]]
    assert kinds[6] == "function_call_output"
    assert inputs[-1][2]["phase"] == "commentary"


def test_a_reply_without_its_reasoning_is_sent_with_our_own_ids() -> None:
    """After forgetting, or from another model: there is nothing opaque to send back."""
    call = FunctionCall(id="000010101", name="conversation_search", arguments="{}")
    answer = PromptMessage(role="assistant", content="Looking.", calls=(call,))
    with ApiServer(ResponsesApi()) as server:
        list(model(server).stream(request(user("Hi"), answer, *results(answer))))
        assert not server.refusals
        assert [item["type"] for item in server.requests[0]["input"]] == [
            "message", "message", "function_call", "function_call_output",
        ]  # fmt: skip


def test_what_is_left_of_a_reply_keeps_reasoning_only_before_what_followed_it() -> None:
    """Calls over the agent's bound are not run and not stored; a text may have been taken out."""
    calls = tuple(Call("conversation_search", {"query": str(n)}) for n in range(3))
    with ApiServer(ResponsesApi(), plan([Reply("So.", calls)])) as server:
        answer = reply_of(list(model(server).stream(request(user("Hi")))), 1)
        fewer = replace(answer, calls=answer.calls[:1])
        list(model(server).stream(request(user("Hi"), fewer, *results(fewer))))
        silent = replace(answer, content=None)
        list(model(server).stream(request(user("Hi"), silent, *results(silent))))
        assert not server.refusals
        assert sum(item["type"] == "reasoning" for item in server.requests[1]["input"]) == 2
        assert sum(item["type"] == "reasoning" for item in server.requests[2]["input"]) == 0


def test_a_summary_may_not_call_and_a_picture_is_an_input_image() -> None:
    picture = Picture(content=b"\x89PNG\r\n", kind="image/png", name="a.png")
    with ApiServer(ResponsesApi(), plan([Reply("Words.", (Call("conversation_search", {}),))])) as server:
        seen = PromptMessage(role="user", content="What is this?", picture=picture)
        deltas = list(model(server).stream(replace(request(seen, max_tokens=4), may_call=False)))
        body = server.requests[0]
    assert reply_of(deltas, 1).calls == ()
    assert (body["tool_choice"], body["max_output_tokens"]) == ("none", 16)
    assert [part["type"] for part in body["input"][0]["content"]] == ["input_image", "input_text"]


@pytest.mark.parametrize(("finish", "reason"), [("length", "length"), ("content_filter", "content_filter")])
def test_a_cut_reply_says_why(finish: str, reason: str) -> None:
    with ApiServer(ResponsesApi(), plan([Reply("Half a", finish_reason=finish)])) as server:
        deltas = list(model(server).stream(request(user("Hi"))))
        assert CutDelta(reason) in deltas
    with ApiServer(ResponsesApi(), plan([Reply(finish_reason=finish)])) as server:
        with pytest.raises(ModelError) as caught:
            list(model(server).stream(request(user("Hi"))))
    assert "200 tokens" in caught.value.message or "filter" in caught.value.message


def failed(**error: str) -> dict[str, Any]:
    response = {"id": "r", "object": "response", "status": "failed", "error": error, "output": []}
    return {"type": "response.failed", "sequence_number": 9, "response": response}


@pytest.mark.parametrize(
    ("event", "kind", "transient"),
    [
        (failed(code="server_error", message="The model failed."), ModelError, True),
        (failed(code="rate_limit_exceeded", message="Slow down."), RateLimitError, True),
        (failed(code="invalid_prompt", message="Not allowed."), ModelError, False),
        ({"type": "error", "code": "server_error", "message": "It broke.", "param": None}, ModelError, True),
        (
            {"type": "error", "code": "context_length_exceeded", "message": "Your input exceeds the context window."},
            ContextLengthError,
            False,
        ),
    ],
)
def test_an_error_in_mid_stream_is_mapped(event: dict[str, Any], kind: type[MemGPTError], transient: bool) -> None:
    with ApiServer(ResponsesApi(), faults=[ApiFault(event_after=(4, event))]) as server:
        with pytest.raises(kind) as caught:
            list(model(server).stream(request(user("Hi"))))
    assert getattr(caught.value, "transient", False) is transient


def test_a_stream_that_breaks_is_an_error_and_a_server_that_does_not_stream_is_read() -> None:
    api = ResponsesApi(reasons=False)
    whole = api.response({"model": "m", "input": []}, Reply("All at once.", (Call("conversation_search", {}),)), 1)
    with ApiServer(api, faults=[ApiFault(cut_after=5), ApiFault(status=200, body=whole)]) as server:
        with pytest.raises(ModelError) as caught:
            list(model(server).stream(request(user("Hi"))))
        assert caught.value.transient
        answer = reply_of(list(model(server).stream(request(user("Hi")))), 1)
    assert answer.content == "All at once."
    assert [(call.name, call.arguments) for call in answer.calls] == [("conversation_search", "{}")]


@pytest.mark.parametrize("field", ["include", "reasoning", "parallel_tool_calls"])
def test_a_field_that_the_model_does_not_take_is_left_out_from_then_on(field: str) -> None:
    with ApiServer(ResponsesApi(refused_fields=(field,))) as server:
        speaker = model(server, effort="low")
        list(speaker.stream(request(user("Hi"))))
        list(speaker.stream(request(user("Hi"))))
        assert len(server.refusals) == 1
        assert all(field not in body for body in server.requests)


def test_refusals_are_mapped() -> None:
    with ApiServer(ResponsesApi(window=500)) as server, pytest.raises(ContextLengthError):
        list(model(server).stream(request(user("Hi " * 500))))
    with ApiServer(ResponsesApi(), api_key="right") as server:
        with pytest.raises(APIKeyError) as caught:
            list(model(server, key="my-secret-wrong-key").stream(request(user("Hi"))))
        assert "my-secret-wrong-key" not in caught.value.message
        assert text_of(list(model(server, key="right").stream(request(user("Hi")))))


def test_openai_without_a_key_is_an_error_before_anything_is_sent() -> None:
    target = Target(model="gpt-6", endpoint=Endpoint.at(None, model="gpt-6"), api_key=None)
    speaker = EndpointModel(target, ResponsesWire(target), Transport(target, timeout_s=5, max_retries=0))
    with pytest.raises(APIKeyError) as caught:
        list(speaker.stream(request(user("Hi"))))
    assert "OPENAI_API_KEY" in caught.value.hint


def test_the_test_server_refuses_what_the_api_refuses() -> None:
    api = ResponsesApi()
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": ""}
    reasoning = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x"}

    def refused(*items: dict[str, Any]) -> Iterator[str]:
        for item_list in items:
            try:
                api.check({"model": "m", "input": item_list})
            except Exception as error:  # noqa: BLE001 - the refusal is what is looked at
                yield str(error)

    said = list(refused([call], [output], [{**output, "output": None}, call], [reasoning], [{**call, "x": 1}]))  # type: ignore[arg-type]
    assert len(said) == 5
    assert "No tool output found" in said[0]
    assert "No tool call found" in said[1]
