"""`memgpt forget`: permanently delete from an agent's memory, and check the result."""

from collections.abc import Mapping
from typing import Annotated

import typer

from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import DryRun, Since, Until, Yes
from memgpt_cli.cli.terminal.texts import read_text
from memgpt_cli.domain.forgetting import PlaceState, Plan, Wanted
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.services.forgetting import Forgotten, forgotten_shape, plan_shape
from memgpt_cli.services.memory import AgentMemory
from memgpt_cli.services.wording import counted, one_line

_SHOWN = 20

_Text = Annotated[
    str | None, typer.Argument(help="Any text, such as a name or number; @FILE and - keep it out of the shell history.")
]
_Item = Annotated[
    list[str] | None, typer.Option("--id", help="A message or passage: m12, p7; a range: m12-m20.", metavar="ID")
]
_Source = Annotated[
    str | None,
    typer.Option("--source", help="All passages from this source, named as in archival list.", metavar="NAME"),
]
_Tag = Annotated[list[str] | None, typer.Option("--tag", "-t", help="All passages with this tag.", metavar="TAG")]


def forget(
    ctx: typer.Context,
    text: _Text = None,
    item: _Item = None,
    source: _Source = None,
    tag: _Tag = None,
    since: Since = None,
    until: Until = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Permanently delete something from every message, passage, version, summary, index and file. No undo.

    With TEXT, everything that contains it is deleted, in every spelling that search would find. With an id, date, tag
    or source, the selected items are deleted together with their turn and everything derived from them. A receipt says
    for each place whether it was removed, not found, or cannot be proven.

    Examples:

        memgpt forget "Alice Miller" --dry-run

        memgpt forget "Alice Miller"

        memgpt forget --id m12 --id p7

        memgpt forget --since 2024-03-01 --until 2024-03-02
    """
    terminal = terminal_of(ctx)
    given = None if text is None else read_text(text)
    with terminal.memory() as memory:
        wanted = memory.forget.wanted(
            text=given, refs=item or (), source=source, tags=tag or (), since=since, until=until
        )
        forget_wanted(terminal, memory, wanted, yes=yes, dry_run=dry_run)


def forget_wanted(terminal: Terminal, memory: AgentMemory, wanted: Wanted, *, yes: bool, dry_run: bool) -> None:
    """Show the plan, ask, delete permanently, print the receipt. Exits with 1 if something is left."""

    def agree(plan: Plan) -> bool:
        if not terminal.json and not yes:
            _show(terminal, plan, would=True)
        question = "Permanently delete all of this?" if not plan.empty else "Search every file for it anyway?"
        return terminal.confirm(question, yes=yes)

    if dry_run:
        plan = memory.forget.plan(wanted)
        terminal.show(lambda: plan_shape(plan), lambda: _show(terminal, plan, would=True))
        return
    done = memory.forget.carry_out(wanted, agree=agree, progress=lambda what: terminal.notice(f"{what}…"))
    if done is None:
        terminal.notice("nothing was deleted")
        raise typer.Exit(1)
    terminal.show(lambda: forgotten_shape(done), lambda: _tell(terminal, done, memory.name))
    if any(line.state is PlaceState.LEFT for line in done.receipt):
        raise typer.Exit(1)


def _show(terminal: Terminal, plan: Plan, *, would: bool) -> None:
    if plan.empty:
        terminal.say("nothing found in the agent's memory")
        return
    terminal.say("would forget" if would else "forgot", style="bold")
    for kind, items in plan.items.items():
        _show_items(terminal, kind, items, plan=plan, each=would)
    for cut in plan.cuts:
        terminal.say(f"  block {cut.label}" if cut.after is None else f"  from block {cut.label}")
        for line in _lost(cut.before, cut.after) if would else ():
            terminal.say(f"    -{line}", style="red")
    for number, what, many in (
        (plan.versions, "old version", "old versions"),
        (plan.operations, "change that can no longer be undone", "changes that can no longer be undone"),
        (plan.summaries, "section of the prompt", "sections of the prompt"),
        (plan.history_entries, "line of the chat's history", "lines of the chat's history"),
    ):
        if number:
            terminal.say(f"  {number} {what if number == 1 else many}")
    for name in (*plan.documents, *plan.files):
        terminal.say(f"  {name}")
    for name in plan.runs:
        terminal.say(f"  the unfinished batch run {name}; the same memgpt batch starts it again")


def _show_items(terminal: Terminal, kind: Kind, items: Mapping[int, str], *, plan: Plan, each: bool) -> None:
    if items:
        terminal.say(f"  {counted(len(items), kind)}")
    if not each:
        return
    for number, text in list(items.items())[:_SHOWN]:
        came = "  (derived)" if kind.ref(number) in plan.derived else ""
        terminal.say(f"    {kind.ref(number)}  {one_line(text, 100)}{came}", style="dim")
    if len(items) > _SHOWN:
        terminal.say(f"    and {len(items) - _SHOWN} more; --json lists all", style="dim")


def _lost(before: str, after: str | None) -> list[str]:
    from difflib import ndiff

    return [line[2:] for line in ndiff(before.split("\n"), (after or "").split("\n")) if line.startswith("- ")]


def _tell(terminal: Terminal, done: Forgotten, agent: str) -> None:
    checked = done.checked
    _show(terminal, done.plan, would=False)
    terminal.say("receipt", style="bold")
    width = max(len(line.place) for line in done.receipt)
    for line in done.receipt:
        style = "bold red" if line.state is PlaceState.LEFT else None
        detail = f" ({line.detail})" if line.detail else ""
        terminal.say(f"  {line.place:<{width}}  {line.state}{detail}", style=style)
    if not checked.too_short:
        some = " for a sample of the texts" if checked.sampled else ""
        tables, files = counted(checked.tables, "table"), counted(checked.files, "file")
        terminal.say(f"  checked {tables} and every byte of {files}{some}")
    if checked.left:
        terminal.notice("the remaining files are yours to edit")
    if done.in_name:
        terminal.notice(f"the agent has this name; memgpt agent rename {agent} NAME, then run memgpt forget again")
