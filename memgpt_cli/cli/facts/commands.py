"""`memgpt facts`: statements with a period of validity, and what replaced what."""

from typing import Annotated

import typer

from memgpt_cli.cli.facts import files
from memgpt_cli.cli.facts.showing import details, line, report, show_facts
from memgpt_cli.cli.options import Command
from memgpt_cli.cli.terminal.context import terminal_of
from memgpt_cli.cli.terminal.filters import Limit, Page
from memgpt_cli.cli.terminal.hits import show_hits
from memgpt_cli.domain.facts import FactKind, FactState
from memgpt_cli.domain.times import for_people, to_text
from memgpt_cli.errors import UsageError
from memgpt_cli.services.facts import STANDING, FactChanges, date_of, fact_shape, validity
from memgpt_cli.services.memory import open_memory
from memgpt_cli.services.wording import counted, undo_brings_back

app = typer.Typer(help="Facts: what is known, when it was true, and where it comes from.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="Its id, such as f7.", metavar="ID")]
Ids = Annotated[list[str], typer.Argument(help="Ids such as f7.", metavar="ID...")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="Only facts that were true then (2021, 2021-03, 2021-03-31).", metavar="DATE"),
]
KnownAt = Annotated[str | None, typer.Option("--known-at", help="Only facts that were known then.", metavar="DATE")]
Everything = Annotated[bool, typer.Option("--all", help="Superseded, retracted and uncertain facts too.")]
From = Annotated[str | None, typer.Option("--from", help="When it began to be true.", metavar="DATE")]
To = Annotated[str | None, typer.Option("--until", help="When it stopped being true.", metavar="DATE")]
KindOption = Annotated[FactKind | None, typer.Option("--kind", help="What it is about.")]


@app.command("list", cls=Command)
def list_facts(
    ctx: typer.Context,
    entity: Annotated[str | None, typer.Option("--about", help="Only facts about this entity.", metavar="NAME")] = None,
    kind: KindOption = None,
    state: Annotated[FactState | None, typer.Option("--state", help="Only facts in this state.")] = None,
    everything: Everything = False,
    to_check: Annotated[bool, typer.Option("--to-check", help="Only facts that need a check.")] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    limit: Limit = 50,
    page: Page = 0,
) -> None:
    """List facts, newest first: current and uncertain ones, with validity and sources.

    Examples:

        memgpt facts list --about Ana

        memgpt facts list --as-of 2021
    """
    terminal = terminal_of(ctx)
    states = (state,) if state else () if everything or to_check or as_of else STANDING
    with open_memory(terminal.workspace) as memory:
        service = memory.facts
        filters = service.filters(
            states=states,
            kinds=(kind,) if kind else (),
            entity=entity,
            as_of=as_of,
            known_at=known_at,
            to_check=to_check,
        )
        found, more = service.recent(filters, limit=limit, page=page)
    if terminal.json:
        terminal.print_json([fact_shape(fact) for fact in found])
    elif found:
        show_facts(terminal, found)
    else:
        terminal.notice("there are no such facts")
    if more:
        terminal.notice(f"there are more: --page {page + 1}")


@app.command("show", cls=Command)
def show(ctx: typer.Context, fact: Id) -> None:
    """Show a fact: its sources, what it replaced and what replaced it.

    Example:
        memgpt facts show f7

    """
    terminal = terminal_of(ctx)
    with open_memory(terminal.workspace) as memory:
        found = memory.facts.get(fact)
        before, after = memory.facts.chain(found)
    if terminal.json:
        replaced = {"replaced": [fact_shape(f) for f in before], "replaced_by": [fact_shape(f) for f in after]}
        terminal.print_json({**fact_shape(found), **replaced})
        return
    terminal.say(f"{found.ref}  {found.text}", style="bold")
    for told in details(found, terminal.zone):
        terminal.say(f"  {told}")
    for what, facts in (("replaced", before), ("replaced by", after)):
        for other in facts:
            terminal.say(f"  {what} {line(other)}")


@app.command("search", cls=Command)
def search(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="A question or words.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    everything: Everything = False,
    limit: Limit = 10,
    page: Page = 0,
    explain: Annotated[bool, typer.Option("--explain", help="Explain the score of each hit.")] = False,
) -> None:
    """Search facts, best first. A question about the present finds what is true now; "in 2021" finds what was then.

    Examples:

        memgpt facts search "where does Ana live"

        memgpt facts search "where does Ana live" --as-of 2021
    """
    terminal = terminal_of(ctx)
    with open_memory(terminal.workspace) as memory:
        states = tuple(FactState) if everything else ()
        filters = memory.facts.filters(states=states, as_of=as_of, known_at=known_at)
        found = memory.facts.search(query, filters, limit=limit, page=page)
    if terminal.json:
        hits = [{**fact_shape(hit.item), "score": round(hit.score, 4)} for hit in found.hits]
        terminal.print_json({"query": query, "total": found.total, "hits": hits})
        return
    if explain:
        show_hits(terminal, found, explain=True, what="facts")
        return
    show_facts(terminal, [hit.item for hit in found.hits])
    if not found.hits:
        terminal.notice("nothing was found; --all searches superseded facts too")
    elif found.more:
        terminal.notice(f"{found.more} more: --page {page + 1}")


@app.command("add", cls=Command)
def add(
    ctx: typer.Context,
    subject: Annotated[str, typer.Argument(help="The person or thing it is about; me for yourself.")],
    predicate: Annotated[str, typer.Argument(help="The predicate: home, job, rent.")],
    value: Annotated[str, typer.Argument(help="Its value.", metavar="OBJECT")],
    start: From = None,
    until: To = None,
    kind: KindOption = None,
    also: Annotated[bool, typer.Option("--also", help="Keep other values; replace none.")] = False,
    says: Annotated[str | None, typer.Option("--says", help="Who claims it, if not you.", metavar="NAME")] = None,
) -> None:
    """Add a fact. A new value of something that has one value at a time closes the old one.

    Examples:

        memgpt facts add Ana home Lisbon --from 2023-02

        memgpt facts add me hobby chess --kind preference
    """
    from memgpt_cli.services.facts import Statement

    terminal = terminal_of(ctx)
    statement = Statement(
        subject=subject,
        predicate=predicate,
        object=value,
        kind=kind or FactKind.ATTRIBUTE,
        one_valued=False if also else None,
        valid=validity("", date_of("--from", start), date_of("--until", until)),
        says=says or "",
    )
    with open_memory(terminal.workspace, create=True) as memory:
        kept = memory.facts.add(statement)
    if terminal.json:
        changed = {"superseded": kept.closed, "to_check": (*kept.doubted, *kept.to_check)}
        shapes = {name: [fact_shape(fact) for fact in facts] for name, facts in changed.items()}
        terminal.print_json({**fact_shape(kept.fact), "new": kept.new, **shapes})
    else:
        report(terminal, kept)


@app.command("edit", cls=Command)
def edit(
    ctx: typer.Context,
    fact: Id,
    predicate: Annotated[str | None, typer.Option("--predicate", help="Its new predicate.")] = None,
    value: Annotated[str | None, typer.Option("--object", help="Its corrected value.")] = None,
    start: From = None,
    until: To = None,
    kind: KindOption = None,
    checked: Annotated[
        bool, typer.Option("--checked", help="Mark as checked: an uncertain fact becomes current.")
    ] = False,
) -> None:
    """Correct a fact that was recorded wrongly. The previous version stays in its history; "" removes a date.

    If a correct value has changed, add the new one instead: memgpt facts add.

    Examples:

        memgpt facts edit f7 --from 2023-03

        memgpt facts edit f9 --checked
    """
    if (predicate, value, start, until, kind, checked) == (None, None, None, None, None, False):
        raise UsageError("nothing to change", hint="memgpt facts edit f7 --object Lisbon")
    changes = FactChanges(predicate=predicate, object=value, start=start, until=until, kind=kind, checked=checked)
    terminal = terminal_of(ctx)
    with open_memory(terminal.workspace) as memory:
        changed = memory.facts.edit(fact, changes)
    terminal.show(fact_shape(changed), line(changed))


@app.command("retract", cls=Command)
def retract(ctx: typer.Context, facts: Ids) -> None:
    """Mark facts as never true. They stay in the history; memgpt forget deletes them permanently.

    Example:
        memgpt facts retract f7
    """
    terminal = terminal_of(ctx)
    with open_memory(terminal.workspace) as memory:
        changed = memory.facts.retract(facts)
    shapes = [fact_shape(fact) for fact in changed]
    done = f"retracted {counted(len(changed), 'fact')}; {undo_brings_back(len(changed))}"
    terminal.show(shapes, done if changed else f"retracted already: {', '.join(facts)}; nothing was changed")


@app.command("log", cls=Command)
def log(ctx: typer.Context, fact: Id) -> None:
    """List the versions of a fact, newest first: time, author, content.

    Example:
        memgpt facts log f7
    """
    terminal = terminal_of(ctx)
    with open_memory(terminal.workspace) as memory:
        history = memory.facts.history(fact)[::-1]
        causes = memory.causes([version.provenance for version in history])
    if terminal.json:
        rows = [
            {**fact_shape(v.fact), "version": v.version, "at": to_text(v.at), "deleted": v.deleted} for v in history
        ]
        terminal.print_json(rows)
        return
    for version in history:
        when = for_people(version.at, terminal.zone)
        terminal.say(f"{version.version}  {when}  {causes.described(version.provenance)}", style="bold")
        terminal.say(f"   {'(undone) ' if version.deleted else ''}{line(version.fact)}")


@app.command("merge", cls=Command)
def merge(ctx: typer.Context, keep: Id, duplicates: Ids) -> None:
    """Merge duplicates into one fact: it gets their sources, and they are retracted.

    Example:
        memgpt facts merge f7 f9

    """
    terminal = terminal_of(ctx)
    with open_memory(terminal.workspace) as memory:
        merged = memory.facts.merge(keep, duplicates)
    terminal.show(fact_shape(merged), line(merged))


app.command("import", cls=Command)(files.import_facts)
app.command("export", cls=Command)(files.export_facts)
