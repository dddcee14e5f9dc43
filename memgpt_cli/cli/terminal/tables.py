"""Tables: as wide as the terminal for a person, one complete line per row for a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.services.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NARROW: Final = 24
"""Columns of the terminal that a text needs beside the other cells; with fewer it is printed below them."""


def table(
    terminal: Terminal, columns: Sequence[str], rows: Iterable[Sequence[str]], *, wide: str | None = None
) -> None:
    """Print rows with headings; the column `wide` gets the remaining space and wraps."""
    cells = [[plain(masked(cell)) for cell in row] for row in rows]
    if not terminal.out.is_terminal:
        _lines(terminal, [list(columns), *cells])
        return
    widths = _widths([list(columns), *cells])
    beside = sum(width + 3 for column, width in zip(columns, widths, strict=True) if column != wide)
    if beside + (_NARROW if wide else 0) > terminal.out.width:
        _stacked(terminal, columns, cells, wide)
    else:
        _grid(terminal, columns, cells, wide)


def _grid(terminal: Terminal, columns: Sequence[str], cells: Sequence[Sequence[str]], wide: str | None) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    grid = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold", no_wrap=column != wide, ratio=1 if column == wide else None)
    for row in cells:
        grid.add_row(*row)
    terminal.out.print(grid, soft_wrap=False)


def _stacked(terminal: Terminal, columns: Sequence[str], cells: Sequence[Sequence[str]], wide: str | None) -> None:
    """Print each row as several lines: short cells first, long ones below."""
    from rich.padding import Padding

    for row in cells:
        named = list(zip(columns, row, strict=True))
        terminal.out.print("  ".join(cell for column, cell in named if column != wide and cell), style="bold")
        for column, cell in named:
            if column == wide and cell:
                terminal.out.print(Padding(cell, (0, 0, 0, 2)), soft_wrap=False)


def _lines(terminal: Terminal, cells: Sequence[Sequence[str]]) -> None:
    from rich.cells import cell_len

    flat = [[" ".join(cell.split()) for cell in row] for row in cells]
    widths = _widths(flat)
    for row in flat:
        padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        terminal.out.print("  ".join([*padded[:-1], row[-1]]).rstrip())


def _widths(cells: Sequence[Sequence[str]]) -> list[int]:
    from rich.cells import cell_len

    return [max(max(map(cell_len, cell.split("\n"))) for cell in column) for column in zip(*cells, strict=True)]
