"""`/v1/chat/completions` with the real openai client: turns, repeated requests, edits, the clients' own prompts."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
import pytest
from support.brains import Call, Reply, do, echo, last_user_text, say
from support.strict_server import Fault, StrictServer

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.messages import Role
from memgpt_cli.services.memory import open_memory
from tests.server.conftest import Serve

Messages = list[Any]


def user(text: Any) -> Any:
    return {"role": "user", "content": text}


def assistant(text: str) -> Any:
    return {"role": "assistant", "content": text}


def test_a_history_sent_whole_each_time_is_stored_once(serve: Serve) -> None:
    with StrictServer(echo) as model:
        served = serve(base_url=model.base_url)
        client = served.client()
        assert [found.id for found in client.models.list()] == ["default"]
        messages: Messages = [user("one")]
        for text in ("two", "three"):
            done = client.chat.completions.create(model="default", messages=messages)
            assert done.choices[0].finish_reason == "stop"
            messages += [assistant(done.choices[0].message.content or ""), user(text)]
        assert served.said() == ["one", "two"]
        assert (done.choices[0].message.content or "").endswith("two")
        assert done.usage is not None
        assert done.usage.prompt_tokens == model.exchanges[-1].prompt_tokens


def test_a_stream_has_a_role_pieces_a_reason_and_the_usage(serve: Serve) -> None:
    with StrictServer(echo) as model:
        client = serve(base_url=model.base_url).client()
        stream = client.chat.completions.create(
            model="default",
            messages=[user("Tell me something longer than one piece of a stream.")],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces).endswith("Tell me something longer than one piece of a stream.")
    assert len(pieces) > 3
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert not chunks[-1].choices
    assert chunks[-1].usage
    assert len({chunk.id for chunk in chunks}) == 1


def test_what_a_model_says_before_it_calls_a_function_is_streamed_too(serve: Serve) -> None:
    def brain(body: Any) -> Reply:
        if body["messages"][-1]["role"] == "tool":
            return Reply("You live in Lisbon.")
        return Reply("Let me look.", calls=(Call("conversation_search", {"query": "lives"}),))

    with StrictServer(brain) as model:
        served = serve(base_url=model.base_url)
        stream = served.client().chat.completions.create(model="default", messages=[user("Where?")], stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text == "Let me look.\n\nYou live in Lisbon."


def test_the_papers_protocol_streams_only_what_is_sent_to_the_person(serve: Serve) -> None:
    reply = Reply("A thought.", calls=(Call("send_message", {"message": "Hello."}),))
    with StrictServer(lambda _: reply) as model:
        served = serve(base_url=model.base_url, protocol=Protocol.PAPER)
        stream = served.client().chat.completions.create(model="default", messages=[user("Hi")], stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text == "Hello."


def test_a_request_that_an_sdk_repeats_after_an_error_is_one_turn(serve: Serve) -> None:
    broken = threading.Event()
    broken.set()

    def brain(body: Any) -> Reply:
        if broken.is_set():
            raise RuntimeError("the model's server fails")
        return echo(body)

    with StrictServer(brain) as model:
        served = serve(base_url=model.base_url)
        with pytest.raises(openai.APIStatusError) as caught:
            served.client().chat.completions.create(model="default", messages=[user("once")])
        assert caught.value.status_code == 502
        assert caught.value.response.headers.get("x-should-retry") is None
        broken.clear()
        done = served.client().chat.completions.create(model="default", messages=[user("once")])
        assert (done.choices[0].message.content or "").endswith("once")
    assert served.said() == ["once"]


def test_an_idempotency_key_makes_a_repeated_request_harmless(serve: Serve) -> None:
    with StrictServer(echo) as model:
        served = serve(base_url=model.base_url)
        for _ in range(2):
            headers = {"Idempotency-Key": "k1"}
            served.client().chat.completions.create(model="default", messages=[user("hi")], extra_headers=headers)
        assert served.said() == ["hi"]
        assert len(model.requests) == 1


@pytest.mark.parametrize("headers", [{}, {"X-OpenWebUI-Chat-Id": "c1", "X-OpenWebUI-User-Id": "u1"}])
def test_an_edited_message_replaces_the_last_one(serve: Serve, headers: dict[str, str]) -> None:
    with StrictServer(echo) as model:
        served = serve(base_url=model.base_url)
        client = served.client(default_headers=headers)
        first = client.chat.completions.create(model="default", messages=[user("hello")])
        history = [user("hello"), assistant(first.choices[0].message.content or "")]
        for text in ("I live in Lyon", "I live in Lisbon"):
            client.chat.completions.create(model="default", messages=[*history, user(text)])
        assert served.said() == ["hello", "I live in Lisbon"]


def test_asking_for_another_answer_keeps_one_message(serve: Serve) -> None:
    answers = iter(["first", "second"])
    with StrictServer(lambda body: say(body, next(answers))) as model:
        served = serve(base_url=model.base_url)
        client = served.client(default_headers={"X-OpenWebUI-Chat-Id": "c1"})
        said = [
            client.chat.completions.create(model="default", messages=[user("a joke")]).choices[0].message.content
            for _ in range(2)
        ]
    assert said == ["first", "second"]
    assert served.said() == ["a joke"]


def test_two_users_who_begin_alike_are_two_conversations(serve: Serve) -> None:
    with StrictServer(echo) as model:
        served = serve(base_url=model.base_url)
        for person in ("ana", "ben"):
            served.client().chat.completions.create(model="default", messages=[user("hi")], user=person)
        assert served.said() == ["hi", "hi"]


@pytest.mark.parametrize(
    ("messages", "headers"),
    [
        ([user("### Task:\nGenerate a title.\n<chat_history>\nUSER: I like tea\n</chat_history>")], {}),
        ([user("Provide a concise, 5-word-or-less title for the conversation")], {}),
        ([user("anything")], {"X-OpenWebUI-Task": "tags_generation"}),
    ],
)
def test_prompts_of_the_client_itself_are_answered_and_not_stored(
    serve: Serve, messages: Messages, headers: dict[str, str]
) -> None:
    with StrictServer(lambda _: Reply('{"title": "Tea"}')) as model:
        served = serve(base_url=model.base_url)
        done = served.client().chat.completions.create(model="default", messages=messages, extra_headers=headers)
        assert done.choices[0].message.content == '{"title": "Tea"}'
        assert "tools" not in model.requests[-1]
    assert served.said() == []


def test_a_title_is_answered_while_the_agent_is_busy(serve: Serve) -> None:
    def brain(body: Any) -> Reply:
        return Reply("word " * 400) if "tools" in body else Reply("Title")

    with StrictServer(brain, faults=[Fault.slow(0.1)] * 2) as model:
        served = serve(base_url=model.base_url)
        stream = served.client().chat.completions.create(model="default", messages=[user("hi")], stream=True)
        next(iter(stream))
        headers = {"X-OpenWebUI-Task": "title_generation"}
        title = served.client().chat.completions.create(
            model="default", messages=[user("x")], extra_headers=headers, timeout=20
        )
        assert title.choices[0].message.content == "Title"
        assert not served.messages("default", Role.ASSISTANT)
        stream.close()


def test_offline_titles_and_tags_have_the_shape_that_is_asked_for(serve: Serve) -> None:
    served = serve(model="offline")
    asked = '### Task:\nReturn JSON: {"title": "..."}\n<chat_history>\nUSER: I like green tea a lot\n</chat_history>'
    done = served.client().chat.completions.create(model="default", messages=[user(asked)])
    assert done.choices[0].message.content == '{"title": "I like green tea a lot"}'
    assert served.said() == []


def test_a_question_with_retrieved_text_is_stored_as_the_person_asked_it(serve: Serve) -> None:
    text = "### Task:\nAnswer with the context.\n<context>long text</context>\n<user_query>\nWho is Ben?\n</user_query>"
    with StrictServer(echo) as model:
        served = serve(base_url=model.base_url)
        served.client().chat.completions.create(model="default", messages=[user(text)])
    assert served.said() == ["Who is Ben?"]


def test_a_system_prompt_becomes_a_read_only_block_or_is_left_out_or_refused(serve: Serve) -> None:
    messages: Messages = [{"role": "system", "content": "Speak like a pirate."}, user("hi")]
    with StrictServer(echo) as model:
        served = serve(base_url=model.base_url)
        served.client().chat.completions.create(model="default", messages=messages)
        assert "Speak like a pirate." in str(model.requests[-1]["messages"])
        with open_memory(served.workspace) as memory:
            assert memory.blocks.get("client").read_only
    assert served.said() == ["hi"]


def test_a_refused_system_prompt_says_so(serve: Serve) -> None:
    served = serve(model="offline", system_prompt="refuse")
    with pytest.raises(openai.BadRequestError, match="system prompt"):
        served.client().chat.completions.create(
            model="default", messages=[{"role": "system", "content": "Speak."}, user("hi")]
        )


ODD: list[Any] = [
    b"",
    b"{",
    b"[" * 100_000,
    [],
    {},
    {"model": "default"},
    {"model": 3, "messages": [user("x")]},
    {"model": "default", "messages": "x"},
    {"model": "default", "messages": []},
    {"model": "default", "messages": [None]},
    {"model": "default", "messages": [user(None)]},
    {"model": "default", "messages": [user("  ")]},
    {"model": "default", "messages": [user(5)]},
    {"model": "default", "messages": [user([{"type": "input_audio"}])]},
    {
        "model": "default",
        "messages": [user([{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}])],
    },
    {
        "model": "default",
        "messages": [user([{"type": "image_url", "image_url": {"url": "data:image/png;base64,####"}}])],
    },
    {"model": "default", "messages": [{"role": "wizard", "content": "x"}]},
    {"model": "default", "messages": [assistant("x")]},
    {"model": "nobody", "messages": [user("x")]},
    {"model": "../default", "messages": [user("x")]},
    {"model": "*", "messages": [user("x")]},
    {"model": "\ud800", "messages": [user("x")]},
]


def test_odd_content_is_an_error_of_the_request_and_never_of_the_server(serve: Serve) -> None:
    served = serve(model="offline")
    with httpx.Client() as web:
        for body in ODD:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            answer = web.post(f"{served.url}/chat/completions", content=content)
            assert answer.status_code in {400, 404}, (body, answer.text)
            assert answer.json()["error"]["message"]
            assert answer.headers["x-should-retry"] == "false"
    assert served.said() == []


def test_unknown_fields_and_roles_of_tools_are_ignored(serve: Serve) -> None:
    served = serve(model="offline")
    body = {
        "model": "default",
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
            user("hi"),
            {"role": "assistant", "content": None, "tool_calls": []},
            {"role": "tool", "tool_call_id": "1", "content": "x"},
            user([{"type": "text", "text": "My name is"}, {"type": "text", "text": "Ada."}]),
        ],
        "temperature": 3,
        "reasoning_effort": "none",
        "max_completion_tokens": 10**30,
        "stream": None,
        "stream_options": "yes",
    }
    assert httpx.post(f"{served.url}/chat/completions", json=body).status_code == 200
    assert served.said() == ["My name is\nAda."]


def test_an_error_in_the_middle_of_a_stream_is_an_event_and_a_failed_turn_goes_on(serve: Serve) -> None:
    with StrictServer(echo, faults=[Fault.cut(3)] * 4) as model:
        served = serve(base_url=model.base_url)
        client = served.client(max_retries=0)
        for _ in range(8):
            try:
                stream = client.chat.completions.create(model="default", messages=[user("a b c d e f g")], stream=True)
                text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
                break
            except openai.APIError:
                continue
    assert text.endswith("a b c d e f g")
    assert served.said() == ["a b c d e f g"]


def test_a_client_that_is_gone_frees_the_agent(serve: Serve) -> None:
    with StrictServer(lambda _: Reply("word " * 400), faults=[Fault.slow(0.02)]) as model:
        served = serve(base_url=model.base_url)
        stream = served.client().chat.completions.create(model="default", messages=[user("long")], stream=True)
        for number, _ in enumerate(stream):
            if number > 3:
                break
        stream.close()
        done = served.client().chat.completions.create(model="default", messages=[user("and now?")])
        assert done.choices[0].message.content
        cut = served.messages("default", Role.ASSISTANT)[0]
        assert cut.interrupted
        assert len(cut.text) < len("word " * 400)
    assert served.said() == ["long", "and now?"]


def test_many_clients_over_several_agents_lose_and_mix_nothing(serve: Serve) -> None:
    names = [f"agent{number}" for number in range(4)]
    with StrictServer(lambda body: say(body, f"heard {last_user_text(body)}"), latency_s=0.05) as model:
        served = serve(*names, base_url=model.base_url)

        def talk(client: int) -> None:
            name = names[client % len(names)]
            for turn in range(3):
                text = f"{name} client {client} turn {turn}"
                done = served.client().chat.completions.create(model=name, messages=[user(text)], user=str(client))
                assert (done.choices[0].message.content or "").endswith(text)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(talk, range(8)))
    for name in names:
        said = served.said(name)
        assert len(said) == len(set(said)) == 6
        assert all(text.startswith(name) for text in said)
        assert len(served.messages(name, Role.ASSISTANT)) == 6


def test_an_agent_that_another_process_uses_asks_to_come_back(serve: Serve) -> None:
    served = serve(model="offline")
    with served.workspace.sessions.open("default", purpose="test"):
        answer = httpx.post(f"{served.url}/chat/completions", json={"model": "default", "messages": [user("x")]})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


def test_memory_written_in_a_turn_of_the_endpoint_is_there(serve: Serve) -> None:
    def brain(body: Any) -> Reply:
        if body["messages"][-1]["role"] == "tool":
            return say(body, "Noted.")
        return do(body, Call("core_memory_append", {"label": "human", "content": "Plays chess"}))

    with StrictServer(brain) as model:
        served = serve(base_url=model.base_url)
        served.client().chat.completions.create(model="default", messages=[user("I play chess")])
    with open_memory(served.workspace) as memory:
        assert "Plays chess" in memory.blocks.get("human").value
