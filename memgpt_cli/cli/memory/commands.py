"""`memgpt memory`: read and write core memory blocks. A running chat sees each change at its next turn."""

from typing import Annotated

import typer

from memgpt_cli.cli.memory import history as memory_history
from memgpt_cli.cli.memory.history import Label, labels
from memgpt_cli.cli.memory.suggest import suggest
from memgpt_cli.cli.options import Command
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import LARGEST, Page, Yes
from memgpt_cli.cli.terminal.filters import Limit as Lines
from memgpt_cli.cli.terminal.pages import Match, matching, page_of, tell_of_more
from memgpt_cli.cli.terminal.tables import table
from memgpt_cli.cli.terminal.texts import read_text
from memgpt_cli.domain.blocks import Block, BlockVersion
from memgpt_cli.domain.times import for_people
from memgpt_cli.errors import UsageError
from memgpt_cli.services import memory_shapes, shapes
from memgpt_cli.services.memory import AgentMemory
from memgpt_cli.services.wording import one_line

app = typer.Typer(help="Core memory: what the model always sees.", no_args_is_help=True)

Text = Annotated[str, typer.Argument(help="The text; @FILE reads a file, - standard input.", metavar="TEXT|@FILE|-")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, max=LARGEST, help="Its limit in characters.", metavar="N")]
Description = Annotated[str | None, typer.Option("--description", help="Its purpose; the model sees this.")]


@app.command("list", cls=Command)
def list_blocks(ctx: typer.Context, match: Match = None, limit: Lines = 50, page: Page = 0) -> None:
    """List the blocks: how full they are, and who changed each one last.

    Example:
        memgpt memory list
    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        found = matching(memory.blocks.all(), match, name=lambda block: block.label)
        newest = memory.blocks.last_changes(page_of(found, limit=limit, page=page))
        causes = memory.causes(version.provenance for version in newest)
    if newest or terminal.json:
        shown = [memory_shapes.listed(version, causes) for version in newest]
        terminal.show(shown, lambda: _table(terminal, newest))
    elif not found:
        terminal.notice("there are no such blocks" if match else "there are no blocks")
    tell_of_more(terminal, len(found), limit=limit, page=page)


def _table(terminal: Terminal, versions: list[BlockVersion]) -> None:
    rows = [
        (
            v.block.label + (" (read-only)" if v.block.read_only else ""),
            f"{len(v.block.value)}/{v.block.limit}",
            str(v.block.version),
            for_people(v.at, terminal.zone),
            v.provenance.author.value,
            one_line(v.block.description),
        )
        for v in versions
    ]
    table(terminal, ("label", "characters", "version", "changed", "by", "for"), rows, wide="for")


@app.command("show", cls=Command)
def show(
    ctx: typer.Context,
    label: Annotated[str | None, typer.Argument(help="One block; default: all.", autocompletion=labels)] = None,
    version: Annotated[int | None, typer.Option("--version", help="Show this version.", metavar="N")] = None,
) -> None:
    """Show the blocks, or one of them, as the model sees them or as one was.

    Examples:
        memgpt memory show

        memgpt memory show human --json

    """
    show_blocks(terminal_of(ctx), label, version)


def show_blocks(terminal: Terminal, label: str | None, version: int | None = None) -> None:
    """Print one block, an old version of it, or all blocks. Raises UsageError for a version without a block."""
    if version is not None and label is None:
        raise UsageError("--version needs a block", hint=f"memgpt memory show human --version {version}")
    with terminal.memory() as memory:
        blocks = memory.blocks.all() if label is None else [memory.blocks.get(label, version)]

    def text() -> None:
        for block in blocks:
            terminal.say(_heading(block), style="bold")
            terminal.say(block.value or "(empty)")
            terminal.say("")

    terminal.show([shapes.block(block) for block in blocks], text)


@app.command("create", cls=Command)
def create(
    ctx: typer.Context,
    label: Annotated[str, typer.Argument(help="Its label: letters, digits, - _ and .")],
    text: Text = "",
    limit: Limit = None,
    description: Description = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="The model can read it but not write it.")] = False,
) -> None:
    """Make a new block.

    Example:

        memgpt memory create project "Thesis, due in June" --description "what we work on" --limit 1000
    """
    terminal = terminal_of(ctx)
    with terminal.memory(create=True) as memory:
        made = memory.blocks.create(
            label, read_text(text), limit=limit, description=description or "", read_only=read_only
        )
    _report(terminal, made)


@app.command("set", cls=Command)
def set_block(
    ctx: typer.Context,
    label: Label,
    text: Annotated[str | None, typer.Argument(help="The new text.", metavar="TEXT|@FILE|-")] = None,
    limit: Limit = None,
    description: Description = None,
    read_only: Annotated[
        bool | None, typer.Option("--read-only/--writable", help="Whether the model can only read it.")
    ] = None,
) -> None:
    """Replace a block's text, or change its limit, description or read-only flag.

    Examples:

        memgpt memory set human "Ada, lives in Lisbon"

        memgpt memory set persona --read-only --limit 3000
    """
    if text is None and limit is None and description is None and read_only is None:
        raise UsageError(
            "there is nothing to set", hint=f"memgpt memory set {label} TEXT, or memgpt memory edit {label}"
        )
    terminal = terminal_of(ctx)
    with terminal.memory(create=True) as memory:
        value = None if text is None else read_text(text)
        changed = memory.blocks.change(label, text=value, limit=limit, description=description, read_only=read_only)
    _report(terminal, changed)


@app.command("append", cls=Command)
def append(ctx: typer.Context, label: Label, text: Text) -> None:
    """Add a line at the end of a block.

    Example:

        memgpt memory append human "Allergic to nuts"
    """
    content = read_text(text).strip()
    if not content:
        raise UsageError("there is nothing to append", hint=f'memgpt memory append {label} "Allergic to nuts"')
    terminal = terminal_of(ctx)
    with terminal.memory(create=True) as memory:
        changed = memory.blocks.append(label, content)
    _report(terminal, changed)


@app.command("edit", cls=Command)
def edit(ctx: typer.Context, label: Label) -> None:
    """Edit a block in $VISUAL or $EDITOR and show what changed.

    A text that is too long, or a block that was changed meanwhile, is refused, and your text is kept in a file.

    Example:
        memgpt memory edit human
    """
    edit_block(terminal_of(ctx), label)


def edit_block(terminal: Terminal, label: str) -> None:
    """Edit a block in the user's editor. Raises NotFoundError, UsageError, LimitError."""
    from memgpt_cli.cli.terminal.editor import edited

    with terminal.memory(create=True) as memory:
        block = memory.blocks.get(label)
        with edited(
            terminal,
            memory.blocks.draft(label),
            block.value,
            otherwise=f"memgpt memory set {label} TEXT, @FILE or - for standard input",
            again=lambda path: f"memgpt memory set {label} @{path}",
        ) as text:
            if text == block.value:
                terminal.notice("nothing was changed")
                if terminal.json:
                    _report(terminal, block)
                return
            changed = memory.blocks.edit(block, text)
        _show_change(terminal, memory, changed)
    _report(terminal, changed)


@app.command("delete", cls=Command)
def delete(ctx: typer.Context, label: Label, yes: Yes = False) -> None:  # noqa: ARG001 - as for the other deletions
    """Delete a block. It leaves a tombstone with all its versions: memgpt undo, or memory restore, brings it back.

    Example:
        memgpt memory delete goals

    """
    terminal = terminal_of(ctx)
    with terminal.memory(create=True) as memory:
        gone = memory.blocks.delete(label)
    shape = {"deleted": gone.label, "version": gone.version + 1}
    terminal.show(shape, f"deleted {gone.label}; memgpt undo brings it back")


app.command("suggest", cls=Command)(suggest)
app.command("log", cls=Command)(memory_history.log)
app.command("diff", cls=Command)(memory_history.diff)
app.command("blame", cls=Command)(memory_history.blame)


@app.command("restore", cls=Command)
def restore(
    ctx: typer.Context,
    label: Label,
    version: Annotated[int, typer.Argument(help="The version to restore; see memory log.")],
) -> None:
    """Make an old version of a block current, as a new version. Works for deleted blocks too.

    Example:
        memgpt memory restore human 2

    """
    terminal = terminal_of(ctx)
    with terminal.memory(create=True) as memory:
        restored, changed = memory.blocks.restore(label, version)
        if changed:
            _show_change(terminal, memory, restored)
        else:
            terminal.notice(f"{label} says that already; nothing was changed")
    _report(terminal, restored)


def _show_change(terminal: Terminal, memory: AgentMemory, block: Block) -> None:
    for line in memory.blocks.change_to(block):
        terminal.notice(line, style=memory_history.STYLES.get(line[:1], "dim"))


def _report(terminal: Terminal, block: Block) -> None:
    terminal.show(shapes.block(block), f"{_heading(block)}, version {block.version}")
    terminal.name_secrets(block.value)


def _heading(block: Block) -> str:
    flag = ", read-only" if block.read_only else ""
    return f"{block.label} ({len(block.value)}/{block.limit} characters{flag})"
