"""Convert HTML to Markdown. Lexbor (selectolax) parses; this module renders headings, lists, tables and code.

Scripts, menus, pictures and emphasis are removed, and links except those to other sites: the text is for memory and
search, not for display.
"""

import re
from typing import TYPE_CHECKING, Final

from memgpt_cli.documents.encodings import decode
from memgpt_cli.documents.vendors import vendor
from memgpt_cli.errors import DocumentError

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

MAX_CHARACTERS: Final = 32_000_000
MAX_DEPTH: Final = 2_000
"""Maximum nesting of elements; a standard tree builder takes quadratic time in it."""

_DECLARED: Final = re.compile(
    rb"<(?:meta|\?xml)[^>]{0,200}(?:charset|encoding)\s*=\s*[\"']?([-\w.]{2,30})", re.IGNORECASE
)
_DROPPED: Final = frozenset(
    ("head", "script", "style", "template", "nav", "svg", "noscript", "iframe", "object", "audio", "video", "-comment")
)
_INLINE: Final = frozenset(
    """a abbr b bdi bdo big cite code del dfn em font i img ins kbd label mark q rp rt ruby s samp small span strike
    strong sub sup time tt u var wbr math mi mo mn mrow msup msub""".split()  # noqa: SIM905 - forty lines otherwise
)
_HEADINGS: Final = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_LAYOUT: Final = "table table, h1, h2, h3, h4, ul, ol, pre, blockquote"
_NESTING: Final = re.compile(
    r"<(/?)(?!(?:p|li|d[td]|t[drh]|option|br|hr|img|input|meta|link|wbr|col)\b)[a-z][\w-]*+[^<>]*+>", re.IGNORECASE
)
_SELF_CLOSED: Final = re.compile(r"<(?!(?:br|hr|img|input|meta|link|wbr|col)\b)([a-zA-Z][\w:-]*)((?:\s[^<>]*)?)/>")
_LEADS_OUT: Final = re.compile(r"(?:https?://|mailto:)\S+")


def decode_html(data: bytes) -> str:
    """Return the text of an HTML or XHTML file; the encoding declared in its head is used if it is valid."""
    match = _DECLARED.search(data, 0, 2048)
    return decode(data, declared=match[1].decode("ascii", "replace") if match else None)


def to_markdown(html: str, *, xhtml: bool = False) -> tuple[str, str]:
    """Return the page as Markdown, and its title (empty if it has none).

    `xhtml`: `<title/>` is an element without content, which HTML takes for an opening tag. Raises DocumentError for a
    page that is too large or nested too deeply.
    """
    if len(html) > MAX_CHARACTERS:
        raise DocumentError(f"a page of more than {MAX_CHARACTERS:,} characters")
    if xhtml:
        html = _SELF_CLOSED.sub(r"<\1\2></\1>", html)
    if _depth(html) > MAX_DEPTH:
        raise DocumentError(f"elements nested more than {MAX_DEPTH:,} deep")
    tree = vendor("selectolax.lexbor").LexborHTMLParser(html)
    title = tree.css_first("title")
    renderer = _Renderer()
    if tree.root is not None:
        renderer.render(tree.root)
    return renderer.text(), " ".join(title.text().split()) if title else ""


def _depth(html: str) -> int:
    """Return roughly how deeply elements nest; elements that may stay unclosed are not counted."""
    deepest = depth = 0
    for match in _NESTING.finditer(html):
        if match[1]:
            depth -= 1
        elif html[match.end() - 2] != "/":
            depth += 1
            deepest = max(deepest, depth)
    return deepest


class _Renderer:
    """Walks a tree iteratively, collects words, and writes a block wherever one ends."""

    def __init__(self) -> None:
        self._written: list[str] = []
        self._gathered: list[str] = []
        self._mark = ""  # prefix of the next block: a heading's mark, a list item's mark
        self._lists: list[int | None] = []  # for each open list its last number, None for bullets
        self._preformatted = 0
        self._is_tight = False  # the next block follows without a blank line

    def text(self) -> str:
        """Return the rendered text."""
        self._flush()
        return "".join(self._written).strip()

    def render(self, root: "LexborNode") -> None:
        """Render a tree."""
        waiting: list[tuple[LexborNode, bool]] = [(root, False)]
        while waiting:
            node, is_end = waiting.pop()
            tag = node.tag or ""
            if is_end:
                self._end(node, tag)
            elif tag == "-text":
                self._gathered.append(node.text_content or "")
            elif tag not in _DROPPED:
                if tag == "table" and node.css_first(_LAYOUT) is None:
                    self._table(node)
                    continue
                self._begin(node, tag)
                waiting.append((node, True))
                waiting.extend((child, False) for child in reversed(list(node.iter(include_text=True))))

    def _begin(self, node: "LexborNode", tag: str) -> None:
        if tag in _INLINE:
            if tag == "img":
                self._gathered.append(node.attributes.get("alt") or "")
            elif tag == "code" and not self._preformatted:
                self._gathered.append("`")
            elif tag == "a" and _address(node):
                self._gathered.append("[")
            return
        self._flush(is_tight=tag in ("br", "dd") or (tag in ("ul", "ol") and bool(self._lists)))
        if tag in _HEADINGS:
            self._mark = _HEADINGS[tag]
        elif tag in ("ul", "ol"):
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._mark = self._item_mark()
        elif tag == "pre":
            self._preformatted += 1

    def _end(self, node: "LexborNode", tag: str) -> None:
        if tag in _INLINE:
            if tag == "code" and not self._preformatted:
                self._gathered.append("`")
            elif tag == "a" and (address := _address(node)):
                self._gathered.append(f"]({address})")
            return
        self._flush()
        if tag in _HEADINGS:
            self._mark = ""
        elif tag == "li":
            self._mark, self._is_tight = "", True
        elif tag in ("ul", "ol"):
            self._lists.pop()
            self._is_tight = bool(self._lists)
        elif tag == "pre":
            self._preformatted -= 1

    def _item_mark(self) -> str:
        """Return the mark of the next item of the innermost list."""
        indent = "  " * (len(self._lists) - 1)
        if not self._lists or (number := self._lists[-1]) is None:
            return f"{indent}- "
        self._lists[-1] = number + 1
        return f"{indent}{number + 1}. "

    def _flush(self, *, is_tight: bool = False) -> None:
        """Write the collected words as one block."""
        gathered = "".join(self._gathered)
        self._gathered.clear()
        text = gathered.strip("\n") if self._preformatted else " ".join(gathered.split())
        if text.strip():
            self._write(f"```\n{text}\n```" if self._preformatted else text)
        self._is_tight = self._is_tight or is_tight

    def _write(self, block: str) -> None:
        self._written.append(("\n" if self._is_tight else "\n\n") + self._mark + block)
        self._mark, self._is_tight = "", False

    def _table(self, table: "LexborNode") -> None:
        """Render a table: a line for each row, and after the first one the separator line of Markdown."""
        self._flush()
        lines: list[str] = []
        for row in table.css("tr"):
            cells = [" ".join(cell.text(separator=" ").split()).replace("|", "\\|") for cell in row.css("td, th")]
            if any(cells):
                lines.append(f"| {' | '.join(cells)} |")
                if len(lines) == 1:
                    lines.append(f"|{' --- |' * len(cells)}")
        if lines:
            self._write("\n".join(lines))


def _address(link: "LexborNode") -> str:
    """Return the target of a link to another site; empty otherwise."""
    address = link.attributes.get("href") or ""
    return address if _LEADS_OUT.fullmatch(address) else ""
