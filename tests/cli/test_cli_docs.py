"""The command line describes itself: docs/cli.md is current, and every command is explained."""

import inspect
from pathlib import Path
from typing import Any

import pytest
from support.command_line import CommandLine
from typer.main import get_command

from memgpt_cli.cli import reference
from memgpt_cli.cli.app import app
from memgpt_cli.cli.lazy_commands import LazyCommand
from memgpt_cli.errors import ExitCode

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
ROOT: Any = get_command(app)


def commands() -> list[tuple[str, Any]]:
    """Every command that does something, with the words that call it."""
    found = []
    for lazy in ROOT.commands.values():
        real = lazy.load() if isinstance(lazy, LazyCommand) else lazy
        nested = getattr(real, "commands", None)
        if nested is None:
            found.append((lazy.name, real))
        else:
            found += [(f"{lazy.name} {name}", inner) for name, inner in nested.items()]
    return found


COMMANDS = commands()


def test_the_page_is_current() -> None:
    told = "docs/cli.md is not current: python -m memgpt_cli.cli.reference > docs/cli.md"
    assert PAGE.read_text(encoding="utf-8") == reference.reference(), told


def test_every_exit_code_is_told() -> None:
    assert [code for code, _ in reference.EXIT_CODES] == [str(int(code)) for code in ExitCode]


LAZY = [command for command in ROOT.commands.values() if isinstance(command, LazyCommand)]


@pytest.mark.parametrize("lazy", LAZY, ids=lambda lazy: str(lazy.name))
def test_the_list_of_commands_says_what_each_command_says_first(lazy: LazyCommand) -> None:
    told = inspect.cleandoc(lazy.load().help or "").split("\n\n")[0].replace("\n", " ")
    assert told.startswith(str(lazy.help)), f"the list says {lazy.help!r}, the command {told!r}"


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=[words for words, _ in COMMANDS])
def test_every_command_and_every_option_is_explained(words: str, command: Any) -> None:
    assert command.help, words
    for parameter in command.params:
        if parameter.name != "help" and not getattr(parameter, "hidden", False):
            assert parameter.help, f"{words} {parameter.opts}"


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=[words for words, _ in COMMANDS])
def test_every_help_ends_with_examples_of_its_own_command(words: str, command: Any) -> None:
    assert command.examples
    assert any(f"memgpt {words}" in example for example in command.examples), command.examples


@pytest.mark.parametrize("words", [words for words, _ in COMMANDS])
def test_every_help_can_be_printed(memgpt: CommandLine, words: str) -> None:
    assert "Usage: " in memgpt(*words.split(), "--help").out
