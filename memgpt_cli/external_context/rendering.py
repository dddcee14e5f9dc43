"""Search results as the model reads them. The format is fixed; the offline responder parses it.

    20 of 41 messages, best match first.
    [m12 Mon 2023-05-08 13:56] Caroline: text
    [m128 Tue 2023-06-13 17:23] assistant: … part … (760 tokens; whole: conversation_search(id="m128"))
    21 more: page=1.

A passage is `[p7 Mon 2023-05-08 13:56 notes.md > Travel #tag] text`. Times are the person's. Each hit is one line; a
long one is an excerpt. A line that an earlier result of the same turn shows is not repeated: `[m9 shown above]`. Text
from a document, an import or a tool is marked with its source and a `>`:

    [m3 Mon 2023-05-08 13:56 import] Caroline: > text
    [p7 Mon 2023-05-08 13:56 notes.md > Travel #tag] > text

How people see results in a terminal is not decided here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from memgpt_cli.domain.kinds import Kind, MemoryItem
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import Hit, Item, SearchResult
from memgpt_cli.domain.times import with_weekday
from memgpt_cli.domain.trust import QUOTE, UNTRUSTED
from memgpt_cli.external_context.excerpts import EXCERPT_TOKENS, PASSAGE_TOKENS, excerpt

Count = Callable[[str], int]

_LINE_END: Final = re.compile(r"\s*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+\s*")

FRAME: Final = 40
"""Tokens reserved for the first and the last line."""

RANKED: Final = "best match first"

_ABOVE: Final = "shown above"
_SHORT: Final = 60
"""Characters of a line that is repeated rather than looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A page as text, and the ids of the hits on it."""

    text: str
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The lines of a page: `start` to `end` of a list. `tokens` is their sum."""

    start: int
    end: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HitLines:
    """Renders hits as lines: the zone, the counter, and the maximum tokens of a message's text.

    A chunk of a document is shown whole, because it is the unit that was found. `terms` are the search terms with their
    rarity. `seen` are lines that are in the prompt already.
    """

    zone: tzinfo
    count: Count
    terms: Mapping[str, float]
    limit: int = EXCERPT_TOKENS
    seen: frozenset[str] = frozenset()

    def new(self, item: MemoryItem) -> str:
        """Return the line of an item, or a reference to it if the line was shown before."""
        line = self.of(item)
        return f"[{item.ref} {_ABOVE}]" if line in self.seen and len(line) > _SHORT else line

    def of(self, item: MemoryItem) -> str:
        """Return the line of an item."""
        is_message = item.kind is Kind.MESSAGE
        function = "conversation_search" if is_message else "archival_memory_search"
        limit = self.limit if is_message else max(self.limit, PASSAGE_TOKENS)
        text = self._text(item.text, function, item.ref, limit=limit)
        return f"{head(item, self.zone)} {mark(item)}{text}"

    def _text(self, text: str, function: str, ref: str, *, limit: int) -> str:
        part = excerpt(text, self.terms, count=self.count, limit=limit)
        whole = f' ({part.tokens} tokens; whole: {function}(id="{ref}"))' if part.cut else ""
        return f"{one_line(part.text)}{whole}"


def mark(item: MemoryItem) -> str:
    """The mark before a quoted text; empty before any other text."""
    return QUOTE if item.least in UNTRUSTED else ""


def head(item: MemoryItem, zone: tzinfo) -> str:
    """`[m12 Mon 2023-05-08 13:56] Caroline:`, or `[p7 Mon 2023-05-08 13:56 notes.md > Travel #tag]`.

    A quoted item whose source has no name shows its kind: `[m3 Mon 2023-05-08 13:56 import] Caroline:`.
    """
    begins = f"[{item.ref} {with_weekday(item.created_at, zone)}"
    if isinstance(item, Message):
        begins += f" {item.least}" if item.untrusted else ""
        return f"{begins}] {one_line(item.role.value if item.role is Role.ASSISTANT else item.origin)}:"
    source = item.origin or (f"from {item.least}" if item.least in UNTRUSTED else "")
    origin = f" {one_line(source)}" if source else ""
    return f"{begins}{origin}{''.join(f' #{one_line(tag)}' for tag in item.tags)}]"


def passage_line(passage: Passage, *, zone: tzinfo, count: Count) -> str:
    """Return the line of a single passage."""
    return HitLines(zone=zone, count=count, terms={}).of(passage)


def page_of(lines: Callable[[int], str], total: int, number: int, *, most: int, room: int, count: Count) -> Page:
    """Return page `number` of `total` lines: each page begins where the previous one ends and fills `room` tokens.

    At most `most` lines, and at least one. Empty after the last page.
    """
    start, page = 0, 0
    while True:
        end, left = start, room
        while end < min(total, start + most):
            tokens = count(lines(end)) + 1
            if tokens > left and end > start:
                break
            left -= tokens
            end += 1
        if page == number or end == start:
            return Page(start=start, end=end, tokens=room - left)
        start, page = end, page + 1


def render(found: SearchResult[Item], lines: HitLines, *, what: str, order: str, budget: int) -> Rendered:
    """Render a page in at most `budget` tokens. Lines that do not fit are removed from its end, with a note."""
    if not found.hits:
        return Rendered(text=nothing(found, what), shown=())
    notes = notes_of(found)
    room = budget - FRAME - sum(lines.count(note) + 1 for note in notes)
    written = _packed(found.hits, lines, room)
    page = f", page {found.page}" if found.page else ""
    first = f"{len(written)} of {found.total} {what}, {order}{page}."
    rest = _rest(found, len(found.hits) - len(written))
    shown = tuple(hit.item.ref for hit in found.hits[: len(written)])
    return Rendered(text="\n".join([first, *written, *notes, *rest]), shown=shown)


def hit_lines(result: str) -> frozenset[str]:
    """Return the lines of a result's text that show an item."""
    return frozenset(line for line in result.split("\n") if line.startswith("["))


def notes_of(found: SearchResult[Item]) -> list[str]:
    """Return the notes about the hits for the model, one line each."""
    notes = found.notes if found.meaning.asked else (*found.notes, "searched by words only")
    return [f"note: {note}." for note in notes]


def _packed(hits: Sequence[Hit[Item]], lines: HitLines, room: int) -> list[str]:
    """Return the lines that fit; the first is always there, shortened if necessary."""
    written: list[str] = []
    for hit in hits:
        line = lines.new(hit.item)
        tokens = lines.count(line) + 1
        if tokens > room:
            return written or [_shortened(line, room, lines.count)]
        written.append(line)
        room -= tokens
    return written


def _shortened(line: str, room: int, count: Count) -> str:
    """Return the longest beginning of `line` that fits, by bisection, with an ellipsis."""
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        if count(line[:middle] + " …") <= room:
            low = middle
        else:
            high = middle - 1
    head = line.find("] ") + 2
    return line[: max(low, head)] + " …"


def _rest(found: SearchResult[Item], dropped: int) -> list[str]:
    parts = []
    if dropped:
        parts.append(f"{dropped} more of this page did not fit: ask for page={found.page} in a call by itself.")
    if found.more:
        parts.append(f"{found.more} more: page={found.page + 1}.")
    return [" ".join(parts)] if parts else []


def nothing(found: SearchResult[Item], what: str) -> str:
    """Return the text for an empty page."""
    if found.page and found.total:
        return f"There are no more {what}: {found.total} in all, from page=0."
    notes = "".join(f"\n{note}" for note in notes_of(found))
    other = "archival_memory_search" if what == "messages" else "conversation_search"
    return f"No {what} found.{notes}\nTry other words, fewer filters, or {other}."


def one_line(text: str) -> str:
    """Replace line ends by ` / `, so that no part of the text can look like a line of the result."""
    return _LINE_END.sub(" / ", text.strip())
