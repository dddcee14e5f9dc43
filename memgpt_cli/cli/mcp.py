"""`memgpt mcp`: the server that gives other programs this memory, and its entry in their settings."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from memgpt_cli.cli.options import Command
from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.listening import listening
from memgpt_cli.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from typing import BinaryIO

    from memgpt_cli.mcp.clients import Installation

PORT: Final = 8642

app = typer.Typer(invoke_without_command=True)


@app.callback(invoke_without_command=True)
def mcp(
    ctx: typer.Context,
    http: Annotated[bool, typer.Option("--http", help="Serve over HTTP instead of standard input and output.")] = False,
    host: Annotated[str, typer.Option("--host", help="With --http: the address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="With --http: the port.")] = PORT,
    read_only: Annotated[bool, typer.Option("--read-only", help="Offer only the tools that read.")] = False,
    allow_forget: Annotated[
        bool, typer.Option("--allow-forget", help="Offer the tool that deletes permanently.")
    ] = False,
    tools: Annotated[
        str | None, typer.Option("--tools", help="Offer only these tools, comma-separated.", metavar="NAMES")
    ] = None,
) -> None:
    """Give other programs this memory (MCP).

    Claude, Codex, Cursor, VS Code and others use it over the Model Context Protocol. Clients start this command
    themselves; memgpt mcp install CLIENT writes the entry.

    Examples:

        memgpt mcp install claude-desktop

        memgpt mcp --agent work --read-only

        memgpt mcp --http --port 8642
    """
    terminal = terminal_of(ctx)
    if ctx.invoked_subcommand is not None:
        return
    if terminal.json:
        raise UsageError("mcp has no JSON output", hint="memgpt mcp install CLIENT --dry-run --json")
    _check_extra()
    if not http and sys.stdin.isatty():
        terminal.notice(
            "serving MCP on standard input and output; Ctrl-C ends it, memgpt mcp install CLIENT sets up a client"
        )
    from memgpt_cli.mcp.tools import chosen

    workspace = terminal.workspace
    agent = workspace.check_name(workspace.agent_name)
    names = [name.strip() for name in (tools or "").split(",") if name.strip()]
    offered = chosen(read_only=read_only, allow_forget=allow_forget, names=names)
    streams = None if http else (_protocol_input(), _protocol_output())
    from memgpt_cli.mcp import transports
    from memgpt_cli.mcp.indexing import IdleIndexing
    from memgpt_cli.mcp.server import MemoryServer

    indexing = None if read_only else IdleIndexing(workspace, agent)
    server = MemoryServer(workspace, agent, offered, indexing).protocol()
    if streams is not None:
        transports.serve_stdio(server, *streams)
    else:
        key = os.environ.get("MEMGPT_MCP_KEY") or None
        application = transports.http_app(server, host=host, key=key)
        address = listening(host, port)
        terminal.notice(f"serving MCP at http://{host}:{port}/mcp; Ctrl-C ends it")
        transports.serve_http(application, address)


def _protocol_input() -> BinaryIO:
    """Return standard input for the protocol only; other readers of this process find it empty from now on."""
    source = os.fdopen(os.dup(0), "rb")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return source


def _protocol_output() -> BinaryIO:
    """Return standard output for the protocol only; other output of this process goes to standard error from now on."""
    sys.stdout.flush()
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return output


def _check_extra() -> None:
    from importlib.util import find_spec

    if find_spec("mcp") is None:
        raise ConfigError("the MCP server needs the extra `mcp`", hint='pip install "memgpt-cli[mcp]"')


@app.command("install", cls=Command)
def install(
    ctx: typer.Context,
    client: Annotated[str, typer.Argument(help="claude-desktop, claude-code, codex, cursor, vscode, ...")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the change and write nothing.")] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="Offer only the tools that read.")] = False,
    allow_forget: Annotated[
        bool, typer.Option("--allow-forget", help="Offer the tool that deletes permanently.")
    ] = False,
) -> None:
    """Add this server to the settings of a client. Other entries stay, and the former file is kept beside it.

    Clients: claude-desktop, claude-code, codex, cursor, vscode, windsurf, zed, lm-studio.

    Examples:

        memgpt mcp install claude-desktop --dry-run

        memgpt mcp install codex --agent work
    """
    terminal = terminal_of(ctx)
    from memgpt_cli.mcp.clients import client as client_named
    from memgpt_cli.mcp.clients import entry, installation

    _check_extra()
    workspace = terminal.workspace
    chosen = client_named(client)
    flags = [*(["--read-only"] if read_only else []), *(["--allow-forget"] if allow_forget else [])]
    home = os.environ.get("MEMGPT_HOME")
    server = entry(
        _command(),
        ["--agent", workspace.check_name(workspace.agent_name), *flags],
        {"MEMGPT_HOME": str(Path(home).absolute())} if home else {},
    )
    change = installation(chosen, server, home=Path.home())
    kept = change.write() if change.changes and not dry_run else None
    if terminal.json:
        terminal.print_json({"client": client, "path": str(change.path), "changed": change.changes, "entry": server})
        return
    _tell(terminal, chosen.title, change, kept, dry_run=dry_run)


def _tell(terminal: Terminal, title: str, change: Installation, kept: Path | None, *, dry_run: bool) -> None:
    from difflib import unified_diff

    if not change.changes:
        terminal.say(f"{title} has this entry already: {change.path}")
        return
    lines = unified_diff(change.before.splitlines(), change.after.splitlines(), "before", "after", lineterm="", n=1)
    for line in lines:
        sys.stdout.write(plain(line) + "\n")
    if dry_run:
        terminal.notice(f"nothing was written; without --dry-run this changes {change.path}")
        return
    terminal.say(f"wrote {change.path}")
    if kept is not None:
        terminal.notice(f"the former file is {kept}")
    terminal.notice(f"restart {title} to use it")


def _command() -> Path:
    """Return the running program as an absolute path, independent of PATH."""
    typed = Path(sys.argv[0])
    return typed.absolute() if typed.name.startswith("memgpt") else Path(sys.executable).with_name("memgpt")
