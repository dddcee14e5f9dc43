"""The subcommands as doors: name and one line are known at once, what lies behind is imported when somebody goes in.

So `memgpt --help` and each command pay for no other command. A test holds the one-line helps equal to the real ones.
"""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from memgpt_cli.cli.options import Command, Group


class Door(TyperCommand):
    """Stands for a subcommand until it is needed.

    `behind` is `module:name` of a function, which becomes a command, or of a `typer.Typer`, which becomes a group.
    """

    def __init__(self, name: str, help_line: str, behind: str) -> None:
        super().__init__(name=name, help=help_line)
        self._behind = behind

    def open(self) -> Any:
        """The real command."""
        module, _, name = self._behind.partition(":")
        found = getattr(import_module(module), name)
        house = typer.Typer(callback=_nothing, add_completion=False)
        if isinstance(found, typer.Typer):
            house.add_typer(found, name=self.name, cls=Group)
        else:
            house.command(self.name, cls=Command)(found)
        return vars(get_command(house))["commands"][self.name]


def _nothing() -> None:
    """A typer with a callback is a group even when it has but one command."""


class House(Group):
    """The top group: its commands are doors that open when they are gone through, not when they are listed."""

    doors: tuple[Door, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands.update({str(door.name): door for door in self.doors})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the words ask for, opened."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.open() if isinstance(command, Door) else command, rest
