"""Any stored history goes out as messages that every family of models takes, and that grow only at their end."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.agents import is_extension
from support.families import (
    gemma,
    gemma3,
    gpt_oss,
    llama,
    llama4,
    minimax,
    ministral,
    mistral,
    plain,
    pythonic_gemma,
    qwen,
)
from support.histories import HISTORIES, IDS, SIGNED, STEPS, SYSTEM, TEXTS, called, joined, result, said, user
from support.strict_rules import check

from memgpt_cli.domain.chat import PromptMessage
from memgpt_cli.domain.pictures import Picture
from memgpt_cli.llm.opaque_fields import OpaqueFields, call_extras
from memgpt_cli.llm.wire_messages import BRIDGE, WireForm, wire_messages

PLAIN = WireForm()
BRIDGED = WireForm(bridged=True)
TEXT = WireForm(text_calls=True, system=False)


def roles(form: WireForm, *messages: PromptMessage) -> str:
    return "".join(m["role"][0] for m in wire_messages((SYSTEM, *messages), form))


def body(form: WireForm, messages: list[PromptMessage]) -> dict[str, Any]:
    return {"model": "m", "messages": wire_messages(messages, form)}


_ANY = st.one_of(
    TEXTS.map(user), TEXTS.map(said), st.builds(result, IDS, TEXTS), st.lists(IDS, min_size=1, unique=True).map(
        lambda ids: called(*ids)
    ),
    st.just(PromptMessage(role="system", content="late")),
)  # fmt: skip


def test_adjacent_user_messages_go_out_as_one() -> None:
    sent = wire_messages([SYSTEM, user("one"), user("two"), said(), user("three")], PLAIN)
    assert [m["content"] for m in sent] == ["You remember.", "one\n\ntwo", "hi", "three"]


def test_pictures_and_texts_of_adjacent_messages_keep_their_order() -> None:
    shown = PromptMessage(role="user", content="look", picture=Picture(name="a.png", kind="image/png", content=b"x"))
    content = wire_messages([user("one"), shown, user("two")], PLAIN)[0]["content"]
    assert [part["type"] for part in content] == ["text", "image_url", "text", "text"]
    assert [part["text"] for part in content if "text" in part] == ["one", "look", "two"]


def test_a_reply_stands_between_a_result_and_the_next_message_only_where_needed() -> None:
    paper = (user(), called("a"), result("a"), user(), called("b"), result("b"))
    assert roles(PLAIN, *paper) == "suatuat"
    assert roles(BRIDGED, *paper) == "suatauat"
    assert wire_messages((SYSTEM, *paper), BRIDGED)[4] == {"role": "assistant", "content": BRIDGE}


def test_every_call_is_followed_by_its_results_in_order() -> None:
    sent = wire_messages(
        [user(), called("a", "b", "c"), result("c", "3"), result("a", "1"), result("x"), user()], PLAIN
    )
    assert [m.get("tool_call_id") for m in sent] == [None, None, "a", "b", "c", None]
    assert [m["content"] for m in sent[2:5]] == ["1", "Failed: there is no result.", "3"]


def test_empty_replies_are_left_out_and_the_user_has_the_first_and_the_last_word() -> None:
    assert roles(PLAIN, user("one"), said(" "), user("two")) == "su"
    assert roles(PLAIN, said(), user()) == "suau"
    assert roles(PLAIN, user(), said()) == "suau"
    assert roles(PLAIN) == "su"


def test_without_a_system_role_its_text_opens_the_first_user_message() -> None:
    sent = wire_messages([SYSTEM, user("hello")], WireForm(system=False))
    assert sent == [{"role": "user", "content": "You remember.\n\nhello"}]
    assert roles(WireForm(system=False), said(), user()) == "uau"


def test_calls_without_opaque_fields_are_text_where_a_server_wants_those_fields() -> None:
    form = WireForm(opaque_calls_only=True)
    messages = [user(), called("a"), result("a"), called("b", opaque=SIGNED), result("b"), user("<tool_response>")]
    sent = wire_messages([SYSTEM, *messages], form)
    assert [m["role"] for m in sent] == ["system", "user", "assistant", "user", "assistant", "tool", "user"]
    assert sent[2]["content"] == '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>'
    assert sent[3]["content"] == '<tool_response name="f">\nOK\n</tool_response>'
    assert (sent[4]["reasoning"], sent[4]["tool_calls"][0]["sig"]) == ("hm", "x")
    assert sent[6]["content"] == "&lt;tool_response>"


@given(HISTORIES)
@example([SYSTEM, user(), called("123456789"), result("123456789"), user()])
def test_any_history_is_taken_by_every_family_in_the_form_that_it_needs(history: list[PromptMessage]) -> None:
    for form in (PLAIN, BRIDGED, TEXT, WireForm(opaque_calls_only=True), WireForm(opaque=False)):
        check(plain(body(form, history)))
    mistral(body(BRIDGED, history))
    mistral(body(TEXT, history))
    gemma(body(TEXT, history))
    for rules in (minimax, qwen):
        rules(body(PLAIN, history))
    ministral(body(BRIDGED, history))
    gemma3(body(WireForm(text_calls=True), history))
    pythonic_gemma(body(WireForm(bridged=True, null_content=False), history))
    llama4(body(WireForm(null_content=False), history))
    gpt_oss(body(WireForm(opaque=False), history))
    llama(body(WireForm(single_calls=True), history))


@given(st.lists(_ANY, max_size=8))
def test_whatever_is_in_the_queue_results_follow_their_calls(messages: list[PromptMessage]) -> None:
    unique = {call.id for m in messages for call in m.calls}
    if sum(len(m.calls) for m in messages) == len(unique):
        check(plain(body(PLAIN, [SYSTEM, *messages])))
        gemma(body(TEXT, [SYSTEM, *messages]))


@given(st.lists(STEPS, max_size=7), st.integers(0, 7))
def test_a_history_that_grows_grows_at_the_end_of_what_is_sent(parts: list[list[PromptMessage]], cut: int) -> None:
    whole, part = joined(parts), joined(parts[:cut])
    if part[-1].role == "assistant" or not (part[-1].content or "").strip() or len(part) == 1:
        return  # no model is called there
    for form in (PLAIN, BRIDGED, TEXT, WireForm(opaque_calls_only=True), WireForm(single_calls=True)):
        assert is_extension(body(form, part), body(form, whole))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_reasoning_goes_back_as_it_came_however_it_was_cut(size: int) -> None:
    def collected(*deltas: dict[str, Any]) -> dict[str, Any]:
        fields = OpaqueFields()
        for delta in deltas:
            fields.message(delta)
        opaque = fields.finished("o")
        assert opaque is not None
        return wire_messages([user(), called("a", opaque=opaque), result("a")], PLAIN)[1]

    text = "They like oolong; note it."
    pieces = [text[n : n + size] for n in range(0, len(text), size)]
    assert collected(*({"reasoning_content": p, "reasoning": p} for p in pieces))["reasoning_content"] == text
    details = [{"type": "reasoning.text", "text": p, "index": 0} for p in pieces]
    signature = {"type": "reasoning.text", "signature": "abc=", "index": 0}
    sent = collected(*({"reasoning": d.get("text"), "reasoning_details": [d]} for d in (*details, signature)))
    assert sent["reasoning_details"] == [{"type": "reasoning.text", "text": text, "index": 0, "signature": "abc="}]
    assert "reasoning" not in sent
    thinking = [{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": p}]}]} for p in pieces]
    assert collected(*thinking)["content"] == [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]


def test_signatures_of_calls_go_back_with_their_calls() -> None:
    fields = OpaqueFields()
    signed = {"extra_content": {"google": {"thought_signature": "sig"}}, "id": "call_1", "type": "function"}
    fields.call(0, call_extras({**signed, "function": {"name": "f", "arguments": "{}"}}))
    fields.call(1, call_extras({"id": "call_2", "function": {"name": "f", "arguments": "{}"}}))
    sent = wire_messages([user(), called("a", "b", opaque=fields.finished("o")), result("a"), result("b")], PLAIN)[1]
    assert sent["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "sig"}}
    assert set(sent["tool_calls"][1]) == {"id", "type", "function"}


def test_ids_that_carry_content_go_back_with_their_results_and_others_do_not() -> None:
    given = ["call_1__thought__" + "c2ln" * 20, "functions.f:0", "call_2"]
    fields = OpaqueFields()
    for position, call_id in enumerate(given):
        fields.call(position, call_extras({"id": call_id, "function": {"name": "f", "arguments": "{}"}}))
    opaque = fields.finished("o")
    once = [called("a", "b", "c", opaque=opaque), *map(result, "abc")]
    again = [called("d", "e", "f", opaque=opaque), *map(result, "def")]
    sent = wire_messages([user(), *once, *again], PLAIN)
    ids = [[call["id"] for call in message["tool_calls"]] for message in sent if "tool_calls" in message]
    assert ids == [[*given[:2], "c"], ["d", "e", "f"]]  # an id that came twice is used once
    assert [m["tool_call_id"] for m in sent if m["role"] == "tool"] == ids[0] + ids[1]
    unsent = wire_messages([user(), *once], WireForm(opaque=False))
    assert [call["id"] for call in unsent[1]["tool_calls"]] == ["a", "b", "c"]


def test_calls_without_text_have_an_empty_content_where_null_is_refused() -> None:
    messages = [user(), called("a"), result("a")]
    assert wire_messages(messages, PLAIN)[1]["content"] is None
    assert wire_messages(messages, WireForm(null_content=False))[1]["content"] == ""
