"""The strict server itself: it refuses what it says it refuses, and counts what it says it counts."""

import json
import urllib.error
import urllib.request
from copy import deepcopy
from typing import Any

import pytest
from support.brains import Call, Reply, chaos, echo, memory_worker, plan
from support.strict_rules import RefusalError, check
from support.strict_server import Fault, StrictServer, Wire

GOOD: dict[str, Any] = {
    "model": "gpt-4o",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Look twice.", "name": "Ann"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "a1", "type": "function", "function": {"name": "search", "arguments": '{"query": "x"}'}},
                {"id": "b2", "type": "function", "function": {"name": "search", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a1", "content": "nothing"},
        {"role": "tool", "tool_call_id": "b2", "content": ""},
        {"role": "assistant", "content": "There is nothing."},
        {"role": "user", "content": "Thanks."},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "search",
                "description": "Search.",
                "parameters": {
                    "type": "object",
                    "properties": {"query": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}},
                    "required": ["query"],
                },
            },
        }
    ],
    "max_tokens": 100,
    "stream": True,
    "stream_options": {"include_usage": True},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """GOOD with the value at a dotted path replaced, or removed for `...`."""
    body = deepcopy(GOOD)
    *parents, last = (int(part) if part.isdecimal() else part for part in path.split("."))
    place: Any = body
    for part in parents:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return body


WRONG: dict[str, tuple[str, Any]] = {
    "unknown field": ("colour", "red"),
    "no model": ("model", ...),
    "no messages": ("messages", []),
    "bad role": ("messages.1.role", "human"),
    "a system message in the middle": ("messages.5", {"role": "system", "content": "x"}),
    "an unknown field in a message": ("messages.1.time", "now"),
    "content that is no text": ("messages.1.content", {"text": "x"}),
    "content null without calls": ("messages.5.content", None),
    "an empty message": ("messages.1.content", " "),
    "a name with a space": ("messages.1.name", "Ann Lee"),
    "a result without its call": ("messages.3.tool_call_id", "zz"),
    "results in another order": ("messages.3.tool_call_id", "b2"),
    "an unanswered call": ("messages.4", ...),
    "a call without results": ("messages", [*GOOD["messages"][:3]]),
    "an empty id": ("messages.2.tool_calls.0.id", ""),
    "a duplicate id": ("messages.2.tool_calls.1.id", "a1"),
    "an id that is too long": ("messages.2.tool_calls.0.id", "a" * 41),
    "a bad function name in a call": ("messages.2.tool_calls.0.function.name", "a b"),
    "arguments that are no object": ("messages.2.tool_calls.0.function.arguments", "[1]"),
    "broken arguments": ("messages.2.tool_calls.0.function.arguments", "{"),
    "no calls in the list of calls": ("messages.5.tool_calls", []),
    "the assistant last": ("messages.6", {"role": "assistant", "content": "x"}),
    "no tools in the list of tools": ("tools", []),
    "a bad tool name": ("tools.0.function.name", "search!"),
    "a description that is too long": ("tools.0.function.description", "x" * 1025),
    "a schema that is none": ("tools.0.function.parameters.properties.query.type", "text"),
    "a schema that is no object": ("tools.0.function.parameters", {"type": "array"}),
    "an array without items": ("tools.0.function.parameters.properties.tags", {"type": "array"}),
    "a required property that is not there": ("tools.0.function.parameters.required", ["page"]),
    "two limits": ("max_completion_tokens", 5),
    "a limit of nothing": ("max_tokens", 0),
    "stream options without a stream": ("stream", False),
    "unknown stream options": ("stream_options", {"usage": True}),
    "a lone surrogate": ("messages.1.content", "\ud800"),
}


def test_a_good_request_is_accepted() -> None:
    check(GOOD)
    check(changed("tools.0.function.parameters", ...))


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_request_is_refused(what: str) -> None:
    with pytest.raises(RefusalError):
        check(changed(*WRONG[what]))


def post(server: StrictServer, body: Any) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{server.base_url}/chat/completions", data=data)  # noqa: S310 - our own server
    request.add_header("content-type", "application/json")
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            text = answer.read().decode()
            return answer.status, json.loads(text) if text.startswith("{") else text
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def whole(text: str = "Hello", **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **more}


def test_it_records_what_it_accepts_and_what_it_refuses() -> None:
    with StrictServer(echo) as server:
        assert post(server, whole())[1]["choices"][0]["message"]["content"] == "You said: Hello"
        status, body = post(server, whole(colour="red"))
        assert (status, body["error"]["type"]) == (400, "invalid_request_error")
        assert post(server, b"{")[0] == 400
        assert server.requests == [whole()]
        assert [refusal.status for refusal in server.refusals] == [400]


def test_a_stream_has_chunks_usage_and_an_end() -> None:
    with StrictServer(plan([Reply("Hi", (Call("search", {"query": "x"}),), reasoning="hm")])) as server:
        text = post(server, whole(stream=True, stream_options={"include_usage": True}))[1]
    events = [line.removeprefix("data: ") for line in text.split("\n") if line]
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["prompt_tokens"] > 0
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_the_window_bounds_prompt_and_reply_together() -> None:
    with StrictServer(window=100) as server:
        assert post(server, whole("word " * 50, max_tokens=20))[0] == 200
        status, body = post(server, whole("word " * 50, max_tokens=60))
        assert (status, body["error"]["code"]) == (400, "context_length_exceeded")
    with StrictServer(window=100, count_factor=2.5) as server:
        assert post(server, whole("word " * 50, max_tokens=20))[0] == 400


def test_a_reply_is_held_to_max_tokens() -> None:
    with StrictServer(plan(["word " * 500])) as server:
        choice = post(server, whole(max_tokens=10))[1]["choices"][0]
    assert choice["finish_reason"] == "length"
    assert 0 < len(choice["message"]["content"].split()) <= 11


def test_cached_tokens_are_the_common_prefix_in_steps() -> None:
    first = [{"role": "user", "content": "word " * 2000}]
    second = [*first, {"role": "assistant", "content": "ok"}, {"role": "user", "content": "more"}]
    with StrictServer() as server:
        post(server, {"model": "m", "messages": first})
        usage = post(server, {"model": "m", "messages": second})[1]["usage"]
        assert usage["prompt_tokens_details"]["cached_tokens"] % 128 == 0
        assert 1024 <= usage["prompt_tokens_details"]["cached_tokens"] <= usage["prompt_tokens"]
        assert server.exchanges[1].repeated_tokens == server.exchanges[0].prompt_tokens - 3
        assert 0.4 < server.repeated_share < 0.6
        post(server, {"model": "m", "messages": [{"role": "user", "content": "else"}, *second]})
        assert server.exchanges[2].repeated_tokens < 5
    with StrictServer(cache_step=1, cache_from=0) as server:
        post(server, {"model": "m", "messages": first})
        post(server, {"model": "m", "messages": second})
        assert server.exchanges[1].cached_tokens == server.exchanges[1].repeated_tokens
    with StrictServer(keep=1) as server:
        for messages in (first, second, [{"role": "user", "content": "else"}]):
            post(server, {"model": "m", "messages": messages})
        assert 0.4 < server.repeated_share < 0.6, "all requests count, not only those that are kept"


def test_faults_come_in_order_and_then_all_is_well() -> None:
    with StrictServer(faults=[Fault.rate_limited(1.5), None, Fault.error(503)]) as server:
        assert [post(server, whole())[0] for _ in range(4)] == [429, 200, 503, 200]
        assert len(server.requests) == 2


def test_a_hanging_request_ends_with_the_server() -> None:
    with StrictServer(faults=[Fault.hanging()]) as server, pytest.raises(TimeoutError):
        urllib.request.urlopen(f"{server.base_url}/chat/completions", data=b"{}", timeout=0.2)  # noqa: S310


def test_a_memory_worker_edits_every_fifth_turn_and_searches_on_questions() -> None:
    brain = memory_worker(edit_every=5)
    messages: list[dict[str, Any]] = []
    called = []
    for turn in range(1, 151):
        text = "Where was it?" if turn % 10 == 7 else "I went home."
        messages.append({"role": "user", "content": text})
        reply = brain({"messages": messages})
        called += [(turn, call.name) for call in reply.calls]
        if reply.calls:
            messages.append({"role": "tool", "content": "done"})
            reply = brain({"messages": messages})
            messages.append({"role": "user", "content": '<memgpt_event type="memory_pressure">x</memgpt_event>'})
        assert reply.text
        messages.append({"role": "assistant", "content": reply.text})
    assert [turn for turn, name in called if name.startswith("core_memory")] == list(range(5, 151, 5))
    assert [turn for turn, name in called if name == "conversation_search"] == list(range(7, 151, 10))


def test_a_brain_speaks_the_protocol_of_the_request() -> None:
    tools = [{"type": "function", "function": {"name": "send_message"}}]
    body = {"messages": [{"role": "user", "content": "Hi"}], "tools": tools}
    assert plan(["Hello"])(body).calls == (Call("send_message", {"message": "Hello"}),)
    assert plan(["Hello"])({**body, "tools": []}) == Reply("Hello")


def test_chaos_is_the_same_for_the_same_seed() -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    one, other = chaos(7), chaos(7)
    assert [one(body) for _ in range(50)] == [other(body) for _ in range(50)]


def test_careless_ids_are_available_for_tests() -> None:
    reply = Reply(calls=(Call("a", {}), Call("b", {})))
    for ids, expected in (("none", [None, None]), ("empty", ["", ""]), ("same", ["call_0", "call_0"])):
        with StrictServer(plan([reply]), wire=Wire(ids=ids)) as server:  # type: ignore[arg-type]
            calls = post(server, whole())[1]["choices"][0]["message"]["tool_calls"]
            assert [call.get("id") for call in calls] == expected
