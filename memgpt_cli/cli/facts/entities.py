"""`memgpt entities`: the people, places and things that facts are about."""

from typing import Annotated

import typer

from memgpt_cli.cli.facts.showing import show_facts
from memgpt_cli.cli.options import Command
from memgpt_cli.cli.terminal.context import terminal_of
from memgpt_cli.cli.terminal.filters import Limit, Page
from memgpt_cli.cli.terminal.pages import Match, matching, page_of, tell_of_more
from memgpt_cli.cli.terminal.tables import table
from memgpt_cli.domain.facts import EntityKind, entity_ref
from memgpt_cli.services.facts import entity_shape, fact_shape
from memgpt_cli.services.memory import open_memory
from memgpt_cli.services.wording import counted

app = typer.Typer(help="Entities: the people, places and things that facts are about.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Its name, an alias or its id (e3).", metavar="NAME")]


@app.command("list", cls=Command)
def list_entities(ctx: typer.Context, match: Match = None, limit: Limit = 50, page: Page = 0) -> None:
    """List entities with their aliases and how many facts are about each.

    Example:
        memgpt entities list

    """
    terminal = terminal_of(ctx)
    with open_memory(terminal.workspace) as memory:
        found = matching(memory.facts.entities(), match, name=lambda pair: " ".join((pair[0].name, *pair[0].aliases)))
    shown = page_of(found, limit=limit, page=page)
    if terminal.json:
        terminal.print_json([entity_shape(entity, facts) for entity, facts in shown])
    elif shown:
        rows = [(entity_ref(e.id), e.name, e.kind.value, str(n), ", ".join(e.aliases)) for e, n in shown]
        table(terminal, ("id", "name", "kind", "facts", "aliases"), rows, wide="aliases")
    else:
        terminal.notice("there are no entities")
    tell_of_more(terminal, len(found), limit=limit, page=page)


@app.command("show", cls=Command)
def show(ctx: typer.Context, name: Name) -> None:
    """Show an entity and all facts about it.

    Example:
        memgpt entities show Ana

    """
    terminal = terminal_of(ctx)
    with open_memory(terminal.workspace) as memory:
        entity = memory.facts.entity(name)
        facts = memory.facts.about(entity)
    if terminal.json:
        terminal.print_json({**entity_shape(entity, len(facts)), "about": [fact_shape(fact) for fact in facts]})
        return
    aliases = f"  also {', '.join(entity.aliases)}" if entity.aliases else ""
    terminal.say(f"{entity_ref(entity.id)}  {entity.name}  {entity.kind}{aliases}", style="bold")
    show_facts(terminal, facts)


@app.command("merge", cls=Command)
def merge(
    ctx: typer.Context,
    keep: Name,
    duplicate: Annotated[str, typer.Argument(help="The entity that becomes part of the first.", metavar="DUPLICATE")],
) -> None:
    """Make two entities one. The facts about the second are then about the first, its names are aliases.

    Example:
        memgpt entities merge Ana "Ana Sousa"

    """
    terminal = terminal_of(ctx)
    with open_memory(terminal.workspace) as memory:
        merged, moved = memory.facts.merge_entities(keep, duplicate)
        facts = len(memory.facts.about(merged))
    terminal.show(entity_shape(merged, facts), f"{merged.name}: {counted(moved, 'fact')} moved; memgpt undo undoes it")


@app.command("rename", cls=Command)
def rename(
    ctx: typer.Context,
    name: Name,
    new: Annotated[str, typer.Argument(help="Its new name.", metavar="NEW")],
    kind: Annotated[EntityKind | None, typer.Option("--kind", help="What it is.")] = None,
    no_alias: Annotated[bool, typer.Option("--no-alias", help="Do not keep the old name as an alias.")] = False,
) -> None:
    """Rename an entity; its old name stays as an alias.

    Example:
        memgpt entities rename Ana "Ana Sousa" --kind person

    """
    terminal = terminal_of(ctx)
    with open_memory(terminal.workspace) as memory:
        renamed = memory.facts.rename_entity(name, new, kind=kind, alias=not no_alias)
        facts = len(memory.facts.about(renamed))
    terminal.show(entity_shape(renamed, facts), f"{name} is now {renamed.name}")
