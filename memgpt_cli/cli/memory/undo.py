"""`memgpt undo` and `memgpt redo`: the last change to memory, whoever made it, taken back or done again."""

from datetime import datetime
from typing import Annotated

import typer

from memgpt_cli.bootstrap import Memory
from memgpt_cli.cli.memory import operations
from memgpt_cli.cli.memory.history import STYLES
from memgpt_cli.cli.memory.origins import Causes
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import LARGEST
from memgpt_cli.cli.terminal.texts import counted
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.history import Operation, TakenBack
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.messages import message_ref
from memgpt_cli.domain.times import for_people
from memgpt_cli.errors import NotFoundError, UsageError
from memgpt_cli.ports import Store

_UNDO = Provenance(author=Author.USER, command="undo")
_REDO = Provenance(author=Author.USER, command="redo")


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
    """Undo the last change to memory, whoever made it. Repeat to undo earlier changes.

    Core memory, archival storage, imports and deletions alike. Each is one operation of one call or one command.

    Examples:

        memgpt undo --list

        memgpt undo
    """
    terminal = terminal_of(ctx)
    if by is not None and not list_them:
        raise UsageError(
            "--by requires --list: undo always undoes the last change, whoever made it",
            hint=f"memgpt undo --list --by {by}",
        )
    if list_them and turn:
        raise UsageError("--list and --turn cannot be combined", hint="use only one of them")
    if list_them:
        _list(terminal, limit, page, by)
    elif turn:
        _undo_turn(terminal)
    else:
        with terminal.workspace.memory() as memory:
            while not _do(terminal, memory, _next(memory.store, again=False), again=False):
                pass


def redo(ctx: typer.Context) -> None:
    """Redo what was undone last, unless memory has changed since.

    Example:
        memgpt redo

    """
    terminal = terminal_of(ctx)
    with terminal.workspace.memory() as memory:
        while not _do(terminal, memory, _next(memory.store, again=True), again=True):
            pass


def _next(store: Store, *, again: bool) -> Operation:
    """The operation that is next to be taken back, or to be done again. Raises NotFoundError when there is none."""
    found = store.journal.undone(limit=1) if again else store.journal.standing(limit=1)
    if not found:
        what = "do again" if again else "take back"
        raise NotFoundError(f"there is nothing to {what}", hint="memgpt undo --list")
    return found[0]


def _do(terminal: Terminal, memory: Memory, operation: Operation, *, again: bool) -> bool:
    """Take it back, or do it again, and tell; False when another process has changed what is next."""
    lines = (operations.describe if again else operations.describe_undoing)(operation, memory.store)
    now = terminal.workspace.clock.now()
    moves_messages = any(change.kind is Kind.MESSAGE for change in operation.changes)
    with memory.between_turns(needed=moves_messages), memory.store.transaction():
        if _next(memory.store, again=again).id != operation.id:
            return False
        if again:
            done = memory.store.undo.redo(at=now, provenance=_REDO)
        else:
            done = memory.store.undo.undo(at=now, provenance=_UNDO)
    causes = Causes(memory.store, [operation.provenance])
    if terminal.json:
        terminal.print_json(
            {"undone" if not again else "redone": operations.shape(done or operation, memory.store, causes)}
        )
        return True
    terminal.say(f"{'did again' if again else 'took back'} what was done by {causes.told(operation.provenance)}")
    for line in lines:
        terminal.say(f"   {line}", style=STYLES.get(line[:1]))
    if not again:
        terminal.notice("memgpt redo repeats it; memgpt undo undoes the change before")
    return True


def _list(terminal: Terminal, limit: int, page: int, by: Author | None) -> None:
    workspace = terminal.workspace
    with workspace.memory() as memory:
        found = memory.store.journal.page(limit=limit + 1, offset=page * limit, author=by)
        shown = found[:limit]
        causes = Causes(memory.store, [operation.provenance for operation in shown])
        if terminal.json:
            terminal.print_json([operations.shape(operation, memory.store, causes) for operation in shown])
        for operation in () if terminal.json else shown:
            when = for_people(operation.at, workspace.settings.zone)
            gone = "  (taken back)" if operation.undone_at else ""
            terminal.say(
                f"{operation.id}  {when}  {causes.told(operation.provenance)}{gone}", style="dim" if gone else "bold"
            )
            for line in operations.describe(operation, memory.store):
                terminal.say(f"   {line}", style="dim" if gone else STYLES.get(line[:1]))
    if not found:
        terminal.notice("no such changes are recorded" + (f" on page {page}" if page else ""))
    if len(found) > limit:
        terminal.notice(f"there are more: --page {page + 1}")


def _undo_turn(terminal: Terminal) -> None:
    workspace = terminal.workspace
    name = workspace.agent_name
    with workspace.memory() as memory:
        with workspace.agents.lock(name, purpose="memgpt undo --turn", since=workspace.clock.now()).acquire():
            taken = take_back_turn(memory.store, at=workspace.clock.now())
        causes = Causes(memory.store, [])
        if terminal.json:
            shapes = [operations.shape(operation, memory.store, causes) for operation in taken.operations]
            kept = [operations.shape(operation, memory.store, causes) for operation in taken.kept]
            terminal.print_json(
                {
                    "turn": taken.turn,
                    "messages": [message_ref(message.id) for message in taken.messages],
                    "undone": shapes,
                    "kept": kept,
                    "returned": taken.returned,
                    "reopened": list(taken.reopened),
                }
            )
            return
        tell_turn(terminal, taken, memory.store)


def take_back_turn(store: Store, *, at: datetime) -> TakenBack:
    """Take back the last turn, for the holder of the agent's lock. Raises NotFoundError when there is none."""
    last = store.undo.last_turn()
    if last is None:
        raise NotFoundError("there is no turn to undo", hint="memgpt undo undoes changes to memory")
    with store.transaction():
        return store.undo.undo_turn(last, at=at, provenance=_UNDO)


def tell_turn(terminal: Terminal, taken: TakenBack, store: Store) -> None:
    """Print what became of a turn that was taken back."""
    changes = counted(len(taken.operations), "change")
    terminal.say(f"took back turn {taken.turn}: {counted(len(taken.messages), 'message')}, {changes} to memory")
    for operation in taken.operations:
        for line in operations.describe_undoing(operation, store):
            terminal.say(f"   {line}", style=STYLES.get(line[:1]))
    if taken.returned:
        terminal.notice(f"{counted(taken.returned, 'message')} that it had evicted returned to the queue")
    for operation in taken.kept:
        terminal.notice(
            f"left as it is, since it was changed after: {'; '.join(operations.describe(operation, store))}"
        )
