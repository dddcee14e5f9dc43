"""docs/memory.md: its example is run, command by command, and prints what the page shows."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from support.command_line import CommandLine

PAGE = Path(__file__).resolve().parents[2] / "docs" / "memory.md"


def without_times(text: str) -> str:
    """Without what may differ from run to run: times, and how much was searched."""
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d|[\d.]+ (?=tables|files|MB)", "N ", text)


@pytest.mark.skipif(sys.platform != "linux", reason="the editor of the example is GNU sed")
def test_the_example_prints_what_the_page_shows(memgpt: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    example = PAGE.read_text(encoding="utf-8").split("```console\n")[1].split("```")[0]
    for part in example.split("$ ")[1:]:
        command, *shown = part.strip().split("\n")
        words = shlex.split(command)
        if words[0].startswith("EDITOR="):
            monkeypatch.setenv("EDITOR", words.pop(0).partition("=")[2])
        done = memgpt(*words[1:])
        printed = without_times(done.out + done.err)
        for line in filter(None, shown):
            assert without_times(line).removesuffix("…").rstrip() in printed, command
    assert memgpt.raw("marguerite") == []
