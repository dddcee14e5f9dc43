"""`memgpt recall show|delete`: show a message with its turn, and delete messages."""

from typing import Annotated, Any

import typer

from memgpt_cli.cli.memory.history import STYLES
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import LARGEST, Derived, DryRun, Since, Until, Yes, message_ids
from memgpt_cli.cli.terminal.hits import heading
from memgpt_cli.domain.messages import Message, Role, message_ref
from memgpt_cli.errors import UsageError
from memgpt_cli.services.memory import AgentMemory
from memgpt_cli.services.messages import TurnView
from memgpt_cli.services.turn_shapes import message_with_turn
from memgpt_cli.services.wording import counted, one_line, undo_brings_back


def show(
    ctx: typer.Context,
    message: Annotated[str, typer.Argument(help="Its id, such as m12.", metavar="ID", autocompletion=message_ids)],
) -> None:
    """Show a message with its turn: reasoning, calls, results, changes to memory, cost.

    Example:
        memgpt recall show m12
    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        found = memory.messages.get(message)
        turn = memory.messages.turn_of(found)
        terminal.show(lambda: message_with_turn(memory, found, turn), lambda: _show(terminal, memory, found, turn))


def _show(terminal: Terminal, memory: AgentMemory, chosen: Message, view: TurnView | None) -> None:
    if view is None:
        _say(terminal, chosen, chosen=True)
        terminal.notice("it was imported and belongs to no turn")
        return
    terminal.say(f"turn {view.turn.id} ({view.turn.state})", style="bold")
    for message in view.messages:
        _say(terminal, message, chosen=message.id == chosen.id)
    for operation in view.changes:
        terminal.say("changed memory" + (" (undone)" if operation.undone_at else ""), style="bold")
        for line in memory.changes.describe(operation):
            terminal.say(f"   {line}", style=STYLES.get(line[:1]))
    for step in view.steps:
        cost = "" if step.cost_usd is None else f", {step.cost_usd:.6f} USD"
        tokens = f"{step.usage.prompt_tokens} + {step.usage.completion_tokens} tokens"
        terminal.notice(f"{step.purpose} by {step.model}: {tokens}{cost}, {step.duration_s:.1f} s")


def delete(
    ctx: typer.Context,
    message: Annotated[
        list[str] | None,
        typer.Argument(help="Ids or ranges: m12, m12-m20.", metavar="ID...", autocompletion=message_ids),
    ] = None,
    since: Since = None,
    until: Until = None,
    imported: Annotated[
        int | None,
        typer.Option(
            "--import", min=1, max=LARGEST, help="All of an import; memgpt undo --list numbers it.", metavar="N"
        ),
    ] = None,
    derived: Derived = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Delete messages. Whole turns are deleted, so that no call is left without its result.

    A summary that may mention them is rewritten at the next turn. memgpt undo brings them back.

    With --derived an import is deleted permanently, with everything derived from it; a receipt lists what was checked.
    To delete other messages permanently: memgpt forget.

    Examples:

        memgpt recall delete m12

        memgpt recall delete --since 2024-03-01 --until 2024-03-02

        memgpt recall delete --import 4 --derived
    """
    from memgpt_cli.cli.forget import forget_wanted

    if not message and since is None and until is None and imported is None:
        raise UsageError("no messages selected", hint="memgpt recall delete m12, or --since and --until, or --import")
    if derived and (imported is None or message or since is not None or until is not None):
        raise UsageError("--derived needs an import and nothing else", hint="--import 4 --derived")
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        filters = None if since is None and until is None else memory.messages.filters(since=since, until=until)
        if derived:
            forget_wanted(terminal, memory, memory.forget.wanted(imported=imported), yes=yes, dry_run=dry_run)
            return
        chosen = memory.messages.select(message or [], filters, imported=imported)
        turns = sorted({m.turn for m in chosen if m.turn is not None})
        what = counted(len(chosen), "message") + (f" of {counted(len(turns), 'turn')}" if turns else "")
        shape: dict[str, Any] = {"messages": [message_ref(m.id) for m in chosen], "turns": turns, "deleted": False}
        if not terminal.json:
            for item in chosen if dry_run or not yes else ():
                terminal.notice(f"{message_ref(item.id)}  {item.name or item.role.value}: {one_line(item.text)}")
        if not chosen or dry_run:
            terminal.show(shape, f"would delete {what}" if chosen else "there are none")
            return
        if not terminal.confirm(f"Delete {what}?", yes=yes):
            terminal.notice("nothing was deleted")
            raise typer.Exit(1)
        memory.messages.delete(chosen)
    terminal.show({**shape, "deleted": True}, f"deleted {what}; {undo_brings_back(len(chosen))}")


def _say(terminal: Terminal, message: Message, *, chosen: bool) -> None:
    in_window = "  (in the window)" if message.in_context else ""
    terminal.say(heading(message, terminal.zone) + in_window, style="bold" if chosen else None)
    if message.text:
        terminal.say("   " + message.text.replace("\n", "\n   "))
    for call in message.calls:
        terminal.say(f"   {call.name}({call.arguments})", style="cyan")
    if message.role is Role.TOOL and message.ok is False:
        terminal.say("   (it failed)", style="red")
    if message.interrupted:
        terminal.say("   (interrupted)", style="dim")
