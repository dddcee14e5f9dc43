"""The functions that write and search archival storage."""

from dataclasses import replace
from typing import Final

from memgpt_cli.domain.effects import Effects
from memgpt_cli.domain.passages import Passage, passage_ref
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.search import ArchivalFilters, SearchResult
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.errors import FunctionArgumentError
from memgpt_cli.external_context.rendering import FRAME, passage_line, render_passages
from memgpt_cli.functions.recall import PAGE, page_of
from memgpt_cli.functions.spec import Arguments, FunctionContext, FunctionSpec, Parameter

_FARTHEST: Final = 1_000
"""No page beyond this one is looked for."""

_TAGS = Parameter(name="tags", type="array", items="string", description="Labels, all must match.", required=False)


def _insert(arguments: Arguments, context: FunctionContext) -> FunctionResult:
    content = arguments["content"].strip()
    if not content:
        raise FunctionArgumentError("content is empty", hint="pass the text to keep")
    stored = context.archival.insert(content, tags=tuple(arguments.get("tags", ())), provenance=context.provenance)
    ref = passage_ref(stored.passage.id)
    if not stored.new:
        return FunctionResult(text=f"Already stored as {ref}; nothing was added.")
    text = f"Stored as {ref}."
    if stored.similar:
        like = "\n".join(passage_line(passage, zone=context.settings.zone) for passage in stored.similar[:2])
        text = f"{text} Similar passages were stored before:\n{like}"
    return FunctionResult(text=text, effects=Effects(passages=(stored.passage.id,)))


def _find(arguments: Arguments, context: FunctionContext) -> SearchResult[Passage]:
    filters = ArchivalFilters(tags=tuple(arguments.get("tags", ())))
    page = page_of(arguments)
    reach = (min(page, _FARTHEST) + 1) * context.settings.search.page_size
    found = context.archival.search(arguments["query"], filters, page_size=reach, query_vector=context.query_vector)
    return _page(found, page, context)


def _embed(arguments: Arguments, context: FunctionContext) -> Vector | None:
    return context.archival.embed_query(arguments["query"])


def _page(found: SearchResult[Passage], page: int, context: FunctionContext) -> SearchResult[Passage]:
    """The page that begins where the one before ends, of as many hits as the window has room for in one result.

    So whoever turns the pages sees everything, however small the window.
    """
    size = context.settings.search.page_size
    budget = context.page_budget - sum(context.count(f"note: {note}.") + 1 for note in found.notes)
    start, pages = 0, 0
    while True:
        end, room = start, budget - FRAME
        while end < min(len(found.hits), start + size):
            room -= context.count(passage_line(found.hits[end].item, zone=context.settings.zone)) + 1
            if room < 0 and end > start:
                break
            end += 1
        if pages == page or end == start:
            return replace(found, hits=found.hits[start:end], page=page, page_size=size, before=start)
        start, pages = end, pages + 1


def _search(arguments: Arguments, context: FunctionContext) -> FunctionResult:
    found = _find(arguments, context)
    page = render_passages(found, zone=context.settings.zone, count=context.count, budget=context.budget)
    return FunctionResult(text=page.text, found=found, effects=Effects(shown=page.shown, total=found.total))


ARCHIVAL_MEMORY_INSERT = FunctionSpec(
    name="archival_memory_insert",
    description="Store a self-contained text in archival storage.",
    parameters=(
        Parameter(name="content", type="string", description="The text."),
        Parameter(name="tags", type="array", items="string", description="Labels to find it by.", required=False),
    ),
    run=_insert,
    writes=True,
)

ARCHIVAL_MEMORY_SEARCH = FunctionSpec(
    name="archival_memory_search",
    description="Search archival storage, best matches first.",
    parameters=(
        Parameter(name="query", type="string", description="What to look for. Empty: newest first."),
        PAGE,
        _TAGS,
    ),
    run=_search,
    embed=_embed,
)
