"""`memgpt trust`: show where something in memory comes from."""

from typing import Annotated

import typer

from memgpt_cli.cli.options import Command
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.domain.times import for_people
from memgpt_cli.services.trust import Chain, Link, shape
from memgpt_cli.services.wording import one_line

app = typer.Typer(help="Show where something in memory comes from.", no_args_is_help=True)

_SHOWN = 160


@app.callback()
def _group() -> None:
    """Show where something in memory comes from."""


@app.command("show", cls=Command)
def show(
    ctx: typer.Context,
    item: Annotated[
        str,
        typer.Argument(
            help="A message (m12), passage (p7), summary (s3), waiting write (r3), block (human) or a version of one"
            " (human@4).",
            metavar="ID",
        ),
    ],
) -> None:
    """Show what something was derived from, step by step, and the least trusted source behind it.

    Examples:
        memgpt trust show human

        memgpt trust show p7

    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        chain = memory.trust.chain(item)
    if terminal.json:
        terminal.print_json(shape(chain))
        return
    terminal.say(f"least trusted source: {chain.least}", style="bold")
    _tell(terminal, chain, chain.links[0], depth=0, told=set())
    if chain.left_out:
        terminal.notice("the chain is longer; --json shows as much of it")


def _tell(terminal: Terminal, chain: Chain, link: Link, *, depth: int, told: set[str]) -> None:
    indent = "   " * depth
    at = f"  {for_people(link.at, terminal.workspace.settings.zone)}" if link.at is not None else ""
    if link.ref in told:
        terminal.say(f"{indent}{link.ref}  (see above)", style="dim")
        return
    told.add(link.ref)
    terminal.say(f"{indent}{link.ref}  {link.kind} by {link.source}{at}")
    terminal.say(f"{indent}   {one_line(link.text, _SHOWN)}", style="dim")
    for ref in link.derived_from:
        found = chain.get(ref)
        if found is not None:
            _tell(terminal, chain, found, depth=depth + 1, told=told)
        else:
            terminal.say(f"{indent}   {ref}", style="dim")
