"""What a person gets wrong outside of any one command is said once, with a way out, and loses nothing."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from support.command_line import CommandLine


def piped(memgpt: CommandLine, data: bytes, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    running = memgpt.start(
        *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=False
    )
    out, err = running.communicate(data, timeout=60)
    return subprocess.CompletedProcess(arguments, running.returncode, out, err)


@pytest.mark.parametrize("data", [os.urandom(4_000), b"a\0b", "Grüße".encode("utf-16")])
def test_what_is_no_text_is_not_said_to_the_model(memgpt: CommandLine, data: bytes) -> None:
    done = piped(memgpt, data, "send", "-")
    assert done.returncode == 2
    assert b"not UTF-8 text" in done.stderr
    assert b"hint: memgpt archival load FILE" in done.stderr
    assert b"there is no agent" in piped(memgpt, b"", "recall", "list").stderr


def test_a_few_broken_characters_do_not_stop_a_text(memgpt: CommandLine) -> None:
    done = piped(memgpt, b"My name is Ada and I live in Lisbon, near the caf\xe9 by the river.", "send", "-")
    assert done.returncode == 0
    assert "\ufffd" in memgpt.json("recall-list", "recall", "list")[-1]["text"]


def test_a_home_that_is_a_file_is_one_finding(
    memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path / "file"))
    assert "which is not a folder" in memgpt("memory", "show", code=2).err
    assert memgpt("doctor", code=1).out.count("which is not a folder") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_an_output_that_takes_no_more_is_no_bug_of_ours(memgpt: CommandLine) -> None:
    with Path("/dev/full").open("wb") as full:
        running = memgpt.start("config", "list", stdout=full, stderr=subprocess.PIPE)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 5
    assert err == "error: No space left on device\n\nhint: check the disk and the permissions\n"


def test_a_damaged_page_is_an_error_of_storage_and_no_bug_of_ours(memgpt: CommandLine, tmp_path: Path) -> None:
    memgpt("send", "My name is Ada.")
    record = next(tmp_path.rglob("agent.db"))
    with closing(sqlite3.connect(record)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with record.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 200)
    said = memgpt("recall", "list", code=5).err
    assert "the record of agent 'default' cannot be read: database disk image is malformed" in said
    assert "hint: memgpt doctor" in said


@pytest.mark.parametrize(
    "command",
    [("recall", "list"), ("archival", "list"), ("undo", "--list"), ("agent", "list"), ("context", "--history")],
)
def test_a_number_that_no_list_can_have_is_refused(memgpt: CommandLine, command: tuple[str, ...]) -> None:
    memgpt("send", "My name is Ada.")
    for option in ("--limit",) if command[0] == "context" else ("--limit", "--page"):
        assert option in memgpt(*command, option, "9" * 20, code=2).err
        memgpt(*command, option, "1000000000")
    if command[0] != "context":
        memgpt(*command, "--limit", "1000000000", "--page", "1000000000")
