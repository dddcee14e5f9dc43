"""Split a text into chunks with a maximum number of tokens, at the most meaningful border available.

Borders, from best to worst: headings, paragraphs (blocks of code), sentences, lines, words, characters. Deterministic.
The chunks in order contain the whole text except white space at their borders. `count` is the tokenizer.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from memgpt_cli.domain.documents import TextKind
from memgpt_cli.external_context.outline import Section, fence, lines, sections

Count = Callable[[str], int]

_BORDER_TOKENS: Final = 4
"""Maximum number of tokens per piece by which a text may exceed the sum of its pieces; usually one or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One piece of a text. Lines are 1-based, both ends included.

    `location` can be cited: heading path and place, `Install > Linux, lines 12-40` or `Results, page 3`.
    """

    text: str
    location: str | None
    start_line: int
    end_line: int


def chunk(
    text: str,
    *,
    max_tokens: int,
    count: Count,
    kind: TextKind = "text",
    place: str | None = None,
    unit: str | None = "line",
) -> list[Chunk]:
    """Split `text` into chunks of at most `max_tokens` by `count`.

    `place` (`page 3`) is cited instead of the line range. `unit` is the name of a line of `text` (`row`); None omits
    the range, if lines have no meaning. A chunk exceeds the limit only if a single character does. Raises ValueError
    for a limit below 1. Time is linear in the text if `count` is: each character is counted a few times at most.
    """
    if max_tokens < 1:
        msg = f"max_tokens must be at least 1, not {max_tokens}"
        raise ValueError(msg)
    divider = _Divider(text, max_tokens, count)
    line_ends = [end - 1 for _, end in lines(text)]
    chunks = []
    for path, group in _packed(divider, kind):
        for start, content in divider.bounded(group):
            first = bisect_left(line_ends, start) + 1
            last = bisect_left(line_ends, start + len(content) - 1) + 1
            where = place or (_range(unit, first, last) if unit else None)
            location = ", ".join(filter(None, (" > ".join(path), where))) or None
            chunks.append(Chunk(text=content, location=location, start_line=first, end_line=last))
    return chunks


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the text: its offsets, its tokens (None: too long to count), and how to split it next."""

    start: int
    end: int
    tokens: int | None
    splitters: tuple["_Splitter", ...]


_Splitter = Callable[[str, int, int, int], list[int]]
"""(text, start, end, piece size in characters) -> offsets strictly between start and end, ascending."""

_Packed = tuple[tuple[str, ...], list[_Piece]]


class _Divider:
    """Counts pieces and splits those that are too large."""

    def __init__(self, text: str, max_tokens: int, count: Count) -> None:
        self.text = text
        self.max_tokens = max_tokens
        self._count = count
        # Some tokenizers take quadratic time on long words, so nothing far above the limit is ever counted.
        self._countable = 16 * max_tokens
        # A quarter of the limit in characters is at most the limit in UTF-8 bytes, and a text never has more tokens
        # than bytes.
        self._size = max(1, max_tokens // 4)

    def piece(self, start: int, end: int, splitters: tuple[_Splitter, ...]) -> _Piece:
        """Return the counted part from `start` to `end`."""
        tokens = self._count(self.text[start:end]) if end - start <= self._countable else None
        return _Piece(start, end, tokens, splitters)

    def fits(self, tokens: int | None) -> bool:
        """Whether this many tokens are within the limit."""
        return tokens is not None and tokens <= self.max_tokens

    def is_small(self, pieces: list[_Piece]) -> bool:
        """Whether these pieces leave half of a chunk free."""
        tokens = _total(pieces)
        return tokens is not None and 2 * tokens <= self.max_tokens

    def divide(self, piece: _Piece) -> list[_Piece]:
        """Split a piece at the best border available; a single character is returned unchanged."""
        splitters = piece.splitters
        while splitters:
            splitter, splitters = splitters[0], splitters[1:]
            if cuts := splitter(self.text, piece.start, piece.end, self._size):
                break
        else:
            cuts = _halves(self.text, piece.start, piece.end, self._size)
        edges = [piece.start, *cuts, piece.end]
        if len(edges) == 2:  # noqa: PLR2004 - start and end: nothing to split
            return [piece]
        return [self.piece(start, end, splitters) for start, end in pairwise(edges)]

    def pack(self, pieces: list[_Piece]) -> Iterator[list[_Piece]]:
        """Yield groups of neighbouring pieces that fit; a piece is split only if it does not fit a chunk by itself."""
        group: list[_Piece] = []
        filled = 0
        waiting = pieces[::-1]
        while waiting:
            piece = waiting.pop()
            if self.fits(piece.tokens):
                tokens = piece.tokens or 0
                if group and filled + tokens > self.max_tokens:
                    yield group
                    group, filled = [], 0
                group.append(piece)
                filled += tokens
                continue
            smaller = self.divide(piece)
            if len(smaller) > 1:
                waiting.extend(reversed(smaller))
                continue
            if group:
                yield group
            yield smaller
            group, filled = [], 0
        if group:
            yield group

    def bounded(self, group: list[_Piece]) -> Iterator[tuple[int, str]]:
        """Yield offset and text of a group, split again if it has more tokens than the sum of its pieces."""
        start, content = _trimmed(self.text, group[0].start, group[-1].end)
        if not content:
            return
        total = _total(group)
        is_clear = total is not None and total + _BORDER_TOKENS * len(group) <= self.max_tokens
        fits = is_clear or self._count(content) <= self.max_tokens
        pieces = group if fits or len(group) > 1 else self.divide(group[0])
        if fits or len(pieces) == 1:
            yield start, content
            return
        middle = len(pieces) // 2
        yield from self.bounded(pieces[:middle])
        yield from self.bounded(pieces[middle:])


def _packed(divider: _Divider, kind: TextKind) -> Iterator[_Packed]:
    """Yield groups of pieces with their heading path.

    A section that fits with all its subsections stays whole. Otherwise chunks never join parts of two sections, except
    that a heading without text of its own is joined to the following text.
    """
    found = sections(divider.text, kind)
    own = [_section_pieces(divider, section, end, kind) for section, end in _with_ends(found, len(divider.text))]
    sums = [_total(pieces) for pieces in own]
    totals = [0, *accumulate(divider.max_tokens + 1 if tokens is None else tokens for tokens in sums)]
    beyond = _subtree_ends(found)
    carried: list[_Piece] = []
    index = 0
    while index < len(found):
        section, stop = found[index], beyond[index]
        is_whole = bool(own[index]) and totals[stop] - totals[index] + (_total(carried) or 0) <= divider.max_tokens
        stop = stop if is_whole else index + 1
        pieces = carried + [piece for owned in own[index:stop] for piece in owned]
        carried = []
        has_text = divider.text[section.body : _end_of(found, index, divider.text)].strip()
        if not has_text and stop == index + 1 < len(found) and divider.is_small(pieces):
            carried = pieces
        else:
            yield from ((section.path, group) for group in divider.pack(pieces))
        index = stop


def _with_ends(found: list[Section], length: int) -> Iterator[tuple[Section, int]]:
    ends = [section.start for section in found[1:]] + [length]
    return zip(found, ends, strict=True)


def _end_of(found: list[Section], index: int, text: str) -> int:
    return found[index + 1].start if index + 1 < len(found) else len(text)


def _subtree_ends(found: list[Section]) -> list[int]:
    """Return for each section the index of the first later one that is not below it."""
    ends = [len(found)] * len(found)
    open_sections: list[int] = []
    for index, section in enumerate(found):
        while open_sections and found[open_sections[-1]].level >= section.level:
            ends[open_sections.pop()] = index
        open_sections.append(index)
    return ends


def _total(pieces: list[_Piece]) -> int | None:
    """Return the sum of the tokens; None if one piece is too large to count."""
    total = 0
    for piece in pieces:
        if piece.tokens is None:
            return None
        total += piece.tokens
    return total


def _section_pieces(divider: _Divider, section: Section, end: int, kind: TextKind) -> list[_Piece]:
    """Return a section's paragraphs or blocks; a heading line is joined to the first of them."""
    text = divider.text
    if not text[section.start : end].strip():
        return []
    if kind == "code":
        cuts = _top_blocks(text, section.start, end, 0)
        return [
            divider.piece(*edges, (_blocks, _lines, _sentences, _words))
            for edges in pairwise([section.start, *cuts, end])
        ]
    blocks = _markdown_blocks(text, section.body, end) if kind == "markdown" else _paragraphs(text, section.body, end)
    pieces = []
    begins = section.start
    for stop, is_code in blocks:
        splitters = (_blocks, _lines, _sentences, _words) if is_code else (_sentences, _lines, _words)
        pieces.append(divider.piece(begins, stop, splitters))
        begins = stop
    if begins < end:
        pieces.append(divider.piece(begins, end, (_sentences, _lines, _words)))
    return pieces


# Possessive quantifiers and look-behinds keep these linear on hostile text, such as a megabyte of full stops.
_BLANK_LINES = re.compile(r"\n[ \t\r]*\n\s*")
_WIDE_END = r"[。！？｡।؟۔]++[”’」』）】》\"')\]]*+\s*+"
_NARROW_END = r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+\s++(?![a-z])"
_BEFORE_ITEM = r"\n(?=[ \t]*+(?:[-*+•|]|\d{1,4}[.)])[ \t])"
_SENTENCE_END = re.compile(f"{_WIDE_END}|{_NARROW_END}|{_BEFORE_ITEM}")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|vs|etc|No|Nos|Fig|Figs|Eq|cf|al|Jr|Sr|Inc|Ltd|Co|Vol|pp|approx|e\.g|i\.e)|\b[A-Z])$"
)
_SPACE = re.compile(r"\s")
_SOFT_BORDER = re.compile(r"\s|(?<=[，、；：])")


def _paragraphs(text: str, start: int, end: int) -> Iterator[tuple[int, bool]]:
    """Yield where each paragraph ends (including the blank lines after it), and that it is not code."""
    for match in _BLANK_LINES.finditer(text, start, end):
        if match.end() < end and match.start() > start:
            yield text.rfind("\n", 0, match.end()) + 1, False


def _markdown_blocks(text: str, start: int, end: int) -> Iterator[tuple[int, bool]]:
    """Yield where each block ends, and whether it is a fenced code block; blank lines do not split those."""
    open_fence: str | None = None
    has_text = after_blank = False
    position = start
    while position < end:
        stop = min(text.find("\n", position, end) + 1 or end, end)
        line = text[position : min(stop, position + 1000)].rstrip()
        marker = fence(line)
        if open_fence is not None:
            if marker is not None and marker.startswith(open_fence) and line.strip() == marker:
                open_fence = None
                yield stop, True
                has_text = False
        elif marker is not None:
            if has_text:
                yield position, False
            open_fence, has_text = marker, False
        else:
            if has_text and after_blank and line:
                yield position, False
                has_text = False
            has_text = has_text or bool(line)
        after_blank = not line
        position = stop


def _top_blocks(text: str, start: int, end: int, _size: int) -> list[int]:
    """Split after blank lines if the next line is not indented: functions, classes, groups of statements."""
    return [cut for cut in _after_blank_lines(text, start, end) if not text[cut].isspace()]


def _blocks(text: str, start: int, end: int, _size: int) -> list[int]:
    """Split after blank lines."""
    return list(_after_blank_lines(text, start, end))


def _after_blank_lines(text: str, start: int, end: int) -> Iterator[int]:
    """Yield the beginnings of lines after a blank line, unless they close a bracket."""
    for match in _BLANK_LINES.finditer(text, start, end):
        if match.end() < end and text[match.end()] not in "})]":
            cut = text.rfind("\n", 0, match.end()) + 1
            if cut > start:
                yield cut


def _sentences(text: str, start: int, end: int, _size: int) -> list[int]:
    """Split after sentence ends, and before list items and table rows."""
    return [
        match.end()
        for match in _SENTENCE_END.finditer(text, start, end)
        if start < match.end() < end
        and not (match[0][0] == "." and _ABBREVIATION.search(text, max(start, match.start() - 8), match.start()))
    ]


def _lines(text: str, start: int, end: int, size: int) -> list[int]:
    """Split after line ends, several short lines to a piece."""
    return _strides(start, end, lambda position: text.find("\n", min(position + size, end) - 1, end) + 1)


def _words(text: str, start: int, end: int, size: int) -> list[int]:
    """Split before white space, several words to a piece: tokenizers count a word with the space before it."""

    def after(position: int) -> int:
        match = _SPACE.search(text, position + size, end)
        return match.start() if match else 0

    return _strides(start, end, after)


def _halves(text: str, start: int, end: int, size: int) -> list[int]:
    """Split between characters into at least two pieces up to `size`; at white space or a comma if one is near."""
    size = min(size, (end - start + 1) // 2)

    def after(position: int) -> int:
        target = position + size
        soft = [match.end() for match in _SOFT_BORDER.finditer(text, target - size // 2, min(target, end))]
        return soft[-1] if soft and soft[-1] > position else _between_characters(text, position, target)

    return _strides(start, end, after)


def _strides(start: int, end: int, after: Callable[[int], int]) -> list[int]:
    """Return the cuts, each found from the previous one; 0 means none."""
    cuts = []
    position = start
    while 0 < (position := after(position)) < end:
        cuts.append(position)
    return cuts


def _between_characters(text: str, start: int, target: int) -> int:
    """Return the last offset up to `target` that does not separate a letter from its marks or an emoji's parts."""
    for cut in range(target, max(start, target - 16), -1):
        if cut >= len(text) or not (_joins(text[cut]) or text[cut - 1] == "\u200d"):
            return cut
    return target


def _joins(character: str) -> bool:
    return (
        character == "\u200d"
        or unicodedata.category(character).startswith("M")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def _trimmed(text: str, start: int, end: int) -> tuple[int, str]:
    """Remove white space around a part, but keep the first line's indentation; returns its start too."""
    content = text[start:end].rstrip()
    bare = content.lstrip()
    skipped = len(content) - len(bare)
    if bare and (start == 0 or text[start - 1] == "\n" or "\n" in content[:skipped]):
        skipped = content.rfind("\n", 0, skipped) + 1
    return start + skipped, content[skipped:]


def _range(unit: str, first: int, last: int) -> str:
    return f"{unit} {first}" if first == last else f"{unit}s {first}-{last}"
