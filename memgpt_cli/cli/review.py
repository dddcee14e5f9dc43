"""`memgpt review`: decide about pending writes of the model to core memory."""

from typing import Annotated

import typer

from memgpt_cli.cli.memory.history import STYLES
from memgpt_cli.cli.options import Command
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import Limit, Page
from memgpt_cli.domain.reviews import Review, ReviewState, review_ref
from memgpt_cli.domain.times import for_people
from memgpt_cli.errors import UsageError
from memgpt_cli.services.memory import AgentMemory
from memgpt_cli.services.reviews import shape

app = typer.Typer(help="Writes of the model to core memory that wait for you.", no_args_is_help=True)


def _waiting(ctx: typer.Context, incomplete: str) -> list[str]:
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        return [ref for ref in memory.reviews.waiting() if ref.startswith(incomplete)]


Ids = Annotated[
    list[str] | None, typer.Argument(help="Ids such as r3 (repeatable).", metavar="ID...", autocompletion=_waiting)
]
All = Annotated[bool, typer.Option("--all", help="All pending ones.")]


@app.command("list", cls=Command)
def list_reviews(
    ctx: typer.Context,
    decided: Annotated[bool, typer.Option("--decided", help="Include accepted and rejected ones.")] = False,
    limit: Limit = 50,
    page: Page = 0,
) -> None:
    """List the pending writes: what would change, and why they need your decision.

    Example:
        memgpt review list
    """
    list_writes(terminal_of(ctx), limit=limit, page=page, decided=decided)


def list_writes(terminal: Terminal, *, limit: int = 50, page: int = 0, decided: bool = False) -> None:
    """Print the writes that wait, or all of them."""
    with terminal.memory() as memory:
        found, more = memory.reviews.page(limit=limit, number=page, decided=decided)
        if terminal.json:
            terminal.print_json([shape(review) for review in found])
        for review in () if terminal.json else found:
            _show(terminal, memory, review)
    if not found and not terminal.json:
        terminal.notice("nothing waits for review")
    elif not terminal.json and any(review.state is ReviewState.WAITING for review in found):
        terminal.notice("to decide: memgpt review accept ID, or memgpt review reject ID")
    if more:
        terminal.notice(f"there are more: --page {page + 1}")


@app.command("show", cls=Command)
def show(
    ctx: typer.Context,
    review: Annotated[str, typer.Argument(help="Its id, such as r3.", metavar="ID", autocompletion=_waiting)],
) -> None:
    """Show one write: its lines, its reason, and what it was derived from.

    Example:
        memgpt review show r3

    """
    show_write(terminal_of(ctx), review)


def show_write(terminal: Terminal, review: str) -> None:
    """Print one write. Raises UsageError, NotFoundError."""
    with terminal.memory() as memory:
        found = memory.reviews.get(review)
        if terminal.json:
            terminal.print_json(shape(found))
            return
        _show(terminal, memory, found)
        for link in memory.trust.chain(review_ref(found.id)).links[1:]:
            terminal.say(f"   from {link.ref} ({link.source}): {' '.join(link.text.split())[:200]}", style="dim")


@app.command("accept", cls=Command)
def accept(ctx: typer.Context, review: Ids = None, every: All = False) -> None:
    """Make the writes, as one change. memgpt undo undoes it.

    Examples:
        memgpt review accept r3

        memgpt review accept --all
    """
    accept_writes(terminal_of(ctx), review, every=every)


def accept_writes(terminal: Terminal, review: list[str] | None, *, every: bool) -> None:
    """Make these writes, or all that wait, as one change. Raises UsageError, NotFoundError, LimitError."""
    with terminal.memory() as memory:
        chosen = _chosen(terminal, memory, review, every=every)
        changes = [memory.reviews.difference(memory.reviews.get(ref)) for ref in chosen]
        done = memory.reviews.accept(chosen)
    if terminal.json:
        terminal.print_json([shape(found) for found in done])
        return
    for found, change in zip(done, changes, strict=True):
        terminal.say(f"accepted {review_ref(found.id)}: block {found.label}", style="bold")
        _lines(terminal, change.removed, change.added)
    if done:
        terminal.notice("memgpt undo takes it back")


@app.command("reject", cls=Command)
def reject(ctx: typer.Context, review: Ids = None, every: All = False) -> None:
    """Drop the writes; core memory does not change. memgpt undo makes them pending again.

    Examples:
        memgpt review reject r3

        memgpt review reject --all
    """
    reject_writes(terminal_of(ctx), review, every=every)


def reject_writes(terminal: Terminal, review: list[str] | None, *, every: bool) -> None:
    """Drop these writes, or all that wait. Raises UsageError, NotFoundError."""
    with terminal.memory() as memory:
        done = memory.reviews.reject(_chosen(terminal, memory, review, every=every))
    if terminal.json:
        terminal.print_json([shape(found) for found in done])
        return
    for found in done:
        terminal.say(f"rejected {review_ref(found.id)}")


def _chosen(terminal: Terminal, memory: AgentMemory, typed: list[str] | None, *, every: bool) -> list[str]:
    if bool(typed) == every:
        raise UsageError("name the writes, or pass --all", hint="memgpt review list")
    if typed:
        return typed
    waiting = memory.reviews.waiting()
    if not waiting and not terminal.json:
        terminal.notice("nothing waits for review")
    return waiting


def _show(terminal: Terminal, memory: AgentMemory, review: Review) -> None:
    state = "" if review.state is ReviewState.WAITING else f", {review.state.name.lower()}"
    at = for_people(review.at, terminal.workspace.settings.zone)
    terminal.say(f"{review_ref(review.id)}  {at}  block {review.label}{state}", style="bold")
    if review.state is ReviewState.WAITING:
        change = memory.reviews.difference(review)
        _lines(terminal, change.removed, change.added)
        if change.fault:
            terminal.say(f"   {review.text}")
            terminal.say(f"   (it cannot be made now: {change.fault})", style="red")
    else:
        terminal.say(f"   {review.text}")
    terminal.say(f"   why it is pending: {review.reason}", style="dim")


def _lines(terminal: Terminal, removed: tuple[str, ...], added: tuple[str, ...]) -> None:
    for sign, lines in (("-", removed), ("+", added)):
        for line in lines:
            terminal.say(f"   {sign}{line}", style=STYLES[sign])
