"""Streamed calls, as servers send them: every way of breaking the protocol that was seen gives the calls meant."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgpt_cli.domain.chat import CallDelta, ChatRequest, CutDelta, Delta, PromptMessage, TextDelta, ToolSchema, Usage
from memgpt_cli.errors import ModelError
from memgpt_cli.llm.replies.stream import ReplyStream

APPEND = ToolSchema(
    name="core_memory_append",
    description="Add to a block.",
    parameters={"type": "object", "properties": {"label": {"type": "string"}, "content": {"type": "string"}}},
)
SEARCH = ToolSchema(
    name="conversation_search",
    description="Search what was said.",
    parameters={"type": "object", "properties": {"query": {"type": "string"}, "page": {"type": "integer"}}},
)
TEA = {"label": "human", "content": "Likes oolong."}
KAYAK = {"label": "human", "content": "Owns a kayak."}
NAME = "core_memory_append"


def replied(*chunks: Any, complete: bool = True, may_call: bool = True) -> list[Delta]:
    """The deltas of a reply that came in these chunks."""
    request = ChatRequest(
        model="m",
        messages=(PromptMessage(role="user", content="Hello"),),
        tools=(APPEND, SEARCH),
        may_call=may_call,
    )
    stream = ReplyStream(request)
    deltas = [delta for chunk in chunks for delta in stream.feed(chunk)]
    return deltas + list(stream.finish(complete=complete))


def calls_in(deltas: list[Delta]) -> list[tuple[str, Any]]:
    found = [delta for delta in deltas if isinstance(delta, CallDelta)]
    assert [call.index for call in found] == list(range(len(found)))
    assert len({call.id for call in found}) == len(found)
    return [(call.name or "", _value(call.arguments)) for call in found]


def _value(raw: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def piece(name: str | None = None, arguments: Any = None, **fields: Any) -> dict[str, Any]:
    """A chunk with one piece of a call; only what is given is in it."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return delta(tool_calls=[{**fields, "function": function}])


def end(reason: str = "tool_calls") -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


T, K = json.dumps(TEA), json.dumps(KAYAK)
ONE, BOTH = [(NAME, TEA)], [(NAME, TEA), (NAME, KAYAK)]

FORMS: dict[str, tuple[list[dict[str, Any]], list[tuple[str, Any]]]] = {
    "index 0 twice, no id": ([piece(NAME, T, index=0), piece(NAME, K, index=0)], BOTH),
    "index 0 twice, no id, in pieces": (
        [
            *(piece(NAME, "", index=0), piece(None, T[:9], index=0), piece(None, T[9:], index=0)),
            *(piece(NAME, "", index=0), piece(None, K[:9], index=0), piece(None, K[9:], index=0)),
        ],
        BOTH,
    ),
    "index 0 twice, two names": (
        [piece(NAME, T, index=0), piece("conversation_search", '{"query": "x"}', index=0)],
        [(NAME, TEA), ("conversation_search", {"query": "x"})],
    ),
    "index 0 twice, without arguments": (
        [piece(NAME, "", index=0, id="a"), piece("conversation_search", "", index=0, id="b")],
        [(NAME, {}), ("conversation_search", {})],
    ),
    "index 0 twice, other ids": ([piece(NAME, T, index=0, id="a"), piece(NAME, K, index=0, id="b")], BOTH),
    "no index, the same id": ([piece(NAME, T, id="call"), piece(NAME, K, id="call")], BOTH),
    "no index, the same id, in pieces": (
        [piece(NAME, T[:9], id="call"), piece(None, T[9:], id="call"), piece(NAME, K, id="call")],
        BOTH,
    ),
    "no index, no id": ([piece(NAME, T), piece(NAME, K)], BOTH),
    "no index, two calls in one delta": (
        [
            delta(
                tool_calls=[
                    {"function": {"name": NAME, "arguments": T}},
                    {"function": {"name": NAME, "arguments": K}},
                ]
            )
        ],
        BOTH,
    ),
    "pieces of two calls interleaved by index": (
        [
            *(piece(NAME, T[:5], index=0, id="a"), piece(NAME, K[:5], index=1, id="b")),
            *(piece(None, T[5:], index=0), piece(None, K[5:], index=1)),
        ],
        BOTH,
    ),
    "pieces of two calls interleaved by id": (
        [
            *(piece(NAME, T[:5], id="a"), piece(NAME, K[:5], id="b")),
            *(piece(None, T[5:], id="a"), piece(None, K[5:], id="b")),
        ],
        BOTH,
    ),
    "the same id under two indexes": ([piece(NAME, T, index=0, id="x"), piece(NAME, K, index=1, id="x")], BOTH),
    "another id in each piece": (
        [piece(NAME, "", index=0, id="a"), piece(None, T[:9], index=0, id="b"), piece(None, T[9:], index=0, id="c")],
        ONE,
    ),
    "another id and the name in each piece": (
        [piece(NAME, T[:9], index=0, id="a"), piece(NAME, T[9:], index=0, id="b")],
        ONE,
    ),
    "another index in each piece": (
        [piece(NAME, T[:9], index=0, id="a"), piece(None, T[9:20], index=1), piece(None, T[20:], index=2)],
        ONE,
    ),
    "index as text": (
        [piece(NAME, T, index="0"), piece("conversation_search", "{}", index="1")],
        [
            *ONE,
            (
                "conversation_search",
                {},
            ),
        ],
    ),
    "an empty object first": (
        [piece(NAME, "{}", index=0, id="a"), piece(None, T[:9], index=0), piece(None, T[9:], index=0)],
        ONE,
    ),
    "an empty object first, with the name again": (
        [piece(NAME, "{}", index=0, id="a"), piece(NAME, T, index=0, id="a")],
        ONE,
    ),
    "an empty object last": ([piece(NAME, T, index=0, id="a"), piece(None, "{}", index=0)], ONE),
    "once more whole": (
        [piece(NAME, T[:9], index=0, id="a"), piece(None, T[9:], index=0), piece(None, T, index=0)],
        ONE,
    ),
    "once more whole, with name and id": (
        [piece(NAME, T[:9], index=0, id="a"), piece(None, T[9:], index=0), piece(NAME, T, index=0, id="a")],
        ONE,
    ),
    "once more whole, with other blanks": (
        [piece(NAME, T, index=0), piece(NAME, json.dumps(TEA, indent=1), index=0)],
        ONE,
    ),
    "whole after a part": ([piece(NAME, T[:9], index=0, id="a"), piece(None, T, index=0)], ONE),
    "growing snapshots": ([piece(NAME, T[:n], index=0, id="a") for n in (1, 5, 9, 20, len(T))], ONE),
    "a name in two pieces": ([piece("core_memory", "", index=0, id="a"), piece("_append", T, index=0)], ONE),
    "a name in three pieces, with a prefix": (
        [piece("functions.", None, index=0), piece("core_memory_", None, index=0), piece("append", T, index=0)],
        ONE,
    ),
    "a growing name": ([piece("core_", None, index=0), piece(NAME, T, index=0)], ONE),
    "the name in each piece": ([piece(NAME, T[n : n + 7], index=0, id="a") for n in range(0, len(T), 7)], ONE),
    "the name last": ([piece(None, T[:9], index=0, id="a"), piece(NAME, T[9:], index=0, id="a")], ONE),
    "the name only in the id": ([piece(None, T, index=0, id="functions.core_memory_append:0")], ONE),
    "arguments as an object": ([piece(NAME, TEA, index=0)], ONE),
    "null fields": (
        [
            delta(content=None, tool_calls=None, function_call=None, reasoning_content=None, refusal=None, role=None),
            delta(tool_calls=[{"index": 0, "id": None, "type": None, "function": {"name": NAME, "arguments": None}}]),
            delta(tool_calls=[{"index": 0, "id": None, "function": {"name": None, "arguments": T}}]),
            delta(tool_calls=[None, 5, {"index": 0, "function": None}]),
        ],
        ONE,
    ),
    "null in place of arguments": ([piece("conversation_search", "null", index=0)], [("conversation_search", {})]),
    "function and arguments not nested": ([delta(tool_calls=[{"index": 0, "name": NAME, "arguments": T}])], ONE),
    "one call in place of a list": ([delta(tool_calls={"index": 0, "function": {"name": NAME, "arguments": T}})], ONE),
    "legacy": (
        [
            *(delta(function_call={"name": NAME, "arguments": ""}), delta(function_call={"arguments": T[:9]})),
            *(delta(function_call={"arguments": T[9:]}), end("function_call")),
        ],
        ONE,
    ),
    "legacy beside the present form": (
        [
            delta(
                tool_calls=[{"index": 0, "id": "a", "function": {"name": NAME, "arguments": T}}],
                function_call={"name": NAME, "arguments": T},
            )
        ],
        ONE,
    ),
    "again in the last message": (
        [
            piece(NAME, T, index=0, id="a"),
            {
                "choices": [
                    {
                        "index": 0,
                        "delta": {},
                        "message": {"tool_calls": [{"id": "z", "function": {"name": NAME, "arguments": T}}]},
                        "finish_reason": "tool_calls",
                    }
                ]
            },
        ],
        ONE,
    ),
    "only in the last message": (
        [
            delta(role="assistant", content=""),
            {
                "choices": [
                    {"index": 0, "message": {"tool_calls": [{"function": {"name": NAME, "arguments": T}}]}},
                ]
            },
        ],
        ONE,
    ),
    "two choices": (
        [
            {
                "choices": [
                    {"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": NAME, "arguments": T}}]}},
                    {"index": 1, "delta": {"tool_calls": [{"index": 0, "function": {"name": NAME, "arguments": K}}]}},
                ]
            },
            {"choices": [{"index": 1, "delta": {"content": "the other one"}}]},
        ],
        ONE,
    ),
    "chunks without choices": ([{}, {"choices": []}, {"choices": None}, {"choices": [None]}, piece(NAME, T)], ONE),
    "encoded twice": ([piece(NAME, json.dumps(T), index=0)], ONE),
    "encoded twice, in pieces": (
        [piece(NAME, json.dumps(T)[:9], index=0), piece(None, json.dumps(T)[9:], index=0)],
        ONE,
    ),
    "encoded three times": ([piece(NAME, json.dumps(json.dumps(T)), index=0)], ONE),
    "two calls, encoded twice": ([piece(NAME, json.dumps(T), index=0), piece(NAME, json.dumps(K), index=0)], BOTH),
    "inside an object as text": ([piece(NAME, json.dumps({"arguments": T}), index=0)], ONE),
    "inside an object": ([piece(NAME, json.dumps({"parameters": TEA}), index=0)], ONE),
    "inside a list": ([piece(NAME, json.dumps([TEA]), index=0)], ONE),
    "a Python dict": ([piece(NAME, repr(TEA), index=0)], ONE),
}


@pytest.mark.parametrize("form", FORMS)
def test_calls_are_put_together_as_they_were_meant(form: str) -> None:
    chunks, expected = FORMS[form]
    assert calls_in(replied(*chunks, end())) == expected


@pytest.mark.parametrize(
    "written",
    [
        "core_memory_append<|channel|>commentary",
        "core_memory_append<|channel|>json",
        "functions.core_memory_append",
        "functions.core_memory_append:0",
        "core_memory_append:3",
        "default_api.core_memory_append",
        "default_api:core_memory_append",
        "functions/core_memory_append",
        "assistant.functions.core_memory_append<|constrain|>json",
        " core_memory_append \n",
        '"core_memory_append"',
        "core_memory_append()",
        "Core_Memory_Append",
        "core-memory-append",
        "core_memory_append<｜tool▁sep｜>",
    ],
)
def test_residue_is_removed_from_a_name(written: str) -> None:
    assert calls_in(replied(piece(written, T, index=0), end())) == ONE


def test_a_name_that_nobody_offers_is_passed_on_for_the_model_to_be_told() -> None:
    assert calls_in(replied(piece("get_weather", "{}", index=0), end())) == [("get_weather", {})]


def test_two_equal_calls_with_different_ids_are_two() -> None:
    assert calls_in(replied(piece(NAME, T, index=0, id="a"), piece(NAME, T, index=1, id="b"))) == [*ONE, *ONE]


@pytest.mark.parametrize("raw", ['{"label": "human", "content": "half', "no object", "[1, 2]", '"text"', "{]"])
def test_arguments_that_cannot_be_read_are_passed_on_as_they_are(raw: str) -> None:
    assert calls_in(replied(piece(NAME, raw, index=0), end())) == [(NAME, _value(raw))]


def test_an_object_of_one_parameter_is_not_taken_apart() -> None:
    arguments = {"query": json.dumps({"query": "x", "page": 1})}
    assert calls_in(replied(piece("conversation_search", json.dumps(arguments)))) == [
        ("conversation_search", arguments)
    ]


def test_the_text_of_a_last_message_is_not_said_twice() -> None:
    last = {"choices": [{"index": 0, "delta": {}, "message": {"content": "Hello."}, "finish_reason": "stop"}]}
    assert replied(delta(content="Hel"), delta(content="lo."), last) == [TextDelta("Hel"), TextDelta("lo.")]
    assert replied(last) == [TextDelta("Hello.")]


@pytest.mark.parametrize(
    ("reason", "cut"),
    [
        *((reason, "length") for reason in ("length", "max_tokens", "MAX_TOKENS", "model_length")),
        *((reason, "content_filter") for reason in ("content_filter", "SAFETY", "sensitive", "RECITATION")),
        *((reason, None) for reason in ("stop", "eos", "STOP", "tool_calls", "unheard_of", "", None, 7)),
    ],
)
def test_reasons_for_the_end_are_understood_in_their_variants(reason: Any, cut: str | None) -> None:
    deltas = replied(delta(content="Hello"), end(reason))
    assert deltas == [TextDelta("Hello"), *([CutDelta(cut)] if cut else [])]


@pytest.mark.parametrize("reason", ["error", "network_error", "insufficient_system_resource", "abort"])
def test_a_reply_that_ended_by_a_failure_is_a_failure_that_may_pass(reason: str) -> None:
    with pytest.raises(ModelError) as caught:
        replied(delta(content="Hel"), end(reason))
    assert caught.value.transient


@pytest.mark.parametrize(
    "tokens",
    [1e30, float("nan"), float("inf"), float("-inf"), -5, 0, "12", None, True, [], {}, 10**4000, 10**12],
)
def test_a_usage_that_cannot_be_true_counts_as_none_and_the_answer_is_kept(tokens: Any) -> None:
    usage = {"prompt_tokens": tokens, "completion_tokens": tokens, "prompt_tokens_details": {"cached_tokens": tokens}}
    assert replied(delta(content="Hello"), {"choices": [], "usage": usage}) == [TextDelta("Hello")]
    half = {"prompt_tokens": 10, "completion_tokens": tokens, "prompt_tokens_details": {"cached_tokens": tokens}}
    assert replied(delta(content="Hello"), {"choices": [], "usage": half}) == [
        TextDelta("Hello"),
        Usage(prompt_tokens=10),
    ]


@given(
    cuts=st.lists(st.integers(1, 60), max_size=6),
    second=st.booleans(),
    index=st.booleans(),
    ids=st.booleans(),
    named=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_the_places_where_arguments_are_cut_make_no_difference(
    cuts: list[int], second: bool, index: bool, ids: bool, named: bool
) -> None:
    chunks = []
    for number, whole in enumerate((T, K)[: 1 + second]):
        fields = ({"index": number} if index else {}) | ({"id": f"c{number}"} if ids else {})
        edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
        parts = [whole[a:b] for a, b in itertools.pairwise(edges)]
        chunks.append(piece(NAME, parts[0], **fields))
        chunks += [piece(NAME if named else None, part, **fields) for part in parts[1:]]
    assert calls_in(replied(*chunks, end())) == (BOTH if second else ONE)
