"""`memgpt keys`: store API keys, typed or piped in, readable by their owner only and shown masked."""

import sys
from typing import Annotated

import typer

from memgpt_cli.cli.options import Command
from memgpt_cli.cli.terminal.context import terminal_of
from memgpt_cli.cli.terminal.filters import Yes
from memgpt_cli.cli.terminal.tables import table
from memgpt_cli.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Store, list and delete API keys.")

_PROVIDER_HELP = "openai, anthropic, or the host of another endpoint (openrouter.ai)."


@app.command("set", cls=Command)
def set_key(
    ctx: typer.Context, provider: Annotated[str, typer.Argument(metavar="PROVIDER", help=_PROVIDER_HELP)] = "openai"
) -> None:
    """Store a key, typed at a hidden prompt or piped in.

    Example:
        memgpt keys set openai
    """
    terminal = terminal_of(ctx)
    keys = terminal.workspace.keys
    entry = keys.set(provider, _read_key(provider))
    terminal.show(
        {"provider": entry.provider, "key": entry.masked, "where": entry.where},
        lambda: terminal.notice(f"{entry.provider}: {entry.masked} stored in {entry.where}"),
    )
    stronger = next((e for e in keys.entries() if e.provider == entry.provider and e.where != entry.where), None)
    if stronger is not None:
        terminal.notice(f"{stronger.where} is set too and takes precedence")


@app.command("list", cls=Command)
def list_keys(ctx: typer.Context) -> None:
    """List the stored keys, masked, and where they are stored.

    Example:
        memgpt keys list
    """
    terminal = terminal_of(ctx)
    entries = terminal.workspace.keys.entries()
    if terminal.json:
        terminal.print_json([{"provider": e.provider, "key": e.masked, "where": e.where} for e in entries])
    elif entries:
        table(terminal, ("provider", "key", "where"), [(e.provider, e.masked, e.where) for e in entries], wide="where")
    else:
        terminal.notice("no keys are stored; to store one: memgpt keys set openai")


@app.command("delete", cls=Command)
def delete(
    ctx: typer.Context,
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help=_PROVIDER_HELP)],
    yes: Yes = False,
) -> None:
    """Delete a stored key.

    Example:
        memgpt keys delete openai
    """
    terminal = terminal_of(ctx)
    keys = terminal.workspace.keys
    if not terminal.confirm(f"Delete the key of {provider}?", yes=yes):
        terminal.notice("nothing was deleted")
        raise typer.Exit(1)
    keys.delete(provider)
    terminal.show({"provider": provider, "deleted": True}, lambda: terminal.notice(f"the key of {provider} is deleted"))


def _read_key(provider: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    from getpass import getpass

    try:
        return getpass(f"API key for {provider} (it is not shown): ")
    except EOFError:
        raise UsageError("no key was typed", hint=f"memgpt keys set {provider}") from None
