"""`memgpt memory log|diff|blame`: the versions of a block, and the origin of each line."""

from itertools import pairwise
from typing import Annotated

import typer

from memgpt_cli.cli.terminal.context import terminal_of
from memgpt_cli.cli.terminal.filters import Limit, Page
from memgpt_cli.cli.terminal.pages import page_of, tell_of_more
from memgpt_cli.domain.blocks import BlockVersion
from memgpt_cli.domain.messages import message_ref
from memgpt_cli.domain.times import for_people
from memgpt_cli.services import memory_shapes
from memgpt_cli.services.blocks import changed_lines

STYLES = {"+": "green", "-": "red"}
"""Styles of the lines of a difference."""


def labels(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the labels with this prefix, for completion."""
    with terminal_of(ctx).memory() as memory:
        return [block.label for block in memory.blocks.all() if block.label.startswith(incomplete)]


Label = Annotated[str, typer.Argument(help="The block.", autocompletion=labels)]


def log(
    ctx: typer.Context,
    label: Label,
    limit: Limit = 50,
    page: Page = 0,
) -> None:
    """List a block's versions, newest first: time, author, cause.

    Example:
        memgpt memory log human
    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        history = memory.blocks.history(label)[::-1]
        shown = page_of(history, limit=limit, page=page)
        causes = memory.causes(version.provenance for version in shown)

    def text() -> None:
        before = {v.block.version: older for v, older in pairwise(history)}
        for version in shown:
            when = for_people(version.at, terminal.zone)
            terminal.say(f"{version.block.version}  {when}  {causes.described(version.provenance)}", style="bold")
            for line in _changed(before.get(version.block.version), version):
                terminal.say(f"   {line}", style=STYLES.get(line[:1]))

    terminal.show([memory_shapes.version(version, causes) for version in shown], text)
    tell_of_more(terminal, len(history), limit=limit, page=page)


def diff(
    ctx: typer.Context,
    label: Label,
    before: Annotated[int | None, typer.Argument(help="A version; default: the version before B.", metavar="A")] = None,
    after: Annotated[int | None, typer.Argument(help="Another; default: the newest.", metavar="B")] = None,
) -> None:
    """Compare two versions of a block, by default those of the last change.

    Example:
        memgpt memory diff human
    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        found = memory.blocks.difference(label, before, after)

    def text() -> None:
        for line in found.lines:
            terminal.say(line, style=STYLES.get(line[:1]))
        if not found.lines:
            terminal.notice(f"versions {found.before} and {found.after} are equal")

    terminal.show(memory_shapes.diff(label, found.before, found.after, found.lines), text)


def blame(ctx: typer.Context, label: Label) -> None:
    """Show for each line of a block when it was added, by which author, and after which message.

    Example:
        memgpt memory blame human
    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        lines = memory.blocks.blame(label)
        causes = memory.causes(line.version.provenance for line in lines)

    def text() -> None:
        for line in lines:
            terminal.say(line.text or "(an empty line)")
            origin = f"version {line.version.block.version}, {for_people(line.version.at, terminal.zone)}"
            terminal.say(f"    {origin}, {causes.described(line.version.provenance)}", style="dim")
        if not lines:
            terminal.notice("it is empty")
        provenances = (line.version.provenance for line in lines)
        causing = next((p.message_id for p in provenances if p.message_id), None)
        if causing:
            terminal.notice(f"to see a message with its whole turn: memgpt recall show {message_ref(causing)}")

    terminal.show(memory_shapes.blame(lines, causes), text)


def _changed(before: BlockVersion | None, after: BlockVersion) -> list[str]:
    """Return the changed lines of a version."""
    if after.deleted:
        return ["deleted"]
    lines = [line for line in changed_lines(before, after) if line[:1] in STYLES]
    return lines or ["no change"]
