"""`memgpt recall`: list, search, show, delete, import and export messages."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from memgpt_cli.cli.options import Command
from memgpt_cli.cli.recall import files as recall_files
from memgpt_cli.cli.recall import messages as recall_messages
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import LARGEST, Limit, Page, RoleOption, Since, Speaker, Until
from memgpt_cli.cli.terminal.hits import heading, show_hits
from memgpt_cli.cli.terminal.tables import table
from memgpt_cli.domain.messages import SPOKEN, Message, Role, message_ref
from memgpt_cli.domain.times import for_people
from memgpt_cli.services import shapes
from memgpt_cli.services.wording import one_line

_SHOWN: Final = 300
"""Characters of a message in a list; `recall show` prints all of it."""

app = typer.Typer(help="Recall storage: all messages.", no_args_is_help=True)


@app.command("list", cls=Command)
def list_messages(
    ctx: typer.Context,
    limit: Limit = 50,
    page: Page = 0,
    role: RoleOption = None,
    name: Speaker = None,
    since: Since = None,
    until: Until = None,
    everything: Annotated[bool, typer.Option("--all", help="Function calls, their results and notices too.")] = False,
) -> None:
    """List what was said, newest first; with --all every message.

    Examples:
        memgpt recall list --limit 20

        memgpt recall list --all --json

    """
    roles = role or (tuple(Role) if everything else SPOKEN)
    list_newest(terminal_of(ctx), limit=limit, page=page, role=roles, name=name, since=since, until=until)


def list_newest(
    terminal: Terminal,
    *,
    limit: int = 50,
    page: int = 0,
    role: Sequence[Role] = SPOKEN,
    name: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> None:
    """Print messages, newest first. Raises UsageError for an invalid date."""
    with terminal.memory() as memory:
        filters = memory.messages.filters(role, name=name, since=since, until=until)
        found = memory.messages.recent(filters, limit=limit, page=page)
    if found.messages or terminal.json:
        terminal.show([shapes.message(message) for message in found.messages], lambda: _table(terminal, found.messages))
    else:
        terminal.notice("there are no messages" + (f" on page {page}" if page else ""))
    if found.more:
        terminal.notice(f"more: {terminal.command_for_page(page + 1)}")


def logs(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=LARGEST, help="Maximum number of messages.")] = 10,
    page: Page = 0,
    name: Speaker = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Show the last messages whole, oldest first, as a log.

    Examples:
        memgpt logs

        memgpt logs -n 50 --since 2026-03

    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        filters = memory.messages.filters(SPOKEN, name=name, since=since, until=until)
        found = memory.messages.recent(filters, limit=limit, page=page)
    said = found.messages[::-1]
    if not said and not terminal.json:
        terminal.notice("there are no messages" + (f" on page {page}" if page else ""))
        return
    terminal.show([shapes.message(message) for message in said], lambda: _log(terminal, said))
    if found.more:
        terminal.notice(f"earlier: {terminal.command_for_page(page + 1)}")


def _log(terminal: Terminal, messages: Sequence[Message]) -> None:
    for message in messages:
        terminal.say(heading(message, terminal.zone), style="bold")
        terminal.say(message.text.rstrip() + "\n")


@app.command("search", cls=Command)
def search(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="A question or words; empty lists newest first.")],
    limit: Limit = 10,
    page: Page = 0,
    role: RoleOption = None,
    name: Speaker = None,
    since: Since = None,
    until: Until = None,
    explain: Annotated[bool, typer.Option("--explain", help="Explain the score of each hit.")] = False,
) -> None:
    """Search messages by words and meaning, best first.

    Example:
        memgpt recall search "the trip to Kyoto"

    """
    search_messages(
        terminal_of(ctx),
        query,
        limit=limit,
        page=page,
        role=role,
        name=name,
        since=since,
        until=until,
        explain=explain,
    )


def search_messages(
    terminal: Terminal,
    query: str,
    *,
    limit: int = 10,
    page: int = 0,
    role: Sequence[Role] | None = None,
    name: str | None = None,
    since: str | None = None,
    until: str | None = None,
    explain: bool = False,
) -> None:
    """Search and print messages. Raises UsageError for an invalid date."""
    with terminal.memory() as memory:
        filters = memory.messages.filters(role or SPOKEN, name=name, since=since, until=until)
        found = memory.search.messages(query, filters, page=page, limit=limit)
    terminal.show(
        lambda: shapes.recall_result(query, found),
        lambda: show_hits(terminal, found, explain=explain, what="messages"),
    )


app.command("show", cls=Command)(recall_messages.show)
app.command("delete", cls=Command)(recall_messages.delete)
app.command("import", cls=Command)(recall_files.import_file)
app.command("export", cls=Command)(recall_files.export)


def _table(terminal: Terminal, messages: Sequence[Message]) -> None:
    rows = [
        (
            message_ref(m.id),
            for_people(m.created_at, terminal.zone),
            m.name or m.role.value,
            one_line(m.text or _calls(m), _SHOWN),
        )
        for m in messages
    ]
    table(terminal, ("id", "time", "who", "text"), rows, wide="text")


def _calls(message: Message) -> str:
    return " ".join(f"{call.name}({call.arguments})" for call in message.calls)
