"""A home of its own for each test, and `memgpt batch` in this process."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from support.batches import Command, Done, Writer

from memgpt_cli.cli.app import run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for memgpt that this test alone knows."""
    for name in [name for name in os.environ if name.startswith(("MEMGPT_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MEMGPT_DISPLAY_TIMEZONE", "UTC")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    return tmp_path / "home"


@pytest.fixture
def memgpt(capfdbinary: pytest.CaptureFixture[bytes]) -> Command:
    """Runs a command in this process."""

    def command(*arguments: str | Path) -> Done:
        capfdbinary.readouterr()
        code = run([str(argument) for argument in arguments])
        said = capfdbinary.readouterr()
        return Done(int(code), said.out, said.err.decode())

    return command


@pytest.fixture
def batch(memgpt: Command) -> Command:
    """Runs `memgpt batch` in this process: offline, on one worker, with a clock that stands still."""

    def command(*arguments: str | Path) -> Done:
        return memgpt("batch", "--model", "offline", "--workers", "1", "--fixed-time", "2024-01-01", *arguments)

    return command


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Writes conversations, one a line."""

    def file(*conversations: dict[str, Any], name: str = "input.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(c) + "\n" for c in conversations), encoding="utf-8")
        return path

    return file
