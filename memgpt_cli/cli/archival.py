"""`memgpt archival`: passages of any text."""

from typing import Annotated

import typer

from memgpt_cli.cli import shapes
from memgpt_cli.cli.console import notice, print_json, say
from memgpt_cli.cli.options import Command, current
from memgpt_cli.cli.turns import read_stdin
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.passages import passage_ref
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.domain.times import for_people
from memgpt_cli.errors import UsageError

app = typer.Typer(help="Archival storage: notes, facts and documents.", no_args_is_help=True)

Tags = Annotated[list[str] | None, typer.Option("--tag", "-t", help="A label; may be given again.", metavar="TAG")]


@app.command("add", cls=Command)
def add(
    text: Annotated[str, typer.Argument(help="What to keep; - reads it from standard input.")],
    tag: Tags = None,
    source: Annotated[str | None, typer.Option("--source", help="Where it comes from.")] = None,
) -> None:
    """Add one passage."""
    content = (read_stdin() if text == "-" else text).strip()
    if not content:
        raise UsageError("there is nothing to add", hint='memgpt archival add "The key is under the mat"')
    workspace = current.workspace()
    workspace.ensure_agent(workspace.agent_name)
    with workspace.memory() as memory:
        provenance = Provenance(author=Author.USER, command="archival add")
        stored = memory.archival.insert(content, provenance=provenance, tags=tuple(tag or ()), source=source)
    if current.json:
        print_json({**shapes.passage(stored.passage), "new": stored.new})
        return
    ref = passage_ref(stored.passage.id)
    say(f"stored as {ref}" if stored.new else f"it was there already, as {ref}")
    for passage in stored.similar:
        notice(f"much like {passage_ref(passage.id)}: {passage.text}")


@app.command("search", cls=Command)
def search(
    query: Annotated[str, typer.Argument(help="A question or words; empty lists newest first.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 10,
    page: Annotated[int, typer.Option("--page", min=0, help="Which page, from 0.")] = 0,
    tag: Tags = None,
    source: Annotated[str | None, typer.Option("--source", help="Only from this source.")] = None,
) -> None:
    """Search passages by words and meaning, best first."""
    workspace = current.workspace()
    filters = ArchivalFilters(tags=tuple(tag or ()), source=source)
    with workspace.memory() as memory:
        vector = memory.archival.embed_query(query)
        found = memory.archival.search(query, filters, page=page, page_size=limit, query_vector=vector)
    if current.json:
        print_json(shapes.archival_result(query, found))
        return
    for hit in found.hits:
        origin = " > ".join(part for part in (hit.item.source, hit.item.location) if part)
        tags = " ".join(f"#{tag}" for tag in hit.item.tags)
        head = (passage_ref(hit.item.id), for_people(hit.item.created_at, workspace.settings.zone), origin, tags)
        say("  ".join(part for part in head if part), style="bold")
        say(f"  {hit.item.text}")
    if not found.hits:
        notice("nothing was found")
    if found.more:
        notice(f"{found.more} more: --page {page + 1}")
    for line in found.notes:
        notice(f"note: {line}")
