"""`memgpt context`: what the model sees, by part, in tokens."""

from typing import Annotated, Any

import typer

from memgpt_cli.cli import shapes
from memgpt_cli.cli.console import notice, out, print_json, say
from memgpt_cli.cli.options import current
from memgpt_cli.cli.turns import describe

_PARTS = (
    ("instructions", "cyan"),
    ("functions", "blue"),
    ("core_memory", "magenta"),
    ("summary", "yellow"),
    ("queue", "green"),
)


def context(
    prompt: Annotated[bool, typer.Option("--prompt", help="Print the exact body of the next request.")] = False,
    with_text: Annotated[str | None, typer.Option("--with", help="As if this were said next.", metavar="TEXT")] = None,
) -> None:
    """Show the context window. Nothing is written and nothing is sent.

    Examples:
        memgpt context

        memgpt context --prompt --with "Hello"

    """
    workspace = current.workspace()
    with workspace.peek_session() as session:
        if prompt:
            request, happenings = session.preview(with_text)
            for line in filter(None, map(describe, happenings)):
                notice(f"(first: {line})")
            print_json(session.agent.model.body(request))
            return
        shape = session.look(with_text, shapes.context)
    if current.json:
        print_json(shape)
    else:
        draw(shape)


def draw(shape: dict[str, Any]) -> None:
    """Draw the window as it stands."""
    from rich.text import Text

    console = out()
    width = max(20, min(72, console.width - 2))
    room = shape["window"]
    bar = Text()
    for part, style in _PARTS:
        bar.append("█" * round(width * shape["parts"][part] / room), style=style)
    bar.append("░" * max(0, width - len(bar) - round(width * shape["reserved"] / room)), style="dim")
    bar.append("▒" * (width - len(bar)), style="dim")
    say(f"{shape['agent']} · {shape['model']} · window {room:,} tokens")
    console.print(bar)
    for part, style in _PARTS:
        tokens = shape["parts"][part]
        label = part.replace("_", " ")
        console.print(Text.assemble(("█ ", style), f"{label:<14}{tokens:>9,}  {tokens / room:>6.1%}"))
    console.print(Text.assemble(("░ ", "dim"), f"{'free':<14}{shape['free']:>9,}  {shape['free'] / room:>6.1%}"))
    console.print(
        Text.assemble(("▒ ", "dim"), f"{'reserved':<14}{shape['reserved']:>9,}  {shape['reserved'] / room:>6.1%}")
    )
    counting = shape["counting"]
    how = "exact text" if counting["exact"] else "estimated"
    ratio = f", calibrated x{counting['ratio']:.2f}" if counting["ratio"] != 1.0 else ""
    say(
        f"pressure {shape['pressure']:.0%} · epoch {shape['epoch']} · {shape['messages_in_queue']} messages in the"
        f" queue, {shape['messages_total']} in all · counted with {counting['table']} ({how}{ratio})"
    )
