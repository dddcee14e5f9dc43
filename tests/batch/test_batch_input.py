"""The input is looked through before anything runs; every fault names its line and its field."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from support.batches import Command, Writer, start, talk

from memgpt_cli.batch.checking import Checker
from memgpt_cli.batch.reading import InputFile, read_input
from memgpt_cli.config.zones import ZoneInfo
from memgpt_cli.errors import UsageError

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"
SCHEMA = Draft202012Validator(json.loads((SCHEMAS / "batch-input.schema.json").read_text(encoding="utf-8")))
UTC = ZoneInfo("UTC")
SAID = {"role": "user", "content": "Hello."}

FAULTY = [
    ([], ""),
    ({"messages": [SAID]}, "id"),
    ({"id": "", "messages": [SAID]}, "id"),
    ({"id": True, "messages": [SAID]}, "id"),
    ({"id": 1.5, "messages": [SAID]}, "id"),
    ({"id": "a"}, "messages"),
    ({"id": "a", "messages": {}}, "messages"),
    ({"id": "a", "mesages": [SAID]}, "mesages"),
    ({"id": "a", "messages": ["Hello."]}, "messages[0]"),
    ({"id": "a", "messages": [SAID, {"role": "assistant", "content": "Hi."}]}, "messages[1].role"),
    ({"id": "a", "messages": [{"role": "user"}]}, "messages[0].content"),
    ({"id": "a", "messages": [{"content": 3}]}, "messages[0].content"),
    ({"id": "a", "messages": [{"content": "x", "nme": "y"}]}, "messages[0].nme"),
    ({"id": "a", "messages": [{"content": "x", "name": 3}]}, "messages[0].name"),
    ({"id": "a", "messages": [SAID], "agent": 3}, "agent"),
    ({"id": "a", "messages": [SAID], "blocks": ["x"]}, "blocks"),
    ({"id": "a", "messages": [SAID], "blocks": {"human": 3}}, "blocks.human"),
    ({"id": "a", "messages": [SAID], "blocks": {"human": {"value": "x", "limit": 0}}}, "blocks.human.limit"),
    ({"id": "a", "messages": [SAID], "blocks": {"a b": "x"}}, "blocks.a b"),
    ({"id": "a", "messages": [SAID], "blocks": {"_rules": "x"}}, "blocks._rules"),
    ({"id": "a", "messages": [SAID], "blocks": {"r" * 41: "x"}}, f"blocks.{'r' * 41}"),
    ({"id": "a", "messages": [SAID], "documents": [""]}, "documents[0]"),
    ({"id": "a", "messages": [SAID], "ask": [3]}, "ask[0]"),
    ({"id": "a", "messages": [SAID], "expect": [{"contain": "x"}]}, "expect[0].contain"),
    ({"id": "a", "messages": [SAID], "expect": [{"contains": "x", "regex": "y"}]}, "expect[0]"),
    ({"id": "a", "messages": [SAID], "expect": [{"max_prompt_tokens": "9"}]}, "expect[0].max_prompt_tokens"),
    ({"id": "a", "ask": [{"content": "x", "expect": [{"contains": ""}]}]}, "ask[0].expect[0].contains"),
]
ONLY_WE_KNOW = [
    ({"id": "a", "messages": [{"content": "  "}]}, "messages[0].content"),
    ({"id": "a", "messages": [{"content": "x", "created_at": "yesterday"}]}, "messages[0].created_at"),
    ({"id": "a", "messages": [SAID], "expect": [{"regex": "("}]}, "expect[0].regex"),
    ({"id": "a", "messages": [SAID], "expect": [{"regex": "(" * 9_000 + ")" * 9_000}]}, "expect[0].regex"),
    ({"id": "a", "messages": [SAID], "expect": [{"regex": "(" * 3_000 + ")" * 3_000}]}, "expect[0].regex"),
    ({"id": "a", "messages": [SAID], "blocks": {"human": {"value": "long", "limit": 2}}}, "blocks.human.value"),
]
GOOD = [
    {"id": 7, "messages": [SAID]},
    {"id": "a", "ask": ["Who?"]},
    {
        "id": "a",
        "agent": "tutor",
        "messages": [{**SAID, "name": "Ada", "created_at": "2023-05-08T13:56:00+02:00", "expect": [{"regex": "a|b"}]}],
        "blocks": {"human": "x", "rules": {"value": "y", "description": "", "limit": 10, "read_only": True}},
        "documents": ["a.md"],
        "ask": ["Who?", {"content": "When?", "expect": [{"function_called": "conversation_search"}]}],
        "expect": [{"max_prompt_tokens": 100}, {"memory_contains": "x"}, {"not_contains": "y"}],
    },
]


def faults(value: object) -> list[str]:
    checker = Checker(UTC)
    made = checker.conversation(value, index=0, line=1)
    assert (made is None) == bool(checker.faults)
    return [field for field, _ in checker.faults]


@pytest.mark.parametrize(("value", "field"), [*FAULTY, *ONLY_WE_KNOW], ids=str)
def test_a_fault_names_its_field(value: Any, field: str) -> None:
    assert faults(value) == [field]


@pytest.mark.parametrize("value", GOOD, ids=str)
def test_what_is_right_is_right_to_the_schema_too(value: Any) -> None:
    assert faults(value) == []
    SCHEMA.validate(value)


@pytest.mark.parametrize("value", [value for value, _ in FAULTY], ids=str)
def test_what_is_wrong_is_wrong_to_the_schema_too(value: Any) -> None:
    assert not SCHEMA.is_valid(value)


words = st.text(alphabet="ab .é", max_size=4)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | words, lambda inner: st.lists(inner, max_size=2)
)
expectations = st.lists(
    st.dictionaries(st.sampled_from(["contains", "max_prompt_tokens", "other"]), anything, max_size=2), max_size=2
)
messages = st.lists(
    st.fixed_dictionaries({"content": st.just("x") | anything}, optional={"role": words, "name": anything}), max_size=2
)
conversations = st.fixed_dictionaries(
    {"id": words | anything, "messages": messages},
    optional={"ask": st.lists(words, max_size=2) | anything, "expect": expectations, "agent": anything},
)


@settings(max_examples=150, deadline=None)
@given(conversations)
def test_whatever_is_taken_is_valid_to_the_schema(value: Any) -> None:
    if not faults(value):
        SCHEMA.validate(value)


def test_check_names_every_fault_of_the_file_and_runs_nothing(memgpt: Command, tmp_path: Path, home: Path) -> None:
    path = tmp_path / "in.jsonl"
    lines = [json.dumps(talk("a", "Hello.")), "{", json.dumps({"id": 3}), "", json.dumps(talk("a", "Hello.")), "\xff"]
    path.write_bytes("\n".join(lines).encode("latin-1"))
    done = memgpt("batch", "--check", path, "--json")
    assert done.code == 2
    found = json.loads(done.out)
    schema = json.loads((SCHEMAS / "batch-check.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(found)
    assert [(fault["line"], fault["field"]) for fault in found["faults"]] == [
        (2, ""),
        (3, "messages"),
        (5, "id"),
        (6, ""),
    ]
    refused = memgpt("batch", path)
    assert refused.code == 2
    assert refused.err.count("line ") >= 4
    assert not (home / "data" / "agents").exists()


def test_check_looks_for_agents_and_documents(memgpt: Command, write: Writer) -> None:
    path = write(talk("a", "Hello.", agent="nobody"), talk("b", "Hello.", documents=["none.md"]))
    done = memgpt("batch", "--check", path)
    assert done.code == 2
    assert b"line 1: agent: there is no agent 'nobody'" in done.out
    assert b"line 2: documents[0]: there is no file none.md" in done.out


def test_a_conversation_with_faults_is_still_held_against_the_others(memgpt: Command, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    number = b"1" * 5_000
    lines = [
        b'{"id": "a", "ask": [1]}',
        b'{"id": "a", "ask": [2], "documents": ["none.md", "*.none"]}',
        b'{"id": 5, "id": 6, "ask": ["x"]}',
        b'{"id": %s, "ask": ["x"]}' % number,
    ]
    path.write_bytes(b"\n".join(lines))
    found = json.loads(memgpt("batch", "--check", path, "--json").out)["faults"]
    assert [(fault["line"], fault["field"]) for fault in found] == [
        (1, "ask[0]"),
        (2, "ask[0]"),
        (2, "id"),
        (2, "documents[0]"),
        (2, "documents[1]"),
        (3, "id"),
        (4, ""),
    ]


def test_an_input_without_a_conversation_is_a_fault(memgpt: Command, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n\n")
    assert memgpt("batch", "--check", tmp_path / "empty.jsonl").code == 2
    assert memgpt("batch", "--check", tmp_path / "missing.jsonl").code == 2


def test_standard_input_is_read_as_a_file_is(home: Path, batch: Command, write: Writer) -> None:
    path = write(talk("a", "My name is Ada."))
    arguments = ("batch", "-", "--model", "offline", "--workers", "1", "--fixed-time", "2024-01-01", "-q")
    with path.open("rb") as stdin:
        out, _ = start(*arguments, stdin=stdin).communicate(timeout=60)
    assert out == batch(path).out
    assert list((home / "data" / "batch").iterdir()) == []


@pytest.mark.parametrize("name", ["in.jsonl", "in.txt"])
def test_an_input_that_was_written_over_meanwhile_is_not_taken_for_what_was_checked(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text('{"id": "a", "ask": ["Who is Ada?"]}\n' if name.endswith("l") else "Who is Ada?\n")
    with read_input(InputFile.of_file(path, spare=tmp_path), name=name, folder=tmp_path, zone=UTC) as read:
        assert read.conversation(read.entries[0]).turns == 1
        with path.open("r+") as file:
            file.write(path.read_text().replace("Ada", "Bob"))
        with pytest.raises(UsageError, match="was changed"):
            read.conversation(read.entries[0])


def test_a_byte_order_mark_and_blank_lines_are_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD[0]).encode() + b"\r\n\r\n" + json.dumps(GOOD[1]).encode())
    with read_input(InputFile.of_file(path, spare=tmp_path), name=path.name, folder=tmp_path, zone=UTC) as read:
        assert not read.faults
        assert [read.conversation(entry).id for entry in read.entries] == [7, "a"]
    assert [entry.line for entry in read.entries] == [1, 3]


@pytest.mark.parametrize("document", ["../secret.txt", "{absolute}", "../*.txt", "link.txt", "*.txt"])
def test_a_document_outside_the_folder_of_the_input_needs_permission(tmp_path: Path, document: str) -> None:
    (tmp_path / "secret.txt").write_text("the password is xyzzy")
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    path = folder / "in.jsonl"
    named = document.format(absolute=tmp_path / "secret.txt")
    path.write_text(json.dumps({"id": "a", "ask": ["What is the password?"], "documents": [named]}))
    for allowed in (False, True):
        source = InputFile.of_file(path, spare=tmp_path)
        with read_input(source, name="in.jsonl", folder=folder, zone=UTC, allow_outside=allowed) as read:
            assert [fault.field for fault in read.faults] == ([] if allowed else ["documents[0]"])
