"""`memgpt memory suggest`: standing wishes of an imported history, shown, chosen, added, traced and undone."""

import json
from pathlib import Path

import pytest
from support.command_line import CommandLine
from support.terminal import Terminal

SAID = [
    ("user", "Hi! I moved to Faro. Always use metric units when I ask for a recipe.", "2024-03-01T10:00:00Z"),
    ("assistant", "Always happy to help! Never worry about it.", "2024-03-01T10:01:00Z"),
    ("user", "以后回答都用中文。", "2024-03-02T10:00:00Z"),
    ("user", "I always have coffee first.", "2024-03-03T10:00:00Z"),
    ("user", "always use metric units when i ask for a recipe.", "2024-03-04T10:00:00Z"),
]


@pytest.fixture
def history(tmp_path: Path) -> str:
    path = tmp_path / "history.jsonl"
    lines = [json.dumps({"role": role, "content": text, "created_at": at}) for role, text, at in SAID]
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def test_an_import_names_the_command_and_nothing_is_written_before_it_is_asked_for(
    memgpt: CommandLine, history: str
) -> None:
    assert "memgpt memory suggest" in memgpt("recall", "import", history, "--no-vectors").err.splitlines()[-2]
    assert memgpt.json("recall-import", "recall", "import", history, "--no-vectors")["standing_wishes"] is False
    shown = memgpt("memory", "suggest")
    assert shown.out.splitlines()[:2] == ["1  以后回答都用中文。", "   m3, 2024-03-02 10:00"]
    assert "2  always use metric units" in shown.out
    assert "nothing was written; --yes adds all of them" in shown.err
    found = memgpt.json("memory-suggest", "memory", "suggest")
    assert (found["block"], found["written"], len(found["suggestions"])) == ("human", 0, 2)
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == ""


def test_chosen_lines_are_one_operation_with_their_sources(memgpt: CommandLine, history: str) -> None:
    memgpt("memory", "set", "human", "Ada")
    memgpt("recall", "import", history, "--no-vectors")
    added = memgpt("memory", "suggest", "--yes")
    assert "added 2 lines to human" in added.out
    value = memgpt.json("memory-show", "memory", "show", "human")[0]["value"]
    assert value.splitlines() == [
        "Ada",
        "Standing wish: 以后回答都用中文。",
        "Standing wish: always use metric units when i ask for a recipe.",
    ]
    blamed = memgpt.json("memory-blame", "memory", "blame", "human")
    assert [line["message"] for line in blamed] == [None, "m3", "m5"]
    assert "no standing wishes were found" in memgpt("memory", "suggest").err
    memgpt("undo")
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == "Ada"
    selected = memgpt.json("memory-suggest", "memory", "suggest", "--select", "2")
    assert [one["written"] for one in selected["suggestions"]] == [False, True]


@pytest.mark.parametrize("select", ["3", "0", "x", "2-1", "", "1,9"])
def test_a_wrong_selection_writes_nothing(memgpt: CommandLine, history: str, select: str) -> None:
    memgpt("recall", "import", history, "--no-vectors")
    memgpt("memory", "suggest", "--select", select, code=2)
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == ""


def test_lines_that_do_not_fit_are_refused_together(memgpt: CommandLine, history: str) -> None:
    memgpt("recall", "import", history, "--no-vectors")
    memgpt("memory", "set", "human", "Ada", "--limit", "50")
    assert "its limit is 50" in memgpt("memory", "suggest", "--yes", code=2).err
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == "Ada"
    memgpt("memory", "suggest", "--block", "nothing", code=3)


def test_at_a_terminal_the_person_is_asked_which(memgpt: CommandLine, history: str) -> None:
    memgpt("recall", "import", history, "--no-vectors")
    with Terminal(memgpt.home, "memory", "suggest") as terminal:
        terminal.wait_for("numbers such as 1,3-5:")
        terminal.type("7\r")
        terminal.wait_for("does not select a suggestion")
        terminal.type("2\r")
        terminal.wait_for("added 1 line to human")
    assert "metric" in memgpt.json("memory-show", "memory", "show", "human")[0]["value"]
