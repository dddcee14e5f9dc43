"""Split a growing reply, so that finished blocks are printed and only the rest is redrawn.

The parser that renders the reply determines its blocks.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markdown_it.token import Token

_LINE_END: Final = re.compile(r"\r\n?|\n")
"""As the parser counts lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Each part is Markdown by itself. `done` is empty if nothing can be split.

    `within`: the cut is inside a list or a block of code, where no empty line may be added.
    """

    done: str
    rest: str
    within: bool = False


def parted(text: str) -> Parts:
    """Split before the last block, which may still grow; a single block before its last item or line of code."""
    from rich.markdown import Markdown

    lines = _LINE_END.split(text)
    tokens = Markdown(text).parsed
    blocks = _at(0, tokens)
    if not blocks:
        return Parts(done="", rest=text)
    last = blocks[-1]
    if len(blocks) > 1:
        return _cut(lines, _begin(last))
    if last.type == "fence":
        return _code(lines, last)
    items = [token for token in _at(1, tokens) if token.type == "list_item_open"]
    return _cut(lines, _begin(items[-1]), within=True) if len(items) > 1 else Parts(done="", rest=text)


def _at(level: int, tokens: "list[Token]") -> "list[Token]":
    return [token for token in tokens if token.level == level and token.map and token.nesting >= 0]


def _begin(token: "Token") -> int:
    return token.map[0] if token.map else 0


def _cut(lines: list[str], at: int, *, within: bool = False) -> Parts:
    return Parts(done="\n".join(lines[:at]).rstrip("\n"), rest="\n".join(lines[at:]), within=within)


def _code(lines: list[str], fence: "Token") -> Parts:
    """Close an open block before its last complete line and open it again; that line may become its end."""
    begin, end = _begin(fence), len(lines) - 2
    if end <= begin + 1 or _is_closed(lines, fence):
        return Parts(done="", rest="\n".join(lines))
    done = [*lines[:end], fence.markup]
    return Parts(done="\n".join(done), rest="\n".join([lines[begin], *lines[end:]]), within=True)


def _is_closed(lines: list[str], fence: "Token") -> bool:
    begin, end = fence.map or (0, 0)
    mark = re.escape(fence.markup[0])
    closing = rf" {{0,3}}{mark}{{{len(fence.markup)},}}[ \t]*"
    return end - 1 > begin and re.fullmatch(closing, lines[end - 1]) is not None
