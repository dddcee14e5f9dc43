"""Batch runs for tests: conversations as input lines, output read back, processes that can be killed."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Command = Callable[..., "Done"]
Writer = Callable[..., Path]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Done:
    """What a command came to; `lines` are the JSON lines of its standard output."""

    code: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def talk(identity: Any, *said: str, **more: Any) -> dict[str, Any]:
    """A conversation of the input."""
    return {"id": identity, "messages": [{"role": "user", "content": text} for text in said], **more}


def written(path: Path) -> list[dict[str, Any]]:
    """The lines of an output file; every one of them must be whole."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def replies(record: dict[str, Any]) -> list[str]:
    return [turn["reply"] for turn in record["turns"]]


def start(*arguments: str | Path, **options: Any) -> "subprocess.Popen[bytes]":
    """`memgpt` in a process of its own, with the environment of this one."""
    command = [sys.executable, "-m", "memgpt_cli", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen(command, cwd=ROOT, **pipes)


def start_mortal(moment: str, counter: Path, *arguments: str | Path, **options: Any) -> "subprocess.Popen[bytes]":
    """`memgpt batch` in a process that dies at a moment (`support.mortal`)."""
    command = [sys.executable, str(Path(__file__).with_name("mortal.py")), moment, str(counter), "batch"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([*command, *map(str, arguments)], cwd=ROOT, **pipes)
