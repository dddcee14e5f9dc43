"""Calls written as text: what becomes a call, what stays text, and that pieces of any size make no difference."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgpt_cli.domain.chat import TextDelta, ThoughtDelta, ToolSchema
from memgpt_cli.llm.replies.offered import ReadCall
from memgpt_cli.llm.replies.text import Piece, ReplyText

KNOWN = ("conversation_search", "core_memory_append", "send_message")
SEARCH = '{"name": "conversation_search", "arguments": {"query": "tea"}}'
CALL = ReadCall(name="conversation_search", arguments='{"query": "tea"}')


def tool(name: str) -> ToolSchema:
    """A function whose parameters are of every kind."""
    kinds = {"query": "string", "label": "string", "content": "string", "message": "string", "page": "integer"}
    kinds |= {"exact": "boolean", "score": "number", "tags": "array", "more": "object"}
    properties = {key: {"type": kind} for key, kind in kinds.items()}
    return ToolSchema(name=name, description=name, parameters={"type": "object", "properties": properties})


def read(text: str, *, size: int = 10**9, known: tuple[str, ...] = KNOWN) -> list[Piece]:
    """The pieces of a reply that came `size` characters at a time, texts that follow each other joined."""
    reader = ReplyText([tool(name) for name in known])
    pieces = [piece for n in range(0, len(text), size) for piece in reader.feed(text[n : n + size])]
    joined: list[Piece] = []
    for piece in (*pieces, *reader.finish()):
        before = joined[-1] if joined else None
        if isinstance(piece, TextDelta) and isinstance(before, TextDelta):
            joined[-1] = TextDelta(before.text + piece.text)
        elif isinstance(piece, ThoughtDelta) and isinstance(before, ThoughtDelta):
            joined[-1] = ThoughtDelta(before.text + piece.text)
        else:
            joined.append(piece)
    return joined


CALLS = {
    "bare": SEARCH,
    "bare, other words for arguments": '{"function": "conversation_search", "parameters": {"query": "tea"}}',
    "bare, arguments as text": '{"name": "conversation_search", "arguments": "{\\"query\\": \\"tea\\"}"}',
    "bare, arguments first": '{"arguments": {"query": "tea"}, "name": "conversation_search"}',
    "bare, over lines": '{\n  "name": "conversation_search",\n  "arguments": {\n    "query": "tea"\n  }\n}\n',
    "bare, arguments beside the name": '{"name": "conversation_search", "query": "tea"}',
    "the name as key": '{"conversation_search": {"query": "tea"}}',
    "as the API has it": '{"id": "x", "type": "function", "function": ' + SEARCH + "}",
    "a list of tool calls": '{"tool_calls": [' + SEARCH + "]}",
    "a list": f"[{SEARCH}]",
    "with a prefix": SEARCH.replace("conversation", "functions.conversation"),
    "fence": f"```json\n{SEARCH}\n```",
    "fence without language": f"```\n{SEARCH}\n```\n",
    "fence never closed": f"```tool_call\n{SEARCH}",
    "Hermes": f"<tool_call>\n{SEARCH}\n</tool_call>",
    "Hermes never closed": f"<tool_call>{SEARCH}",
    "Qwen Coder": "<tool_call>\n<function=conversation_search>\n<parameter=query>\ntea\n</parameter>\n"
    "</function>\n</tool_call>",
    "Llama 3.1": '<function=conversation_search>{"query": "tea"}</function>',
    "Llama 3.1 never closed": '<function=conversation_search>{"query": "tea"}',
    "Llama 3 tag": f"<|python_tag|>{SEARCH}",
    "Mistral": f"[TOOL_CALLS] [{SEARCH}]",
    "newer Mistral": '[TOOL_CALLS]conversation_search[ARGS]{"query": "tea"}',
    "newest Mistral": '[TOOL_CALLS]conversation_search{"query": "tea"}',
}


@pytest.mark.parametrize("form", CALLS)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 11, 10**9])
def test_a_known_form_becomes_a_call(form: str, size: int) -> None:
    (call,) = read(CALLS[form], size=size)
    assert isinstance(call, ReadCall)
    assert call.name == "conversation_search"
    assert json.loads(call.arguments) == {"query": "tea"}


@pytest.mark.parametrize("form", CALLS)
def test_the_text_around_a_call_is_kept(form: str) -> None:
    before, call, after = (
        read(f"Let me look.\n{CALLS[form]}\n\nJust a moment.", size=4)
        if "never" not in form
        else (
            *read(f"Let me look.\n{CALLS[form]}", size=4),
            TextDelta("Just a moment."),
        )
    )
    assert before == TextDelta("Let me look.\n")
    assert isinstance(call, ReadCall)
    assert after == TextDelta("Just a moment.")


@pytest.mark.parametrize("form", CALLS)
def test_the_same_naming_no_offered_function_stays_text(form: str) -> None:
    text = CALLS[form].replace("conversation_search", "unknown_function")
    assert read(text, size=3) == [TextDelta(text)]
    assert read(CALLS[form], size=3, known=()) == [TextDelta(CALLS[form])]


TEXTS = (
    "",
    "   \n ",
    "Plain text, with {braces} and [brackets] and <tags> and `code`.",
    'Inline: {"name": "conversation_search", "arguments": {}} is how it would look.',
    '{"name": "Bob", "age": 3}',
    '{"answer": [1, 2, 3]}',
    '{"name": 5}',
    "{'name': 'Bob'}",
    "[1, 2, 3]\n[ ] a task\n[a link](x)",
    "```python\nprint({'name': 1})\n```",
    '```json\n{"name": "Bob"}\n```\nthat is all',
    "```\n```",
    "a < b, <tool, <tool_calls>, [TOOL, ``",
    "<tool_call>nothing</tool_call>",
    "<function=>x</function>",
    '{"name": "conversation_search", "description": "Searches.", "parameters": {"type": "object", "properties": {}}}',
    "{",
    "<|python_tag|>print(1)",
    "```json\n",
)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("size", [1, 4, 10**9])
def test_everything_else_stays_text_to_the_letter(text: str, size: int) -> None:
    assert read(text, size=size) == ([TextDelta(text)] if text else [])


def test_several_calls_in_one_reply_come_in_order() -> None:
    other = '{"name": "core_memory_append", "arguments": {"label": "human"}}'
    append = ReadCall(name="core_memory_append", arguments='{"label": "human"}')
    for text in (
        f"<tool_call>{SEARCH}</tool_call>\n<tool_call>{other}</tool_call>",
        f"<tool_call>{SEARCH}\n{other}</tool_call>",
        f"```json\n{SEARCH}\n{other}\n```",
        f"[{SEARCH}, {other}]",
        f"{SEARCH}\n{other}",
        f"[TOOL_CALLS][{SEARCH}, {other}]",
    ):
        for size in (1, 7, 10**9):
            assert read(text, size=size) == [CALL, append]


def test_broken_arguments_of_a_known_function_are_handed_on_as_they_are() -> None:
    assert read('```json\n{"name": "conversation_search", "arguments": {"query": "a "b" c"}}\n```\nok', size=3) == [
        ReadCall(name="conversation_search", arguments='{"query": "a "b" c"}}'),
        TextDelta("ok"),
    ]
    assert read('{"name": "conversation_search", "arguments": {"query": "half', size=5) == [
        ReadCall(name="conversation_search", arguments='{"query": "half')
    ]


def test_raw_line_ends_and_fences_within_arguments_do_no_harm() -> None:
    text = '```json\n{"name": "core_memory_append", "arguments": {"content": "a\nb ```x``` c"}}\n```'
    for size in (1, 6, 10**9):
        (call,) = read(text, size=size)
        assert isinstance(call, ReadCall)
        assert json.loads(call.arguments) == {"content": "a\nb ```x``` c"}


def test_parameters_between_tags_keep_their_kind() -> None:
    given = ("a>\n2\n", "b>two\nlines", "c>[1]")
    text = "<function=f>" + "".join(f"<parameter={one}</parameter>" for one in given) + "</function>"
    (call,) = read(text, known=("f",))
    assert isinstance(call, ReadCall)
    assert json.loads(call.arguments) == {"a": 2, "b": "two\nlines", "c": [1]}


@pytest.mark.parametrize("size", [1, 3, 10**9])
def test_thinking_that_opens_a_reply_is_thought(size: int) -> None:
    text = f"\n<think>\nThey ask about tea. {SEARCH}\n</think>\n\nHere you are."
    thought, reply = read(text, size=size)
    assert thought == ThoughtDelta(f"\nThey ask about tea. {SEARCH}\n")
    assert reply == TextDelta("Here you are.")
    assert read(f"<think>x</think>\n{SEARCH}", size=size) == [ThoughtDelta("x"), CALL]
    assert read("<think>never closed", size=size) == [ThoughtDelta("never closed")]
    assert read("I <think> so", size=size) == [TextDelta("I <think> so")]


def test_ordinary_text_is_not_held_back() -> None:
    reader = ReplyText([tool(name) for name in KNOWN])
    for word in ("Hello", " there,", " how", " are", " you?\n", '{"na'):
        given_back = "".join(piece.text for piece in reader.feed(word) if isinstance(piece, TextDelta))
        assert given_back == ("" if word.startswith("{") else word)


alphabet = st.sampled_from(
    (
        *("{", "}", "[", "]", '"', ":", ",", "\n", " ", "a", "name", "arguments", "conversation_search", "```", "json"),
        *("<tool_call>", "</tool_call>", "<function=", ">", "</function>", "[TOOL_CALLS]", "<think>", "</think>", "'"),
        *(
            '{"name": "conversation_search", ',
            '"arguments": {}}',
            SEARCH,
            "<parameter=q>",
            "</parameter>",
            "\\",
            "[ARGS]",
        ),
    )
)


@given(parts=st.lists(alphabet, max_size=12), size=st.integers(1, 9))
@settings(max_examples=400, deadline=None)
def test_the_size_of_the_pieces_makes_no_difference(parts: list[str], size: int) -> None:
    text = "".join(parts)
    assert read(text, size=size) == read(text)


@given(text=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="<[{`◁>"), max_size=200))
@settings(max_examples=200, deadline=None)
def test_text_without_marks_passes_to_the_letter(text: str) -> None:
    assert read(text, size=3) == ([TextDelta(text)] if text else [])
