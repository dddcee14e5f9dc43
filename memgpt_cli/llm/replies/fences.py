"""Code fences: one that contains only calls is a call; the content of any other is text."""

import re
from dataclasses import dataclass
from typing import Final

from memgpt_cli.llm.replies.formats.json_calls import read_json
from memgpt_cli.llm.replies.formats.marked import MARKS, begins_mark, read_marked
from memgpt_cli.llm.replies.formats.named import read_named
from memgpt_cli.llm.replies.formats.pythonic import read_calls, read_list
from memgpt_cli.llm.replies.formats.reading import MORE, NO, CallVerdict, Found, Reading, first_found, skip_blank
from memgpt_cli.llm.replies.marks import CALL_CLOSERS
from memgpt_cli.llm.replies.offered import Offered, ReadCall

_HEADER: Final = re.compile(r"```([\w+-]*)[ \t]*\r?\n?\s*")
_CALL_LANGUAGES: Final = frozenset({"tool_code", "tool_call", "tool_calls", "tool", "function_call", "tool_use"})
_PYTHON: Final = frozenset({"python", "py"})


@dataclass(frozen=True, slots=True)
class Fence:
    """The header of a fence without a call, in characters."""

    length: int


def read_fence(text: str, offered: Offered, *, opens_reply: bool, final: bool) -> Found | Fence | CallVerdict:
    """Read the fence at the beginning of `text`. Never NO."""
    header = _HEADER.match(text)
    start = header.end() if header else 3
    if start >= len(text):
        return Fence(start) if final else MORE
    language = header[1].lower() if header else ""
    calls: list[ReadCall] = []
    while True:
        reading = _read_content(text, start, language, offered, opens_reply=opens_reply, final=final)
        if not isinstance(reading, Found):
            return MORE if reading is MORE else Fence(header.end() if header else 3)
        calls += reading.calls
        start = _past_closers(text, reading.end)
        rest = text[start:]
        if rest.startswith("```"):
            return Found(tuple(calls), start + 3)
        if final and not rest:
            return Found(tuple(calls), start)
        if not final and any(mark.startswith(rest) for mark in ("```", *CALL_CLOSERS)):
            return MORE


def _read_content(text: str, at: int, language: str, offered: Offered, *, opens_reply: bool, final: bool) -> Reading:
    mark = next((one for one in MARKS if text.startswith(one, at)), None)
    if mark is not None:
        return read_marked(text, at, mark, offered, final=final)
    if not final and begins_mark(text, at):
        return MORE
    if language in _CALL_LANGUAGES:
        return first_found((read_json, read_list, read_named, read_calls), text, at, offered, final=final)
    if language in _PYTHON and opens_reply:
        return first_found((read_list, read_calls), text, at, offered, final=final)
    if language in _PYTHON:
        return NO
    return first_found((read_json, read_list), text, at, offered, final=final)


def _past_closers(text: str, at: int) -> int:
    at = skip_blank(text, at, ",;")
    while (closer := next((mark for mark in CALL_CLOSERS if text.startswith(mark, at)), None)) is not None:
        at = skip_blank(text, at + len(closer))
    return at
