"""Calls after a mark: each way of writing a call is tried after any mark.

Models mix marks and forms (a Qwen mark before GLM's form, one mark inside another), so a mark only says that a call may
follow, not how it is written.
"""

from collections.abc import Sequence
from typing import Final

from memgpt_cli.llm.replies.formats.harmony import read_stripped
from memgpt_cli.llm.replies.formats.json_calls import read_json
from memgpt_cli.llm.replies.formats.named import read_named
from memgpt_cli.llm.replies.formats.pythonic import read_calls, read_list
from memgpt_cli.llm.replies.formats.reading import MORE, NO, Reader, Reading, first_found, skip_blank
from memgpt_cli.llm.replies.formats.tagged import read_function, read_glm, read_invoke, read_xtml
from memgpt_cli.llm.replies.marks import CALL_OPENERS, ELEMENTS, STRIPPED_CALLS, XTML
from memgpt_cli.llm.replies.offered import Offered

BARE: Final = (read_json, read_list)
"""Forms that may be on a line of their own without a mark."""

_READERS: Final = (read_json, read_list, read_glm, read_named, read_calls)
_BY_MARK: Final[dict[str, Sequence[Reader]]] = {
    "functools": (read_json,),
    ">>>": (read_named,),
    **dict.fromkeys(STRIPPED_CALLS, (read_stripped,)),
}
_DEEPEST: Final = 3
MARKS: Final = sorted((*CALL_OPENERS, *ELEMENTS, *STRIPPED_CALLS, XTML), key=len, reverse=True)
_LONGEST: Final = max(map(len, MARKS))


def read_marked(text: str, at: int, mark: str, offered: Offered, *, final: bool, depth: int = 0) -> Reading:
    """Read the calls after `mark`, which is at `at`."""
    element = _element_reader(mark)
    if element is not None:
        return element(text, at, offered, final) if offered else NO
    start = at + len(mark)
    if mark in _BY_MARK or not offered:
        return first_found(_BY_MARK.get(mark, ()) if offered else (), text, start, offered, final=final)
    start = skip_blank(text, start)
    inner = next((one for one in MARKS if text.startswith(one, start)), None)
    if inner is not None and depth < _DEEPEST:
        return read_marked(text, start, inner, offered, final=final, depth=depth + 1)
    if begins_mark(text, start):
        return NO if final else MORE
    return first_found(_READERS, text, start, offered, final=final)


def begins_mark(text: str, at: int) -> bool:
    """Whether all of `text` from `at` on is the beginning of a mark, or nothing."""
    return len(text) - at <= _LONGEST and any(one.startswith(text[at:]) for one in MARKS)


def _element_reader(mark: str) -> Reader | None:
    if mark == XTML:
        return read_xtml
    if mark in ELEMENTS:
        return read_function if mark.startswith("<function") else read_invoke
    return None
