"""`memgpt help`: the same as `--help` after a command."""

from typing import Annotated

import typer


def show_help(
    ctx: typer.Context,
    command: Annotated[
        list[str] | None, typer.Argument(help="A command, such as: recall list.", metavar="COMMAND...")
    ] = None,
) -> None:
    """Show the help of a command.

    Example:
        memgpt help recall list

    """
    from memgpt_cli.cli.app import app

    app([*(command or []), "--help"], standalone_mode=False, prog_name="memgpt", obj=ctx.obj)
