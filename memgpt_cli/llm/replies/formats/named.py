"""Calls as a name followed by a JSON object: Kimi K2, DeepSeek, Mistral, Gemma 4, Hunyuan, Functionary."""

import re
from typing import Final

from memgpt_cli.llm.replies.formats.reading import MORE, NO, Found, Reading, skip_blank
from memgpt_cli.llm.replies.literals import InvalidLiteralError, UnfinishedLiteralError, read_literal
from memgpt_cli.llm.replies.offered import Offered

_LONGEST_HEAD: Final = 240
_SEPARATOR: Final = (
    r"(?:<[|｜]tool[▁_ ]sep[|｜]>|<tool_sep>|<\|tool_call_argument_begin\|>|\[ARGS\]|\[CALL_ID\]\s*[\w-]*"
    r"|<\|role_sep\|>|:)"
)
_HEAD: Final = re.compile(
    rf"\s*(?:function\s*{_SEPARATOR}\s*)?(?:call:\s*)?([\w.:/-]+?)\s*(?:{_SEPARATOR}\s*)*(?:```\w*\s*)?(?=\{{)"
)
_EMPTY: Final = re.compile(rf"\s*([\w.:/-]+?)\s*(?:{_SEPARATOR}\s*)+(?=<)")
_BEGUN: Final = re.compile(r"\s*+[\w.:/-]*+\s*+(?:(?:<[|｜\w▁ /]*+>?+|\[\w*+\]?+|`)\s*+[\w.:/-]*+\s*+)*+")
_FENCE: Final = re.compile(r"\s*```")
_CLOSINGS: Final = re.compile(r"<[|｜/]|\[TOOL_CALLS\]|</")


def read_named(text: str, at: int, offered: Offered, final: bool) -> Reading:  # noqa: FBT001
    """Read a name, any separator, and a JSON object."""
    head = _HEAD.match(text, at, at + _LONGEST_HEAD)
    if head is None:
        return _read_headless(text, at, offered, final=final)
    name = offered.name(head[1])
    return NO if name is None else _read_arguments(text, head, name, offered, final=final)


def _read_headless(text: str, at: int, offered: Offered, *, final: bool) -> Reading:
    """Read a call without arguments, or the beginning of a head."""
    empty = _EMPTY.match(text, at, at + _LONGEST_HEAD)
    name = offered.name(empty[1]) if empty else None
    if empty is not None and name is not None and _is_closing(text, empty.end()):
        return Found((offered.call(name, "{}"),), empty.end())
    begun = not final and len(text) - at < _LONGEST_HEAD and _BEGUN.fullmatch(text, at) is not None
    return MORE if begun else NO


def _read_arguments(text: str, head: re.Match[str], name: str, offered: Offered, *, final: bool) -> Reading:
    start = head.end()
    try:
        value, end = read_literal(text, start)
    except (UnfinishedLiteralError, InvalidLiteralError) as error:
        closing = _CLOSINGS.search(text, start) if isinstance(error, InvalidLiteralError) else None
        if closing is None and not final:
            return MORE
        end = closing.start() if closing else len(text)
        return Found((offered.call(name, text[start:end].strip()),), end)
    if "```" in head[0]:
        if not final and "```".startswith(text[skip_blank(text, end) :]):
            return MORE
        fence = _FENCE.match(text, end)
        end = fence.end() if fence else end
    return Found((offered.call(name, value),), end)


def _is_closing(text: str, at: int) -> bool:
    """Whether a mark that ends a call follows."""
    return re.compile(r"<[|｜]tool[▁_ ]calls?[▁_ ](?:section[▁_ ])?end[|｜]>|</tool_call>").match(text, at) is not None
