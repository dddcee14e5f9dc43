"""Inputs that are too long, not text or out of range: a clear error, in bounded time."""

import io
import json
import sys
from pathlib import Path

import pytest
from support.command_line import CommandLine

from memgpt_cli.services.secrets import secrets_in


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_message_over_the_limit_is_refused_and_the_next_one_answered(
    memgpt: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(monkeypatch, b"a" * 1_000_001)
    assert "a message may have 1,000,000 characters" in memgpt("send", "-", code=2).err
    pipe(monkeypatch, b"a" * 4_000_001)
    assert "more than 4,000,000 bytes" in memgpt("send", "-", code=2).err
    assert memgpt("send", "Hello").out
    assert len(memgpt("recall", "list", "--json").json) == 2


def test_looking_for_keys_takes_linear_time() -> None:
    assert secrets_in("a" * 1_000_000) == []


@pytest.mark.parametrize(
    "command",
    [
        ("send",),
        ("archival", "add"),
        ("recall", "search"),
        ("memory", "append", "human"),
        ("memory", "set", "human"),
        ("agent", "create", "tutor", "--persona"),
        ("facts", "add", "me", "home"),
    ],
)
def test_an_argument_that_is_not_utf_8_is_refused(memgpt: CommandLine, command: tuple[str, ...]) -> None:
    assert "not valid UTF-8" in memgpt(*command, "caf\udce9", code=2).err


def test_a_file_whose_name_is_not_utf_8_is_read(memgpt: CommandLine, tmp_path: Path) -> None:
    memgpt("send", "Hello")
    path = tmp_path / "caf\udce9.txt"
    path.write_text("Likes tea.")
    assert "Likes tea." in memgpt("memory", "append", "human", f"@{path}", "--json").json["value"]
    path.write_text("subject,predicate,object\nme,home,Lisbon\n")
    assert memgpt("facts", "import", str(path), "--json").json["new"] == 1


@pytest.mark.parametrize("limit", ["9223372036854775808", "99999999999999999999"])
def test_the_limit_of_a_block_is_bounded(memgpt: CommandLine, limit: str) -> None:
    memgpt("memory", "create", "project", "--limit", limit, code=2)
    memgpt("memory", "set", "human", "--limit", limit, code=2)


def test_an_error_never_prints_the_password_of_an_address(memgpt: CommandLine) -> None:
    for options in ((), ("--json",)):
        done = memgpt("send", "--base-url", "http://ada:secret-pw@/x y", "hi", *options, code=2)
        assert "secr" not in done.err
        assert "ada" not in done.err


def test_an_export_escapes_what_controls_a_terminal(memgpt: CommandLine) -> None:
    text = "a\x9b31mb\x1b[2Jc\u202ed\x7f"
    memgpt("send", text)
    lines = memgpt("recall", "export", "-").out
    assert not any(control in lines for control in ("\x9b", "\x1b", "\u202e", "\x7f"))
    assert json.loads(lines.splitlines()[0])["content"] == text


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on open files")
def test_few_open_files_are_raised_or_named(memgpt: CommandLine) -> None:
    import resource

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (12, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    process = memgpt.start("send", "Hello", stdout=-1, stderr=-1, preexec_fn=few)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out
    assert "panicked" not in err


def test_a_picture_is_written_under_a_visible_name() -> None:
    from memgpt_cli.cli.archival.pictures import _file_name

    assert _file_name("../.\x1b[2Jhidden.png") == "[2Jhidden.png"
    assert _file_name("...") == "picture"
    assert Path(_file_name("x" * 300 + ".png")).suffix == ".png"
