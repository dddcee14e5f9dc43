"""Read data files as readable text: tables row by row with column names, JSON, notebooks cell by cell."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from memgpt_cli.domain.documents import Document, Part
from memgpt_cli.errors import DocumentError

_LONGEST_FIELD: Final = 10_000_000
_SANE_LINE: Final = 2_000
_GROUP: Final = 3_000
"""Characters up to which small notebook cells are cited together."""

_TERMINAL_CODES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def read_table(text: str, name: str, *, delimiter: str | None = None) -> Document:
    """Read a CSV or TSV file: one line per row, `column: value; ...` if the first row contains column names."""
    csv.field_size_limit(_LONGEST_FIELD)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or _delimiter(text))
    try:
        first = next(rows, [])
        if _names_columns(first):
            lines = [_row(first, row) for row in rows]
        else:
            lines = ["; ".join(_cells(row)) for row in (first, *rows)]
    except csv.Error as error:
        raise DocumentError(f"a broken table: {error}", hint="rename it to .txt to load it as it stands") from error
    return Document(parts=(Part(text="\n".join(lines), kind="code", unit="row"),), title=name, kind="csv")


def _delimiter(text: str) -> str:
    """Return the most frequent candidate at the beginning."""
    return max(",;\t|", key=text[:10_000].count)


def _names_columns(row: list[str]) -> bool:
    """Whether a first row is a header: distinct words, none of them a number."""
    cells = [cell.strip() for cell in row]
    return bool(cells) and len(set(cells)) == len(cells) and all(re.search(r"[^\W\d]", cell) for cell in cells)


def _row(names: list[str], row: list[str]) -> str:
    cells = _cells(row)
    named = [f"{name.strip()}: {cell}" for name, cell in zip(names, cells, strict=False) if cell]
    return "; ".join(named + [cell for cell in cells[len(names) :] if cell])


def _cells(row: list[str]) -> list[str]:
    return [" ".join(cell.split()) for cell in row]


def read_json(text: str, name: str) -> Document:
    """Read a JSON file: unchanged if it is readable, reformatted if it is one long line or escaped."""
    is_readable = "\\u" not in text and max(map(len, text.splitlines()), default=0) <= _SANE_LINE
    if not is_readable:
        try:
            laid_out = json.dumps(json.loads(text), ensure_ascii=False, indent=1)
        except (ValueError, RecursionError):
            pass  # invalid or nested too deeply: keep it as text
        else:
            return Document(parts=(Part(text=laid_out, kind="code", unit=None),), title=name, kind="json")
    return Document(parts=(Part(text=text, kind="code"),), title=name, kind="json")


def read_json_lines(text: str, name: str) -> Document:
    """Read a JSONL file: one record per line, with escapes decoded."""
    lines = [_unescaped(line) if "\\u" in line else line for line in text.split("\n")]
    return Document(parts=(Part(text="\n".join(lines), kind="code"),), title=name, kind="jsonl")


def _unescaped(line: str) -> str:
    try:
        return json.dumps(json.loads(line), ensure_ascii=False)
    except (ValueError, RecursionError):
        return line


def read_notebook(text: str, name: str) -> Document:
    """Read a Jupyter notebook, format 3 or 4: its text, code and printed results, cited by cell."""
    try:
        notebook = json.loads(text)
        sheets = notebook.get("worksheets") or [notebook]
        cells = [cell for sheet in sheets for cell in sheet.get("cells", [])]
        parts = tuple(_grouped(_cell(cell) for cell in cells))
    except (ValueError, RecursionError, AttributeError, TypeError) as error:
        raise DocumentError(f"a broken notebook: {error}") from error
    return Document(parts=parts, title=name, kind="ipynb")


def _grouped(cells: Iterator[tuple[str, bool]]) -> Iterator[Part]:
    """Group small neighbouring cells; a heading begins a new part."""
    texts: list[str] = []
    first = number = 0
    for number, (text, is_heading) in enumerate(cells, 1):
        if texts and (is_heading or sum(map(len, texts)) + len(text) > _GROUP):
            yield _cells_part(texts, first, number - 1)
            texts = []
        if text.strip():
            first = first if texts else number
            texts.append(text)
    if texts:
        yield _cells_part(texts, first, number)


def _cells_part(texts: list[str], first: int, last: int) -> Part:
    place = f"cell {first}" if len(texts) == 1 else f"cells {first}-{last}"
    return Part(text="\n\n".join(texts), kind="markdown", place=place)


def _cell(cell: dict[str, Any]) -> tuple[str, bool]:
    """Return a cell as Markdown, and whether it begins with a heading."""
    source = _text(cell.get("source", cell.get("input", "")))
    kind = cell.get("cell_type")
    if kind == "heading":
        return f"{'#' * int(cell.get('level', 1))} {source}", True
    if kind != "code":
        return source, source.lstrip().startswith("#")
    printed = [_output(output) for output in cell.get("outputs", [])]
    blocks = [f"```\n{text.rstrip()}\n```" for text in (source, *printed) if text.strip()]
    return "\n\n".join(blocks), False


def _output(output: dict[str, Any]) -> str:
    """Return the printed or returned text of a cell; pictures and widgets are skipped."""
    data = output.get("data", {})
    text = _text(output.get("text") or data.get("text/markdown") or data.get("text/plain") or "")
    return _TERMINAL_CODES.sub("", text)


def _text(value: object) -> str:
    """Return text that a notebook stores as a string or as a list of lines."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value)
