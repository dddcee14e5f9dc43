"""Core memory at the command line: seen, corrected, compared, traced and restored, within limits that hold."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import CommandLine


def test_a_block_is_written_and_every_version_of_it_is_kept(memgpt: CommandLine) -> None:
    memgpt("memory", "set", "human", "Ada")
    memgpt("memory", "append", "human", "lives in Lisbon")
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == "Ada\nlives in Lisbon"
    log = memgpt.json("memory-log", "memory", "log", "human")
    assert [(v["version"], v["author"], v["command"]) for v in log] == [
        (3, "user", "memory append"),
        (2, "user", "memory set"),
        (1, "system", "agent create"),
    ]
    assert memgpt.json("memory-diff", "memory", "diff", "human")["lines"][-1] == "+lives in Lisbon"
    assert "+lives in Lisbon" in memgpt("memory", "diff", "human", "1", "3").out
    memgpt("memory", "restore", "human", "2")
    assert memgpt.json("memory-list", "memory", "list")[1]["value"] == "Ada"


def test_blame_names_the_message_after_which_a_line_came(memgpt: CommandLine) -> None:
    memgpt("send", "My name is Ada.")
    memgpt("memory", "append", "human", "Allergic to nuts")
    first, second = memgpt.json("memory-blame", "memory", "blame", "human")
    assert (first["author"], first["message"], first["message_text"]) == ("agent", "m1", "My name is Ada.")
    assert (second["author"], second["command"], second["message"]) == ("user", "memory append", None)
    told = memgpt("memory", "blame", "human").out
    assert 'the agent, after m1 "My name is Ada."' in told
    assert "you, with memgpt memory append" in told


def test_a_line_that_an_undo_brings_back_came_when_it_came(memgpt: CommandLine) -> None:
    memgpt("send", "My name is Ada.")
    memgpt("memory", "set", "human", "")
    memgpt("undo")
    assert memgpt.json("memory-blame", "memory", "blame", "human")[0]["message"] == "m1"


def test_what_does_not_fit_is_refused_with_the_numbers(memgpt: CommandLine) -> None:
    memgpt("memory", "set", "human", "Ada", "--limit", "10")
    error = memgpt("memory", "append", "human", "lives in Lisbon", code=2).err
    assert "would hold 19 characters, its limit is 10" in error
    error = memgpt("memory", "set", "human", "--limit", "2", code=2).err
    assert "would hold 3 characters, its limit is 2" in error
    text = "Ada likes walking. " * 2_000
    for command in (["create", "x", text], ["set", "human", text]):
        error = memgpt("memory", *command, "--limit", "900000", "--window", "8000", code=2).err
        assert "all memory blocks together would take" in error
        assert "this window of 8000 has" in error
    memgpt("memory", "set", "human", "--limit", "900000")
    assert "would take" in memgpt("memory", "append", "human", text, "--window", "8000", code=2).err
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == "Ada"
    assert "set aside for them" in memgpt("memory", "create", "x", "--description", "very long " * 30, code=2).err


def test_a_version_that_leaves_no_room_in_the_window_is_not_restored(memgpt: CommandLine) -> None:
    memgpt("memory", "set", "human", "Ada likes walking. " * 900, "--limit", "20000", "--window", "64000")
    memgpt("memory", "set", "human", "Bea", "--limit", "100")
    small = ("--window", "4000")
    assert "this window of 4000 has" in memgpt("memory", "restore", "human", "2", *small, code=2).err
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["limit"] == 100
    memgpt("memory", "restore", "human", "1", *small)
    memgpt("memory", "restore", "human", "2", "--window", "12000")


def test_a_wrong_label_is_exit_3_with_the_nearest(memgpt: CommandLine) -> None:
    memgpt("memory", "set", "human", "Ada")
    for command in (["show", "humn"], ["append", "humn", "x"], ["log", "humn"], ["delete", "humn"], ["blame", "humn"]):
        assert "did you mean human?" in memgpt("memory", *command, code=3).err
    assert "it has 1 to 2" in memgpt("memory", "restore", "human", "7", code=3).err


def test_any_label_can_be_made_and_a_bad_one_cannot(memgpt: CommandLine) -> None:
    memgpt("memory", "create", "计划", "论文", "--description", "what we work on", "--read-only")
    block = memgpt.json("memory-show", "memory", "show", "计划")[0]
    assert (block["value"], block["read_only"], block["description"]) == ("论文", True, "what we work on")
    assert "already" in memgpt("memory", "create", "human", code=2).err
    assert "cannot be a block's label" in memgpt("memory", "create", 'a"><b', code=2).err


def test_texts_come_from_files_too(memgpt: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "me.txt").write_text("Ada\r\nLisbon\n", encoding="utf-8")
    memgpt("memory", "set", "human", "@me.txt")
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == "Ada\nLisbon"
    assert "cannot be read" in memgpt("memory", "set", "human", "@nowhere.txt", code=2).err


def test_a_deleted_block_comes_back_to_its_place(memgpt: CommandLine) -> None:
    memgpt("memory", "create", "plans", "thesis")
    memgpt("memory", "delete", "human")
    memgpt("memory", "delete", "plans", "--yes")
    assert [b["label"] for b in memgpt.json("memory-list", "memory", "list")] == ["persona"]
    assert memgpt.json("memory-log", "memory", "log", "plans")[0]["deleted"] is True
    memgpt("memory", "restore", "plans", "1")
    memgpt("undo")
    memgpt("undo")
    memgpt("undo")
    assert [b["label"] for b in memgpt.json("memory-list", "memory", "list")] == ["persona", "human", "plans"]


def test_of_processes_that_write_at_once_none_writes_over_another(memgpt: CommandLine) -> None:
    memgpt("memory", "set", "human", "Ada")
    lines = [f"line {number}" for number in range(6)]
    processes = [memgpt.start("memory", "append", "human", line, stdout=subprocess.DEVNULL) for line in lines]
    assert [process.wait() for process in processes] == [0] * 6
    assert sorted(memgpt.json("memory-show", "memory", "show", "human")[0]["value"].split("\n")) == ["Ada", *lines]
    processes = [memgpt.start("undo", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in lines]
    assert [process.wait() for process in processes] == [0] * 6
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == "Ada"


def editor(tmp_path: Path, program: str) -> str:
    script = tmp_path / "editor.py"
    script.write_text(f"#!{sys.executable}\nimport sys\npath = sys.argv[1]\n{program}\n", encoding="utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return str(script)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)


@pytest.mark.usefixtures("terminal")
def test_edit_opens_the_editor_and_shows_what_changed(
    memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memgpt("memory", "set", "human", "Ada\nlives in Lisbon")
    program = "text = open(path).read().replace('Lisbon', 'Porto'); open(path, 'w').write(text)"
    monkeypatch.setenv("EDITOR", editor(tmp_path, program))
    error = memgpt("memory", "edit", "human").err
    assert "-lives in Lisbon" in error
    assert "+lives in Porto" in error
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == "Ada\nlives in Porto"
    assert memgpt.raw("Porto") == ["data/agents/default/agent.db"]


@pytest.mark.usefixtures("terminal")
def test_an_edit_that_does_not_fit_is_refused_and_its_text_is_kept(
    memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memgpt("memory", "set", "human", "Ada", "--limit", "20")
    monkeypatch.setenv("EDITOR", editor(tmp_path, "open(path, 'a').write('a long story about Lisbon')"))
    done = memgpt("memory", "edit", "human", code=2)
    draft = memgpt.home / "data" / "agents" / "default" / "drafts" / "human.txt"
    assert "its limit is 20" in done.err
    assert f"memgpt memory set human @{draft}" in done.err
    assert "a long story" in draft.read_text(encoding="utf-8")
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == "Ada"


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("program", "says", "kept"),
    [
        ("sys.exit(3)", "ended with status 3", None),
        ("open(path, 'a').write('half a thought'); sys.exit(1)", "ended with status 1", b"half a thought"),
        ("open(path, 'a').write('half'); import os; os.kill(os.getpid(), 9)", "was ended by SIGKILL", b"half"),
        ("import os; os.unlink(path)", "left no file", None),
        ("open(path, 'wb').write(b'Caf\\xe9')", "not UTF-8", b"Caf\xe9"),
    ],
)
def test_an_editor_that_fails_changes_nothing_and_loses_no_text(
    memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, says: str, kept: bytes | None
) -> None:
    memgpt("memory", "set", "human", "Ada")
    monkeypatch.setenv("EDITOR", editor(tmp_path, program))
    done = memgpt("memory", "edit", "human", code=2)
    assert says in done.err
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == "Ada"
    drafts = list((memgpt.home / "data" / "agents" / "default" / "drafts").iterdir())
    assert len(drafts) == (kept is not None)
    for draft in drafts:
        assert kept is not None
        assert kept in draft.read_bytes()
        assert f"your text is kept in {draft}" in done.err


@pytest.mark.usefixtures("terminal")
def test_an_earlier_text_that_was_kept_survives_the_next_edit(
    memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memgpt("memory", "set", "human", "Ada", "--limit", "20")
    monkeypatch.setenv("EDITOR", editor(tmp_path, "open(path, 'a').write('a long story about Lisbon')"))
    memgpt("memory", "edit", "human", code=2)
    monkeypatch.setenv("EDITOR", editor(tmp_path, "open(path, 'w').write('Bea')"))
    assert "an earlier text lies in" in memgpt("memory", "edit", "human").err
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == "Bea"
    assert [d.name for d in (memgpt.home / "data" / "agents" / "default" / "drafts").iterdir()] == ["human.txt"]
    assert memgpt.raw("a long story") == ["data/agents/default/drafts/human.txt"]


@pytest.mark.usefixtures("terminal")
def test_an_editor_that_leaves_nothing_empties_the_block_and_one_that_leaves_it_alone_changes_nothing(
    memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memgpt("memory", "set", "human", "Ada")
    monkeypatch.setenv("EDITOR", editor(tmp_path, "pass"))
    assert "nothing was changed" in memgpt("memory", "edit", "human").err
    monkeypatch.setenv("EDITOR", editor(tmp_path, "open(path, 'w').close()"))
    assert "-Ada" in memgpt("memory", "edit", "human").err
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == ""
    memgpt("undo")
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == "Ada"


@pytest.mark.usefixtures("terminal")
def test_an_edit_does_not_overwrite_what_was_changed_meanwhile(
    memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memgpt("memory", "set", "human", "Ada")
    program = (
        "import subprocess; open(path, 'a').write('mine')\n"
        f"subprocess.run([{sys.executable!r}, '-m', 'memgpt_cli', 'memory', 'append', 'human', 'theirs'], check=True)"
    )
    monkeypatch.setenv("EDITOR", editor(tmp_path, program))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    assert "changed while you edited" in memgpt("memory", "edit", "human", code=2).err
    assert memgpt.json("memory-show", "memory", "show", "human")[0]["value"] == "Ada\ntheirs"
