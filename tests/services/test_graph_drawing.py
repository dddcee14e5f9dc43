"""Drawings of the graph of facts."""

import random
import re

import pytest
from support.memory_changes import NOW, USER

from memgpt_cli.domain.facts import Entity, EntityKind, Fact
from memgpt_cli.errors import LimitError
from memgpt_cli.services.graph import FactGraph, graph_of
from memgpt_cli.services.graph_drawing import svg

pytest.importorskip("networkx")


def graph(people: int, facts: int, *, linked: float = 0.45) -> FactGraph:
    random_numbers = random.Random(1)
    entities = {n: Entity(id=n, name=f"Person {n}", kind=EntityKind.PERSON) for n in range(1, people + 1)}
    made = []
    for number in range(1, facts + 1):
        subject, other = random_numbers.randint(1, people), random_numbers.randint(1, people)
        target = other if random_numbers.random() < linked and other != subject else None
        made.append(
            Fact(
                id=number, subject_id=subject, subject=f"Person {subject}", predicate="knows", object=f"value {number}",
                object_id=target, said_at=NOW, recorded_at=NOW, provenance=USER,
            )
        )  # fmt: skip
    return graph_of(made, entities, None)


def test_three_hundred_nodes_are_readable() -> None:
    drawn = graph(120, 320)
    assert len(drawn.labels) > 280
    places = re.findall(r'<g class="node">.*?<text x="(-?\d+)" y="(-?\d+)"[^>]*>([^<]*)<', svg(drawn))
    boxes = [(int(x), int(y), 6.2 * len(text)) for x, y, text in places]
    assert len(boxes) == len(drawn.labels)
    for place, (x, y, width) in enumerate(boxes):
        for other, line, length in boxes[place + 1 :]:
            assert abs(y - line) >= 12 or x >= other + length or other >= x + width, "one label covers another"


def test_too_many_nodes_are_told() -> None:
    with pytest.raises(LimitError, match="499"):
        svg(graph(300, 400, linked=0.0))


def test_an_empty_graph_is_drawn() -> None:
    assert svg(FactGraph()).startswith("<svg")
