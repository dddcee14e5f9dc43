"""Paging for in-memory lists: filter by name, show one page, report further pages."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, TypeVar

import typer

from memgpt_cli.cli.terminal.context import Terminal

T = TypeVar("T")

Match = Annotated[str | None, typer.Option("--match", help="Filter by name (case-insensitive).", metavar="TEXT")]


def matching(items: Iterable[T], text: str | None, *, name: Callable[[T], str]) -> list[T]:
    """Return items whose name contains the text; all without a text."""
    return [item for item in items if text is None or text.casefold() in name(item).casefold()]


def page_of(items: Sequence[T], *, limit: int, page: int) -> Sequence[T]:
    """Return one page (0-based); empty after the last one."""
    return items[page * limit : (page + 1) * limit]


def tell_of_more(terminal: Terminal, total: int, *, limit: int, page: int) -> None:
    """Report the next page, if there is one, or that this page is after the last one."""
    if total > (page + 1) * limit:
        terminal.notice(f"more: {terminal.command_for_page(page + 1)}")
    elif page and total and total <= page * limit:
        terminal.notice(f"there is no page {page}; the last: {terminal.command_for_page((total - 1) // limit)}")
