"""The function that searches recall storage."""

from datetime import datetime
from typing import Final

from memgpt_cli.domain.effects import Effects
from memgpt_cli.domain.messages import SPOKEN, Message, Role
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.search import RecallFilters, SearchResult
from memgpt_cli.domain.times import span
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.errors import FunctionArgumentError
from memgpt_cli.external_context.rendering import render_messages
from memgpt_cli.functions.spec import Arguments, FunctionContext, FunctionSpec, Parameter

_FARTHEST: Final = 1_000_000
"""No page beyond this one can be asked for."""

PAGE = Parameter(name="page", type="integer", description="Page of results, from 0.", required=False)


def _embed(arguments: Arguments, context: FunctionContext) -> Vector | None:
    return context.recall.embed_query(arguments["query"])


def _find(arguments: Arguments, context: FunctionContext) -> SearchResult[Message]:
    start, end = _bounds(arguments, context)
    role = arguments.get("role")
    roles = (Role(role),) if role else SPOKEN
    filters = RecallFilters(roles=roles, start=start, end=end, not_turn=context.turn)
    page = page_of(arguments)
    return context.recall.search(arguments["query"], filters, page=page, query_vector=context.query_vector)


def _search(arguments: Arguments, context: FunctionContext) -> FunctionResult:
    found = _find(arguments, context)
    page = render_messages(found, zone=context.settings.zone, count=context.count, budget=context.budget)
    return FunctionResult(text=page.text, found=found, effects=Effects(shown=page.shown, total=found.total))


def page_of(arguments: Arguments) -> int:
    """The page asked for. Raises FunctionArgumentError for one that no storage has."""
    page = int(arguments.get("page", 0))
    if not 0 <= page <= _FARTHEST:
        raise FunctionArgumentError(f"there is no page {page}", hint="pages count from 0")
    return page


def _bounds(arguments: Arguments, context: FunctionContext) -> tuple[datetime | None, datetime | None]:
    start, end = arguments.get("start_date"), arguments.get("end_date")
    first = _span("start_date", start, context)[0] if start else None
    last = _span("end_date", end, context)[1] if end else None
    if first is not None and last is not None and last <= first:
        raise FunctionArgumentError(f"end_date {end} lies before start_date {start}", hint="swap them")
    return first, last


def _span(name: str, text: str, context: FunctionContext) -> tuple[datetime, datetime]:
    try:
        return span(text, context.settings.zone)
    except (ValueError, OverflowError) as error:
        raise FunctionArgumentError(f"{name} {text!r} is no date", hint="write it as 2024-03-31") from error


CONVERSATION_SEARCH = FunctionSpec(
    name="conversation_search",
    description="Search all earlier messages, best matches first.",
    parameters=(
        Parameter(name="query", type="string", description="Words that the messages may contain. Empty: newest first."),
        PAGE,
        Parameter(name="start_date", type="string", description="First day, YYYY-MM-DD.", required=False),
        Parameter(name="end_date", type="string", description="Last day, inclusive.", required=False),
        Parameter(
            name="role",
            type="string",
            description="Only messages of this role.",
            required=False,
            choices=(Role.USER.value, Role.ASSISTANT.value, Role.TOOL.value),
        ),
    ),
    run=_search,
    embed=_embed,
)
