"""A command pays only for what it uses: looking at memory imports no model client, no vector store and no numpy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    *("openai", "httpx", "chromadb", "onnxruntime", "numpy", "tokenizers", "safetensors", "sqlite_utils"),
    *("pydantic", "asyncio", "prompt_toolkit", "tomlkit"),
)
CODE = """
import sys
from memgpt_cli.cli.app import run
code = run(sys.argv[1:])
print("imported:", *[name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a conversation has begun."""
    folder = tmp_path_factory.mktemp("home")
    done = memgpt("send", "My name is Ada.", home=folder)
    assert done.returncode == 0, done.stderr
    return folder


def memgpt(*arguments: str, home: Path) -> "subprocess.CompletedProcess[str]":
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MEMGPT_", "OPENAI_"))}
    return subprocess.run(
        [sys.executable, "-c", CODE.format(heavy=HEAVY), *arguments],
        env={**environ, "MEMGPT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["memory", "show"],
        ["memory", "show", "--json"],
        ["recall", "list"],
        ["recall", "list", "--json"],
        ["agent", "list"],
        ["config", "list"],
        ["keys", "list"],
    ],
    ids=" ".join,
)
def test_looking_imports_nothing_heavy(home: Path, arguments: list[str]) -> None:
    done = memgpt(*arguments, home=home)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "imported:"


def test_nothing_happens_at_import() -> None:
    code = "import sys; before = set(sys.modules); import memgpt_cli; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['memgpt_cli']"


@pytest.mark.benchmark
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["memory", "show"], ["recall", "list"]], ids=" ".join)
def test_looking_costs_at_most_twice_what_its_libraries_cost_to_import(home: Path, arguments: list[str]) -> None:
    """CPU of both in turns, the smallest of nine: a busy machine slows both alike and only adds."""
    environ = {**os.environ, "MEMGPT_HOME": str(home)}
    bare = [sys.executable, "-c", "import typer, rich.console, sqlite3"]
    ours = [sys.executable, "-m", "memgpt_cli", *arguments]
    pairs = [(cpu(bare, environ), cpu(ours, environ)) for _ in range(9)]
    floor, cost = (min(column) for column in zip(*pairs, strict=True))
    print(f"{' '.join(arguments)}: {1000 * cost:.0f} ms CPU, {cost / floor:.2f} times the bare imports")
    assert cost <= 2 * floor


def cpu(command: list[str], environ: dict[str, str]) -> float:
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
