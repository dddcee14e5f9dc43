"""Recall storage carried in and out at the command line: looked at first, taken back, cut off, gone on with."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from support.chat_exports import chatgpt_talk, claude_talk, write_archive, write_json
from support.command_line import SCHEMAS, CommandLine
from support.embeddings_server import Behaviour, embeddings_server
from support.terminal import CTRL_C, Terminal

PATIENCE_S = 60.0


def lines(path: Path, count: int, *, words: str = "number") -> Path:
    with path.open("w", encoding="utf-8") as file:
        for n in range(count):
            role = ("user", "assistant")[n % 2]
            file.write(json.dumps({"role": role, "content": f"{words} {n}", "id": f"x{n}"}) + "\n")
    return path


def stored(memgpt: CommandLine) -> int:
    path = memgpt.home / "data" / "agents" / "default" / "agent.db"
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])
    except sqlite3.OperationalError:  # it is only just being made
        return 0


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "json"])
def test_an_export_of_chatgpt_is_looked_at_taken_in_found_and_taken_back(
    memgpt: CommandLine, tmp_path: Path, zipped: bool
) -> None:
    if zipped:
        path = write_archive(tmp_path / "export.zip", {"conversations.json": [chatgpt_talk()], "user.json": {}})
    else:
        path = write_json(tmp_path / "conversations.json", [chatgpt_talk()])
    told = memgpt("recall", "import", str(path), "--dry-run").out
    assert told == "would import 4 messages of 1 conversation from 2024-05-06 12:53 to 2024-05-06 12:53\n"
    assert memgpt("recall", "list").out == ""
    done = memgpt.json("recall-import", "recall", "import", str(path))
    assert (done["new"], done["known"], done["faulty"], done["embedded"]) == (4, 0, [], 4)
    assert "Call her Mochi." in memgpt("recall", "search", "name of the puppy").out
    assert memgpt("recall", "import", str(path)).out == "imported 0 messages; 4 are already stored\n"
    shown = memgpt("undo").out
    assert "recall import" in shown
    assert memgpt("recall", "list").out == ""
    assert memgpt.json("recall-import", "recall", "import", str(path))["new"] == 4


def test_an_export_of_claude_is_taken_in(memgpt: CommandLine, tmp_path: Path) -> None:
    path = write_archive(tmp_path / "data.zip", {"users.json": [], "conversations.json": [claude_talk()]})
    assert memgpt.json("recall-import", "recall", "import", str(path))["sessions"] == 1
    hits = memgpt.json("recall-search", "recall", "search", "yeast in the bread")["hits"]
    assert sorted(hit["role"] for hit in hits) == ["assistant", "user"]


def test_what_cannot_be_read_is_named_with_exit_1_and_all_else_comes_in(memgpt: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = '{"role": "user", "content": "good %d"}\n'
    path.write_text(good % 1 + "oh\x1b[31m no\n" * 15 + '{"role": "\x1b[2J"}\n' + good % 2, encoding="utf-8")
    done = memgpt("recall", "import", str(path), code=1)
    assert done.out.startswith("imported 2 messages")
    assert "line 2: not valid JSON: Expecting value" in done.err
    assert "and 6 more that cannot be read; --json lists all" in done.err
    assert "\x1b" not in done.err
    faults = memgpt("recall", "import", str(path), "--json", code=1).json["faulty"]
    assert [fault["place"] for fault in faults] == [f"line {n}" for n in range(2, 18)]


def test_what_is_no_conversation_or_not_there_is_an_error_with_a_hint(memgpt: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Dear diary", encoding="utf-8")
    for name, told in (
        ("notes.txt", "holds no conversation that memgpt can read"),
        ("nowhere", "No such file"),
        (".", "Is a directory"),
    ):
        failed = memgpt("recall", "import", str(tmp_path / name), code=1)
        assert told in failed.err
        assert "hint: " in failed.err
    assert "agent create" in memgpt("recall", "import", "x", "-a", "nobody", code=3).err


def test_a_time_without_zone_is_in_the_persons_zone(
    memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"role":"user","content":"late","created_at":"2024-03-01T00:30:00"}\n', encoding="utf-8")
    monkeypatch.setenv("MEMGPT_DISPLAY_TIMEZONE", "Asia/Tokyo")
    memgpt("recall", "import", str(path))
    [listed] = memgpt.json("recall-list", "recall", "list", "--since", "2024-03-01", "--until", "2024-03-01")
    assert listed["created_at"] == "2024-02-29T15:30:00.000Z"
    assert memgpt("recall", "list", "--until", "2024-02-29").out == ""


def test_lines_go_out_and_come_in_again_as_they_were(memgpt: CommandLine, tmp_path: Path) -> None:
    memgpt("recall", "import", str(write_json(tmp_path / "c.json", [chatgpt_talk(), claude_talk()])))
    memgpt("send", "My name is Ada.")
    out = tmp_path / "history.jsonl"
    assert memgpt.json("recall-export", "recall", "export", str(out)) == {"file": str(out), "messages": 8}
    assert out.stat().st_mode & 0o077 == 0
    line = json.loads((SCHEMAS / "recall-line.schema.json").read_text(encoding="utf-8"))
    for text in out.read_text(encoding="utf-8").splitlines():
        Draft202012Validator(line, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(json.loads(text))
    assert memgpt("recall", "import", str(out)).out.startswith("imported 0 messages")
    memgpt("agent", "create", "other")
    memgpt("recall", "import", str(out), "-a", "other")
    memgpt("recall", "export", str(tmp_path / "again.jsonl"), "-a", "other")
    assert (tmp_path / "again.jsonl").read_bytes() == out.read_bytes()
    assert "exists already" in memgpt("recall", "export", str(out), code=2).err
    memgpt("recall", "export", str(out), "--overwrite", "--role", "assistant", "--since", "2024-06-01")
    first = out.read_text(encoding="utf-8").splitlines()[0]
    assert json.loads(first)["content"] == "It needs yeast."
    assert not list(tmp_path.glob(".*.part"))


def test_lines_go_through_a_pipe_and_into_one_that_closes(memgpt: CommandLine, tmp_path: Path) -> None:
    memgpt("recall", "import", str(lines(tmp_path / "a.jsonl", 20_000)), "--no-vectors")
    memgpt("agent", "create", "other")
    with memgpt.start("recall", "export", "-", stdout=subprocess.PIPE) as source:
        taken = memgpt.start("recall", "import", "-", "-a", "other", "--no-vectors", "--json", stdin=source.stdout)
        assert taken.wait(PATIENCE_S) == 0
    assert memgpt("recall", "list", "-a", "other", "--limit", "1").out.count("number 19999") == 1
    torn = memgpt.start("recall", "export", "-", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert torn.stdout is not None
    torn.stdout.readline()
    torn.stdout.close()
    assert torn.stderr is not None
    assert torn.stderr.read() == ""
    torn.stderr.close()
    torn.wait(PATIENCE_S)


def test_vectors_follow_as_a_step_of_their_own_and_a_search_says_how_far_they_are(
    memgpt: CommandLine, tmp_path: Path
) -> None:
    path = lines(tmp_path / "a.jsonl", 30)
    done = memgpt("recall", "import", str(path), "--no-vectors")
    assert "messages without vectors are found by words only" in done.err
    [note] = memgpt.json("recall-search", "recall", "search", "number 7")["notes"]
    assert note.startswith("0% of the messages are indexed by meaning so far")
    again = memgpt.json("recall-import", "recall", "import", str(path))
    assert (again["new"], again["embedded"]) == (0, 30)
    assert memgpt.json("recall-search", "recall", "search", "number 7")["notes"] == []


def test_an_endpoint_that_fails_leaves_the_texts_and_the_same_command_makes_the_vectors(
    memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lines(tmp_path / "a.jsonl", 10)
    monkeypatch.setenv("MEMGPT_EMBEDDER_PROVIDER", "openai")
    monkeypatch.setenv("MEMGPT_EMBEDDER_MODEL", "letters")
    with embeddings_server(Behaviour(key="right")) as server:
        monkeypatch.setenv("MEMGPT_EMBEDDER_BASE_URL", server.base_url)
        failed = memgpt("recall", "import", str(path), code=4)
        assert failed.out.startswith("imported 10 messages")
        assert "messages without vectors are found by words only" in failed.err
        server.behaviour.key = None
        again = memgpt.json("recall-import", "recall", "import", str(path))
        assert (again["new"], again["known"], again["embedded"]) == (0, 10, 10)
        assert again["embedding_tokens"] > 0
        assert again["cost_usd"] is None


def test_a_killed_import_goes_on_without_a_gap_or_a_double(memgpt: CommandLine, tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", 60_000)
    killed = memgpt.start("recall", "import", str(path), "--no-vectors", stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE_S
    while stored(memgpt) == 0 and time.monotonic() < deadline:
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    killed.wait(PATIENCE_S)
    there = stored(memgpt)
    assert 0 < there < 60_000
    done = memgpt.json("recall-import", "recall", "import", str(path), "--no-vectors")
    assert (done["new"], done["known"]) == (60_000 - there, there)
    assert stored(memgpt) == 60_000


@pytest.fixture
def terminal(memgpt: CommandLine, tmp_path: Path) -> Iterator[Terminal]:
    path = lines(tmp_path / "a.jsonl", 100_000, words="a rather long message that takes a while to read, number")
    with Terminal(memgpt.home, "recall", "import", str(path), columns=120) as opened:
        yield opened


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_person_sees_how_far_it_is_and_ctrl_c_keeps_what_came_in(memgpt: CommandLine, terminal: Terminal) -> None:
    terminal.wait_for("importing", "MB/s", "000 messages")
    terminal.type(CTRL_C)
    terminal.wait_for("imported so far; the same command continues")
    assert terminal.exit_code() == 130
    assert 0 < stored(memgpt) < 100_000


def test_a_folder_that_cannot_be_written_to_is_an_error_and_leaves_nothing(memgpt: CommandLine, tmp_path: Path) -> None:
    memgpt("send", "Hello")
    failed = memgpt("recall", "export", str(tmp_path / "no" / "such" / "folder" / "a.jsonl"), code=5)
    assert "cannot be written" in failed.err
    assert not (tmp_path / "no").exists()
    assert os.listdir(tmp_path)  # noqa: PTH208 - and the rest is as it was
