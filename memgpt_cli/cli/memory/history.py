"""`memgpt memory log|diff|blame`: what a block was, and where each line of it came from."""

from itertools import pairwise
from typing import Annotated

import typer

from memgpt_cli.cli.memory import shapes as memory_shapes
from memgpt_cli.cli.memory.origins import Causes
from memgpt_cli.cli.terminal.context import terminal_of
from memgpt_cli.cli.terminal.filters import Limit, Page
from memgpt_cli.cli.terminal.pages import page_of, tell_of_more
from memgpt_cli.domain.blocks import BlockVersion
from memgpt_cli.domain.messages import message_ref
from memgpt_cli.domain.times import for_people

STYLES = {"+": "green", "-": "red"}
"""How lines of a difference look."""


def labels(ctx: typer.Context, incomplete: str) -> list[str]:
    """The labels that begin so, for completion."""
    terminal = terminal_of(ctx)
    with terminal.workspace.memory() as memory:
        return [block.label for block in memory.store.blocks.all() if block.label.startswith(incomplete)]


Label = Annotated[str, typer.Argument(help="The block.", autocompletion=labels)]


def log(
    ctx: typer.Context,
    label: Label,
    limit: Limit = 50,
    page: Page = 0,
) -> None:
    """List a block's versions, newest first: when, by whom, because of what.

    Example:
        memgpt memory log human

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    with workspace.memory() as memory:
        history = memory.core_memory.history(label)[::-1]
        shown = page_of(history, limit=limit, page=page)
        causes = Causes(memory.store, [version.provenance for version in shown])
    if terminal.json:
        terminal.print_json([memory_shapes.version(version, causes) for version in shown])
    else:
        zone = workspace.settings.zone
        before = {v.block.version: older for v, older in pairwise(history)}
        for version in shown:
            terminal.say(
                f"{version.block.version}  {for_people(version.at, zone)}  {causes.told(version.provenance)}",
                style="bold",
            )
            for line in _changed(before.get(version.block.version), version):
                terminal.say(f"   {line}", style=STYLES.get(line[:1]))
    tell_of_more(terminal, len(history), limit=limit, page=page)


def diff(
    ctx: typer.Context,
    label: Label,
    before: Annotated[int | None, typer.Argument(help="A version; default: the one before B.", metavar="A")] = None,
    after: Annotated[int | None, typer.Argument(help="Another; default: the newest.", metavar="B")] = None,
) -> None:
    """Compare two versions of a block, by default the last change.

    Example:
        memgpt memory diff human

    """
    terminal = terminal_of(ctx)
    from memgpt_cli.main_context.block_history import difference

    with terminal.workspace.memory() as memory:
        history = memory.core_memory.history(label)
        new = history[-1] if after is None else memory.core_memory.version(label, after)
        number = new.block.version - 1 if before is None else before
        old = None if number == 0 else memory.core_memory.version(label, number)
    lines = difference(old, new)
    if terminal.json:
        terminal.print_json(memory_shapes.diff(label, number, new.block.version, lines))
        return
    for line in lines:
        terminal.say(line, style=STYLES.get(line[:1]))
    if not lines:
        terminal.notice(f"versions {number} and {new.block.version} say the same")


def blame(ctx: typer.Context, label: Label) -> None:
    """Show for each line of a block when it came, by whom, and after which message.

    Example:
        memgpt memory blame human

    """
    terminal = terminal_of(ctx)
    from memgpt_cli.main_context.block_history import blame as blamed

    workspace = terminal.workspace
    with workspace.memory() as memory:
        memory.core_memory.block(label)
        lines = blamed(memory.store.blocks.history(label))
        causes = Causes(memory.store, [line.version.provenance for line in lines])
    if terminal.json:
        terminal.print_json(memory_shapes.blame(lines, causes))
        return
    zone = workspace.settings.zone
    for line in lines:
        terminal.say(line.text or "(an empty line)")
        origin = f"version {line.version.block.version}, {for_people(line.version.at, zone)}"
        terminal.say(f"    {origin}, {causes.told(line.version.provenance)}", style="dim")
    if not lines:
        terminal.notice("it is empty")
    causing = next((line.version.provenance.message_id for line in lines if line.version.provenance.message_id), None)
    if causing:
        terminal.notice(f"to see a message with its whole turn: memgpt recall show {message_ref(causing)}")


def _changed(before: BlockVersion | None, after: BlockVersion) -> list[str]:
    """What a version changed, without what stayed."""
    from memgpt_cli.main_context.block_history import difference

    if after.deleted:
        return ["deleted"]
    lines = [line for line in difference(before, after) if line[:1] in STYLES]
    return lines or ["no change"]
