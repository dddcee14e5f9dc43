"""The function that reads recall storage: search, list by time, read a message, read the messages around it."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Final

from memgpt_cli.domain.messages import SPOKEN, Message, Role
from memgpt_cli.domain.parameters import Arguments, Parameter
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.search import RecallFilters, SearchResult
from memgpt_cli.domain.times import span
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.errors import FunctionArgumentError
from memgpt_cli.external_context.display import displayed, is_settled
from memgpt_cli.external_context.rendering import RANKED
from memgpt_cli.functions.facts import KnownFacts
from memgpt_cli.functions.pages import FARTHEST, MOST_HITS, PAGE, around, page_number, reach, result_of, whole
from memgpt_cli.functions.spec import FunctionContext, FunctionSpec

_BY_TIME: Final = 50
"""The best matches that are listed by time. They hold most of what a question needs (docs/search.md)."""

_PROBED: Final = 2
"""So many times more hits are fetched than are shown: rarely half of them are small talk, which is shown last."""

_ID: Final = re.compile(r"\W*m?(\d{1,18})\W*", re.IGNORECASE)


def _embed(arguments: Arguments, context: FunctionContext) -> Vector | None:
    if arguments.get("id") or arguments.get("around"):
        return None
    return context.recall.embed_query(arguments.get("query", ""))


def _search(arguments: Arguments, context: FunctionContext) -> FunctionResult:
    page = page_number(arguments)
    if given := arguments.get("id"):
        message = _message(given, context)
        return whole(message, page, context)
    if given := arguments.get("around"):
        return _around(_message(given, context), context)
    query, filters = arguments.get("query", ""), _filters(arguments, context)
    by_time = arguments.get("order") == "time"
    if not query.strip():
        if by_time:
            found = context.recall.oldest(filters, reach(page))
            return result_of(found, page, context, what="messages", order="oldest first")
        found = context.recall.search("", filters, page_size=reach(page))
        return result_of(found, page, context, what="messages", order="newest first")
    found = _ranked(query, filters, _BY_TIME if by_time else reach(page), context)
    if not by_time:
        facts = KnownFacts(query, context)
        result = result_of(found, page, facts.left, what="messages", order=RANKED)
        return result if page else facts.before(result)
    return result_of(_in_time(found), page, context, what="messages", order="oldest first")


def _ranked(query: str, filters: RecallFilters, first: int, context: FunctionContext) -> SearchResult[Message]:
    """The ranking, at least its `first` hits as they are shown: ranking more than that costs more."""
    for depth in (_PROBED * first, FARTHEST * MOST_HITS):
        found = context.recall.search(query, filters, page_size=depth, query_vector=context.query_vector)
        if is_settled(found, query, first):
            break
    return displayed(found, query, what="messages")


def _in_time(found: SearchResult[Message]) -> SearchResult[Message]:
    best = sorted(found.hits[:_BY_TIME], key=lambda hit: (hit.item.created_at, hit.item.id))
    return replace(found, hits=tuple(best), total=len(best))


def _around(message: Message, context: FunctionContext) -> FunctionResult:
    roles = SPOKEN if message.role in SPOKEN else tuple(Role)
    before, after = context.recall.around(message, RecallFilters(roles=roles), MOST_HITS)
    return around([*before, message, *after], len(before), context)


def _message(given: str, context: FunctionContext) -> Message:
    match = _ID.fullmatch(given)
    message = context.recall.message(int(match[1])) if match else None
    if message is None:
        raise FunctionArgumentError(
            f"there is no message {given[:40]!r}", hint="pass an id from a result, such as m128"
        )
    return message


def _filters(arguments: Arguments, context: FunctionContext) -> RecallFilters:
    start, end = _bounds(arguments, context)
    role = arguments.get("role")
    return RecallFilters(
        roles=(Role(role),) if role else SPOKEN,
        start=start,
        end=end,
        name=arguments.get("name") or None,
        not_turn=context.turn,
    )


def _bounds(arguments: Arguments, context: FunctionContext) -> tuple[datetime | None, datetime | None]:
    start, end = arguments.get("start_date"), arguments.get("end_date")
    first = _span("start_date", start, context)[0] if start else None
    last = _span("end_date", end, context)[1] if end else None
    if first is not None and last is not None and last <= first:
        raise FunctionArgumentError(f"end_date {end} is before start_date {start}", hint="swap them")
    return first, last


def _span(name: str, text: str, context: FunctionContext) -> tuple[datetime, datetime]:
    try:
        return span(text, context.settings.zone)
    except (ValueError, OverflowError) as error:
        raise FunctionArgumentError(f"{name} {text!r} is not a valid date", hint="write it as 2024-03-31") from error


CONVERSATION_SEARCH = FunctionSpec(
    name="conversation_search",
    description="Search recall storage.",
    parameters=(
        Parameter(name="query", type="string", description="Empty: newest first.", required=False),
        PAGE,
        Parameter(name="start_date", type="string", description="2026-03-31 or 2026-03.", required=False),
        Parameter(name="end_date", type="string", description="Inclusive.", required=False),
        Parameter(
            name="role",
            type="string",
            description="The person: user. Your advice: assistant.",
            required=False,
            choices=(Role.USER.value, Role.ASSISTANT.value, Role.TOOL.value),
        ),
        Parameter(name="name", type="string", description="Speaker.", required=False),
        Parameter(
            name="order",
            type="string",
            description="Oldest first, briefly.",
            required=False,
            choices=("time",),
        ),
        Parameter(name="id", type="string", description="Read it whole, e.g. m128.", required=False),
        Parameter(name="around", type="string", description="Read around it.", required=False),
    ),
    run=_search,
    embed=_embed,
)
