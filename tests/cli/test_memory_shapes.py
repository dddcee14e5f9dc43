"""Every command about memory that prints data prints, with --json, what its schema in docs/schemas says."""

from typing import Any

import pytest
from support.command_line import CommandLine
from typer.main import get_command

from memgpt_cli.cli.app import app
from memgpt_cli.cli.lazy_commands import LazyCommand

GROUPS = ("memory", "recall", "archival", "agent")
ALONE = ("search", "undo", "redo", "forget", "backup", "restore")

PRINTED: list[tuple[str, tuple[str, ...]]] = [
    ("memory-block", ("memory", "create", "plans", "Learn Portuguese", "--limit", "300")),
    ("memory-block", ("memory", "set", "human", "Name: Ada")),
    ("memory-block", ("memory", "append", "human", "Lives in Lisbon")),
    ("memory-block", ("memory", "edit", "human")),
    ("memory-list", ("memory", "list", "--match", "HUM", "--limit", "1")),
    ("memory-show", ("memory", "show")),
    ("memory-log", ("memory", "log", "human", "--limit", "2")),
    ("memory-diff", ("memory", "diff", "human")),
    ("memory-blame", ("memory", "blame", "human")),
    ("memory-block", ("memory", "restore", "human", "1")),
    ("memory-delete", ("memory", "delete", "plans")),
    ("undo", ("undo",)),
    ("undo", ("redo",)),
    ("undo-list", ("undo", "--list")),
    ("undo-turn", ("undo", "--turn")),
    ("recall-list", ("recall", "list", "--limit", "2")),
    ("recall-search", ("recall", "search", "Ada")),
    ("recall-show", ("recall", "show", "m1")),
    ("recall-export", ("recall", "export", "said.jsonl")),
    ("recall-import", ("recall", "import", "said.jsonl")),
    ("recall-delete", ("recall", "delete", "m1", "--yes")),
    ("archival-add", ("archival", "add", "The key is under the mat", "--tag", "home", "--source", "notes")),
    ("archival-load", ("archival", "load", "notes.md")),
    ("archival-list", ("archival", "list", "--tag", "home")),
    ("archival-search", ("archival", "search", "key")),
    ("archival-show", ("archival", "show", "p1")),
    ("archival-passage", ("archival", "edit", "p1", "The key is with Tom")),
    ("archival-passage", ("archival", "restore", "p1", "1")),
    ("archival-log", ("archival", "log", "p1", "--limit", "1")),
    ("archival-sources", ("archival", "sources", "--match", "note")),
    ("archival-reindex", ("archival", "reindex")),
    ("archival-delete", ("archival", "delete", "p1", "--yes")),
    ("search", ("search", "key", "--all-agents")),
    ("agent-show", ("agent", "create", "tutor", "--human", "Name: Ada")),
    ("agent-show", ("agent", "rename", "tutor", "teacher")),
    ("agent-show", ("agent", "clone", "teacher", "copy", "--no-messages")),
    ("agent-show", ("agent", "show", "copy")),
    ("agent-show", ("agent", "set", "copy", "--window", "16384")),
    ("agent-list", ("agent", "list", "--match", "ea")),
    ("agent-export", ("agent", "export", "-a", "copy", "copy.memgpt")),
    ("agent-delete", ("agent", "delete", "copy", "--yes")),
    ("agent-show", ("agent", "import", "copy.memgpt")),
    ("backup", ("backup", "all.zip")),
    ("restore", ("restore", "all.zip", "--replace", "--dry-run")),
    ("memory-suggest", ("memory", "suggest")),
    ("restore", ("restore", "all.zip", "--replace", "--yes")),
    ("forget", ("forget", "Ada", "--dry-run")),
    ("forget", ("forget", "Ada", "--yes")),
]


def test_every_command_prints_what_its_schema_says(
    memgpt: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setenv("EDITOR", "true")
    (tmp_path / "notes.md").write_text("# Notes\n\nA line about Lisbon.\n", encoding="utf-8")
    memgpt("send", "Hello, I like tea.")
    memgpt("send", "What do I like?")
    for schema, arguments in PRINTED:
        memgpt.json(schema, *arguments)


def test_no_command_is_left_out() -> None:
    root: Any = get_command(app)
    opened = {name: (c.load() if isinstance(c, LazyCommand) else c) for name, c in root.commands.items()}
    every = {(group, name) for group in GROUPS for name in opened[group].commands} | {(name,) for name in ALONE}
    held = {arguments[: 2 if arguments[0] in GROUPS else 1] for _, arguments in PRINTED}
    assert every - held == {("archival", "picture")}, "a picture is shown in a chat: tests/cli/test_chat_pictures.py"


def test_lists_are_cut_into_pages_and_say_that_there_is_more(memgpt: CommandLine) -> None:
    for name in ("ant", "bee", "cat"):
        memgpt("agent", "create", name)
        memgpt("memory", "create", name, "an animal")
        memgpt("archival", "add", f"about {name}", "--source", f"{name}.md")
    for schema, arguments, key, found in (
        ("agent-list", ("agent", "list"), "name", ["ant", "bee"]),
        ("memory-list", ("memory", "list", "--match", "a"), "label", ["persona", "human"]),
        ("archival-sources", ("archival", "sources"), "source", ["ant.md", "bee.md"]),
    ):
        assert [item[key] for item in memgpt.json(schema, *arguments, "--limit", "2")] == found
        assert "--limit 2 --page 1" in memgpt(*arguments, "--limit", "2").err
        assert "there are more" not in memgpt(*arguments, "--limit", "2", "--page", "1").err
        assert "there is no page 9" in memgpt(*arguments, "--page", "9").err
    assert [a["name"] for a in memgpt.json("agent-list", "agent", "list", "--match", "EE")] == ["bee"]
    assert "no such agents" in memgpt("agent", "list", "--match", "zebra").err
    assert "no such sources" in memgpt("archival", "sources", "--match", "zebra").err
    assert "no such blocks" in memgpt("memory", "list", "--match", "zebra").err
