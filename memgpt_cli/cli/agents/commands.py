"""`memgpt agent`: create, show, rename, copy, export, import and delete agents."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from memgpt_cli.cli.agents.fields import readable, size_text
from memgpt_cli.cli.options import Command, agents_like
from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import Limit, Overwrite, Page, Yes
from memgpt_cli.cli.terminal.pages import Match, matching, page_of, tell_of_more
from memgpt_cli.cli.terminal.tables import table
from memgpt_cli.cli.terminal.texts import read_text
from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.blocks import Block
from memgpt_cli.domain.times import for_people, from_text
from memgpt_cli.errors import LimitError, StorageError, UsageError
from memgpt_cli.services.agent_settings import (
    AgentOption,
    AgentSettings,
    SettingsChanged,
    change_settings,
    clone_agent,
    new_config,
)
from memgpt_cli.services.agent_shapes import contents, describe
from memgpt_cli.services.workspaces import Workspace

app = typer.Typer(help="Create, show, copy and delete agents.", no_args_is_help=True)


Name = Annotated[str, typer.Argument(help="The agent.", autocompletion=agents_like)]
NewName = Annotated[str, typer.Argument(help="Letters, digits, - _ and .")]


@app.command("list", cls=Command)
def list_agents(ctx: typer.Context, match: Match = None, limit: Limit = 50, page: Page = 0) -> None:
    """List the agents: size on disk, messages, passages, last use.

    Example:
        memgpt agent list

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    shapes = []
    names = matching(workspace.agents.names(), match, name=str)
    for name in matching(workspace.agents.without_record(), match, name=str):
        terminal.notice(f"{name}: its folder is there, its record is not; memgpt agent delete {name} removes it")
    for name in page_of(names, limit=limit, page=page):
        try:
            shapes.append(describe(workspace, name))
        except StorageError as error:
            terminal.notice(f"{name}: {error.message}; run memgpt doctor")
    if terminal.json:
        terminal.print_json(shapes)
    elif not names:
        terminal.notice("there are no such agents" if match else "there are no agents yet; memgpt chat makes one")
    elif shapes:
        zone = workspace.settings.zone
        rows = [
            (
                s["name"],
                s["profile"] or s["model"] or "(configured)",
                str(s["messages"]),
                str(s["passages"]),
                size_text(s["bytes"]),
                for_people(from_text(s["last_used"]), zone) if s["last_used"] else "-",
            )
            for s in shapes
        ]
        table(terminal, ("name", "model", "messages", "passages", "size", "last used"), rows, wide="model")
    tell_of_more(terminal, len(names), limit=limit, page=page)


@app.command("create", cls=Command)
def create(
    ctx: typer.Context,
    name: NewName,
    persona: Annotated[str | None, typer.Option(help="Who it is: text, or @FILE.", metavar="TEXT|@FILE")] = None,
    human: Annotated[str, typer.Option(help="What it knows about you: text, or @FILE.", metavar="TEXT|@FILE")] = "",
    protocol: Annotated[Protocol | None, typer.Option(help="How it replies and continues.")] = None,
    block: Annotated[
        list[str] | None,
        typer.Option("--block", help="Another memory block (repeatable).", metavar="LABEL=TEXT|@FILE"),
    ] = None,
) -> None:
    """Create an agent; --model, --base-url and --window become its own.

    Example:

        memgpt agent create tutor --persona @tutor.md --model gpt-4.1 --block goals="Learn Portuguese"
    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    config = new_config(workspace, name, _given(terminal, protocol))
    workspace.new_agents.create(
        name,
        config=config,
        persona=None if persona is None else read_text(persona),
        human=read_text(human),
        blocks=[_block(typed, workspace) for typed in block or ()],
    )
    with workspace.memory(name) as memory:
        try:
            memory.check_window()
        except LimitError as error:  # another model may answer later, so the agent is created anyway
            terminal.notice(f"as things stand it cannot talk: {error.message}\nhint: {error.hint}")
    terminal.show(lambda: describe(workspace, name), f"created {name}; memgpt chat -a {name} begins a conversation")


@app.command("show", cls=Command)
def show(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="The agent; default: the selected one.", autocompletion=agents_like)
    ] = None,
) -> None:
    """Show one agent.

    Example:
        memgpt agent show tutor

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    shape = describe(workspace, name or workspace.agent_name)
    if terminal.json:
        terminal.print_json(shape)
        return
    changes, zone = shape.pop("changes"), workspace.settings.zone
    for key, value in shape.items():
        terminal.say(f"{key.replace('_', ' '):<12} {readable(key, value, zone)}")
    for change in changes:
        at = for_people(from_text(change["at"]), zone)
        terminal.say(f"{'changed':<12} {at}: {change['setting']} {change['before'] or '-'} -> {change['after'] or '-'}")


@app.command("set", cls=Command)
def set_settings(
    ctx: typer.Context,
    name: Name,
    protocol: Annotated[Protocol | None, typer.Option(help="How it replies and continues.")] = None,
    unset: Annotated[
        list[AgentOption] | None, typer.Option("--unset", help="Leave this setting to the configuration (repeatable).")
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="Leave model, base URL and window to it.")] = False,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Ask the endpoint whether it serves the model.")
    ] = True,
) -> None:
    """Change an agent's own settings: --model (a model or a profile), --base-url, --window, --protocol.

    They take precedence over the settings file. Nothing is changed if the agent's memory does not fit the window.

    Examples:
        memgpt agent set tutor --model local

        memgpt agent set tutor --window 16384 --protocol paper

        memgpt agent set tutor --unset window

        memgpt agent set tutor --default
    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    given, dropped = _given(terminal, protocol), set(AgentOption if default else unset or ())
    if given == AgentSettings() and not dropped:
        raise UsageError("there is nothing to change", hint=f"memgpt agent set {name} --model MODEL")
    changed = change_settings(workspace, name, given, unset=dropped, check=check)
    terminal.show(lambda: describe(workspace, name), lambda: _tell_changes(terminal, name, changed))


def _given(terminal: Terminal, protocol: Protocol | None = None) -> AgentSettings:
    """Return the settings of an agent given on the command line."""
    return AgentSettings(model=terminal.model, base_url=terminal.base_url, window=terminal.window, protocol=protocol)


def _tell_changes(terminal: Terminal, name: str, changed: SettingsChanged) -> None:
    if not changed.changes:
        terminal.notice(f"{name} has these settings already")
        return
    for change in changed.changes:
        terminal.say(f"{name}: {change.setting} {change.before or '(configured)'} -> {change.after or '(configured)'}")
    choice = changed.choice
    if choice is not None and choice.endpoint is not None and changed.moved:
        terminal.notice(f"its messages, with what it remembers, go to {choice.endpoint.host} from now on")
    if changed.new_epoch:
        terminal.notice("a new epoch begins with its next message")
    if changed.unchecked:
        terminal.notice(changed.unchecked)
    if changed.in_use:
        terminal.notice("another process is using the agent; it keeps the old settings until it ends")
    terminal.notice(f"to undo: memgpt agent set {name} {shlex.join(changed.undo)}")


@app.command("rename", cls=Command)
def rename(ctx: typer.Context, name: Name, new: NewName) -> None:
    """Give an agent another name.

    Example:
        memgpt agent rename tutor teacher

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    workspace.agents.open(name).close()
    workspace.check_name(new)
    with workspace.agents.lock(name, purpose="memgpt agent rename", since=workspace.clock.now()).acquire():
        workspace.agents.rename(name, new)
    if name == workspace.settings.agent:
        terminal.notice(f"{name} is the default agent; to change that: memgpt config set agent.name {new}")
    terminal.show(lambda: describe(workspace, new), f"{name} is called {new} now")


@app.command("clone", cls=Command)
def clone(
    ctx: typer.Context,
    name: Name,
    new: NewName,
    messages: Annotated[
        bool, typer.Option("--messages/--no-messages", help="Copy the messages too, or only the memory.")
    ] = True,
) -> None:
    """Make a second agent with the same memory, also while the first one talks.

    --model, --base-url and --window become its own.

    Example:

        memgpt agent clone tutor tutor-2 --no-messages
    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    clone_agent(workspace, name, new, _given(terminal), with_messages=messages)
    terminal.show(
        lambda: describe(workspace, new),
        f"created {new} as a copy of {name}" + ("" if messages else ", without messages"),
    )


@app.command("delete", cls=Command)
def delete(ctx: typer.Context, name: Name, yes: Yes = False) -> None:
    """Delete an agent with everything it remembers. This cannot be undone; it asks for the name.

    Example:
        memgpt agent delete tutor

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    what = contents(workspace, name)
    if not yes:
        _ask_for(terminal, name, f"This deletes agent {name} with {what} permanently. Type its name to continue: ")
    lock = workspace.agents.lock(name, purpose="memgpt agent delete", since=workspace.clock.now()).acquire()
    try:
        workspace.agents.delete(name)
    finally:
        lock.release()
    terminal.show({"deleted": name}, f"deleted {name}")


@app.command("export", cls=Command)
def export(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            help="The agent (default: the selected one) and the file to write.",
            metavar="[NAME] FILE",
            autocompletion=agents_like,
        ),
    ],
    overwrite: Overwrite = False,
) -> None:
    """Write an agent with everything it remembers into one file, also while it talks. See docs/memory.md.

    Example:

        memgpt agent export tutor tutor.memgpt
    """
    terminal = terminal_of(ctx)
    name, file = _named(words, terminal.workspace)
    export_agent(terminal, name, file, overwrite=overwrite)


def export_agent(terminal: Terminal, name: str, file: Path, *, overwrite: bool = False) -> None:
    """Write an agent into one file. Raises UsageError for an existing file, StorageError."""
    size = terminal.workspace.export_agent(name, file, overwrite=overwrite)
    shape = {"agent": name, "file": str(file), "bytes": size}
    terminal.show(shape, f"wrote {name} to {file} ({size_text(size)}), read back and checked")
    if not terminal.json:
        terminal.notice("the file holds everything the agent remembers; keys are not in it")


@app.command("import", cls=Command)
def import_file(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file written by agent export.", metavar="FILE")],
    name: Annotated[str | None, typer.Option("--as", help="A new name for the agent.", metavar="NAME")] = None,
    keep_endpoint: Annotated[
        bool, typer.Option("--keep-endpoint", help="Keep the endpoint that the file names.")
    ] = False,
) -> None:
    """Create an agent from a file. Everything in it is checked first, and no code in it is run.

    The agent's endpoint is omitted unless you ask for it, because the file may come from another person.

    Example:
        memgpt agent import tutor.memgpt --as teacher
    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    made, endpoint = workspace.new_agents.from_file(
        file, name, keep_endpoint=keep_endpoint, progress=lambda what, done: terminal.notice(f"{what}: {done:,} rows")
    )
    if endpoint and not keep_endpoint:
        terminal.notice(
            f"its endpoint {endpoint} was left out; to name one: memgpt agent set {made} --model MODEL --base-url URL"
        )
    terminal.show(lambda: describe(workspace, made), f"imported {made}; memgpt chat -a {made} continues with it")


def _named(words: list[str], workspace: Workspace) -> tuple[str, Path]:
    """Return the agent and the file of `[NAME] FILE`."""
    if len(words) > 2:  # noqa: PLR2004 - a name and a file
        raise UsageError(f"too many words: {' '.join(words)}", hint="memgpt agent export NAME FILE")
    name, file = workspace.agent_name if len(words) == 1 else words[0], Path(words[-1])
    if len(words) == 1 and not file.suffix and workspace.agents.exists(words[0]):
        raise UsageError(f"{file} is an agent, and no file is named", hint=f"memgpt agent export {file} {file}.memgpt")
    return name, file


def _ask_for(terminal: Terminal, name: str, question: str) -> None:
    import sys

    if not sys.stdin.isatty():
        raise UsageError("this needs a confirmation, and there is no terminal to ask at", hint="add --yes")
    terminal.err.print(plain(question), end="")
    if sys.stdin.readline().strip() != name:
        terminal.notice("nothing was deleted")
        raise typer.Exit(1)


def _block(typed: str, workspace: Workspace) -> Block:
    label, equals, text = typed.partition("=")
    if not equals:
        raise UsageError(f"--block {typed!r} has no text", hint='--block goals="Learn Portuguese"')
    return Block(label=label, value=read_text(text).strip(), limit=workspace.settings.memory.block_limit)
