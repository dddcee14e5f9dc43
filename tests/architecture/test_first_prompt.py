"""The prompt of a chat is there at once: vendors load while the person types."""

import os
import resource
import sys
from pathlib import Path

import pytest

pytest.importorskip("pexpect", reason="there are no pseudo-terminals on this system")

from support.terminal import CTRL_D, Terminal, environment_of


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.benchmark
def test_the_first_prompt_costs_at_most_one_and_a_half_times_the_bare_imports(tmp_path: Path) -> None:
    """CPU from start to end with nothing typed but Ctrl-D; of both the smallest of nine, in turns."""
    home = tmp_path / "home"
    with Terminal(home, "chat") as terminal:
        terminal.prompt()
        terminal.say("I am Ada.")
        terminal.prompt()
        terminal.type(CTRL_D)
        assert terminal.exit_code() == 0
    bare = [sys.executable, "-c", "import typer, rich.console, prompt_toolkit, sqlite3"]
    costs = [(imported(bare, environment_of(home)), prompted(home)) for _ in range(9)]
    floor, cost = (min(column) for column in zip(*costs, strict=True))
    print(f"first prompt {1000 * cost:.0f} ms CPU, {cost / floor:.2f} times the bare imports ({1000 * floor:.0f} ms)")
    assert cost <= 1.5 * floor


def imported(command: list[str], environment: dict[str, str]) -> float:
    before = cpu_of_children()
    process = os.posix_spawn(command[0], command, environment)
    assert os.waitpid(process, 0)[1] == 0
    return cpu_of_children() - before


def prompted(home: Path) -> float:
    before = cpu_of_children()
    with Terminal(home, "chat") as terminal:
        terminal.prompt()
        terminal.type(CTRL_D)
        assert terminal.exit_code() == 0
    return cpu_of_children() - before
