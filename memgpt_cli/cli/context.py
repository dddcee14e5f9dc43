"""`memgpt context`: the window by part, in tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import LARGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memgpt_cli.domain.agents import Filling

_PARTS = (
    ("instructions", "cyan"),
    ("functions", "blue"),
    ("core_memory", "magenta"),
    ("summary", "yellow"),
    ("queue", "green"),
)
_COLUMN = " ▁▂▃▄▅▆▇█"
_ROWS = 10


def context(
    ctx: typer.Context,
    prompt: Annotated[bool, typer.Option("--prompt", help="Print the exact body of the next request.")] = False,
    with_text: Annotated[
        str | None, typer.Option("--with", help="Assume this message is sent next.", metavar="TEXT")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Show how the window filled and was evicted, turn by turn.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=LARGEST, help="Turns shown by --history.")] = 50,
) -> None:
    """Show the context window. Nothing is written and nothing is sent.

    Examples:

        memgpt context

        memgpt context --history

        memgpt context --prompt --with "Hello"
    """
    show_context(terminal_of(ctx), prompt=prompt, with_text=with_text, history=history, limit=limit)


def show_context(
    terminal: Terminal,
    *,
    prompt: bool = False,
    with_text: str | None = None,
    history: bool = False,
    limit: int = 50,
) -> None:
    """Print the window, the exact next request, or how the window filled."""
    from memgpt_cli.cli.chat.turns import describe
    from memgpt_cli.services import shapes

    if history:
        _show_history(terminal, limit)
        return
    with terminal.workspace.sessions.peek() as session:
        if prompt:
            request, happenings = session.preview(with_text)
            for line in filter(None, map(describe, happenings)):
                terminal.notice(f"(first: {line})")
            terminal.print_json(session.agent.model.body(request))
            return
        shape = session.look(with_text, shapes.context)
    terminal.show(shape, lambda: draw(terminal, shape))


def _show_history(terminal: Terminal, limit: int) -> None:
    from memgpt_cli.services import shapes

    with terminal.memory() as memory:
        found = memory.fillings(limit=limit + 1)
    fillings = found[-limit:]
    terminal.show([shapes.filling(item) for item in fillings], lambda: _plot(terminal, fillings))
    if len(found) > limit:
        terminal.notice(f"there are earlier turns: --limit {2 * limit}")


def draw(terminal: Terminal, shape: dict[str, Any]) -> None:
    """Print the window as a bar, its parts in numbers, and its cost."""
    from rich.text import Text

    console = terminal.out
    width = max(20, min(72, console.width - 2))
    room = shape["window"]
    bar = Text()
    for part, style in _PARTS:
        bar.append("█" * round(width * shape["parts"][part] / room), style=style)
    bar.append("░" * max(0, width - len(bar) - round(width * shape["reserved"] / room)), style="dim")
    bar.append("▒" * (width - len(bar)), style="dim")
    terminal.say(f"{shape['agent']} · {shape['model']} · window {room:,} tokens ({shape['window_from']})")
    console.print(bar)
    rows = [("█ ", style, part.replace("_", " "), shape["parts"][part]) for part, style in _PARTS]
    rows += [("░ ", "dim", "free", shape["free"]), ("▒ ", "dim", "reserved", shape["reserved"])]
    for mark, style, label, tokens in rows:
        console.print(Text.assemble((mark, style), f"{label:<14}{tokens:>9,}  {tokens / room:>6.1%}"))
    terminal.say(
        f"pressure {shape['pressure']:.0%} · epoch {shape['epoch']} · {shape['messages_in_queue']} messages in the"
        f" queue, {shape['messages_total']} in all · {_counting(shape['counting'])}"
    )
    if shape["last_prompt"]:
        terminal.say(_cached(shape["last_prompt"]))
    for what, totals in shape["totals"].items():
        terminal.say(f"{'this ' if what != 'all' else ''}{what:<{6 if what != 'all' else 11}}{_spent(totals)}")


def _counting(counting: dict[str, Any]) -> str:
    how = "exact text" if counting["exact"] else "estimated"
    ratio = f", calibrated x{counting['ratio']:.2f}" if counting["ratio"] != 1.0 else ""
    return f"counted with {counting['table']} ({how}{ratio})"


def _cached(prompt: dict[str, Any]) -> str:
    share = prompt["repeated"] / max(1, prompt["tokens"])
    reported = "" if prompt["cached"] is None else f"; {prompt['cached']:,} read from the server's cache"
    return f"last prompt: {prompt['tokens']:,} tokens, {share:.0%} unchanged from the previous one{reported}"


def _spent(totals: dict[str, Any]) -> str:
    cost = "price unknown" if totals["cost_usd"] is None else f"${totals['cost_usd']:.4f}"
    return (
        f"{totals['calls']:>6,} calls  {totals['prompt_tokens']:>11,} in ({totals['cached_tokens']:,} cached)"
        f"  {totals['completion_tokens']:>9,} out  {cost}"
    )


def _plot(terminal: Terminal, fillings: Sequence[Filling]) -> None:
    """Print one column per turn, as high as its last prompt; `v` marks turns with an eviction."""
    if not fillings:
        terminal.notice("no turn has been answered yet")
        return
    shown = fillings[-max(10, terminal.out.width - 12) :]
    top = max(f.prompt_tokens for f in shown)
    for row in range(_ROWS, 0, -1):
        eighths = (min(8, max(0, round((f.prompt_tokens / top * _ROWS - row + 1) * 8))) for f in shown)
        axis = f"{top * row // _ROWS:>9,} " if row in {_ROWS, _ROWS // 2} else " " * 10
        terminal.say(axis + "".join(_COLUMN[n] for n in eighths))
    terminal.say(" " * 10 + "".join("v" if f.evicted else "─" for f in shown))
    gone = sum(f.evicted for f in shown)
    terminal.say(
        f"turns {shown[0].turn} to {shown[-1].turn}, tokens of each turn's last prompt; v: evicted ({gone} messages)"
    )
