"""`memgpt archival`: add, search and correct passages, and show where they come from."""

import sys
from typing import Annotated

import typer

from memgpt_cli.cli.archival import documents as archival_documents
from memgpt_cli.cli.archival import passages as archival_passages
from memgpt_cli.cli.archival import pictures as archival_pictures
from memgpt_cli.cli.options import Command
from memgpt_cli.cli.terminal.console import json_text
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import Limit, NewTags, Page, Since, Source, Tags, Until
from memgpt_cli.cli.terminal.hits import show_hits
from memgpt_cli.cli.terminal.texts import read_text
from memgpt_cli.domain.passages import Inserted, passage_ref
from memgpt_cli.services import shapes
from memgpt_cli.services.wording import one_line

app = typer.Typer(help="Archival storage: notes, facts and documents.", no_args_is_help=True)


@app.command("add", cls=Command)
def add(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="The text; @FILE reads a file, - adds each line of standard input.")],
    tag: NewTags = None,
    source: Annotated[str | None, typer.Option("--source", help="The source.", metavar="NAME")] = None,
) -> None:
    """Add one passage, or one per line of standard input (with --json, one document per line).

    Examples:
        memgpt archival add "The key is under the mat" --tag house

        memgpt archival add - --tag house < facts.txt
    """
    terminal = terminal_of(ctx)
    content = read_text(text)
    with terminal.memory(create=True) as memory:
        added = memory.passages.add(content.splitlines() if text == "-" else [content], tags=tag, source=source)
    for stored in added:
        _report_added(terminal, stored, alone=len(added) == 1)
    terminal.name_secrets(*(stored.passage.text for stored in added))


def _report_added(terminal: Terminal, stored: Inserted, *, alone: bool) -> None:
    if terminal.json:
        document = {**shapes.passage(stored.passage), "new": stored.new}
        if alone:
            terminal.print_json(document)
        else:
            sys.stdout.write(json_text(document) + "\n")
        return
    ref = passage_ref(stored.passage.id)
    terminal.say(f"stored as {ref}" if stored.new else f"already stored as {ref}")
    for passage in stored.similar:
        terminal.notice(f"similar to {passage_ref(passage.id)}: {one_line(passage.text, 100)}")


@app.command("search", cls=Command)
def search(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="A question or words; empty lists newest first.")],
    limit: Limit = 10,
    page: Page = 0,
    tag: Tags = None,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    explain: Annotated[bool, typer.Option("--explain", help="Explain the score of each hit.")] = False,
) -> None:
    """Search passages by words and meaning, best first.

    Example:
        memgpt archival search "where is the key"

    """
    search_passages(
        terminal_of(ctx),
        query,
        limit=limit,
        page=page,
        tag=tag,
        source=source,
        since=since,
        until=until,
        explain=explain,
    )


def search_passages(
    terminal: Terminal,
    query: str,
    *,
    limit: int = 10,
    page: int = 0,
    tag: list[str] | None = None,
    source: str | None = None,
    since: str | None = None,
    until: str | None = None,
    explain: bool = False,
) -> None:
    """Search and print passages. Raises UsageError for an invalid date, NotFoundError for an unknown tag or source."""
    with terminal.memory() as memory:
        filters = memory.passages.filters(tags=tag, source=source, since=since, until=until)
        found = memory.search.passages(query, filters, page=page, limit=limit)
    terminal.show(
        lambda: shapes.archival_result(query, found),
        lambda: show_hits(terminal, found, explain=explain, what="passages"),
    )


for name, command in (
    ("load", archival_documents.load),
    ("list", archival_passages.list_passages),
    ("show", archival_passages.show),
    ("edit", archival_passages.edit),
    ("delete", archival_passages.delete),
    ("log", archival_passages.log),
    ("restore", archival_passages.restore),
    ("sources", archival_passages.sources),
    ("picture", archival_pictures.picture),
    ("reindex", archival_documents.reindex),
):
    app.command(name, cls=Command)(command)
