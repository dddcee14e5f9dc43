"""`memgpt agent`: the agents of this machine."""

from pathlib import Path
from typing import Annotated, Any

import typer

from memgpt_cli.bootstrap import Workspace
from memgpt_cli.cli.console import confirm, notice, print_json, say, table
from memgpt_cli.cli.options import Command, current
from memgpt_cli.domain.agents import AgentConfig, Protocol
from memgpt_cli.domain.messages import Role
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import NotFoundError, UsageError

app = typer.Typer(help="Create, look at and delete agents.", no_args_is_help=True)


@app.command("list", cls=Command)
def list_agents() -> None:
    """List the agents."""
    workspace = current.workspace()
    shapes = [_describe(workspace, name) for name in workspace.agents.names()]
    if current.json:
        print_json(shapes)
    elif not shapes:
        notice("there are no agents yet; memgpt chat makes one")
    else:
        rows = [
            (
                s["name"],
                s["model"] or "(configured)",
                str(s["messages"]),
                str(s["passages"]),
                _bytes(s["bytes"]),
                s["last_used"] or "-",
            )
            for s in shapes
        ]
        table(("name", "model", "messages", "passages", "size", "last used"), rows)


@app.command("create", cls=Command)
def create(
    name: Annotated[str, typer.Argument(help="Letters, digits, - _ and .")],
    persona: Annotated[str | None, typer.Option(help="Who it is: text, or @FILE.", metavar="TEXT|@FILE")] = None,
    human: Annotated[str, typer.Option(help="What it knows about you: text, or @FILE.", metavar="TEXT|@FILE")] = "",
    protocol: Annotated[Protocol | None, typer.Option(help="How it speaks and goes on.")] = None,
) -> None:
    """Create an agent; --model, --base-url and --window become its own.

    Example:
        memgpt agent create tutor --persona @tutor.md --model gpt-4.1

    """
    workspace = current.workspace()
    config = AgentConfig(
        name=name,
        created_at=workspace.clock.now(),
        model=current.model,
        base_url=current.base_url,
        window=current.window,
        protocol=protocol or workspace.settings.loop.protocol,
    )
    workspace.create_agent(name, config=config, persona=None if persona is None else _text(persona), human=_text(human))
    if current.json:
        print_json(_describe(workspace, name))
    else:
        say(f"created {name}; memgpt chat -a {name} begins a conversation")


@app.command("show", cls=Command)
def show(name: Annotated[str | None, typer.Argument(help="The agent; default: the one in use.")] = None) -> None:
    """Show one agent."""
    workspace = current.workspace()
    shape = _describe(workspace, name or workspace.agent_name)
    if current.json:
        print_json(shape)
        return
    for key, value in shape.items():
        say(f"{key.replace('_', ' '):<12} {_bytes(value) if key == 'bytes' else value if value is not None else '-'}")


@app.command("delete", cls=Command)
def delete(
    name: Annotated[str, typer.Argument(help="The agent.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete an agent with everything it remembers. This cannot be undone."""
    workspace = current.workspace()
    if not workspace.agents.exists(name):
        raise NotFoundError(f"there is no agent {name!r}", hint="memgpt agent list")
    shape = _describe(workspace, name)
    question = f"Delete agent {name} with {shape['messages']} messages and {shape['passages']} passages?"
    if not confirm(question, yes=yes):
        notice("nothing was deleted")
        raise typer.Exit(1)
    lock = workspace.agents.lock(name, purpose="memgpt agent delete", since=workspace.clock.now()).acquire()
    try:
        workspace.agents.delete(name)
    finally:
        lock.release()
    if current.json:
        print_json({"deleted": name})
    else:
        say(f"deleted {name}")


def _describe(workspace: Workspace, name: str) -> dict[str, Any]:
    store = workspace.agents.open(name)
    try:
        config = store.config()
        newest = store.messages.page(RecallFilters(roles=tuple(Role)), limit=1)
        return {
            "name": config.name,
            "model": config.model,
            "base_url": config.base_url,
            "window": config.window,
            "protocol": config.protocol.value,
            "created_at": to_text(config.created_at),
            "last_used": to_text(newest[0].created_at) if newest else None,
            "messages": store.messages.count(),
            "passages": store.passages.count(),
            "blocks": [block.label for block in store.blocks.all()],
            "bytes": workspace.agents.size(name),
        }
    finally:
        store.close()


def _text(value: str) -> str:
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{value[1:]} cannot be read: {error}", hint="@FILE names a UTF-8 text file") from error


def _bytes(size: int) -> str:
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":  # noqa: PLR2004 - SI prefixes
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return ""
