"""Files of conversations are read as what the person saw, whatever else stands in them; what is wrong is named."""

import io
import json
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.chat_exports import (
    chatgpt_conversation,
    chatgpt_message,
    chatgpt_talk,
    claude_conversation,
    claude_message,
    claude_talk,
    made_id,
    write_archive,
    write_json,
)

from memgpt_cli.documents.conversations import ConversationFile
from memgpt_cli.domain.conversations import SaidElsewhere, Unreadable
from memgpt_cli.domain.messages import Role
from memgpt_cli.errors import DocumentError


def read(path: Path, zone: str = "UTC") -> list[SaidElsewhere]:
    found = list(ConversationFile(path, ZoneInfo(zone)))
    assert not [item for item in found if isinstance(item, Unreadable)]
    return [item for item in found if isinstance(item, SaidElsewhere)]


def faults(path: Path) -> dict[str, str]:
    return {item.place: item.reason for item in ConversationFile(path, UTC) if isinstance(item, Unreadable)}


def lines(path: Path, *values: object) -> Path:
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def test_a_line_has_what_it_says(tmp_path: Path) -> None:
    whole = {
        "role": "user",
        "content": "I moved",
        "name": "Ana",
        "created_at": "2024-05-01T10:00:00+02:00",
        "session": "s",
        "id": 7,
    }
    [message] = read(lines(tmp_path / "a.jsonl", whole))
    assert message == SaidElsewhere(
        role=Role.USER,
        text="I moved",
        created_at=datetime(2024, 5, 1, 8, tzinfo=UTC),
        name="Ana",
        session="s",
        key="7",
    )


def test_role_and_content_are_enough(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "image_url"}, "two"]
    found = read(
        lines(tmp_path / "a", {"role": "human", "content": "x"}, "", {"role": "Assistant", "content": parts, "id": ""})
    )
    assert [(m.role, m.text, m.created_at, m.key) for m in found] == [
        (Role.USER, "x", None, None),
        (Role.ASSISTANT, "one\ntwo", None, None),
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-07-01T10:00:00", datetime(2024, 7, 1, 8, tzinfo=UTC)),  # Berlin's summer
        ("2024-01-01 10:00", datetime(2024, 1, 1, 9, tzinfo=UTC)),
        ("2024-01-01", datetime(2023, 12, 31, 23, tzinfo=UTC)),
        ("2024-01-01T10:00:00Z", datetime(2024, 1, 1, 10, tzinfo=UTC)),
        (1704103200, datetime(2024, 1, 1, 10, tzinfo=UTC)),
        (1704103200000, datetime(2024, 1, 1, 10, tzinfo=UTC)),
        (1704103200.5, datetime(2024, 1, 1, 10, 0, 0, 500000, tzinfo=UTC)),
    ],
)
def test_a_time_without_zone_is_the_persons(tmp_path: Path, written: object, meant: datetime) -> None:
    path = lines(tmp_path / "a", {"role": "user", "content": "x", "created_at": written})
    assert read(path, "Europe/Berlin")[0].created_at == meant


def test_bad_lines_are_named_and_the_others_read(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "a.jsonl",
        "",
        {"role": "user", "content": "good"},
        "garbage",
        {"role": "robot", "content": "x"},
        {"role": "user", "content": " "},
        {"role": "user", "content": "x", "created_at": "yesterday"},
        {"role": "user", "content": "x", "created_at": "0500-01-01"},
        {"role": "user", "content": "x", "created_at": True},
        {"role": "user", "content": "x", "created_at": 1e400},
        {"role": "user", "content": "x", "name": ["Ana"]},
        [1, 2],
        {"text": "x"},
        "[" * 100_000,
        '{"role": "user"',
    )
    found = faults(path)
    assert list(found) == [f"line {n}" for n in range(3, 15)]
    assert found["line 4"] == "role is 'robot', not one of user, assistant, system, tool"
    assert found["line 7"] == "created_at '0500-01-01' is not a valid time"
    assert found["line 10"] == "name is not a text"
    assert found["line 11"] == "not a JSON object"
    assert found["line 13"] == "not valid JSON: it is nested too deeply"


def test_bytes_that_are_no_utf8_spoil_their_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"role":"user","content":"a"}\r\n{"role":"user","content":"\xff"}\r\n')
    assert list(faults(path)) == ["line 2"]


def test_a_lone_surrogate_becomes_the_replacement_character(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(r'{"role":"user","content":"a \ud83d\ude00 b \ud800 c","name":"\udfff"}' + "\n", encoding="utf-8")
    [message] = read(path)
    assert (message.text, message.name) == ("a \N{GRINNING FACE} b \N{REPLACEMENT CHARACTER} c", "\ufffd")


def test_of_chatgpt_the_branch_last_seen_is_read_without_tools_and_hidden_ones(tmp_path: Path) -> None:
    found = read(write_json(tmp_path / "conversations.json", [chatgpt_talk()]))
    assert [(m.role, m.text) for m in found] == [
        (Role.USER, "What shall I call my puppy?"),
        (Role.ASSISTANT, "Call her Mochi."),
        (Role.USER, "[image_asset_pointer]\nDoes it suit her?"),
        (Role.ASSISTANT, "Perfectly! \N{DOG FACE}"),
    ]
    assert {m.session for m in found} == {made_id("Puppy names")}
    assert [m.key for m in found] == [made_id(name) for name in ("q1", "a1", "q2", "a2")]
    assert found[0].created_at == datetime.fromtimestamp(1715000001.25, UTC)
    assert found[2].created_at == found[1].created_at, "what has no time was said after what stands before it"


def test_without_a_current_node_the_newest_leaf_of_chatgpt_is_the_last(tmp_path: Path) -> None:
    talk = chatgpt_talk() | {"current_node": None}
    assert read(write_json(tmp_path / "c.json", [talk]))[-1].text == "Perfectly! \N{DOG FACE}"


def test_a_spoken_message_of_chatgpt_is_its_transcript(tmp_path: Path) -> None:
    audio = {"content_type": "audio_transcription", "text": "Good morning", "direction": "in"}
    links = [
        (None, None),
        (chatgpt_message("v", "user", audio, at=1.0, kind="multimodal_text"), "root"),
    ]
    [message] = read(write_json(tmp_path / "c.json", [chatgpt_conversation("Voice", links, last="v")]))
    assert message.text == "Good morning"


def test_of_claude_the_texts_are_read_without_thoughts_and_tools(tmp_path: Path) -> None:
    found = read(write_json(tmp_path / "conversations.json", [claude_talk()]))
    assert [(m.role, m.text) for m in found] == [
        (
            Role.USER,
            "Why is my bread flat?\n500 g flour, no yeast\n[attached: recipe.pdf]\n[attached: loaf.jpg]",
        ),
        (Role.ASSISTANT, "It needs yeast."),
    ]
    assert (found[1].key, found[1].session) == (made_id("c2"), made_id("Bread"))
    assert found[1].created_at == datetime(2024, 6, 1, 9, 0, 9, 500000, tzinfo=UTC)


def test_of_claude_the_branch_last_seen_is_read_where_messages_are_linked(tmp_path: Path) -> None:
    messages = [
        claude_message("m1", "human", "Hello", at="2024-06-01T09:00:00Z", parent="root"),
        claude_message("m2", "assistant", "Old answer", at="2024-06-01T09:00:05Z", parent="m1"),
        claude_message("m3", "assistant", "New answer", at="2024-06-01T09:00:09Z", parent="m1"),
        claude_message("m4", "human", "Thanks", at="2024-06-01T09:01:00Z", parent="m3"),
    ]
    talk = claude_conversation("Branches", *messages)
    path = tmp_path / "c.json"
    assert [m.text for m in read(write_json(path, [talk]))] == ["Hello", "New answer", "Thanks"]
    named = talk | {"current_leaf_message_uuid": made_id("m2")}
    assert [m.text for m in read(write_json(path, [named]))] == ["Hello", "Old answer"]


@pytest.mark.parametrize("talk", [chatgpt_talk(), claude_talk()], ids=["ChatGPT", "Claude"])
@pytest.mark.parametrize("form", ["archive", "parts", "pretty", "one object", "a conversation a line"])
def test_an_export_is_the_same_in_every_form(tmp_path: Path, talk: dict[str, Any], form: str) -> None:
    plain = read(write_json(tmp_path / "plain.json", [talk]))
    path = tmp_path / "file"
    if form == "archive":
        others = {"user.json": {"id": "u"}, "shared_conversations.json": [{"id": "s"}], "chat.html": "<html>"}
        write_archive(path, {**others, "2024-06/conversations.json": [talk]})
    elif form == "parts":
        write_archive(path, {"conversations-000.json": [talk], "conversations-001.json": []})
    elif form == "pretty":
        path.write_text(json.dumps([talk], indent=2), encoding="utf-8")
    elif form == "one object":
        path.write_text(json.dumps(talk, indent=2), encoding="utf-8")
    else:
        lines(path, talk)
    assert plain
    assert read(path) == plain


def test_an_array_of_messages_is_read_too(tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])
    assert [m.text for m in read(path)] == ["a", "b"]


def test_a_torn_export_gives_what_is_whole_and_says_where_it_ends(tmp_path: Path) -> None:
    text = json.dumps([chatgpt_talk("one"), chatgpt_talk("two"), chatgpt_talk("three")])
    path = tmp_path / "conversations.json"
    path.write_text(text[: len(text) - 400], encoding="utf-8")
    assert "neither it nor what follows can be read" in faults(path)["conversation 3"]
    assert len([item for item in ConversationFile(path, UTC) if isinstance(item, SaidElsewhere)]) == 8
    path.write_text(text.removesuffix("]"), encoding="utf-8")
    assert list(faults(path)) == ["conversation 4"]


def test_wrong_types_anywhere_in_an_export_are_no_crash(tmp_path: Path) -> None:
    strange: list[object] = [None, 1, "x", [], {}, True, 1e300, ["x"]]
    talks = []
    for value in strange:
        own = ("mapping", "current_node", "conversation_id", "create_time", "title")
        talks += [chatgpt_talk() | {key: value} for key in own]
        talks += [claude_talk() | {key: value} for key in ("uuid", "name", "chat_messages")]
        for key in ("author", "content", "metadata", "recipient", "create_time", "id"):
            node = chatgpt_message("x", "user", "hello", at=1.0) | {key: value}
            talks.append(chatgpt_talk() | {"mapping": {"n": {"id": value, "message": node, "children": value}}})
        for key in ("sender", "content", "text", "created_at", "attachments", "files", "uuid", "parent_message_uuid"):
            message = claude_message("x", "human", "hello", at="2024-01-01T00:00:00Z", parent="root") | {key: value}
            talks.append(claude_conversation("c", message, message, value))
    found = list(ConversationFile(write_json(tmp_path / "c.json", talks), UTC))
    assert len([item for item in found if isinstance(item, SaidElsewhere)]) > len(talks)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["role", "content", "name", "created_at", "session", "id", "mapping", "chat_messages"]),
            json_values | st.sampled_from(["user", "2024-01-01", "hello"]),
            max_size=6,
        ),
        min_size=1,
    )
)
def test_any_objects_are_read_or_named(tmp_path_factory: pytest.TempPathFactory, values: list[object]) -> None:
    path = tmp_path_factory.mktemp("any") / "a.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    for item in ConversationFile(path, UTC):
        assert isinstance(item, Unreadable) or item.text.encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"Ana: hello", "holds no conversation that memgpt can read"),
        (b"\xff\xfe{\x00", "holds no conversation that memgpt can read"),
        (b"PK\x03\x04 and no more", "the archive is damaged"),
    ],
)
def test_what_holds_no_conversation_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(DocumentError) as caught:
        list(ConversationFile(tmp_path / "file", UTC))
    assert message in caught.value.message


def test_an_archive_without_conversations_and_one_that_is_torn_are_refused(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", {"user.json": {}})
    with pytest.raises(DocumentError, match="holds no conversations"):
        list(ConversationFile(path, UTC))
    whole = write_archive(path, {"conversations.json": [chatgpt_talk(str(n)) for n in range(50)]}).read_bytes()
    path.write_bytes(whole[:200] + bytes(100) + whole[300:])
    with pytest.raises(DocumentError, match="the archive is damaged"):
        list(ConversationFile(path, UTC))


def test_standard_input_is_read_and_an_archive_from_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write_archive(tmp_path / "a.zip", {"conversations.json": [claude_talk()]})
    for data in (archive.read_bytes(), json.dumps([claude_talk()]).encode()):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert len(read(Path("-"))) == 2


def test_a_large_export_is_read_one_conversation_at_a_time_and_says_how_far_it_is(tmp_path: Path) -> None:
    path = write_json(tmp_path / "c.json", [chatgpt_talk(str(n)) for n in range(4_000)])
    size = path.stat().st_size
    assert size > 15_000_000
    file = ConversationFile(path, UTC)
    next(file)
    assert (file.total, 0 < file.done < size / 4) == (size, True)
    tracemalloc.start()
    for _ in file:
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert file.done == size
    assert peak < size / 2


@pytest.mark.parametrize("key", ["timestamp", "create_time", "createdAt", "time", "date", "sent_at", "ts"])
@pytest.mark.parametrize("written", ["2021-01-01T10:00:00Z", 1609495200, 1609495200.0, 1609495200000])
def test_a_time_is_taken_under_other_usual_keys(tmp_path: Path, key: str, written: object) -> None:
    line = {"role": "user", "content": "hi", key: written}
    (message,) = read(lines(tmp_path / "a", line))
    assert message.created_at == datetime(2021, 1, 1, 10, tzinfo=UTC)


def test_a_message_of_chatgpt_without_recipient_is_for_the_person(tmp_path: Path) -> None:
    said = chatgpt_message("a", "user", "hello", at=1.0, recipient=None)
    talk = chatgpt_conversation("t", [(None, None), (said, "root")], last="a")
    assert [message.text for message in read(write_json(tmp_path / "c.json", [talk]))] == ["hello"]
