"""`memgpt memory`: core memory blocks, read and written. A running chat notices each change at its next turn."""

from typing import Annotated, Any

import typer

from memgpt_cli.bootstrap import Memory
from memgpt_cli.cli import shapes
from memgpt_cli.cli.memory import history as memory_history
from memgpt_cli.cli.memory import shapes as memory_shapes
from memgpt_cli.cli.memory.history import Label, labels
from memgpt_cli.cli.memory.origins import Causes
from memgpt_cli.cli.memory.suggest import suggest
from memgpt_cli.cli.options import Command
from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import Limit as Lines
from memgpt_cli.cli.terminal.filters import Page
from memgpt_cli.cli.terminal.pages import Match, matching, page_of, tell_of_more
from memgpt_cli.cli.terminal.tables import table
from memgpt_cli.cli.terminal.texts import one_line, read_text
from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.domain.times import for_people
from memgpt_cli.errors import UsageError

app = typer.Typer(help="Core memory: what the model always sees.", no_args_is_help=True)

Text = Annotated[str, typer.Argument(help="The text; @FILE reads a file, - standard input.", metavar="TEXT|@FILE|-")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Its limit in characters.", metavar="N")]
Description = Annotated[str | None, typer.Option("--description", help="Its purpose; the model sees this.")]


@app.command("list", cls=Command)
def list_blocks(ctx: typer.Context, match: Match = None, limit: Lines = 50, page: Page = 0) -> None:
    """List the blocks: how full they are, and who changed each last.

    Example:
        memgpt memory list

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    with workspace.memory() as memory:
        found = matching(memory.store.blocks.all(), match, name=lambda block: block.label)
        shown = page_of(found, limit=limit, page=page)
        versions = memory.store.blocks.version
        newest = [found_now for block in shown if (found_now := versions(block.label, block.version)) is not None]
        causes = Causes(memory.store, [version.provenance for version in newest])
    if terminal.json:
        terminal.print_json([memory_shapes.listed(version, causes) for version in newest])
        tell_of_more(terminal, len(found), limit=limit, page=page)
        return
    rows = [
        (
            v.block.label + (" (read-only)" if v.block.read_only else ""),
            f"{len(v.block.value)}/{v.block.limit}",
            str(v.block.version),
            for_people(v.at, workspace.settings.zone),
            v.provenance.author.value,
            one_line(v.block.description),
        )
        for v in newest
    ]
    if rows:
        table(terminal, ("label", "characters", "version", "changed", "by", "for"), rows, wide="for")
    elif not found:
        terminal.notice("there are no such blocks" if match else "there are no blocks")
    tell_of_more(terminal, len(found), limit=limit, page=page)


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
    terminal = terminal_of(ctx)
    if version is not None and label is None:
        raise UsageError("--version needs a block", hint=f"memgpt memory show human --version {version}")
    with terminal.workspace.memory() as memory:
        if version is not None and label is not None:
            blocks = [memory.core_memory.version(label, version).block]
        elif label is not None:
            blocks = [memory.core_memory.block(label)]
        else:
            blocks = memory.store.blocks.all()
    if terminal.json:
        terminal.print_json([shapes.block(block) for block in blocks])
        return
    for block in blocks:
        terminal.say(_heading(block), style="bold")
        terminal.say(block.value or "(empty)")
        terminal.say("")


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
    with _writing(terminal) as memory:
        limit = limit or terminal.workspace.settings.memory.block_limit
        new = Block(label=label, limit=limit, description=description or "", read_only=read_only, value=read_text(text))
        _report(terminal, memory.core_memory.create(new, _by("create")))


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
    terminal = terminal_of(ctx)
    if text is None and limit is None and description is None and read_only is None:
        raise UsageError(
            "there is nothing to set", hint=f"memgpt memory set {label} TEXT, or memgpt memory edit {label}"
        )
    with _writing(terminal) as memory:
        value = None if text is None else read_text(text)
        changed = memory.core_memory.change(
            label, _by("set"), value=value, limit=limit, description=description, read_only=read_only
        )
        _report(terminal, changed)


@app.command("append", cls=Command)
def append(ctx: typer.Context, label: Label, text: Text) -> None:
    """Add a line at the end of a block.

    Example:

        memgpt memory append human "Allergic to nuts"
    """
    terminal = terminal_of(ctx)
    content = read_text(text).strip()
    if not content:
        raise UsageError("there is nothing to append", hint=f'memgpt memory append {label} "Allergic to nuts"')
    with _writing(terminal) as memory:
        _report(terminal, memory.core_memory.append(label, content, _by("append")))


@app.command("edit", cls=Command)
def edit(ctx: typer.Context, label: Label) -> None:
    """Edit a block in $VISUAL or $EDITOR and show what changed.

    What does not fit, or what somebody else changed meanwhile, is refused, and your text is kept in a file.

    Example:
        memgpt memory edit human

    """
    terminal = terminal_of(ctx)
    from memgpt_cli.cli.terminal.editor import edited

    with _writing(terminal) as memory:
        block = memory.core_memory.block(label)
        with edited(
            terminal,
            memory.draft(label),
            block.value,
            otherwise=f"memgpt memory set {label} TEXT, @FILE or - for standard input",
            again=lambda path: f"memgpt memory set {label} @{path}",
        ) as text:
            if text == block.value:
                terminal.notice("nothing was changed")
                if terminal.json:
                    _report(terminal, block)
                return
            changed = _take_over(memory, block, text)
        _show_change(terminal, memory, changed)
        _report(terminal, changed)


@app.command("delete", cls=Command)
def delete(ctx: typer.Context, label: Label) -> None:
    """Delete a block. It leaves a tombstone with all its versions: memgpt undo, or memory restore, brings it back.

    Example:
        memgpt memory delete goals

    """
    terminal = terminal_of(ctx)
    with _writing(terminal) as memory:
        gone = memory.core_memory.delete(label, _by("delete"))
    if terminal.json:
        terminal.print_json({"deleted": gone.label, "version": gone.version + 1})
    else:
        terminal.say(f"deleted {gone.label}; memgpt undo brings it back")


app.command("suggest", cls=Command)(suggest)
app.command("log", cls=Command)(memory_history.log)
app.command("diff", cls=Command)(memory_history.diff)
app.command("blame", cls=Command)(memory_history.blame)


@app.command("restore", cls=Command)
def restore(
    ctx: typer.Context,
    label: Label,
    version: Annotated[int, typer.Argument(help="The version to go back to; see memory log.")],
) -> None:
    """Make an old version of a block current, as a new version. Works for deleted blocks too.

    Example:
        memgpt memory restore human 2

    """
    terminal = terminal_of(ctx)
    with _writing(terminal) as memory:
        before = memory.store.blocks.get(label)
        restored = memory.core_memory.restore(label, version, _by(f"restore {version}"))
        if before is not None and before.version == restored.version:
            terminal.notice(f"{label} says that already; nothing was changed")
        else:
            _show_change(terminal, memory, restored)
        _report(terminal, restored)


def _writing(terminal: Terminal) -> Any:
    """The agent's memory; the default agent is made on first use, as the first message would."""
    workspace = terminal.workspace
    workspace.new_agents.ensure(workspace.agent_name)
    return workspace.memory()


def _by(command: str) -> Provenance:
    return Provenance(author=Author.USER, command=f"memory {command}")


def _take_over(memory: Memory, before: Block, text: str) -> Block:
    with memory.store.transaction():
        if memory.core_memory.block(before.label).version != before.version:
            raise UsageError(f"block {before.label} was changed while you edited it")
        return memory.core_memory.change(before.label, _by("edit"), value=text)


def _show_change(terminal: Terminal, memory: Memory, block: Block) -> None:
    from memgpt_cli.main_context.block_history import difference

    before, after = (memory.store.blocks.version(block.label, n) for n in (block.version - 1, block.version))
    for line in difference(before, after) if after else ():
        terminal.notice(line, style=memory_history.STYLES.get(line[:1], "dim"))


def _report(terminal: Terminal, block: Block) -> None:
    if terminal.json:
        terminal.print_json(shapes.block(block))
    else:
        terminal.out.print(plain(f"{_heading(block)}, version {block.version}"))


def _heading(block: Block) -> str:
    flag = ", read-only" if block.read_only else ""
    return f"{block.label} ({len(block.value)}/{block.limit} characters{flag})"
