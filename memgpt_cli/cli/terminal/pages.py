"""Parts of lists that are at hand as a whole: names filtered, one page shown, and told that there is more."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, TypeVar

import typer

from memgpt_cli.cli.terminal.context import Terminal

T = TypeVar("T")

Match = Annotated[str | None, typer.Option("--match", help="Filter by name (case-insensitive).", metavar="TEXT")]


def matching(items: Iterable[T], text: str | None, *, name: Callable[[T], str]) -> list[T]:
    """Those whose name contains the text; all without one."""
    return [item for item in items if text is None or text.casefold() in name(item).casefold()]


def page_of(items: Sequence[T], *, limit: int, page: int) -> Sequence[T]:
    """One page, counted from 0; empty behind the last one."""
    return items[page * limit : (page + 1) * limit]


def tell_of_more(terminal: Terminal, total: int, *, limit: int, page: int) -> None:
    """Say which page comes next, if one does, or that this one lies behind the last."""
    if total > (page + 1) * limit:
        terminal.notice(f"more: {terminal.command_for_page(page + 1)}")
    elif page and total and total <= page * limit:
        terminal.notice(f"there is no page {page}; the last: {terminal.command_for_page((total - 1) // limit)}")
