"""The command line for the tests of this room."""

from pathlib import Path

import pytest
from support.command_line import CommandLine


@pytest.fixture
def memgpt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    home = tmp_path / "home"
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MEMGPT_AGENT", "VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MEMGPT_HOME", str(home))
    monkeypatch.setenv("MEMGPT_MODEL", "offline")
    monkeypatch.setenv("MEMGPT_DISPLAY_TIMEZONE", "UTC")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return CommandLine(home, capsys)
