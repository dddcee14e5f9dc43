"""The README: its two lines, which CI runs word for word; every other command in it; what it links to."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from support.brains import echo
from support.strict_server import StrictServer


def commands(checkout: Path) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", (checkout / "README.md").read_text(), flags=re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line.startswith("python3 -m venv ")]


def test_one_line_starts_a_chat_and_one_line_runs_the_tests(checkout: Path) -> None:
    start, check = commands(checkout)
    assert start.endswith("&& .venv/bin/memgpt chat")
    assert check.endswith("&& .venv/bin/pytest")
    for command in (start, check):
        assert command.count("&&") == 2
        assert " -c requirements.lock " in command


def test_ci_takes_both_lines_from_the_readme(checkout: Path) -> None:
    script = (checkout / ".ci" / "run").read_text()
    function = re.search(r"^readme_command\(\) \{.*?^\}$", script, flags=re.DOTALL | re.MULTILINE)
    assert function is not None
    for number, command in enumerate(commands(checkout), start=1):
        run = ["bash", "-euo", "pipefail", "-c", f"{function[0]}\nreadme_command {number}"]
        assert subprocess.run(run, cwd=checkout, capture_output=True, text=True, check=True).stdout == command + "\n"
        assert f'bash -euo pipefail -c "$(readme_command {number})"' in script


def test_what_it_is_takes_five_lines(checkout: Path) -> None:
    text = (checkout / "README.md").read_text()
    introduction = text.split("\n\n", 2)[1]
    assert len(introduction.splitlines()) == 5


def test_every_file_that_the_readme_links_to_exists(checkout: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", (checkout / "README.md").read_text())
    assert links
    assert [link for link in links if not (checkout / link).exists()] == []


def test_the_changelog_has_a_place_for_what_comes_next(checkout: Path) -> None:
    assert "\n## [Unreleased]\n" in (checkout / "CHANGELOG.md").read_text()


def test_every_other_command_works_in_its_order_in_an_empty_home(checkout: Path, tmp_path: Path) -> None:
    """As they are written, but for the model's name and address, which are those of a server that is there."""
    with StrictServer(echo) as server:
        for line in lines_of(checkout / "README.md"):
            words = [server.base_url if word.startswith("http://localhost") else word for word in shlex.split(line)]
            done = subprocess.run(
                [sys.executable, "-m", "memgpt_cli", *words[1:]],
                cwd=checkout,
                env={**bare_environment(), "MEMGPT_HOME": str(tmp_path), "PYTHONPATH": str(checkout)},
                input="sk-0123456789\n" if "keys" in words else "Hello\n",
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, (line, done.stdout, done.stderr)
            if words[1:3] == ["keys", "set"]:  # what follows is meant to be answered without a key
                (tmp_path / "config" / "keys.toml").unlink()
        assert any("Hello" in str(body["messages"]) for body in server.requests)


def lines_of(page: Path) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    lines = [line.split("  #")[0].split(" # ")[0] for block in blocks for line in block.splitlines()]
    return [line.strip() for line in lines if line.startswith(".venv/bin/memgpt ")]


def bare_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("MEMGPT_", "OPENAI_"))}
