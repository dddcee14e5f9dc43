"""Reading an extractor's reply: a summary, then facts as JSON objects, in whatever state they are.

The reply is not trusted: every size is bounded, what cannot be read is dropped and counted, and the summary is never
changed by what follows it.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from memgpt_cli.domain.messages import clean

MARK: Final = "===FACTS==="
"""The line between the summary and the facts."""

MOST_OBJECTS: Final = 60
LONGEST_OBJECT: Final = 1_000
LONGEST_VALUE: Final = 300
LONGEST_QUOTE: Final = 120

FIELDS: Final = ("of", "fact", "what", "is", "quote", "from", "until", "kind", "says", "replaces")

_NAMES: Final = "|".join(FIELDS)
_MARKS: Final = "\"'“”‘’„＂＇"
_MARK_LINE: Final = re.compile(r"^[ \t>*_`#]*={3,} ?FACTS ?={3,}[ \t:*_`]*\r?$", re.MULTILINE | re.IGNORECASE)
_START: Final = re.compile(rf"[{{｛]\s*[{_MARKS}](?:{_NAMES})[{_MARKS}]\s*[:：]", re.IGNORECASE)
_FIRST_OBJECT: Final = re.compile(rf"^[ \t]*(?:[-*•]|\d+[.)]|\[)?\s*(?={_START.pattern})", re.MULTILINE | re.IGNORECASE)
_FIELD: Final = re.compile(rf"(?:^|[{{｛,，、;；\s])\s*[{_MARKS}]({_NAMES})[{_MARKS}]\s*[:：]\s*", re.IGNORECASE)
_CLOSED: Final = re.compile(rf"(?:[{_MARKS}\]]|\b(?:null|true|false)|[:：]\s*\d+)\s*[,，]?\s*[}}｝]\s*\Z")
_JUNK: Final = re.compile(r"[\s\]】,，;；`]*\Z")
_HEADING: Final = re.compile(r"[ \t]*(?:```\w*|\[|[#*_ ]*(?:facts|事实)[#*_ ]*[:：]?[*_ ]*)?[ \t]*\r?", re.IGNORECASE)
_SEPARATOR: Final = re.compile(r"[\s,，;；]+\Z")
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_CONTROL: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "", "f": ""}


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply divided: its summary as it is, and what stands behind the mark; None without facts."""

    summary: str
    facts: str | None


@dataclass(slots=True)
class Lines:
    """The objects that could be read, as fields with their texts, and why others were dropped, with counts."""

    objects: list[dict[str, str]] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


def divide(text: str) -> Reply:
    """Split a reply at the first line that holds only the mark; without a mark where the first object begins."""
    if match := _MARK_LINE.search(text):
        return Reply(text[: match.start()].rstrip(), text[match.end() :])
    if match := _FIRST_OBJECT.search(text):
        return Reply(_without_headings(text[: match.start()]), text[match.start() :])
    return Reply(_without_cut_mark(text), None)


def read(text: str, *, most: int = MOST_OBJECTS) -> Lines:
    """The objects in the facts part of a reply, in order, at most `most`."""
    lines = Lines()
    starts = [match.start() for match in _START.finditer(text)]
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(text)], strict=False)):
        if len(lines.objects) >= most:
            lines.dropped["over the limit"] += len(starts) - number
            break
        chunk = text[start:end]
        is_last = end == len(text)
        found, why = _object(chunk[: LONGEST_OBJECT + 1], is_last=is_last, is_long=len(chunk.rstrip()) > LONGEST_OBJECT)
        if found is None:
            lines.dropped[why] += 1
        else:
            lines.objects.append(found)
    return lines


def _object(chunk: str, *, is_last: bool, is_long: bool) -> tuple[dict[str, str] | None, str]:
    """One object's fields, or why there are none."""
    if (fields := _as_json(chunk)) is None:
        if is_long and _closing(chunk) is None:
            return None, "too long"
        body = _closing(chunk)
        if body is None and is_last:
            return None, "cut off"
        fields = _at_names(chunk if body is None else body)
    if any(len(value) > LONGEST_VALUE for name, value in fields.items() if name != "quote"):
        return None, "too long"
    if "quote" in fields:
        fields["quote"] = _shortened(fields["quote"])
    return {name: value for name, value in fields.items() if value}, ""


def _as_json(chunk: str) -> dict[str, str] | None:
    """The fields of a chunk that begins with a JSON object; a comma may precede its closing brace."""
    for text in (chunk, re.sub(r",\s*}", "}", chunk)):
        try:
            value, _ = json.JSONDecoder(strict=False, object_pairs_hook=_first_of_each).raw_decode(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return {name: _text(value[name]) for name in FIELDS if name in value}
    return None


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name.strip().lower(): value for name, value in reversed(pairs)}


def _closing(chunk: str) -> str | None:
    """The chunk without what follows its last brace, if it looks complete."""
    end = max(chunk.rfind("}"), chunk.rfind("｝"))
    if end < 0 or _CLOSED.search(chunk[: end + 1]) is None:
        return None
    return chunk[:end]


def _at_names(chunk: str) -> dict[str, str]:
    """The fields of an object that is not JSON: its values are what stands between the names that are known."""
    names = list(_FIELD.finditer(chunk))
    fields: dict[str, str] = {}
    for match, following in zip(names, [*names[1:], None], strict=False):
        raw = chunk[match.end() : following.start() if following else len(chunk)]
        fields.setdefault(match[1].lower(), _unquoted(raw))
    return fields


def _unquoted(raw: str) -> str:
    text = _SEPARATOR.sub("", raw).strip()
    text = re.sub(r"[\s}｝\]]+\Z", "", text) if text[:1] in _MARKS else text
    if text[:1] and text[:1] in _MARKS:
        text = text[1:-1] if len(text) > 1 and text[-1] in _MARKS else text[1:]
    text = "" if text in {"null", "None"} else text
    return _tidy(_ESCAPE.sub(lambda m: chr(int(m[1][1:], 16)) if len(m[1]) > 1 else _CONTROL.get(m[1], m[1]), text))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, (_text(item) for item in value[:10])))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return _tidy(str(value))


def _tidy(text: str) -> str:
    return " ".join(clean(text).replace("\x00", "").split())


def _shortened(quote: str) -> str:
    if len(quote) <= LONGEST_QUOTE:
        return quote
    short = quote[:LONGEST_QUOTE]
    return short.rpartition(" ")[0] or short


def _without_headings(text: str) -> str:
    """A summary without the fence or heading that introduced the facts."""
    lines = text.rstrip().split("\n")
    while len(lines) > 1 and _HEADING.fullmatch(lines[-1]):
        lines.pop()
    return "\n".join(lines).rstrip()


def _without_cut_mark(text: str) -> str:
    """A summary without the beginning of a mark at which the reply was cut off."""
    before, newline, last = text.rstrip().rpartition("\n")
    return before.rstrip() if newline and last.strip() and MARK.startswith(last.strip()) else text
