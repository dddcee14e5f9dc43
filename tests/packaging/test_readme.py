"""The README's two commands: what they are, and that CI runs these very lines."""

import re
import subprocess
from pathlib import Path


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
