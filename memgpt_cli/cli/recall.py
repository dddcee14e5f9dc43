"""`memgpt recall`: every message ever, listed and searched."""

from datetime import datetime
from typing import Annotated

import typer

from memgpt_cli.cli import shapes
from memgpt_cli.cli.console import notice, print_json, say, table
from memgpt_cli.cli.options import Command, current
from memgpt_cli.domain.messages import SPOKEN, Message, Role, message_ref
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.domain.times import for_people, span
from memgpt_cli.errors import UsageError

app = typer.Typer(help="Recall storage: every message ever.", no_args_is_help=True)

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")]
Page = Annotated[int, typer.Option("--page", min=0, help="Which page, from 0.")]
Since = Annotated[
    str | None, typer.Option("--since", help="From this day on (2024, 2024-03, 2024-03-31).", metavar="DATE")
]
Until = Annotated[str | None, typer.Option("--until", help="To the end of this day.", metavar="DATE")]
RoleOption = Annotated[list[Role] | None, typer.Option("--role", help="Only this role; may be given again.")]
Speaker = Annotated[str | None, typer.Option("--name", help="Only this speaker.", metavar="SPEAKER")]


@app.command("list", cls=Command)
def list_messages(
    limit: Limit = 50,
    page: Page = 0,
    role: RoleOption = None,
    name: Speaker = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """List messages, newest first."""
    filters = _filters(tuple(role) if role else tuple(Role), name, since, until)
    with current.workspace().memory() as memory:
        found = memory.store.messages.page(filters, limit=limit + 1, offset=page * limit)
    shown, more = found[:limit], len(found) > limit
    if current.json:
        print_json([shapes.message(message) for message in shown])
    else:
        _table(shown)
    if more:
        notice(f"there are more: --page {page + 1}")


@app.command("search", cls=Command)
def search(
    query: Annotated[str, typer.Argument(help="A question or words; empty lists newest first.")],
    limit: Limit = 10,
    page: Page = 0,
    role: RoleOption = None,
    name: Speaker = None,
    since: Since = None,
    until: Until = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show what made each hit.")] = False,
) -> None:
    """Search messages by words and meaning, best first."""
    filters = _filters(tuple(role) if role else SPOKEN, name, since, until)
    workspace = current.workspace()
    with workspace.memory() as memory:
        vector = memory.recall.embed_query(query)
        found = memory.recall.search(query, filters, page=page, page_size=limit, query_vector=vector)
    if current.json:
        print_json(shapes.recall_result(query, found))
        return
    zone = workspace.settings.zone
    for hit in found.hits:
        who = hit.item.name or hit.item.role.value
        head = f"{message_ref(hit.item.id)}  {for_people(hit.item.created_at, zone)}  {who}"
        say(head + (f"  score {hit.score:.2f}" if found.ranked else ""), style="bold")
        say(f"  {hit.item.text}")
        if explain:
            signals = ", ".join(f"{k} {v:.2f}" for k, v in hit.why.signals.items() if v)
            say(
                f"  why: {signals}; words: {', '.join(hit.why.words) or '-'}; attention {hit.why.attention:.0%}",
                style="dim",
            )
    if not found.hits:
        notice("nothing was found")
    if found.more:
        notice(f"{found.more} more {'candidates' if found.ranked else 'messages'}: --page {page + 1}")
    for line in found.notes:
        notice(f"note: {line}")


def _table(messages: list[Message]) -> None:
    zone = current.workspace().settings.zone
    rows = [
        (message_ref(m.id), for_people(m.created_at, zone), m.name or m.role.value, m.text or _calls(m))
        for m in messages
    ]
    table(("id", "time", "who", "text"), rows, wide="text")


def _calls(message: Message) -> str:
    return " ".join(f"{call.name}({call.arguments})" for call in message.calls)


def _filters(roles: tuple[Role, ...], name: str | None, since: str | None, until: str | None) -> RecallFilters:
    return RecallFilters(
        roles=roles,
        name=name,
        start=None if since is None else _span("--since", since)[0],
        end=None if until is None else _span("--until", until)[1],
    )


def _span(option: str, text: str) -> tuple[datetime, datetime]:
    try:
        return span(text, current.workspace().settings.zone)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} {text!r} is no date", hint=f"{option} 2024-03-31") from error
