"""`memgpt forget` as a person uses it: shown first, asked for, carried out, proved."""

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support.command_line import CommandLine

from memgpt_cli.bootstrap import Workspace
from memgpt_cli.domain.forgetting import Wanted
from memgpt_cli.storage.forgetting.findings import Finder
from memgpt_cli.storage.forgetting.purge import Purge
from memgpt_cli.storage.store import SQLiteStore

GREP = shutil.which("grep")


def told(memgpt: CommandLine) -> None:
    memgpt("send", "My name is Ada. My doctor is Alice Miller.")
    memgpt("send", "I like green tea.")
    memgpt("archival", "add", "Alice Miller's phone is 555-0101")
    memgpt("send", "Who is my doctor?")


def test_it_shows_asks_forgets_and_proves(memgpt: CommandLine) -> None:
    told(memgpt)
    before = memgpt("recall", "list", "--json").json
    dry = memgpt.json("forget", "forget", "Alice Miller", "--dry-run")
    assert (dry["forgotten"], dry["checked"], dry["blocks"], dry["passages"]) == (False, None, ["human"], ["p1"])
    assert "-My doctor is Alice Miller." in memgpt("forget", "Alice Miller", "--dry-run").out
    assert memgpt("recall", "list", "--json").json == before
    assert "add --yes" in memgpt("forget", "Alice Miller", code=2).err
    done = memgpt.json("forget", "forget", "alice miller", "--yes")
    assert done["messages"] == dry["messages"]
    assert done["checked"]["clean"] is True
    assert done["checked"]["rows"] == done["checked"]["left"] == []
    assert memgpt.raw("miller") == memgpt.raw("alice") == []
    if GREP:
        assert subprocess.run([GREP, "-ra", "Miller", str(memgpt.home)], check=False).returncode == 1
    assert memgpt("memory", "show", "human").out.split("\n")[1:3] == ["My name is Ada.", "I like green tea."]
    assert "Miller" not in json.dumps(memgpt("context", "--prompt").json)
    assert "permanently deleted" in memgpt("recall", "show", done["messages"][0], code=3).err
    memgpt("send", "Hello again")
    assert memgpt.raw("miller") == []


def test_what_nobody_knows_is_looked_for_all_the_same(memgpt: CommandLine) -> None:
    memgpt("send", "I like green tea.")
    done = memgpt.json("forget", "forget", "Xanthippe Oduya", "--yes")
    assert (done["messages"], done["checked"]["clean"]) == ([], True)
    assert "nothing selected to forget" in memgpt("forget", code=2).err
    for text in (".", ",", "*", "_ -"):
        assert "no letter or digit" in memgpt("forget", text, "--yes", code=2).err
    assert memgpt("recall", "list", "--json").json != []
    assert "could be a message or a passage" in memgpt("forget", "--id", "12", code=2).err
    assert "ids look like m12" in memgpt("forget", "--id", "q12", code=2).err


def test_a_wrong_id_source_or_tag_is_exit_3_with_the_nearest_ones(memgpt: CommandLine) -> None:
    told(memgpt)
    memgpt("archival", "add", "Bread recipe", "--tag", "kitchen", "--source", "recipes.md")
    assert "the nearest: m" in memgpt("forget", "--id", "m999", "--yes", code=3).err
    assert "the nearest: p1, p2" in memgpt("forget", "--id", "p9", "--dry-run", code=3).err
    assert "did you mean recipes.md?" in memgpt("forget", "--source", "recipe.md", "--yes", code=3).err
    assert "did you mean kitchen?" in memgpt("forget", "--tag", "kitchin", "--yes", code=3).err
    memgpt("archival", "delete", "--source", "recipes.md", "--yes")
    assert memgpt.json("forget", "forget", "--source", "recipes.md", "--yes")["passages"] == ["p2"]
    assert memgpt.raw("Bread recipe") == []
    assert memgpt.json("forget", "forget", "--id", "p2", "--yes")["checked"]["clean"] is True


def test_a_document_is_forgotten_by_its_path_or_with_its_folder(memgpt: CommandLine, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        path = tmp_path / "folder" / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"# {name}\n\nWhat only {name} says.\n", encoding="utf-8")
    memgpt("archival", "load", "folder")
    assert len(memgpt.json("forget", "forget", "--source", "folder/one.md", "--yes")["passages"]) == 1
    assert memgpt.raw("what only one") == []
    assert memgpt.json("forget", "forget", "--source", "two.md", "--yes")["documents"] != []
    assert "did you mean three.md?" in memgpt("forget", "--source", "thre.md", "--yes", code=3).err
    assert memgpt.json("forget", "forget", "--source", "folder", "--yes")["checked"]["clean"] is True
    assert memgpt.raw("what only") == []


def test_another_agent_that_knows_it_is_named(memgpt: CommandLine) -> None:
    told(memgpt)
    memgpt("agent", "create", "work", "--human", "Knows Alice Miller")
    done = memgpt("forget", "Alice Miller", "--yes", code=1)
    assert "still there (memgpt forget -a work 'Alice Miller')" in done.out
    memgpt("forget", "-a", "work", "Alice Miller", "--yes")
    memgpt("send", "-a", "work", "I like green tea.")
    done = memgpt("forget", "--since", "2000-01-01", "--yes")
    assert "cannot be proven (it has the same words)" in done.out
    assert memgpt.raw("miller") == []


@pytest.mark.parametrize("delete", [("recall", "delete", "--import", "1", "--derived"), ("forget", "--id", "m1")])
def test_a_suggested_line_goes_with_the_message_it_was_copied_from(
    memgpt: CommandLine, tmp_path: Path, delete: tuple[str, ...]
) -> None:
    wish = "Always include version numbers when I ask about libraries."
    line = {"role": "user", "content": wish, "created_at": "2024-01-01T10:00:00"}
    (tmp_path / "old.jsonl").write_text(json.dumps(line), encoding="utf-8")
    memgpt("recall", "import", "old.jsonl")
    memgpt("memory", "set", "human", "Likes tea.")
    memgpt("memory", "suggest", "--yes")
    memgpt("memory", "append", "human", "Lives in Lyon.")
    done = memgpt(*delete, "--yes").out
    assert "changes that can no longer be undone" in done
    assert memgpt("memory", "show", "human").out.split("\n")[1:3] == ["Likes tea.", "Lives in Lyon."]
    assert memgpt.raw("version numbers") == []


def test_an_agent_that_is_called_so_is_named_and_renaming_it_helps(memgpt: CommandLine) -> None:
    memgpt("agent", "create", "quillbot")
    memgpt("send", "-a", "quillbot", "Hello Quillbot")
    assert "memgpt agent rename quillbot NAME" in memgpt("forget", "-a", "quillbot", "Quillbot", "--yes", code=1).err
    memgpt("agent", "rename", "quillbot", "bee")
    memgpt("forget", "-a", "bee", "Quillbot", "--yes")
    assert memgpt.raw("quillbot") == []


def test_it_needs_the_agent_to_itself(memgpt: CommandLine) -> None:
    told(memgpt)
    workspace = Workspace()
    with workspace.agents.lock("default", purpose="memgpt chat", since=workspace.clock.now()).acquire():
        refused = memgpt("forget", "Alice Miller", "--yes", code=5).err
        assert "is in use by `memgpt chat`" in refused
        assert "end the other command (a chat with Ctrl-D)" in refused
        assert memgpt("forget", "Alice Miller", "--dry-run").code == 0
    assert memgpt("forget", "Alice Miller", "--yes").code == 0


def test_what_was_evicted_leaves_the_summary_which_is_written_anew(memgpt: CommandLine) -> None:
    memgpt("memory", "set", "human", "--limit", "200")
    memgpt("memory", "set", "persona", "Mem", "--limit", "200")
    window = ("--window", "3000")
    memgpt("send", *window, "My neighbour Roberta Quill plays the piano every single evening at nine.")
    evicted = 0
    for n in range(20):
        text = f"On day {n} I walked along the river bank for {n + 2} hours and counted {n * 7} grey herons. " * 5
        evicted += memgpt("send", *window, text, "--json").json["evicted"]
    assert evicted
    assert "Roberta Quill" in memgpt("context", *window, "--prompt").json["messages"][1]["content"]
    memgpt("forget", "Roberta Quill", "--yes")
    assert memgpt.raw("roberta") == memgpt.raw("quill") == []
    assert "summary was rewritten" in memgpt("send", *window, "Hello").err
    assert "herons" in memgpt("context", *window, "--prompt").json["messages"][1]["content"]
    assert memgpt.raw("roberta") == []


@pytest.mark.parametrize("delay", [0.35, 0.45, 0.55, 0.7])
def test_killed_at_any_point_and_called_again_it_is_gone(memgpt: CommandLine, delay: float) -> None:
    told(memgpt)
    process = memgpt.start("forget", "Alice Miller", "--yes", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert memgpt.json("forget", "forget", "Alice Miller", "--yes")["checked"]["clean"] is True
    assert memgpt.raw("miller") == []


def test_a_forgetting_that_a_crash_cut_off_is_finished_by_the_next_turn(memgpt: CommandLine) -> None:
    told(memgpt)
    store = SQLiteStore(memgpt.home / "data" / "agents" / "default" / "agent.db")
    finder = Finder(store, Wanted(text="Alice Miller"))
    finder.find()
    Purge(store).empty_rows(finder, at=store.config().created_at)
    store.close()
    memgpt("send", "Hello")
    assert memgpt.raw("miller") == []
