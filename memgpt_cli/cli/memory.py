"""`memgpt memory`: core memory blocks."""

from typing import Annotated

import typer

from memgpt_cli.cli import shapes
from memgpt_cli.cli.console import print_json, say
from memgpt_cli.cli.options import Command, current
from memgpt_cli.errors import NotFoundError

app = typer.Typer(help="Core memory: what the model always sees.", no_args_is_help=True)


@app.command("show", cls=Command)
def show(label: Annotated[str | None, typer.Argument(help="One block; default: all.")] = None) -> None:
    """Show the blocks."""
    with current.workspace().memory() as memory:
        blocks = memory.store.blocks.all()
    if label is not None:
        chosen = [block for block in blocks if block.label == label]
        if not chosen:
            raise NotFoundError(
                f"there is no memory block {label!r}; the blocks are: {', '.join(b.label for b in blocks)}",
                hint="memgpt memory show",
            )
        blocks = chosen
    if current.json:
        print_json([shapes.block(block) for block in blocks])
        return
    for block in blocks:
        say(f"{block.label} ({len(block.value)}/{block.limit} characters)", style="bold")
        say(block.value or "(empty)")
        say("")
