"""Pages of search results for both storages: each fills its token budget, and no hit is lost between two pages.

A page begins where the previous one ends. Its size depends only on `page_budget`, which is the same in any prompt.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from memgpt_cli.domain.effects import Effects
from memgpt_cli.domain.kinds import MemoryItem
from memgpt_cli.domain.messages import Message, message_ref
from memgpt_cli.domain.parameters import Arguments, Parameter
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.search import Item, SearchResult
from memgpt_cli.domain.trust import Author, least_trusted
from memgpt_cli.errors import FunctionArgumentError
from memgpt_cli.external_context.chunking import chunk
from memgpt_cli.external_context.display import NEAREST
from memgpt_cli.external_context.excerpts import EXCERPT_TOKENS
from memgpt_cli.external_context.rendering import (
    FRAME,
    RANKED,
    HitLines,
    head,
    mark,
    notes_of,
    one_line,
    page_of,
    render,
)
from memgpt_cli.functions.spec import FunctionContext

MOST_HITS: Final = 20
"""Maximum hits of a page."""

FARTHEST: Final = 1_000
"""The last page that can be requested."""

_BROWSED: Final = 30
"""Tokens of each message where they are listed by time."""

PAGE = Parameter(name="page", type="integer", required=False)


def page_number(arguments: Arguments) -> int:
    """Return the requested page number. Raises FunctionArgumentError if it is out of range."""
    page = int(arguments.get("page", 0))
    if not 0 <= page <= FARTHEST:
        raise FunctionArgumentError(f"there is no page {page}", hint="pages count from 0")
    return page


def reach(page: int) -> int:
    """Return how many hits must be fetched to show this page."""
    return (page + 1) * MOST_HITS


def result_of(
    found: SearchResult[Item], page: int, context: FunctionContext, *, what: str, order: str
) -> FunctionResult:
    """One page of `found`, which holds all hits up to this page."""
    limit = EXCERPT_TOKENS if order in {RANKED, "newest first"} else _BROWSED
    seen = context.seen if order == RANKED else frozenset()
    lines = HitLines(zone=context.settings.zone, count=context.count, terms=found.terms, limit=limit, seen=seen)
    most = NEAREST if found.page_size == NEAREST else MOST_HITS
    room = context.page_budget - FRAME - sum(context.count(note) + 1 for note in notes_of(found))

    @cache
    def line(index: int) -> str:
        return lines.of(found.hits[index].item)

    place = page_of(line, len(found.hits), page, most=most, room=room, count=context.count)
    hits = found.hits[place.start : place.end]
    shown = replace(found, hits=hits, page=page, before=place.start)
    rendered = render(shown, lines, what=what, order=order, budget=context.budget)
    effects = Effects(shown=rendered.shown, total=found.total)
    return FunctionResult(text=rendered.text, found=shown, effects=effects, least=least_of(h.item for h in hits))


def least_of(items: Iterable[MemoryItem]) -> Author:
    """The least trusted source of the items that a result shows."""
    return least_trusted(item.least for item in items)


def whole(item: MemoryItem, page: int, context: FunctionContext) -> FunctionResult:
    """Return one item verbatim, in parts if it is long."""
    ref, begins = item.ref, head(item, context.settings.zone)
    room = max(32, min(context.page_budget, context.budget) - FRAME - context.count(begins))
    parts: Sequence[str] = [item.text]
    if context.count(one_line(item.text)) > room:
        parts = [piece.text for piece in chunk(item.text, max_tokens=room * 3 // 4, count=context.count)]
    if page >= len(parts):
        raise FunctionArgumentError(f"{ref} has no page {page}", hint=f"its last page is {len(parts) - 1}")
    text = f"{begins} {mark(item)}{one_line(parts[page])}"
    if len(parts) > 1:
        more = f' Next: id="{ref}", page={page + 1}.' if page + 1 < len(parts) else ""
        text = f"{text}\nPage {page} of {len(parts)} of {ref}.{more}"
    return FunctionResult(text=text, effects=Effects(shown=(ref,), total=1), least=least_of([item]))


def around(messages: Sequence[Message], anchor: int, context: FunctionContext) -> FunctionResult:
    """Return the messages around `messages[anchor]` in order, as many on both sides as fit."""
    lines = HitLines(zone=context.settings.zone, count=context.count, terms={})
    room = min(context.page_budget, context.budget) - FRAME
    first = last = anchor
    taken = {anchor: lines.of(messages[anchor])}
    room -= context.count(taken[anchor])
    for index in _outwards(anchor, len(messages)):
        if index not in (first - 1, last + 1):
            continue
        line = lines.of(messages[index])
        if (room := room - context.count(line) - 1) < 0:
            break
        taken[index] = line
        first, last = min(first, index), max(last, index)
    ref = message_ref(messages[anchor].id)
    more = []
    if first:
        more.append(f'Earlier: around="{message_ref(messages[first].id)}".')
    if last + 1 < len(messages):
        more.append(f'Later: around="{message_ref(messages[last].id)}".')
    shown_lines = [taken[index] for index in sorted(taken)]
    text = "\n".join([f"Around {ref}, oldest first.", *shown_lines, " ".join(more)]).rstrip()
    shown = tuple(message_ref(messages[i].id) for i in sorted(taken))
    effects = Effects(shown=shown, total=len(messages))
    return FunctionResult(text=text, effects=effects, least=least_of(messages[i] for i in taken))


def _outwards(anchor: int, total: int) -> list[int]:
    """Return the other positions, nearest first; of two at the same distance, the later one first."""
    return sorted((i for i in range(total) if i != anchor), key=lambda i: (abs(i - anchor), -i))
