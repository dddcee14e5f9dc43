"""`memgpt archival`: passages of any text, added, searched, corrected, and where each came from."""

from typing import Annotated

import typer

from memgpt_cli.cli import archival_documents, archival_passages, archival_pictures, shapes
from memgpt_cli.cli.console import notice, print_json, say
from memgpt_cli.cli.filters import Limit, NewTags, Page, Since, Source, Tags, Until, archival_filters, labels
from memgpt_cli.cli.hits import show_hits
from memgpt_cli.cli.options import Command, current
from memgpt_cli.cli.texts import one_line, read_text
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.passages import passage_ref
from memgpt_cli.errors import UsageError

app = typer.Typer(help="Archival storage: notes, facts and documents.", no_args_is_help=True)


@app.command("add", cls=Command)
def add(
    text: Annotated[str, typer.Argument(help="What to keep; @FILE reads a file, - standard input.")],
    tag: NewTags = None,
    source: Annotated[str | None, typer.Option("--source", help="Where it comes from.", metavar="NAME")] = None,
) -> None:
    """Add one passage.

    Example:
        memgpt archival add "The key is under the mat" --tag house

    """
    content = read_text(text).strip()
    if not content:
        raise UsageError("there is nothing to add", hint='memgpt archival add "The key is under the mat"')
    workspace = current.workspace()
    workspace.new_agents.ensure(workspace.agent_name)
    with workspace.memory() as memory:
        provenance = Provenance(author=Author.USER, command="archival add")
        stored = memory.archival.insert(content, provenance=provenance, tags=labels(tag), source=source)
    if current.json:
        print_json({**shapes.passage(stored.passage), "new": stored.new})
        return
    ref = passage_ref(stored.passage.id)
    say(f"stored as {ref}" if stored.new else f"it was there already, as {ref}")
    for passage in stored.similar:
        notice(f"much like {passage_ref(passage.id)}: {one_line(passage.text, 100)}")


@app.command("search", cls=Command)
def search(
    query: Annotated[str, typer.Argument(help="A question or words; empty lists newest first.")],
    limit: Limit = 10,
    page: Page = 0,
    tag: Tags = None,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show what made each hit.")] = False,
) -> None:
    """Search passages by words and meaning, best first.

    Example:
        memgpt archival search "where is the key"

    """
    workspace = current.workspace()
    with workspace.memory() as memory:
        filters = archival_filters(memory, tags=tag, source=source, since=since, until=until)
        vector = memory.archival.embed_query(query)
        found = memory.archival.search(query, filters, page=page, page_size=limit, query_vector=vector)
    if current.json:
        print_json(shapes.archival_result(query, found))
    else:
        show_hits(found, workspace.settings.zone, explain=explain, what="passages")


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
