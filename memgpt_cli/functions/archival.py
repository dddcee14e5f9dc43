"""The functions that write, correct and search archival storage."""

import re
from dataclasses import replace
from typing import Final

from memgpt_cli.domain.blocks import Author
from memgpt_cli.domain.effects import Effects
from memgpt_cli.domain.parameters import Arguments, Parameter
from memgpt_cli.domain.passages import Passage, passage_ref
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.errors import FunctionArgumentError
from memgpt_cli.external_context.display import displayed, identifiers
from memgpt_cli.external_context.rendering import RANKED, passage_line
from memgpt_cli.functions.holding import provenance_for
from memgpt_cli.functions.pages import FARTHEST, PAGE, least_of, page_number, reach, result_of, whole
from memgpt_cli.functions.spec import FunctionContext, FunctionSpec

_ID: Final = re.compile(r"\W*p?(\d{1,18})\W*", re.IGNORECASE)


def _insert(arguments: Arguments, context: FunctionContext) -> FunctionResult:
    content = arguments["content"].strip()
    if given := arguments.get("id"):
        return _correct(_passage(given, context), content, context)
    if not content:
        raise FunctionArgumentError("content is empty", hint="pass the text to keep")
    stored = context.archival.insert(
        content, tags=tuple(arguments.get("tags", ())), provenance=provenance_for(content, context), at=context.at
    )
    ref = passage_ref(stored.passage.id)
    if not stored.new:
        return FunctionResult(text=f"Already stored as {ref}; nothing was added.")
    text = f"Stored as {ref}."
    if stored.similar:
        like = "\n".join(
            passage_line(passage, zone=context.settings.zone, count=context.count) for passage in stored.similar[:2]
        )
        text = f"{text} Similar passages were stored before:\n{like}"
    effects = Effects(passages=(stored.passage.id,))
    return FunctionResult(text=text, effects=effects, least=least_of(stored.similar[:2]))


def _correct(passage: Passage, content: str, context: FunctionContext) -> FunctionResult:
    ref = passage_ref(passage.id)
    if passage.provenance.author is Author.DOCUMENT or passage.source is not None:
        raise FunctionArgumentError(
            f"{ref} comes from {passage.source or 'a document'} and was not changed",
            hint="store the correction without id",
        )
    effects = Effects(passages=(passage.id,))
    if not content:
        context.archival.delete(passage, context.provenance)
        return FunctionResult(text=f"Deleted {ref}.", effects=effects)
    if content == passage.text:
        return FunctionResult(text=f"{ref} has this text already; nothing was changed.")
    provenance = provenance_for(content, context)
    context.archival.revise(replace(passage, text=content), provenance)
    return FunctionResult(text=f"Corrected {ref}.", effects=effects)


def _embed(arguments: Arguments, context: FunctionContext) -> Vector | None:
    return None if arguments.get("id") else context.archival.embed_query(arguments.get("query", ""))


def _search(arguments: Arguments, context: FunctionContext) -> FunctionResult:
    page = page_number(arguments)
    if given := arguments.get("id"):
        passage = _passage(given, context)
        return whole(passage, page, context)
    query = arguments.get("query", "")
    filters = ArchivalFilters(tags=tuple(arguments.get("tags", ())))
    if not query.strip():
        found = context.archival.search("", filters, page_size=reach(page))
        return result_of(found, page, context, what="passages", order="newest first")
    most = reach(FARTHEST if identifiers(query) else page)
    found = context.archival.search(query, filters, page_size=most, query_vector=context.query_vector)
    found = displayed(found, query, what="passages")
    return result_of(found, page, context, what="passages", order=RANKED)


def _passage(given: str, context: FunctionContext) -> Passage:
    match = _ID.fullmatch(given)
    passage = context.archival.passage(int(match[1])) if match else None
    if passage is None:
        raise FunctionArgumentError(f"there is no passage {given[:40]!r}", hint="pass an id from a result, such as p7")
    return passage


_TAGS = Parameter(name="tags", type="array", items="string", description="All must match.", required=False)

ARCHIVAL_MEMORY_INSERT = FunctionSpec(
    name="archival_memory_insert",
    description="Store a text.",
    parameters=(
        Parameter(name="content", type="string"),
        Parameter(name="tags", type="array", items="string", required=False),
        Parameter(
            name="id",
            type="string",
            description="Correct this passage; empty content: delete.",
            required=False,
        ),
    ),
    run=_insert,
    writes=True,
)

ARCHIVAL_MEMORY_SEARCH = FunctionSpec(
    name="archival_memory_search",
    description="Search archival storage.",
    parameters=(
        Parameter(name="query", type="string", description="Empty: newest first.", required=False),
        PAGE,
        _TAGS,
        Parameter(name="id", type="string", description="Read it whole, e.g. p7.", required=False),
    ),
    run=_search,
    embed=_embed,
)
