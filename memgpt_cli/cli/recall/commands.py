"""`memgpt recall`: every message ever, listed, searched, shown, deleted, and carried in and out."""

from typing import Annotated

import typer

from memgpt_cli.cli import shapes
from memgpt_cli.cli.options import Command
from memgpt_cli.cli.recall import files as recall_files
from memgpt_cli.cli.recall import messages as recall_messages
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import Limit, Page, RoleOption, Since, Speaker, Until, recall_filters
from memgpt_cli.cli.terminal.hits import show_hits
from memgpt_cli.cli.terminal.tables import table
from memgpt_cli.cli.terminal.texts import one_line
from memgpt_cli.domain.messages import SPOKEN, Message, Role, message_ref
from memgpt_cli.domain.search import SearchResult
from memgpt_cli.domain.times import for_people
from memgpt_cli.external_context.display import page_for_people

_SHOWN = 300
"""Characters of a message in a list; `recall show` has all of it."""

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
) -> None:
    """List messages, newest first.

    Example:
        memgpt recall list --limit 20

    """
    terminal = terminal_of(ctx)
    filters = recall_filters(terminal, tuple(role) if role else tuple(Role), name=name, since=since, until=until)
    with terminal.workspace.memory() as memory:
        found = memory.store.messages.page(filters, limit=limit + 1, offset=page * limit)
    shown, more = found[:limit], len(found) > limit
    if terminal.json:
        terminal.print_json([shapes.message(message) for message in shown])
    elif shown:
        _table(terminal, shown)
    else:
        terminal.notice("there are no messages" + (f" on page {page}" if page else ""))
    if more:
        terminal.notice(f"there are more: --page {page + 1}")


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
    explain: Annotated[bool, typer.Option("--explain", help="Show what made each hit.")] = False,
) -> None:
    """Search messages by words and meaning, best first.

    Example:
        memgpt recall search "the trip to Kyoto"

    """
    terminal = terminal_of(ctx)
    filters = recall_filters(terminal, tuple(role) if role else SPOKEN, name=name, since=since, until=until)
    workspace = terminal.workspace
    with workspace.memory() as memory:
        vector = memory.recall.embed_query(query)

        def ranked(page: int, size: int) -> SearchResult[Message]:
            return memory.recall.search(query, filters, page=page, page_size=size, query_vector=vector)

        found = page_for_people(ranked, query, page, limit)
    if terminal.json:
        terminal.print_json(shapes.recall_result(query, found))
    else:
        show_hits(terminal, found, workspace.settings.zone, explain=explain, what="messages")


app.command("show", cls=Command)(recall_messages.show)
app.command("delete", cls=Command)(recall_messages.delete)
app.command("import", cls=Command)(recall_files.import_file)
app.command("export", cls=Command)(recall_files.export)


def _table(terminal: Terminal, messages: list[Message]) -> None:
    zone = terminal.workspace.settings.zone
    rows = [
        (
            message_ref(m.id),
            for_people(m.created_at, zone),
            m.name or m.role.value,
            one_line(m.text or _calls(m), _SHOWN),
        )
        for m in messages
    ]
    table(terminal, ("id", "time", "who", "text"), rows, wide="text")


def _calls(message: Message) -> str:
    return " ".join(f"{call.name}({call.arguments})" for call in message.calls)
