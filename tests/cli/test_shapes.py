"""The JSON shapes that scripts rely on are what docs/schemas says, on real output of the real command."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    for text in ("My name is Ada and I live in Lyon.", "Where do I live?"):
        memgpt(home, "send", text)
    memgpt(home, "archival", "add", "The spare key is under the mat", "--tag", "home")
    return home


def memgpt(home: Path, *arguments: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MEMGPT_", "OPENAI_"))}
    done = subprocess.run(
        [sys.executable, "-m", "memgpt_cli", *arguments],
        env={**environment, "MEMGPT_HOME": str(home), "PYTHONPATH": str(SCHEMAS.parents[1])},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


def check(shape: str, text: str) -> Any:
    schema = json.loads((SCHEMAS / f"{shape}.schema.json").read_text())
    value = json.loads(text)
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)
    return value


def test_send(home: Path) -> None:
    sent = check("send", memgpt(home, "send", "--json", "--id", "x1", "Where do I live?").stdout)
    assert "Lyon" in sent["reply"]
    again = check("send", memgpt(home, "send", "--id", "x1", "Where do I live?", "--json").stdout)
    assert (again["reply"], again["repeated"]) == (sent["reply"], True)


def test_context_and_its_parts_add_up(home: Path) -> None:
    shape = check("context", memgpt(home, "context", "--json").stdout)
    assert sum(shape["parts"].values()) == shape["used"]
    assert shape["used"] + shape["free"] + shape["reserved"] == shape["window"]
    check("context-history", memgpt(home, "context", "--history", "--json").stdout)
    newest = memgpt(home, "context", "--history", "--json", "--limit", "1")
    assert len(check("context-history", newest.stdout)) == 1
    assert "there are earlier turns: --limit 2" in newest.stderr


def test_context_prompt_writes_nothing_and_is_what_the_next_call_would_send(home: Path) -> None:
    before = memgpt(home, "recall", "list", "--json").stdout
    body = json.loads(memgpt(home, "context", "--prompt", "--with", "And my name?").stdout)
    assert body["messages"][-1]["content"].endswith("And my name?")
    assert memgpt(home, "recall", "list", "--json").stdout == before


def test_recall_list_and_search(home: Path) -> None:
    listed = check("recall-list", memgpt(home, "recall", "list", "--json").stdout)
    assert [m["created_at"] for m in listed] == sorted((m["created_at"] for m in listed), reverse=True)
    found = check("recall-search", memgpt(home, "recall", "search", "--json", "where does Ada live").stdout)
    assert found["hits"]


def test_archival_search(home: Path) -> None:
    found = check("archival-search", memgpt(home, "archival", "search", "spare key", "--json").stdout)
    assert found["hits"][0]["tags"] == ["home"]


def test_errors(home: Path) -> None:
    check("error", memgpt(home, "send", "-a", "nobody", "hi", "--json", code=3).stderr)
    check("error", memgpt(home, "send", "--window", "1500", "hi", "--json", code=2).stderr.splitlines()[-1])
    check("error", memgpt(home, "no-such-command", "--json", code=2).stderr)


def test_json_commands_no_terminal_and_loses_nothing() -> None:
    from memgpt_cli.cli.terminal.console import json_text

    text = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA1), 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2066, 0x2069]))
    written = json_text({"text": text + "中文 שלום"})
    assert json.loads(written) == {"text": text + "中文 שלום"}
    assert all(character.isprintable() for character in written.replace("\xa0", ""))
    assert "中文 שלום" in written
