"""Search results as the model reads them. The format is fixed; the offline responder parses it.

    3 of 41 results, page 0.
    [m12 2023-05-08 13:56] Caroline: text
    38 more: page=1.

A passage is `[p7 2023-05-08 13:56 notes.md > Travel #tag] text`. Times are the person's. How people see results in a
terminal is not decided here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from memgpt_cli.domain.messages import Message, Role, message_ref
from memgpt_cli.domain.passages import Passage, passage_ref
from memgpt_cli.domain.search import SearchResult
from memgpt_cli.domain.times import for_people

Count = Callable[[str], int]

_LINE_END: Final = re.compile(r"\s*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+\s*")
_BESIDE: Final = 2
"""Messages whose ids differ by this much or less stand next to each other."""

FRAME: Final = 40
"""Tokens kept for the first and the last line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A page as text, and the ids of the hits that it shows."""

    text: str
    shown: tuple[str, ...]


def render_messages(result: SearchResult[Message], *, zone: tzinfo, budget: int, count: Count) -> Rendered:
    """A page of messages in at most `budget` tokens; hits that stand next to each other come in the order of speech."""
    lines = [(hit.item.id, message_line(hit.item, zone=zone)) for hit in result.hits]
    text, shown = _page(
        result, lines, budget=budget, count=count, beside=_BESIDE if result.ranked else 0, what="messages"
    )
    return Rendered(text=text, shown=tuple(message_ref(number) for number in shown))


def render_passages(result: SearchResult[Passage], *, zone: tzinfo, budget: int, count: Count) -> Rendered:
    """A page of passages in at most `budget` tokens; hits that follow on each other come in the document's order."""
    lines = [(hit.item.id, passage_line(hit.item, zone=zone)) for hit in result.hits]
    apart = {hit.item.id: hit.item.source for hit in result.hits}
    text, shown = _page(
        result, lines, budget=budget, count=count, beside=1 if result.ranked else 0, what="passages", apart=apart
    )
    return Rendered(text=text, shown=tuple(passage_ref(number) for number in shown))


def message_line(message: Message, *, zone: tzinfo) -> str:
    """`[m12 2023-05-08 13:56] Caroline: text`."""
    speaker = message.name if message.name and message.role is not Role.ASSISTANT else message.role.value
    return f"[{message_ref(message.id)} {for_people(message.created_at, zone)}] {speaker}: {_one_line(message.text)}"


def passage_line(passage: Passage, *, zone: tzinfo) -> str:
    """`[p7 2023-05-08 13:56 notes.md > Travel #tag] text`."""
    head = f"{passage_ref(passage.id)} {for_people(passage.created_at, zone)}"
    origin = " > ".join(_one_line(part) for part in (passage.source, passage.location) if part)
    tags = "".join(f" #{_one_line(tag)}" for tag in passage.tags)
    return f"[{head}{' ' if origin else ''}{origin}{tags}] {_one_line(passage.text)}"


def _page(
    result: "SearchResult[Message] | SearchResult[Passage]",
    lines: Sequence[tuple[int, str]],
    *,
    budget: int,
    count: Count,
    beside: int,
    what: str,
    apart: Mapping[int, str | None] | None = None,
) -> tuple[str, list[int]]:
    if not lines:
        return _nothing(result, what), []
    notes = [f"note: {note}." for note in result.notes]
    room = budget - FRAME - sum(count(note) + 1 for note in notes)
    shown, cut = _packed(lines, room, count)
    first = f"{len(shown)} of {result.total} results, page {result.page}."
    text = "\n".join(
        [first, *_grouped(shown, beside, apart or {}), *notes, *_rest(result, len(lines) - len(shown), cut=cut)]
    )
    return text, [number for number, _ in shown]


def _packed(lines: Sequence[tuple[int, str]], room: int, count: Count) -> tuple[list[tuple[int, str]], bool]:
    """What fits, best first, and whether a line had to be cut; the best hit is always there, if only in part."""
    shown: list[tuple[int, str]] = []
    for number, line in lines:
        tokens = count(line) + 1
        if tokens <= room:
            shown.append((number, line))
            room -= tokens
        elif not shown:
            return [(number, _shortened(line, room, count))], True
    return shown, False


def _shortened(line: str, room: int, count: Count) -> str:
    """The longest beginning of `line` that fits, by bisection, with an ellipsis."""
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        if count(line[:middle] + " …") <= room:
            low = middle
        else:
            high = middle - 1
    head = line.find("] ") + 2
    return line[: max(low, head)] + " …"


def _grouped(shown: Sequence[tuple[int, str]], beside: int, apart: Mapping[int, str | None]) -> list[str]:
    """Best first, but hits that stand next to each other together and in order, where the best of them stands.

    `apart` tells what parts neighbours: the document that a passage comes from.
    """
    left = dict(shown)
    lines: list[str] = []
    for number, _ in shown:
        if number not in left:
            continue
        group = [number]
        for step in (-1, 1):
            edge = number
            while (following := _next_to(edge, step, beside, left)) is not None and apart.get(following) == apart.get(
                edge
            ):
                group.append(following)
                edge = following
        lines += [left.pop(member) for member in sorted(group)]
    return lines


def _next_to(number: int, step: int, beside: int, left: dict[int, str]) -> int | None:
    return next((number + step * k for k in range(1, beside + 1) if number + step * k in left), None)


def _rest(result: "SearchResult[Message] | SearchResult[Passage]", dropped: int, *, cut: bool) -> list[str]:
    parts = []
    if cut:
        parts.append("The text was cut to fit.")
    if dropped:
        parts.append(f"{dropped} of this page did not fit; ask for it by itself, or more narrowly.")
    if result.more:
        parts.append(f"{result.more} more: page={result.page + 1}.")
    return [" ".join(parts)] if parts else []


def _nothing(result: "SearchResult[Message] | SearchResult[Passage]", what: str) -> str:
    if result.page and result.total:
        return f"0 of {result.total} results, page {result.page}.\nThere are no more {what}; the first are on page=0."
    notes = "".join(f"\nnote: {note}." for note in result.notes)
    other = "archival_memory_search" if what == "messages" else "conversation_search"
    advice = f"Nothing was found among the {what}. Try other words, fewer filters, or {other}."
    return f"0 of 0 results, page 0.{notes}\n{advice}"


def _one_line(text: str) -> str:
    return _LINE_END.sub(" / ", text.strip())
