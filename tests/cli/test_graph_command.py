"""`memgpt graph`: trees, diagrams, drawings and paths."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.command_line import CommandLine


@pytest.fixture
def family(memgpt: CommandLine, tmp_path: Path) -> CommandLine:
    facts = [
        ("user", "home", "Lyon", "attribute", "2020"),
        ("user", "home", "Lisbon", "attribute", "2023"),
        ("user", "sister", "Ana", "relation", ""),
        ("Ana", "works for", 'Nord"wind', "relation", "2019"),
        ("Ben", "works for", 'Nord"wind', "relation", ""),
        ("Greta", "hobby", "<chess> & co", "attribute", ""),
    ]
    names = ("subject", "predicate", "object", "kind", "valid_from")
    lines = [json.dumps(dict(zip(names, fact, strict=True))) for fact in facts]
    (tmp_path / "facts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    memgpt("facts", "import", str(tmp_path / "facts.jsonl"))
    return memgpt


def test_a_tree_of_what_is_near(family: CommandLine) -> None:
    assert family("graph", "me").out.splitlines() == [
        "user",
        "├─ sister: Ana",
        '│  └─ works for: Nord"wind  (since 2019)',
        "└─ home: Lisbon  (since 2023)",
    ] or family("graph", "me").out.splitlines() == [
        "user",
        "├─ home: Lisbon  (since 2023)",
        "└─ sister: Ana",
        '   └─ works for: Nord"wind  (since 2019)',
    ]
    assert "home: Lyon  (2020 to 2023)" in family("graph", "me", "--as-of", "2021").out
    assert family("graph", "Ben", "--depth", "1").out.splitlines() == ["Ben", '└─ works for: Nord"wind']
    whole = family("graph").out
    assert "Greta" in whole
    assert whole.count("Lisbon") == 1
    family("graph", "nobody", code=3)
    family("graph", "a", "b", code=2)


def test_a_path_between_two_entities(family: CommandLine) -> None:
    assert family("graph", "path", "me", "Ben").out.splitlines() == [
        "user —sister→ Ana  f3",
        'Ana —works for→ Nord"wind  (since 2019)  f4',
        'Ben —works for→ Nord"wind  f5',
    ]
    assert len(family.json("graph", "graph", "path", "me", "Ben")) == 3
    assert "no facts connect" in family("graph", "path", "me", "Greta", code=3).err


def test_diagrams(family: CommandLine) -> None:
    mermaid = family("graph", "--format", "mermaid").out
    assert "graph LR" in mermaid
    assert 'e3["Nord#quot;wind"]' in mermaid
    assert "&lt;chess&gt; &amp; co" in mermaid
    assert '"Nord\\"wind"' in family("graph", "--format", "dot").out
    found = ET.fromstring(family("graph", "--format", "graphml").out)  # noqa: S314 - our own output
    assert len(list(found.iter("{http://graphml.graphdrawing.org/xmlns}edge"))) == 5
    shape = family.json("graph", "graph", "Ana")
    assert {node["label"] for node in shape["nodes"]} >= {"Ana", "user", 'Nord"wind'}


def test_drawings_hold_every_name_and_load_nothing(family: CommandLine) -> None:
    pytest.importorskip("networkx")
    drawing = family("graph", "--format", "svg").out
    root = ET.fromstring(drawing)  # noqa: S314 - our own output
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"user", "Ana", "Ben", 'Nord"wind', "<chess> & co", "Lisbon"} <= texts
    assert drawing == family("graph", "--format", "svg").out, "the same graph is drawn alike"
    page = family("graph", "--format", "html").out
    assert drawing.strip() in page
    assert re.findall(r'(?:src|href)="?(?!#)', page) == []
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page) == []
