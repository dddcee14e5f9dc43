"""`memgpt recall show|delete`: one message with its whole turn, and taking messages out of recall storage."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from memgpt_cli.bootstrap import Memory
from memgpt_cli.cli import ids, shapes
from memgpt_cli.cli.memory import operations
from memgpt_cli.cli.memory.history import STYLES
from memgpt_cli.cli.memory.origins import Causes
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import DryRun, Since, Until, Yes, recall_filters
from memgpt_cli.cli.terminal.hits import heading
from memgpt_cli.cli.terminal.texts import counted, one_line
from memgpt_cli.domain.agents import StepRecord, Turn, TurnState
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.messages import Message, Opaque, Role, message_ref
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import UsageError


def show(
    ctx: typer.Context,
    message: Annotated[
        str, typer.Argument(help="Its id, such as m12.", metavar="ID", autocompletion=ids.messages_like)
    ],
) -> None:
    """Show a message with its turn: what was thought, called and returned, what it changed in memory, what it cost.

    Example:
        memgpt recall show m12

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    with workspace.memory() as memory:
        found = ids.message(memory, message)
        turn = None if found.turn is None else memory.store.turns.get(found.turn)
        if terminal.json:
            terminal.print_json({"message": _full(found), "turn": None if turn is None else _turn_shape(memory, turn)})
            return
        if turn is None:
            _say(terminal, found, zone=workspace.settings.zone, chosen=True)
            terminal.notice("it was imported and belongs to no turn")
            return
        terminal.say(f"turn {turn.id} ({turn.state})", style="bold")
        for other in memory.store.messages.of_turn(turn.id):
            _say(terminal, other, zone=workspace.settings.zone, chosen=other.id == found.id)
        for operation in memory.store.journal.of_turn(turn.id):
            terminal.say("changed memory" + (" (taken back)" if operation.undone_at else ""), style="bold")
            for line in operations.describe(operation, memory.store):
                terminal.say(f"   {line}", style=STYLES.get(line[:1]))
        for step in memory.store.turns.steps(turn.id):
            cost = "" if step.cost_usd is None else f", {step.cost_usd:.6f} USD"
            tokens = f"{step.usage.prompt_tokens} + {step.usage.completion_tokens} tokens"
            terminal.notice(f"{step.purpose} by {step.model}: {tokens}{cost}, {step.duration_s:.1f} s")


def delete(
    ctx: typer.Context,
    message: Annotated[
        list[str] | None,
        typer.Argument(help="Ids or ranges: m12, m12-m20.", metavar="ID...", autocompletion=ids.messages_like),
    ] = None,
    since: Since = None,
    until: Until = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Delete messages. Turns go whole: no call without its result, no answer without its question.

    A summary that may speak of them is written anew at the next turn. memgpt undo brings them back. To be rid of them
    for good: memgpt forget.

    Examples:

        memgpt recall delete m12

        memgpt recall delete --since 2024-03-01 --until 2024-03-02
    """
    terminal = terminal_of(ctx)
    if not message and since is None and until is None:
        raise UsageError("no messages selected", hint="memgpt recall delete m12, or --since and --until")
    workspace = terminal.workspace
    with workspace.memory() as memory:
        chosen = _chosen(terminal, memory, message or [], since, until)
        turns = sorted({m.turn for m in chosen if m.turn is not None})
        what = counted(len(chosen), "message") + (f" of {counted(len(turns), 'turn')}" if turns else "")
        shape: dict[str, Any] = {"messages": [message_ref(m.id) for m in chosen], "turns": turns, "deleted": False}
        if not terminal.json:
            for item in chosen if dry_run or not yes else ():
                terminal.notice(f"{message_ref(item.id)}  {item.name or item.role.value}: {one_line(item.text)}")
        if not chosen or dry_run:
            terminal.print_json(shape) if terminal.json else terminal.say(
                f"would delete {what}" if chosen else "there are none"
            )
            return
        if not terminal.confirm(f"Delete {what}?", yes=yes):
            terminal.notice("nothing was deleted")
            raise typer.Exit(1)
        _bury(terminal, memory, chosen)
        terminal.print_json({**shape, "deleted": True}) if terminal.json else terminal.say(
            f"deleted {what}; memgpt undo brings them back"
        )


def _chosen(
    terminal: Terminal, memory: Memory, typed: Sequence[str], since: str | None, until: str | None
) -> list[Message]:
    """What was asked for, with the rest of each turn."""
    found: dict[int, Message] = {}
    for text in typed:
        first, last = ids.numbers(text, letter="m")
        if first == last:
            found[first] = ids.message(memory, text)
        else:
            found |= {m.id: m for m in memory.store.messages.get(range(first, last + 1))}
    if since is not None or until is not None:
        filters = recall_filters(terminal, tuple(Role), since=since, until=until)
        found |= {m.id: m for m in memory.store.messages.page(filters, limit=memory.store.messages.count(filters))}
    for turn in {m.turn for m in found.values() if m.turn is not None}:
        found |= {m.id: m for m in memory.store.messages.of_turn(turn)}
    return [found[number] for number in sorted(found)]


def _bury(terminal: Terminal, memory: Memory, messages: Sequence[Message]) -> None:
    now = terminal.workspace.clock.now()
    by = Provenance(author=Author.USER, command="recall delete")
    gone = {message.turn for message in messages}
    with memory.between_turns(), memory.store.transaction(), memory.store.journal.operation(by):
        for turn in memory.store.turns.open_turns():
            if turn.id in gone:
                memory.store.turns.update(replace(turn, state=TurnState.INTERRUPTED))
        memory.store.tombstones.bury([m.id for m in messages], at=now, provenance=by)


def _say(terminal: Terminal, message: Message, *, zone: Any, chosen: bool) -> None:
    terminal.say(
        heading(message, zone) + ("  (in the window)" if message.in_context else ""), style="bold" if chosen else None
    )
    if message.text:
        terminal.say("   " + message.text.replace("\n", "\n   "))
    for call in message.calls:
        terminal.say(f"   {call.name}({call.arguments})", style="cyan")
    if message.role is Role.TOOL and message.ok is False:
        terminal.say("   (it failed)", style="red")
    if message.interrupted:
        terminal.say("   (interrupted)", style="dim")


def _full(message: Message) -> dict[str, Any]:
    return {
        **shapes.message(message),
        "calls": [{"id": c.id, "name": c.name, "arguments": c.arguments} for c in message.calls],
        "call_id": message.call_id,
        "ok": message.ok,
        "opaque": _opaque(message.opaque),
        "interrupted": message.interrupted,
        "stub": message.stub,
        "session": message.session,
        "external_id": message.external_id,
    }


def _opaque(opaque: Opaque | None) -> dict[str, Any] | None:
    return None if opaque is None else {"origin": opaque.origin, "content": opaque.content, "tokens": opaque.tokens}


def _turn_shape(memory: Memory, turn: Turn) -> dict[str, Any]:
    changes = memory.store.journal.of_turn(turn.id)
    causes = Causes(memory.store, [operation.provenance for operation in changes])
    return {
        "id": turn.id,
        "state": turn.state.value,
        "started_at": to_text(turn.started_at),
        "evicted": turn.evicted,
        "messages": [_full(message) for message in memory.store.messages.of_turn(turn.id)],
        "changes": [operations.shape(operation, memory.store, causes) for operation in changes],
        "steps": [_step(step) for step in memory.store.turns.steps(turn.id)],
    }


def _step(step: StepRecord) -> dict[str, Any]:
    return {
        "model": step.model,
        "purpose": step.purpose,
        "prompt_tokens": step.usage.prompt_tokens,
        "completion_tokens": step.usage.completion_tokens,
        "cached_tokens": step.usage.cached_tokens,
        "cost_usd": step.cost_usd,
        "seconds": round(step.duration_s, 3),
    }
