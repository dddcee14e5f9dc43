"""`memgpt graph`: what facts connect."""

import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

import typer

from memgpt_cli.cli.facts.commands import AsOf
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.domain.facts import Entity, entity_ref
from memgpt_cli.errors import UsageError
from memgpt_cli.services.fact_files import graphml
from memgpt_cli.services.facts import date_of, fact_shape
from memgpt_cli.services.graph import FactGraph, current_filters, dot, graph_of, mermaid, path_lines, tree
from memgpt_cli.services.memory import open_memory

_PATH = 3


class GraphFormat(StrEnum):
    """How a graph is written."""

    TEXT = "text"
    MERMAID = "mermaid"
    DOT = "dot"
    GRAPHML = "graphml"
    SVG = "svg"
    HTML = "html"


def graph(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="An entity; or: path FROM TO.", metavar="[ENTITY | path FROM TO]")
    ] = None,
    depth: Annotated[int, typer.Option("--depth", min=1, max=20, help="How many facts away from the entity.")] = 2,
    as_of: AsOf = None,
    form: Annotated[GraphFormat, typer.Option("--format", help="How it is written.")] = GraphFormat.TEXT,
) -> None:
    """Show what facts connect: present facts, or those of another time, as a tree, a diagram or a drawing.

    Examples:

        memgpt graph Ana --depth 2

        memgpt graph path Ana Lisbon

        memgpt graph --format html > facts.html
    """
    show_graph(terminal_of(ctx), names or [], depth=depth, as_of=as_of, form=form)


def show_graph(
    terminal: Terminal,
    given: list[str],
    *,
    depth: int = 2,
    as_of: str | None = None,
    form: GraphFormat = GraphFormat.TEXT,
) -> None:
    """Show a graph, or with `path FROM TO` a path. Raises UsageError, NotFoundError."""
    is_path = len(given) == _PATH and given[0] == "path"
    if len(given) > 1 and not is_path:
        raise UsageError("name one entity, or: path FROM TO", hint="memgpt graph path Ana Lisbon")
    moment = date_of("--as-of", as_of)
    with open_memory(terminal.workspace) as memory:
        chosen = [memory.facts.entity(name) for name in (given[1:] if is_path else given)]
        facts, entities = memory.facts.all(current_filters(moment))
        whole = graph_of(facts, entities, memory.facts.today if moment is None else None)
    if is_path:
        _show_path(terminal, whole, chosen[0], chosen[1])
        return
    root = entity_ref(chosen[0].id) if chosen else None
    shown = whole.around(root, depth) if root else whole
    if terminal.json:
        terminal.print_json(_shape(shown))
        return
    if form is GraphFormat.TEXT:
        _show_tree(terminal, list(tree(shown, root, depth)))
    else:
        sys.stdout.writelines(f"{line}\n" for line in _written(shown, entities, form))


def _show_path(terminal: Terminal, whole: FactGraph, start: Entity, end: Entity) -> None:
    edges = whole.path(entity_ref(start.id), entity_ref(end.id))
    lines = list(path_lines(whole, edges))
    terminal.show([fact_shape(edge.fact) for edge in edges], "\n".join(lines) or f"{start.name} is {end.name}")


def _show_tree(terminal: Terminal, lines: list[str]) -> None:
    for line in lines:
        terminal.say(line)
    if not lines:
        terminal.notice("there are no such facts")


def _written(shown: FactGraph, entities: dict[int, Entity], form: GraphFormat) -> Iterable[str]:
    from memgpt_cli.services import graph_drawing

    if form is GraphFormat.GRAPHML:
        return graphml(shown.facts, entities)
    if form in {GraphFormat.MERMAID, GraphFormat.DOT}:
        return mermaid(shown) if form is GraphFormat.MERMAID else dot(shown)
    return [graph_drawing.svg(shown) if form is GraphFormat.SVG else graph_drawing.html(shown)]


def _shape(shown: FactGraph) -> dict[str, Any]:
    return {
        "nodes": [{"id": n, "label": label, "kind": shown.kinds[n]} for n, label in shown.labels.items()],
        "edges": [{"source": e.source, "target": e.target, "label": e.label, "fact": e.fact.ref} for e in shown.edges],
    }
