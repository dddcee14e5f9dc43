"""OpenAIChat against a real server on the loopback: replies, dialects, refusals."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.brains import Body, Call, Reply, plan
from support.families import Family
from support.strict_rules import RefusalError
from support.strict_server import Fault, StrictServer, Wire

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
from memgpt_cli.domain.messages import FunctionCall
from memgpt_cli.errors import APIKeyError, ConfigError, ContextLengthError, ModelError, RateLimitError
from memgpt_cli.llm.openai_chat import OpenAIChat
from memgpt_cli.llm.served_models import served_models
from memgpt_cli.llm.server_errors import Target
from memgpt_cli.storage.state import StateDatabase

ROOT = Path(__file__).parents[2]
SEARCH = ToolSchema(
    name="conversation_search",
    description="Search what was said.",
    parameters={"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
)
APPEND = ToolSchema(
    name="core_memory_append",
    description="Add to a block.",
    parameters={"type": "object", "properties": {"label": {"type": "string"}, "content": {"type": "string"}}},
)


def ask(
    text: str = "Hello", *, max_tokens: int | None = 200, tools: tuple[ToolSchema, ...] = (SEARCH, APPEND)
) -> ChatRequest:
    messages = (PromptMessage(role="system", content="Be brief."), PromptMessage(role="user", content=text))
    return ChatRequest(model="gpt-4o", messages=messages, tools=tools, max_tokens=max_tokens)


def chat(server: StrictServer, *, key: str | None = None, timeout_s: float = 60, max_retries: int = 0) -> OpenAIChat:
    return OpenAIChat("gpt-4o", base_url=server.base_url, api_key=key, timeout_s=timeout_s, max_retries=max_retries)


def at(base_url: str) -> Target:
    return Target(model="", endpoint=Endpoint.at(base_url, model=""), api_key=None)


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


def calls_of(deltas: list[Delta]) -> list[FunctionCall]:
    """Calls put together as the agent does: id and name once, arguments in pieces."""
    found: dict[int, FunctionCall] = {}
    for delta in deltas:
        if isinstance(delta, CallDelta):
            if delta.index not in found:
                assert delta.id is not None
                assert delta.name is not None
                found[delta.index] = FunctionCall(id=delta.id, name=delta.name, arguments=delta.arguments)
                continue
            assert delta.id is None
            assert delta.name is None
            before = found[delta.index]
            found[delta.index] = FunctionCall(
                id=before.id, name=before.name, arguments=before.arguments + delta.arguments
            )
    assert list(found) == list(range(len(found)))
    return list(found.values())


def answer(reply: Reply, *, wire: Wire | None = None, request: ChatRequest | None = None) -> list[Delta]:
    with StrictServer(plan([reply]), wire=wire or Wire()) as server:
        deltas = list(chat(server).stream(request or ask()))
        assert not server.refusals
        return deltas


def test_text_comes_in_pieces_and_usage_last() -> None:
    deltas = answer(Reply("Good morning to you all."))
    assert text_of(deltas) == "Good morning to you all."
    assert len(deltas) > 2
    assert isinstance(deltas[-1], Usage)
    assert deltas[-1].prompt_tokens > 0
    assert deltas[-1].completion_tokens > 0


def test_the_body_is_exactly_what_the_server_receives() -> None:
    with StrictServer() as server:
        model = chat(server)
        request = ask("Grüße, 李雷 👋")
        list(model.stream(request))
        assert server.requests == [model.body(request)]
        assert model.body(request)["max_tokens"] == 200


def test_openai_itself_is_given_max_completion_tokens() -> None:
    body = OpenAIChat("gpt-5", base_url=None, api_key="sk-x").body(ask())
    assert body["max_completion_tokens"] == 200
    assert "max_tokens" not in body


def test_a_request_that_must_not_be_answered_by_calls_says_so_and_reads_none_out_of_the_text() -> None:
    written = '{"name": "conversation_search", "arguments": {"query": "a"}}'
    request = replace(ask(), may_call=False)
    with StrictServer(plan([written]), refused_fields=("tool_choice",)) as server:
        model = chat(server)
        assert model.body(request)["tool_choice"] == "none"
        assert text_of(list(model.stream(request))) == written
        assert "tool_choice" not in server.requests[0]
    with StrictServer(lambda _: Reply("Words.", (Call("conversation_search", {}),))) as server:
        assert list(chat(server).stream(request))[:-1] == [TextDelta("Words.")]


def test_reasoning_effort_is_sent_as_it_stands_and_left_out_where_it_is_refused() -> None:
    with StrictServer(refused_fields=("reasoning_effort",)) as server:
        model = OpenAIChat("gpt-5", base_url=server.base_url, api_key=None, reasoning_effort="none")
        assert model.body(ask())["reasoning_effort"] == "none"
        assert text_of(list(model.stream(ask()))) == "You said: Hello"
        assert "reasoning_effort" not in model.body(ask())


@pytest.mark.parametrize("ids", ["own", "none", "empty", "same"])
@pytest.mark.parametrize("whole", [False, True])
def test_parallel_calls_come_apart_whatever_the_server_does_with_ids(ids: str, whole: bool) -> None:
    calls = (
        Call("core_memory_append", {"label": "human", "content": "Likes tea, 喝茶"}),
        Call("conversation_search", {"query": "tea"}),
    )
    deltas = answer(Reply("One moment.", calls), wire=Wire(ids=ids, whole_calls=whole))  # type: ignore[arg-type]
    found = calls_of(deltas)
    assert [(call.name, call.arguments) for call in found] == [(call.name, call.raw) for call in calls]
    assert len({call.id for call in found}) == 2
    assert all(len(call.id) == 9 and call.id.isalnum() for call in found)
    assert text_of(deltas) == "One moment."


def test_call_ids_are_the_same_for_the_same_request_and_new_within_its_prompt() -> None:
    reply = Reply(calls=(Call("conversation_search", {"query": "x"}),))
    (first,) = calls_of(answer(reply))
    (again,) = calls_of(answer(reply))
    assert first.id == again.id
    base = ask()
    continued = ChatRequest(
        model="gpt-4o",
        messages=(
            *base.messages,
            PromptMessage(role="assistant", content=None, calls=(first,)),
            PromptMessage(role="tool", content="nothing", call_id=first.id),
        ),
        tools=base.tools,
    )
    (later,) = calls_of(answer(reply, request=continued))
    assert later.id != first.id


def chunk(delta: dict[str, object], **more: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}], **more}


def whole_call(index: int | None, name: str, arguments: object, call_id: str | None = None) -> dict[str, object]:
    call: dict[str, object] = {"function": {"name": name, "arguments": arguments}}
    call |= {"index": index} if index is not None else {}
    return chunk({"tool_calls": [call | ({"id": call_id} if call_id is not None else {})]})


def test_whole_calls_that_all_claim_index_zero_are_told_apart_by_their_ids() -> None:
    chunks = (
        whole_call(0, "conversation_search", '{"query": "a"}', "a1"),
        whole_call(0, "conversation_search", '{"query": "b"}', "b2"),
    )
    assert [call.arguments for call in calls_of(answer(Reply(chunks=chunks)))] == ['{"query": "a"}', '{"query": "b"}']


def test_calls_without_index_and_arguments_as_objects_are_understood() -> None:
    chunks = (
        whole_call(None, "conversation_search", {"query": "a"}),
        whole_call(None, "functions.core_memory_append", None),
        chunk({"tool_calls": [{"function": {"arguments": '{"label": '}}]}),
        chunk({"tool_calls": [{"function": {"arguments": '"human"}'}}]}),
    )
    found = calls_of(answer(Reply(chunks=chunks)))
    assert [(call.name, call.arguments) for call in found] == [
        ("conversation_search", '{"query": "a"}'),
        ("core_memory_append", '{"label": "human"}'),
    ]


def test_a_name_repeated_in_every_piece_and_arguments_before_the_name_do_no_harm() -> None:
    chunks = (
        chunk({"tool_calls": [{"index": 0, "id": "x", "function": {"arguments": '{"que'}}]}),
        chunk(
            {"tool_calls": [{"index": 0, "id": "x", "function": {"name": "conversation_search", "arguments": 'ry": '}}]}
        ),
        chunk(
            {"tool_calls": [{"index": 0, "id": "x", "function": {"name": "conversation_search", "arguments": '"a"}'}}]}
        ),
    )
    assert [call.arguments for call in calls_of(answer(Reply(chunks=chunks)))] == ['{"query": "a"}']


def test_odd_chunks_are_passed_over() -> None:
    chunks: tuple[dict[str, object] | str, ...] = (
        {"choices": []},
        {"choices": None},
        '"a string"',
        "[]",
        chunk({"content": None, "tool_calls": None}),
        chunk({"content": "Hi"}, usage=None),
        chunk({"tool_calls": [None, {"index": "zero", "function": None}]}),
        chunk(
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "!"},
                ]
            }
        ),
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "prompt_cache_hit_tokens": 5}},
    )
    assert answer(Reply(chunks=chunks)) == [
        TextDelta("Hi"),
        ThoughtDelta("hm"),
        TextDelta("!"),
        Usage(prompt_tokens=7, completion_tokens=2, cached_tokens=5),
    ]


def test_usage_may_be_missing() -> None:
    deltas = answer(Reply("Hi"), wire=Wire(usage=False))
    assert deltas == [TextDelta("Hi")]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_thought_and_not_reply(name: str) -> None:
    deltas = answer(Reply("Yes.", reasoning="Let me think."), wire=Wire(reasoning=name, piece=5))  # type: ignore[arg-type]
    assert "".join(d.text for d in deltas if isinstance(d, ThoughtDelta)) == "Let me think."
    assert text_of(deltas) == "Yes."


def test_a_call_written_as_text_becomes_a_call_and_is_never_shown() -> None:
    written = 'Let me look.\n<tool_call>\n{"name": "conversation_search", "arguments": {"query": "cats"}}\n</tool_call>'
    deltas = answer(Reply(written))
    assert text_of(deltas).strip() == "Let me look."
    (call,) = calls_of(deltas)
    assert (call.name, call.arguments) == ("conversation_search", '{"query": "cats"}')
    assert text_of(answer(Reply(written), request=ask(tools=()))) == written


def test_a_call_cut_off_by_max_tokens_keeps_what_came_of_its_arguments() -> None:
    long = Call("core_memory_append", {"label": "human", "content": "word " * 500})
    deltas = answer(Reply(calls=(long,)), request=ask(max_tokens=20))
    (call,) = calls_of(deltas)
    assert long.raw.startswith(call.arguments)
    assert call.arguments != long.raw


def test_a_model_that_used_up_its_room_by_thinking_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(ModelError) as error:
        answer(Reply(reasoning="Let me think.", finish_reason="length"))
    assert "window.reserve" in error.value.hint


def test_a_server_that_answers_in_one_piece_is_understood() -> None:
    class Whole(OpenAIChat):
        def body(self, request: ChatRequest) -> dict[str, object]:
            body = super().body(request)
            return {key: value for key, value in body.items() if not key.startswith("stream")}

    calls = (Call("conversation_search", {"query": "a"}), Call("conversation_search", {"query": "b"}))
    with StrictServer(plan([Reply("Wait.", calls)])) as server:
        deltas = list(Whole("gpt-4o", base_url=server.base_url, api_key=None).stream(ask()))
    assert text_of(deltas) == "Wait."
    assert [call.arguments for call in calls_of(deltas)] == [call.raw for call in calls]
    assert isinstance(deltas[-1], Usage)


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        (("max_tokens",), {"max_completion_tokens", "stream_options"}),
        (("stream_options",), {"max_tokens"}),
        (("stream_options", "max_tokens"), {"max_completion_tokens"}),
        (("stream_options", "max_tokens", "max_completion_tokens"), set()),
    ],
)
def test_a_field_that_the_server_refuses_is_left_out_and_that_is_remembered(
    refused: tuple[str, ...], expected: set[str]
) -> None:
    optional = {"max_tokens", "max_completion_tokens", "stream_options"}
    with StrictServer(refused_fields=refused) as server:
        model = chat(server)
        assert text_of(list(model.stream(ask()))) == "You said: Hello"
        refusals = len(server.refusals)
        assert refusals == len(refused)
        list(model.stream(ask()))
        assert len(server.refusals) == refusals
        assert set(server.requests[-1]) & optional == expected
        assert set(model.body(ask())) & optional == expected


def test_what_a_server_refuses_is_remembered_by_the_next_process(tmp_path: Path) -> None:
    with StrictServer(refused_fields=("stream_options", "max_tokens")) as server:
        for _ in range(2):
            memory = StateDatabase(tmp_path / "state.db")
            model = OpenAIChat("gpt-4o", base_url=server.base_url, api_key=None, memory=memory)
            list(model.stream(ask()))
        assert len(server.refusals) == 2


@pytest.mark.parametrize(
    "said",
    [
        "Value is not callable: null at row 62, column 114:\n{%- if json_key not in handled_keys %}",
        "Failed to apply the chat template: 'dict object' has no attribute 'function'",
        "Error rendering prompt with jinja: cannot call something that is not a function",
    ],
)
@pytest.mark.parametrize("system", [True, False])
def test_a_template_that_cannot_print_functions_gets_them_as_text(said: str, system: bool) -> None:
    def rules(body: Body) -> None:
        if body.get("tools"):
            raise RefusalError(said, status=500, kind="server_error")
        if not system and body["messages"][0]["role"] == "system":
            raise RefusalError("System role not supported", status=500, kind="server_error")

    with StrictServer(family=Family("template", rules)) as server:
        model = chat(server, timeout_s=60)
        assert text_of(list(model.stream(ask())))
        before = len(server.requests)
        assert text_of(list(model.stream(ask())))
    assert len(server.requests) == before + 1
    assert (server.requests[-1]["messages"][0]["role"] == "system") == system


def test_a_prompt_over_the_window_gives_the_servers_numbers() -> None:
    with StrictServer(window=300) as server, pytest.raises(ContextLengthError) as error:
        list(chat(server).stream(ask("word " * 400)))
    assert error.value.limit == 300
    assert error.value.counted is not None
    assert 400 < error.value.counted < 700
    assert "--window 300" in error.value.hint


def test_a_missing_or_wrong_key_is_a_key_error_that_does_not_repeat_the_key() -> None:
    with StrictServer(api_key="right") as server:
        assert list(chat(server, key="right").stream(ask()))
        for key in (None, "my-very-secret-key"):
            with pytest.raises(APIKeyError) as error:
                list(chat(server, key=key).stream(ask()))
            assert "my-very-secret-key" not in error.value.message + error.value.hint
            assert "memgpt keys set 127.0.0.1:" in error.value.hint


def test_openai_without_a_key_is_an_error_before_anything_is_sent() -> None:
    with pytest.raises(APIKeyError) as error:
        list(OpenAIChat("gpt-4o", base_url=None, api_key=None).stream(ask()))
    assert "OPENAI_API_KEY" in error.value.hint
    assert "memgpt keys set openai" in error.value.hint


def test_a_key_that_no_header_can_carry_is_refused_without_showing_it() -> None:
    with pytest.raises(APIKeyError) as error:
        OpenAIChat("gpt-4o", base_url=None, api_key="sk-sécret\nkey")
    assert "sécret" not in str(error.value)


@pytest.mark.parametrize("url", ["localhost:11434/v1", "ftp://somewhere/v1", "http://", "/v1"])
def test_a_base_url_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigError):
        OpenAIChat("m", base_url=url, api_key=None)


def test_an_unknown_model_hints_at_model_and_a_wrong_path_at_base_url() -> None:
    with StrictServer(models=("llama3.1",)) as server:
        with pytest.raises(ModelError) as error:
            list(chat(server).stream(ask()))
        assert "--model" in error.value.hint
        wrong = OpenAIChat("llama3.1", base_url=server.base_url.removesuffix("/v1"), api_key=None)
        with pytest.raises(ModelError) as error:
            list(wrong.stream(ask()))
        assert "--base-url" in error.value.hint


def test_a_rate_limit_is_waited_out_and_then_reported_with_the_wait() -> None:
    with StrictServer(faults=[Fault.rate_limited(), Fault.error(500)]) as server:
        assert text_of(list(chat(server, max_retries=2).stream(ask()))) == "You said: Hello"
    with StrictServer(faults=[Fault.rate_limited(30)]) as server, pytest.raises(RateLimitError) as error:
        list(chat(server).stream(ask()))
    assert error.value.retry_after_s == 30


def test_an_account_without_credit_is_told_apart_from_a_rate_limit() -> None:
    fault = Fault.error(429, "You exceeded your current quota, please check your plan.", code="insufficient_quota")
    with StrictServer(faults=[fault]) as server, pytest.raises(ModelError) as error:
        list(chat(server).stream(ask()))
    assert not isinstance(error.value, RateLimitError)
    assert "billing" in error.value.hint


def test_a_failing_a_silent_and_a_missing_server_are_model_errors() -> None:
    with StrictServer(faults=[Fault.error(503), Fault.hanging()]) as server:
        with pytest.raises(ModelError, match="503"):
            list(chat(server).stream(ask()))
        with pytest.raises(ModelError, match="in time"):
            list(chat(server, timeout_s=0.2).stream(ask()))
        gone = chat(server)
    with pytest.raises(ModelError, match="cannot be reached"):
        list(gone.stream(ask()))


def test_a_connection_that_breaks_in_mid_reply_is_an_error_after_what_came() -> None:
    with StrictServer(faults=[Fault.cut(3)]) as server:
        deltas: list[Delta] = []
        with pytest.raises(ModelError):
            deltas.extend(chat(server).stream(ask("A long enough message to be cut.")))
    assert len(server.requests) == 1


def test_an_error_inside_the_stream_is_understood_too() -> None:
    overflow = {"error": {"message": "the request exceeds the available context size (4096 tokens)", "code": 400}}
    with pytest.raises(ContextLengthError) as error:
        answer(Reply(chunks=(chunk({"content": "Hal"}), overflow)))
    assert error.value.limit == 4096
    with pytest.raises(ModelError, match="overloaded"):
        answer(Reply(chunks=({"error": {"message": "overloaded"}},)))


def test_a_reply_of_invalid_json_alone_is_a_model_error() -> None:
    with pytest.raises(ModelError, match="without a reply"):
        answer(Reply(chunks=('{"choices": [',)))
    with pytest.raises(ModelError, match="without a reply"):
        answer(Reply(chunks=()))


def test_closing_the_iterator_closes_the_connection() -> None:
    with StrictServer(plan([Reply("word " * 4000)]), faults=[Fault.slow(0.01)]) as server:
        stream = chat(server).stream(ask(max_tokens=None))
        assert isinstance(stream, Iterator)
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        wait_for(lambda: server.disconnects == 1)


def test_an_interrupt_closes_the_connection() -> None:
    with StrictServer(plan([Reply("word " * 4000)]), faults=[Fault.slow(0.01)]) as server:
        stream = chat(server).stream(ask(max_tokens=None))
        next(stream)
        with pytest.raises(KeyboardInterrupt):
            stream.throw(KeyboardInterrupt)  # type: ignore[attr-defined]
        wait_for(lambda: server.disconnects == 1)


def test_importing_the_adapters_imports_no_vendor() -> None:
    modules = ("openai_chat", "scripted", "token_counters", "replies.stream")
    code = "\n".join(f"import memgpt_cli.llm.{module}" for module in modules)
    code += "\nimport sys; print([name for name in ('openai', 'tiktoken', 'httpx', 'pydantic') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def wait_for(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def test_nothing_about_this_machine_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "not-for-you")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with StrictServer() as server:
        list(chat(server).stream(ask()))
        sent = server.headers[-1]
    assert {name.lower() for name in sent} <= {
        *("host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length"),
    }
    assert "not-for-you" not in str(sent)
    assert sent["user-agent"].startswith("memgpt/")


def test_lone_surrogates_are_replaced_before_they_reach_the_wire() -> None:
    with StrictServer() as server:
        list(chat(server).stream(ask("broken \ud83d text")))
        assert server.requests[0]["messages"][-1]["content"] == "broken \ufffd text"


def test_one_client_serves_many_threads() -> None:
    with StrictServer(latency_s=0.05) as server:
        model = chat(server)
        replies: list[str] = []

        def one(number: int) -> None:
            replies.append(text_of(list(model.stream(ask(f"number {number}")))))

        threads = [threading.Thread(target=one, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(replies) == sorted(f"You said: number {n}" for n in range(16))


def test_the_served_models_are_listed_by_name() -> None:
    with StrictServer(models=("qwen3", "llama3.1")) as server:
        assert [m.name for m in served_models(at(server.base_url), timeout_s=60)] == ["llama3.1", "qwen3"]
        with pytest.raises(ModelError):
            served_models(at("http://127.0.0.1:9/v1"), timeout_s=60)


def test_a_stream_that_ends_in_the_middle_of_a_reply_is_no_whole_reply() -> None:
    with StrictServer(plan([Reply("I am half way through.")]), faults=[Fault.ended(3)]) as server:
        seen: list[Delta] = []
        with pytest.raises(ModelError, match="broke off in the middle") as caught:
            seen.extend(chat(server).stream(ask()))
        assert caught.value.transient


def test_done_is_an_end_too_for_servers_that_give_no_reason() -> None:
    chunks = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in ("All ", "said.")]
    with StrictServer(lambda _: Reply(chunks=chunks)) as server:
        assert text_of(list(chat(server).stream(ask()))) == "All said."


def test_a_reply_that_ran_out_of_tokens_says_so() -> None:
    request = replace(ask(), max_tokens=5)
    with StrictServer(plan([Reply("one two three four five six seven eight nine ten")])) as server:
        assert CutDelta("length") in list(chat(server).stream(request))


@pytest.mark.parametrize("sent", ['{"hello": "world"}', '{"choices": 5}', "[]"])
def test_what_is_no_chat_completion_is_shown_and_blamed_on_the_address(sent: str) -> None:
    with StrictServer(faults=[Fault(status=200, raw=sent)]) as server:
        with pytest.raises(ModelError, match="answered without a reply: ") as caught:
            list(chat(server).stream(ask()))
        assert sent in caught.value.message
        assert "--base-url" in caught.value.hint


def test_nobody_is_followed_to_another_address() -> None:
    with StrictServer() as other:
        with StrictServer(faults=[Fault.sent_on(f"{other.base_url}/chat/completions")]) as server:
            with pytest.raises(ModelError, match="redirects to") as caught:
                list(chat(server).stream(ask()))
        assert other.base_url in caught.value.message
        assert not other.requests
