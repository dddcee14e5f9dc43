"""Calls as Python writes them.

`[f(a="b"), g()]` (Llama 4, LFM2, Gemma 3), `f.call(a="b")` (Llama 3), one a line (OLMo), `print(f())` (Gemma 3).
"""

import re
from typing import Any, Final

from memgpt_cli.llm.replies.formats.reading import MORE, NO, Found, Reading, skip_blank
from memgpt_cli.llm.replies.literals import InvalidLiteralError, UnfinishedLiteralError, read_value
from memgpt_cli.llm.replies.offered import Offered, ReadCall

_HEAD: Final = re.compile(r"(print\(\s*)?((?!print\()[A-Za-z_][\w.:-]*)\s*\(")
_BEGUN: Final = re.compile(r"(?:print\(\s*)?([A-Za-z_][\w.:-]*)?\s*")
_KEY_BEGUN: Final = re.compile(r"[A-Za-z_]\w*\s*")
_KEY: Final = re.compile(r"([A-Za-z_]\w*)\s*=\s*")


class _NotACallError(ValueError):
    """The text is not a call of an offered function."""


def read_list(text: str, at: int, offered: Offered, final: bool) -> Reading:  # noqa: FBT001
    """A list of calls in square brackets."""
    if text[at : at + 1] != "[":
        return NO
    return _read(text, skip_blank(text, at + 1), offered, closing="]", final=final)


def read_calls(text: str, at: int, offered: Offered, final: bool) -> Reading:  # noqa: FBT001
    """One call, or several separated by commas, semicolons or line ends."""
    return _read(text, at, offered, closing="", final=final)


def _read(text: str, at: int, offered: Offered, *, closing: str, final: bool) -> Reading:
    calls: list[ReadCall] = []
    try:
        while True:
            call, at = _call(text, at, offered)
            calls.append(call)
            following = skip_blank(text, at, ",;")
            if closing and text[following : following + 1] == closing:
                return Found(tuple(calls), following + 1)
            if following >= len(text):
                break
            if not _may_begin(text, following, offered):
                return NO if closing else Found(tuple(calls), at)
            at = following
    except UnfinishedLiteralError:
        pass
    except (InvalidLiteralError, _NotACallError):
        return NO
    if not final:
        return MORE
    return Found(tuple(calls), at) if calls else NO


def _may_begin(text: str, at: int, offered: Offered) -> bool:
    """Whether another call may begin here. Calls without brackets need a complete head, unlike text."""
    match = _BEGUN.match(text, at)
    if match is None or not match[0]:
        return False
    if match.end() >= len(text):
        return _may_become_name(match[1] or "", offered)
    head = _HEAD.match(text, at)
    return head is not None and offered.name(head[2]) is not None


def _call(text: str, at: int, offered: Offered) -> tuple[ReadCall, int]:
    head = _HEAD.match(text, at)
    if head is None:
        begun = _BEGUN.match(text, at)
        if begun is not None and begun.end() >= len(text) and _may_become_name(begun[1] or "", offered):
            raise UnfinishedLiteralError
        raise _NotACallError
    name = offered.name(head[2])
    if name is None:
        raise _NotACallError
    arguments, at = _arguments(text, head.end(), offered.parameters(name))
    if head[1] is not None:
        at = skip_blank(text, at)
        if at >= len(text):
            raise UnfinishedLiteralError
        if text[at] != ")":
            raise _NotACallError
        at += 1
    return offered.call(name, arguments), at


def _may_become_name(begun: str, offered: Offered) -> bool:
    """Whether more letters may make `begun` a name, with a prefix or Llama's `.call`."""
    ends = [begun, *(begun[match.end() :] for match in re.finditer(r"[.:]", begun))]
    return any(f"{name}.call".startswith(end) for name in offered.names for end in ends) or "print".startswith(begun)


def _arguments(text: str, at: int, parameters: Any) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    unnamed = iter(parameters)
    while True:
        at = skip_blank(text, at, ",")
        if at >= len(text):
            raise UnfinishedLiteralError
        if text[at] == ")":
            return found, at + 1
        match = _KEY.match(text, at)
        if match is None and _KEY_BEGUN.fullmatch(text, at):
            raise UnfinishedLiteralError
        key = match[1] if match else next(unnamed, None)
        if key is None:
            raise _NotACallError
        found[key], at = read_value(text, match.end() if match else at)
        following = skip_blank(text, at)
        if following < len(text) and text[following] not in ",)":
            raise _NotACallError
