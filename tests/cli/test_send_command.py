"""`memgpt send` with what is piped in, `memgpt logs`, `memgpt help`, `memgpt chat MESSAGE`."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import CommandLine


@pytest.fixture
def memgpt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return CommandLine(tmp_path, capsys)


def piped(memgpt: CommandLine, text: str, *arguments: str) -> tuple[int, str]:
    process = memgpt.start(*arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, _ = process.communicate(text, timeout=60)
    return process.returncode, out


def test_what_is_piped_in_stands_before_the_message(memgpt: CommandLine) -> None:
    assert piped(memgpt, "Bruno is a dog.\n", "send", "Whose dog is it?")[0] == 0
    assert piped(memgpt, "Only this.\n", "send")[0] == 0
    assert piped(memgpt, "", "send", "Only that.")[0] == 0
    assert piped(memgpt, "", "send")[0] == 2
    said = [message["text"] for message in memgpt("recall", "list", "--role", "user", "--json").json]
    assert said == ["Only that.", "Only this.\n", "Bruno is a dog.\n\nWhose dog is it?"]


def test_a_list_shows_what_was_said_and_a_log_shows_it_whole_oldest_first(memgpt: CommandLine) -> None:
    memgpt("send", "My name is Ada.")
    memgpt("send", "What is my name?")
    assert {message["role"] for message in memgpt("recall", "list", "--json").json} == {"user", "assistant"}
    everything = {message["role"] for message in memgpt("recall", "list", "--all", "--json").json}
    assert "tool" in everything
    done = memgpt("logs", "-n", "3")
    assert done.out.index("What is my name?") < done.out.index("My name is Ada.", done.out.index("What is my name?"))
    assert "memgpt logs -n 3 --page 1" in done.err


def test_the_next_page_is_a_command_that_can_be_copied(memgpt: CommandLine) -> None:
    for number in range(3):
        memgpt("archival", "add", f"note {number}", "--tag", "my tag")
    done = memgpt("archival", "list", "--tag", "my tag", "--limit", "1", "--page", "0")
    assert "memgpt archival list --tag 'my tag' --limit 1 --page 1" in done.err


def test_help_is_a_command_too(memgpt: CommandLine) -> None:
    assert memgpt("help", "recall", "list").out == memgpt("recall", "list", "--help").out
    assert "recall" in memgpt("help").out
    assert "nope" in memgpt("help", "nope", code=2).err


def test_help_names_types_as_words(memgpt: CommandLine) -> None:
    for command in (["recall", "list"], ["serve"], ["send"], ["batch"]):
        text = memgpt(*command, "--help").out
        assert "range" not in text
        assert "<" not in text.replace("<=", "")
        assert max(len(line) for line in text.splitlines()) <= 80


def test_a_chat_can_begin_with_a_message(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "memgpt_cli", "chat", "My name is Ada."],
        input="What is my name?\n",
        env={"MEMGPT_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "Noted" in done.stdout
    assert "Ada" in done.stdout.splitlines()[-1]
