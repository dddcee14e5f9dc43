"""The command line in this process or in one of its own: what it prints, how it exits, whether its JSON is as said."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on standard output."""
        return json.loads(self.out)


class CommandLine:
    """Runs `memgpt` with a home of its own, offline."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> Done:
        """Run a command in this process; its exit code must be `code`."""
        from memgpt_cli.cli.app import run

        self._capsys.readouterr()
        status = run(list(arguments))
        done = Done(int(status), *self._capsys.readouterr())
        assert done.code == code, done
        return done

    def any_end(self, *arguments: str) -> Done:
        """Run a command that may fail, but not by a bug."""
        from memgpt_cli.cli.app import run

        self._capsys.readouterr()
        status = run(list(arguments))
        done = Done(int(status), *self._capsys.readouterr())
        assert "bug" not in done.err, (arguments, done)
        return done

    def json(self, schema: str, *arguments: str) -> Any:
        """The JSON that a command prints, checked against its schema in docs/schemas."""
        from jsonschema import Draft202012Validator

        found = self(*arguments, "--json").json
        described = json.loads((SCHEMAS / f"{schema}.schema.json").read_text(encoding="utf-8"))
        Draft202012Validator(described).validate(found)
        return found

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """Run a command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "memgpt_cli", *arguments],
            env={**os.environ, "MEMGPT_HOME": str(self.home)},
            **{"text": True, "stdin": subprocess.DEVNULL, **options},
        )

    def raw(self, text: str) -> list[str]:
        """The files under the home that hold these bytes, in any case."""
        needle = text.lower().encode()
        return sorted(
            str(path.relative_to(self.home))
            for path in self.home.rglob("*")
            if path.is_file() and needle in path.read_bytes().lower()
        )
