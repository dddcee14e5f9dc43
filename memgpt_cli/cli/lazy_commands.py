"""Subcommands that are imported on use: `memgpt --help` and each command import no other command.

Their names and one-line help are known without an import. A test compares these lines with the help of the commands.
"""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from memgpt_cli.cli.options import Command, Group


class LazyCommand(TyperCommand):
    """A subcommand that has not been imported yet.

    `target` is `module:name` of a function, which becomes a command, or of a `typer.Typer`, which becomes a group.
    """

    def __init__(self, name: str, help_line: str, target: str) -> None:
        super().__init__(name=name, help=help_line)
        self._target = target

    def load(self) -> Any:
        """Return the real command."""
        module, _, name = self._target.partition(":")
        found = getattr(import_module(module), name)
        parent = typer.Typer(callback=_nothing, add_completion=False)
        if isinstance(found, typer.Typer):
            parent.add_typer(found, name=self.name, cls=Group)
        else:
            parent.command(self.name, cls=Command)(found)
        return vars(get_command(parent))["commands"][self.name]


def _nothing() -> None:
    """A typer with a callback is a group even if it has only one command."""


class LazyGroup(Group):
    """The top group. Its commands are loaded when they are resolved, not when they are listed."""

    lazy_commands: tuple[LazyCommand, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands.update({str(command.name): command for command in self.lazy_commands})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Load and return the selected command."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LazyCommand) else command, rest
