"""The graph of facts as SVG and HTML, self-contained. The layout is networkx's (extra `graph`), imported only here."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from memgpt_cli.errors import ConfigError, LimitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from memgpt_cli.services.graph import FactGraph

MOST_NODES: Final = 499
"""More are not readable, and their layout would need another library."""

_SPACING: Final = 120
"""Pixels of the side of a square for each node."""
_FEW_EDGES: Final = 120
"""Up to so many edges show their labels; of more they are shown when pointed at."""
_LONGEST: Final = 28
_LETTER: Final = 6.2
"""Pixels of a letter, on average."""
_LINE: Final = 14
_ROUNDS: Final = 200
_COLOURS: Final = {
    "person": "#2b6cb0", "place": "#2f855a", "organisation": "#b7791f", "thing": "#6b46c1", "unknown": "#4a5568",
    "value": "#a0aec0",
}  # fmt: skip
_STYLE: Final = "body{margin:0;font:14px sans-serif}svg{width:100vw;height:95vh;touch-action:none}input{margin:6px}"
_SCRIPT: Final = """
const svg = document.querySelector('svg'), box = svg.viewBox.baseVal;
svg.addEventListener('wheel', event => {
  event.preventDefault();
  const factor = event.deltaY > 0 ? 1.15 : 1 / 1.15, area = svg.getBoundingClientRect();
  const x = box.x + box.width * (event.clientX - area.left) / area.width;
  const y = box.y + box.height * (event.clientY - area.top) / area.height;
  box.x = x - (x - box.x) * factor; box.y = y - (y - box.y) * factor;
  box.width *= factor; box.height *= factor;
}, { passive: false });
let last = null;
svg.addEventListener('pointerdown', event => { last = event; });
addEventListener('pointerup', () => { last = null; });
addEventListener('pointermove', event => {
  if (!last) return;
  const scale = box.width / svg.clientWidth;
  box.x -= (event.clientX - last.clientX) * scale; box.y -= (event.clientY - last.clientY) * scale;
  last = event;
});
document.querySelector('input').addEventListener('input', event => {
  const wanted = event.target.value.toLowerCase();
  for (const node of document.querySelectorAll('.node'))
    node.style.opacity = !wanted || node.textContent.toLowerCase().includes(wanted) ? 1 : 0.15;
});
"""


def svg(graph: FactGraph) -> str:
    """An SVG document. Raises LimitError for too many nodes, ConfigError without the extra."""
    return "\n".join(_svg(graph))


def html(graph: FactGraph) -> str:
    """A page with the drawing: drag to move, wheel to zoom, a field to find names. It loads nothing."""
    return "\n".join([
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Facts</title>',
        f"<style>{_STYLE}</style></head><body>",
        '<input type="search" placeholder="find a name" aria-label="find a name">',
        svg(graph),
        f"<script>{_SCRIPT}</script></body></html>",
    ])  # fmt: skip


def _svg(graph: FactGraph) -> Iterator[str]:
    places = _layout(graph)
    side = max(400, round(_SPACING * sqrt(len(places) or 1)))
    x, y = ({node: side * (0.08 + 0.84 * place[axis]) for node, place in places.items()} for axis in (0, 1))
    _part_labels(x, y, {node: _LETTER * len(_short(label)) + 14 for node, label in graph.labels.items()})
    namespace = "http://www.w3.org/2000/svg"
    yield f'<svg xmlns="{namespace}" viewBox="0 0 {side} {side}" font-family="sans-serif" font-size="11">'
    yield (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="14" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#718096"/></marker></defs>'
    )
    for edge in graph.edges:
        start, end = edge.source, edge.target
        title = escape(f"{edge.fact.ref}: {edge.fact.text} {edge.fact.valid}".strip())
        yield (
            f'<line x1="{x[start]:.0f}" y1="{y[start]:.0f}" x2="{x[end]:.0f}" y2="{y[end]:.0f}" stroke="#cbd5e0"'
            f' stroke-width="1.5" marker-end="url(#arrow)"><title>{title}</title></line>'
        )
        if len(graph.edges) <= _FEW_EDGES:
            middle = ((x[start] + x[end]) / 2, (y[start] + y[end]) / 2)
            yield (
                f'<text x="{middle[0]:.0f}" y="{middle[1]:.0f}" fill="#718096" text-anchor="middle" font-size="9">'
                f"{escape(_short(edge.label))}</text>"
            )
    for node, label in graph.labels.items():
        kind = graph.kinds[node]
        radius = 3 if kind == "value" else 6
        yield (
            f'<g class="node"><circle cx="{x[node]:.0f}" cy="{y[node]:.0f}" r="{radius}" fill="{_COLOURS[kind]}"/>'
            f'<text x="{x[node] + 9:.0f}" y="{y[node] + 4:.0f}" paint-order="stroke" stroke="#fff" stroke-width="3">'
            f"{escape(_short(label))}</text><title>{escape(label)}</title></g>"
        )
    yield "</svg>"


def _layout(graph: FactGraph) -> dict[str, tuple[float, float]]:
    """The place of each node, from 0 to 1 in both directions; the same graph is always drawn alike."""
    if len(graph.labels) > MOST_NODES:
        raise LimitError(
            f"a drawing shows up to {MOST_NODES} nodes, this graph has {len(graph.labels)}",
            hint="memgpt graph NAME --depth 2 shows the part around one entity",
        )
    try:
        import networkx as nx
    except ImportError as error:
        raise ConfigError(
            "drawings need networkx, which is not installed", hint="pip install 'memgpt-cli[graph]'"
        ) from error
    drawn = nx.Graph()
    drawn.add_nodes_from(graph.labels)
    drawn.add_edges_from((edge.source, edge.target) for edge in graph.edges)
    found = nx.spring_layout(drawn, seed=1, iterations=120, k=4 / sqrt(len(graph.labels) or 1))
    return _scaled({node: (float(place[0]), float(place[1])) for node, place in found.items()})


def _part_labels(x: Mapping[str, float], y: dict[str, float], widths: Mapping[str, float]) -> None:
    """Move nodes up and down until no label covers another."""
    for _ in range(_ROUNDS):
        has_moved = False
        order = sorted(y, key=lambda node: y[node])
        for place, upper in enumerate(order):
            for lower in order[place + 1 :]:
                distance = y[lower] - y[upper]
                if distance >= _LINE:
                    break
                if x[upper] < x[lower] + widths[lower] and x[lower] < x[upper] + widths[upper]:
                    push = (_LINE - distance) / 2 + 0.5
                    y[upper] -= push
                    y[lower] += push
                    has_moved = True
        if not has_moved:
            return


def _scaled(places: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    if not places:
        return {}
    lows = [min(place[axis] for place in places.values()) for axis in (0, 1)]
    widths = [max(place[axis] for place in places.values()) - lows[axis] or 1.0 for axis in (0, 1)]
    return {n: ((p[0] - lows[0]) / widths[0], (p[1] - lows[1]) / widths[1]) for n, p in places.items()}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
