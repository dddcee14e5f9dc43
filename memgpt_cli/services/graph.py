"""The graph of facts: entities and values as nodes, facts as edges; as a tree, Mermaid or DOT, and paths in it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.facts import FactFilters, FactState, entity_ref
from memgpt_cli.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from memgpt_cli.domain.facts import Entity, Fact
    from memgpt_cli.domain.partial_dates import PartialDate

_LONGEST_LABEL: Final = 60


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """One fact between two nodes."""

    source: str
    target: str
    label: str
    fact: Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class FactGraph:
    """Nodes by id (`e3` an entity, `f7-value` the value of a fact) with their labels and kinds, and the edges."""

    labels: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    edges: Sequence[GraphEdge] = ()

    @property
    def facts(self) -> list[Fact]:
        """The facts that it shows, each once."""
        return list({edge.fact.id: edge.fact for edge in self.edges}.values())

    def around(self, node: str, depth: int) -> FactGraph:
        """The part within so many edges of a node."""
        near, border = {node}, {node}
        for _ in range(depth):
            border = {other for edge in self.edges for other in _ends(edge) if border & {*_ends(edge)}} - near
            near |= border
        return self._within(near)

    def _within(self, nodes: set[str]) -> FactGraph:
        return replace(
            self,
            labels={node: label for node, label in self.labels.items() if node in nodes},
            kinds={node: kind for node, kind in self.kinds.items() if node in nodes},
            edges=[edge for edge in self.edges if {*_ends(edge)} <= nodes],
        )

    def path(self, start: str, end: str) -> list[GraphEdge]:
        """The shortest path between two nodes, whatever the direction of its edges. Raises NotFoundError."""
        came: dict[str, GraphEdge | None] = {start: None}
        waiting = deque([start])
        beside: dict[str, list[GraphEdge]] = {}
        for edge in self.edges:
            for node in _ends(edge):
                beside.setdefault(node, []).append(edge)
        while waiting and end not in came:
            node = waiting.popleft()
            for edge in beside.get(node, ()):
                other = edge.target if edge.source == node else edge.source
                if other not in came:
                    came[other] = edge
                    waiting.append(other)
        if end not in came:
            raise NotFoundError(
                f"no facts connect {self.labels.get(start, start)} and {self.labels.get(end, end)}",
                hint="memgpt graph shows what is connected",
            )
        found: list[GraphEdge] = []
        place = end
        while (step := came[place]) is not None:
            found.append(step)
            place = step.target if step.source == place else step.source
        return found[::-1]


def current_filters(as_of: PartialDate | None) -> FactFilters:
    """The facts of a graph: present ones, or those that were true then."""
    states = (FactState.CURRENT,) if as_of is None else (FactState.CURRENT, FactState.SUPERSEDED)
    return FactFilters(states=states, as_of=as_of)


def graph_of(facts: Sequence[Fact], entities: Mapping[int, Entity], today: date | None) -> FactGraph:
    """The graph of these facts; with `today` without those that have ended."""
    labels: dict[str, str] = {}
    kinds: dict[str, str] = {}
    edges: list[GraphEdge] = []
    for fact in facts:
        if today is not None and not fact.is_current(today):
            continue
        for number in fact.entities:
            entity = entities[number]
            labels[entity_ref(number)], kinds[entity_ref(number)] = entity.name, entity.kind.value
        targets = [entity_ref(number) for number in fact.entities[1:]]
        if not targets:
            targets = [f"{fact.ref}-value"]
            labels[targets[0]], kinds[targets[0]] = _short(fact.object or fact.sentence), "value"
        label = _short(fact.predicate or fact.sentence)
        edges += [GraphEdge(entity_ref(fact.subject_id), target, label, fact) for target in targets]
    return FactGraph(labels=labels, kinds=kinds, edges=edges)


def tree(graph: FactGraph, root: str | None, depth: int) -> Iterator[str]:
    """The graph as a tree in text, from a node or from those with the most edges."""
    degrees: dict[str, int] = {}
    for edge in graph.edges:
        for node in _ends(edge):
            degrees[node] = degrees.get(node, 0) + 1
    entities = [node for node in graph.labels if graph.kinds[node] != "value"]
    roots = [root] if root else sorted(entities, key=lambda node: (-degrees.get(node, 0), node))
    told: set[int] = set()
    for node in roots:
        own = [e for e in graph.edges if node in _ends(e) and e.fact.id not in told]
        if node == root or own:
            yield graph.labels.get(node, node)
            yield from _branches(graph, node, depth, "", told)


def _branches(graph: FactGraph, node: str, depth: int, indent: str, told: set[int]) -> Iterator[str]:
    """The facts about a node that were not told yet, each with what is beyond it."""
    own = [edge for edge in graph.edges if node in _ends(edge) and edge.fact.id not in told]
    told |= {edge.fact.id for edge in own}
    for number, edge in enumerate(own, 1):
        is_last = number == len(own)
        other = edge.target if edge.source == node else edge.source
        arrow = f"{edge.label}: " if edge.source == node else f"← {edge.label} of "
        valid = f"  ({edge.fact.valid})" if str(edge.fact.valid) else ""
        yield f"{indent}{'└─' if is_last else '├─'} {arrow}{graph.labels[other]}{valid}"
        if depth > 1:
            yield from _branches(graph, other, depth - 1, indent + ("   " if is_last else "│  "), told)


def mermaid(graph: FactGraph) -> Iterator[str]:
    """A Mermaid flowchart."""
    yield "graph LR"
    for node, label in graph.labels.items():
        opening, closing = ("(", ")") if graph.kinds[node] == "value" else ("[", "]")
        yield f'  {_mermaid_id(node)}{opening}"{_mermaid(label)}"{closing}'
    for edge in graph.edges:
        yield f'  {_mermaid_id(edge.source)} -->|"{_mermaid(edge.label)}"| {_mermaid_id(edge.target)}'


def dot(graph: FactGraph) -> Iterator[str]:
    """A Graphviz digraph."""
    yield "digraph facts {"
    for node, label in graph.labels.items():
        shape = "plaintext" if graph.kinds[node] == "value" else "ellipse"
        yield f"  {_dot(node)} [label={_dot(label)}, shape={shape}];"
    for edge in graph.edges:
        yield f"  {_dot(edge.source)} -> {_dot(edge.target)} [label={_dot(edge.label)}];"
    yield "}"


def path_lines(graph: FactGraph, edges: Sequence[GraphEdge]) -> Iterator[str]:
    """One line for each fact of a path."""
    for edge in edges:
        valid = f"  ({edge.fact.valid})" if str(edge.fact.valid) else ""
        yield f"{graph.labels[edge.source]} —{edge.label}→ {graph.labels[edge.target]}{valid}  {edge.fact.ref}"


def _ends(edge: GraphEdge) -> tuple[str, str]:
    return edge.source, edge.target


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST_LABEL else f"{flat[: _LONGEST_LABEL - 1]}…"


def _mermaid_id(node: str) -> str:
    return node.replace("-", "_")


def _mermaid(text: str) -> str:
    for sign, name in (("&", "&amp;"), ('"', "#quot;"), ("<", "&lt;"), (">", "&gt;"), ("`", "'")):
        text = text.replace(sign, name)
    return text


def _dot(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
