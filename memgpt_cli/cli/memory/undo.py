"""`memgpt undo` and `memgpt redo`."""

from collections.abc import Iterable
from typing import Annotated

import typer

from memgpt_cli.cli.memory.history import STYLES
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import LARGEST
from memgpt_cli.domain.blocks import Author
from memgpt_cli.domain.history import Operation, UndoneTurn
from memgpt_cli.domain.times import for_people
from memgpt_cli.errors import UsageError
from memgpt_cli.services.memory import AgentMemory
from memgpt_cli.services.wording import counted


def undo(
    ctx: typer.Context,
    list_them: Annotated[
        bool, typer.Option("--list", help="List the operations, newest first; change nothing.")
    ] = False,
    turn: Annotated[
        bool, typer.Option("--turn", help="Undo the whole last turn: messages, memory, evictions.")
    ] = False,
    by: Annotated[Author | None, typer.Option("--by", help="With --list: filter by author (repeatable).")] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=LARGEST, help="With --list: maximum number shown.")
    ] = 50,
    page: Annotated[
        int, typer.Option("--page", min=0, max=LARGEST, help="With --list: the page to show (0-based).")
    ] = 0,
) -> None:
    """Undo the last change to memory by any author. Repeat to undo earlier changes.

    It covers core memory, archival storage, imports and deletions. All changes of one call or one command are one
    operation.

    Examples:

        memgpt undo --list

        memgpt undo
    """
    terminal = terminal_of(ctx)
    if by is not None and not list_them:
        raise UsageError(
            "--by requires --list: undo always undoes the last change by any author",
            hint=f"memgpt undo --list --by {by}",
        )
    if list_them and turn:
        raise UsageError("--list and --turn cannot be combined", hint="use only one of them")
    if list_them:
        _list(terminal, limit, page, by)
    elif turn:
        _undo_turn(terminal)
    else:
        with terminal.memory() as memory:
            done = memory.changes.undo()
            terminal.show(
                lambda: {"undone": memory.changes.shapes([done.operation])[0]},
                lambda: _tell(terminal, memory, "undid", done.operation, done.lines),
            )
        if not terminal.json:
            terminal.notice("memgpt redo repeats it; memgpt undo undoes the change before")


def redo(ctx: typer.Context) -> None:
    """Redo the last undone change, unless memory has changed since.

    Example:
        memgpt redo
    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        done = memory.changes.redo()
        terminal.show(
            lambda: {"redone": memory.changes.shapes([done.operation])[0]},
            lambda: _tell(terminal, memory, "redid", done.operation, done.lines),
        )


def _tell(terminal: Terminal, memory: AgentMemory, what: str, operation: Operation, lines: Iterable[str]) -> None:
    by = memory.causes([operation.provenance]).described(operation.provenance)
    terminal.say(f"{what} the change by {by}")
    for line in lines:
        terminal.say(f"   {line}", style=STYLES.get(line[:1]))


def _list(terminal: Terminal, limit: int, page: int, by: Author | None) -> None:
    with terminal.memory() as memory:
        found = memory.changes.recent(limit=limit, page=page, author=by)
        causes = memory.causes(operation.provenance for operation in found.operations)

        def text() -> None:
            for operation in found.operations:
                when, cause = for_people(operation.at, terminal.zone), causes.described(operation.provenance)
                gone = "  (undone)" if operation.undone_at else ""
                terminal.say(f"{operation.id}  {when}  {cause}{gone}", style="dim" if gone else "bold")
                for line in memory.changes.describe(operation):
                    terminal.say(f"   {line}", style="dim" if gone else STYLES.get(line[:1]))

        terminal.show(lambda: memory.changes.shapes(found.operations), text)
    if not found.operations:
        terminal.notice("no such changes are recorded" + (f" on page {page}" if page else ""))
    if found.more:
        terminal.notice(f"more: {terminal.command_for_page(page + 1)}")


def _undo_turn(terminal: Terminal) -> None:
    with terminal.memory() as memory:
        taken = memory.changes.undo_turn()
        terminal.show(lambda: memory.changes.turn_shape(taken), lambda: tell_turn(terminal, taken, memory))


def tell_turn(terminal: Terminal, taken: UndoneTurn, memory: AgentMemory) -> None:
    """Print the result of undoing a turn."""
    changes = counted(len(taken.operations), "change")
    terminal.say(f"undid turn {taken.turn}: {counted(len(taken.messages), 'message')}, {changes} to memory")
    for operation in taken.operations:
        for line in memory.changes.describe_undoing(operation):
            terminal.say(f"   {line}", style=STYLES.get(line[:1]))
    if taken.returned:
        terminal.notice(f"{counted(taken.returned, 'message')} that it had evicted returned to the queue")
    for operation in taken.kept:
        lines = "; ".join(memory.changes.describe(operation))
        terminal.notice(f"not undone, because it was changed later: {lines}")
