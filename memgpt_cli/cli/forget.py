"""`memgpt forget`: something taken out of an agent's memory for good, and looked for afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from memgpt_cli.bootstrap import Memory
from memgpt_cli.cli import ids
from memgpt_cli.cli.archival.sources import source_named
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import DryRun, Since, Until, Yes, check_tags, dates
from memgpt_cli.cli.terminal.texts import counted, one_line, read_text
from memgpt_cli.domain.endpoints import Endpoint
from memgpt_cli.domain.forgetting import Checked, PlaceState, Plan, ReceiptLine, Wanted, receipt
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.names import did_you_mean
from memgpt_cli.errors import NotFoundError, UsageError

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
    workspace = terminal.workspace
    wanted = _wanted(terminal, text, item, source, tag, since, until)
    with workspace.memory() as memory:
        _check_named(memory, item or (), tag or ())
        if source is not None:
            wanted = replace(wanted, source=_source(memory, source))
        if dry_run:
            plan = memory.forgetting.plan(wanted)
            terminal.print_json(_shape(plan, None, forgotten=False)) if terminal.json else _show(
                terminal, plan, would=True
            )
            return
        lock = workspace.agents.lock(memory.name, purpose="memgpt forget", since=workspace.clock.now())
        with lock.acquire():
            workspace.agents.sweep()
            plan = memory.forgetting.plan(wanted)
            if not terminal.json and not yes:
                _show(terminal, plan, would=True)
            question = "Forget all of this for good?" if not plan.empty else "Look for it in every file all the same?"
            if not terminal.confirm(question, yes=yes):
                terminal.notice("nothing was forgotten")
                raise typer.Exit(1)
            plan, checked = memory.forgetting.carry_out(
                wanted, at=workspace.clock.now(), progress=lambda what: terminal.notice(f"{what}…")
            )
        lines = receipt(plan, checked, provider=_provider(memory))
    if terminal.json:
        terminal.print_json(
            {**_shape(plan, checked, forgotten=True), "receipt": [_receipt_shape(line) for line in lines]}
        )
    else:
        _show(terminal, plan, would=False)
        _tell(terminal, checked, lines)
        if wanted.text and wanted.text.casefold() in memory.name.casefold():
            terminal.notice(
                f"the agent itself is called so; memgpt agent rename {memory.name} NAME, then forget it once more"
            )
    if not checked.clean:
        raise typer.Exit(1)


def _wanted(
    terminal: Terminal,
    text: str | None,
    items: list[str] | None,
    source: str | None,
    tags: list[str] | None,
    since: str | None,
    until: str | None,
) -> Wanted:
    named: dict[Kind, list[int]] = {}
    for typed in items or ():
        if typed[:1].isdecimal():
            raise UsageError(f"{typed!r} could be a message or a passage", hint=f"--id m{typed} or --id p{typed}")
        kind = Kind.with_prefix(typed[:1]) or Kind.MESSAGE
        first, last = ids.numbers(typed, letter=kind.prefix)
        named.setdefault(kind, []).extend(range(first, last + 1))
    start, end = dates(terminal, since, until)
    wanted = Wanted(
        text=None if text is None else read_text(text).strip(),
        items={kind: tuple(numbers) for kind, numbers in named.items()},
        source=source,
        tags=tuple(tags or ()),
        start=start,
        end=end,
    )
    if wanted.text == "" or (wanted.text is None and not wanted.by_place):
        raise UsageError("nothing selected to forget", hint='memgpt forget "Alice Miller" --dry-run')
    return wanted


def _source(memory: Memory, typed: str) -> str:
    """The source that is meant, a deleted one too, or the folder of sources. Raises NotFoundError, UsageError."""
    known = memory.forgetting.sources()
    if typed in known or memory.forgetting.pending:
        return typed
    try:
        return source_named(memory, typed)
    except NotFoundError as error:
        called = [name.rpartition("/")[2] for name in known]
        raise NotFoundError(f"{error.message}{did_you_mean(typed, (*known, *called))}", hint=error.hint) from error


def _check_named(memory: Memory, items: Sequence[str], tags: Sequence[str]) -> None:
    """Raise NotFoundError for an id or a tag that there never was; what a crash cut off goes on anyway."""
    if memory.forgetting.pending:
        return
    for typed in items:
        letter = "p" if typed[:1].lower() == "p" else "m"
        first, last = ids.numbers(typed, letter=letter)
        if first != last:
            continue
        if letter == "m" and memory.store.tombstones.get(first) is None:
            ids.message(memory, typed)
        elif letter == "p" and not memory.store.passages.history(first):
            ids.passage(memory, typed)
    check_tags(memory, tags)


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
        (plan.operations, "recorded operation", "recorded operations"),
        (plan.summaries, "stretch of the prompt", "stretches of the prompt"),
        (plan.history_entries, "line of the chat's history", "lines of the chat's history"),
    ):
        if number:
            terminal.say(f"  {number} {what if number == 1 else many}")
    for name in (*plan.documents, *plan.files):
        terminal.say(f"  {name}")
    for name in plan.runs:
        terminal.say(f"  the unfinished batch run {name}; the same memgpt batch begins it anew")


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


def _provider(memory: Memory) -> str | None:
    """The endpoint that the last messages were sent to; None for the offline responder and scripts."""
    model, _, base_url = (memory.store.note("endpoint") or "offline").partition("\n")
    if model == "offline" or model.startswith("scripted:"):
        return None
    return Endpoint.at(base_url, model=model).host


def _tell(terminal: Terminal, checked: Checked, lines: Sequence[ReceiptLine]) -> None:
    terminal.say("receipt", style="bold")
    width = max(len(line.place) for line in lines)
    for line in lines:
        style = "bold red" if line.state is PlaceState.LEFT else None
        terminal.say(f"  {line.place:<{width}}  {line.state}{f' ({line.detail})' if line.detail else ''}", style=style)
    if not checked.too_short:
        some = " for a sample of the texts" if checked.sampled else ""
        terminal.say(
            f"  checked {counted(checked.tables, 'table')} and every byte of {counted(checked.files, 'file')}{some}"
        )
    if checked.left:
        terminal.notice("the remaining files are yours to edit")


def _receipt_shape(line: ReceiptLine) -> dict[str, str]:
    return {"place": line.place, "state": line.state.value, "detail": line.detail}


def _shape(plan: Plan, checked: Checked | None, *, forgotten: bool) -> dict[str, Any]:
    return {
        "forgotten": forgotten,
        **{kind.plural: [kind.ref(number) for number in items] for kind, items in plan.items.items()},
        "derived": sorted(plan.derived),
        "blocks": [cut.label for cut in plan.cuts],
        "versions": plan.versions,
        "operations": plan.operations,
        "summaries": plan.summaries,
        "documents": list(plan.documents),
        "history_entries": plan.history_entries,
        "files": list(plan.files),
        "batch_runs": list(plan.runs),
        "checked": None
        if checked is None
        else {
            "clean": checked.clean,
            "texts": checked.texts,
            "sampled": checked.sampled,
            "too_short": checked.too_short,
            "tables": checked.tables,
            "files": checked.files,
            "bytes": checked.bytes,
            "rows": list(checked.rows),
            "left": list(checked.left),
            "elsewhere": list(checked.elsewhere),
        },
    }
