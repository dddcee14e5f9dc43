"""Find the headings of a text: where its sections begin and what their titles are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from memgpt_cli.domain.documents import TextKind

_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_UNDERLINE = re.compile(r" {0,3}(={3,}|-{3,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_NOT_A_TITLE = re.compile(r"\s*(?:[-*+>|#]|\d+[.)]\s|$)")
_NUMBER = r"(?:\d+|[ivxlcdm]+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_NAMED = (
    (
        1,
        re.compile(
            rf"(?:part|book|volume)\s+{_NUMBER}\b.*|第[〇零一二三四五六七八九十百千\d]{{1,6}}[卷部編编篇].*",
            re.IGNORECASE,
        ),
    ),
    (
        2,
        re.compile(
            rf"(?:chapter|appendix)\s+(?:{_NUMBER}|[a-z])\b.*|第[〇零一二三四五六七八九十百千\d]{{1,6}}[章回].*",
            re.IGNORECASE,
        ),
    ),
    (3, re.compile(rf"section\s+{_NUMBER}\b.*|第[〇零一二三四五六七八九十百千\d]{{1,6}}[节節].*", re.IGNORECASE)),
)
_NUMBERED = re.compile(r"(\d{1,3}(?:\.\d{1,3}){0,4})\.?[ \t]+\w.*")
_LONGEST_TITLE = 80
_SENTENCE_ENDS = (".", "!", "?", ",", ";", ":", "。", "！", "？", "，", "；", "：")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the text below it up to the next heading.

    `start` and `body` are character offsets of the heading and of the text after it; `level` is 0 for text before the
    first heading, and grows with depth; `path` holds the titles from the outermost heading to this one.
    """

    start: int
    body: int
    level: int
    path: tuple[str, ...] = ()


def sections(text: str, kind: TextKind) -> list[Section]:
    """Return the sections of `text` in order; they cover it, and the first has level 0. Code has no headings."""
    found = [Section(0, 0, 0)]
    open_titles: list[tuple[int, str]] = []
    for start, body, level, title in _headings(text, kind):
        while open_titles and open_titles[-1][0] >= level:
            open_titles.pop()
        open_titles.append((level, title[:_LONGEST_TITLE]))
        found.append(Section(start, body, level, tuple(name for _, name in open_titles)))
    return found


def lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end offsets of each line, its line feed included."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield start, end
        start = end


def fence(line: str) -> str | None:
    """Return the marker of a Markdown code fence on this line, if there is one."""
    match = _FENCE.match(line)
    return match[1] if match else None


def _headings(text: str, kind: TextKind) -> Iterator[tuple[int, int, int, str]]:
    if kind == "markdown":
        return _markdown_headings(text)
    return _plain_headings(text) if kind == "text" else iter(())


def _markdown_headings(text: str) -> Iterator[tuple[int, int, int, str]]:
    open_fence: str | None = None
    before: tuple[int, str] | None = None  # the previous line, if an underline could make it a heading
    after_blank = True
    in_front_matter = text.startswith("---\n")
    for start, end in lines(text):
        line = text[start : min(end, start + 1000)].rstrip()
        if in_front_matter:
            in_front_matter = start == 0 or line not in ("---", "...")
            continue
        marker = fence(line)
        if open_fence is not None:
            if marker is not None and marker.startswith(open_fence) and line.strip() == marker:
                open_fence = None
            before, after_blank = None, False
            continue
        if marker is not None:
            open_fence, before, after_blank = marker, None, False
        elif atx := _ATX.match(line):
            yield start, end, len(atx[1]), _without_closing_marks(atx[2])
            before, after_blank = None, True
        elif before is not None and (under := _UNDERLINE.match(line)):
            yield before[0], end, 1 if under[1][0] == "=" else 2, before[1]
            before, after_blank = None, True
        else:
            may_be_title = after_blank and not _NOT_A_TITLE.match(line) and len(line) <= _LONGEST_TITLE
            before = (start, line.strip()) if may_be_title else None
            after_blank = not line


def _without_closing_marks(title: str) -> str:
    """Return `Title` for `Title ##`; `C#` is unchanged."""
    bare = title.rstrip("#")
    return bare.strip() if bare[-1:] in ("", " ", "\t") else title.strip()


def _plain_headings(text: str) -> Iterator[tuple[int, int, int, str]]:
    after_blank = True
    candidate: tuple[int, int, str] | None = None  # a short line by itself; the next line decides
    for start, end in lines(text):
        line = text[start : min(end, start + 2 * _LONGEST_TITLE)].strip()
        if candidate is not None:
            begins, ends, title = candidate
            if under := _UNDERLINE.match(line):
                yield begins, end, 1 if under[1][0] == "=" else 2, title
                candidate, after_blank = None, True
                continue
            if not line and (level := _plain_level(title)):
                yield begins, ends, level, title
        candidate = (start, end, line) if after_blank and 0 < len(line) <= _LONGEST_TITLE else None
        after_blank = not line


def _plain_level(title: str) -> int | None:
    """Return the depth of a plain-text heading between blank lines, or None if it does not look like one."""
    for level, pattern in _NAMED:
        if pattern.fullmatch(title):
            return level
    if title.endswith(_SENTENCE_ENDS):
        return None
    if numbered := _NUMBERED.fullmatch(title):
        return 2 + numbered[1].count(".")
    letters = [character for character in title if character.isalpha()]
    is_capitals = len(letters) >= 4 and title.upper() == title and title.lower() != title  # noqa: PLR2004 - shorter: an acronym
    return 2 if is_capitals else None
