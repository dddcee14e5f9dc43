"""`memgpt facts` and `memgpt entities`: facts at a terminal."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.command_line import CommandLine


@pytest.fixture
def moved(memgpt: CommandLine) -> CommandLine:
    """A person who moved, and a sister."""
    memgpt("facts", "add", "me", "home", "Lyon", "--from", "2020-03")
    memgpt("facts", "add", "me", "home", "Lisbon", "--from", "2023-02")
    memgpt("facts", "add", "me", "sister", "Ana", "--kind", "relation")
    return memgpt


def test_a_new_value_supersedes_the_old_one(memgpt: CommandLine) -> None:
    assert memgpt.json("facts-add", "facts", "add", "Ana", "home", "Lyon")["new"]
    added = memgpt.json("facts-add", "facts", "add", "Ana", "home", "Lisbon", "--from", "2024")
    assert [fact["object"] for fact in added["superseded"]] == ["Lyon"]
    assert not memgpt.json("facts-add", "facts", "add", "ana", "home", "lisbon")["new"]
    hobbies = [memgpt.json("facts-add", "facts", "add", "Ana", "hobby", value) for value in ("chess", "sailing")]
    assert all(not added["superseded"] for added in hobbies)
    memgpt.json("facts-add", "facts", "add", "Ana", "home", "Porto", "--also")
    listed = memgpt.json("facts-list", "facts", "list", "--about", "Ana")
    assert [fact["object"] for fact in listed] == ["Porto", "sailing", "chess", "Lisbon"]


def test_questions_are_answered_as_of_their_time(moved: CommandLine) -> None:
    def asked(*words: str) -> list[str]:
        return [hit["object"] for hit in moved.json("facts-search", "facts", "search", *words)["hits"]]

    assert asked("where do I live") == ["Lisbon"]
    assert asked("where did I live in 2021?") == ["Lyon"]
    assert asked("where do I live", "--as-of", "2021-05-03") == ["Lyon"]
    assert set(asked("where did I live before?")) == {"Lyon", "Lisbon"}
    assert asked("where do I live", "--known-at", "2000") == []
    assert set(asked("home", "--all")) == {"Lyon", "Lisbon"}
    assert [fact["object"] for fact in moved.json("facts-list", "facts", "list", "--as-of", "2021")] == ["Lyon"]
    assert "f2  user, home: Lisbon  (since 2023-02)" in moved("facts", "search", "home").out


def test_a_fact_shows_its_chain_and_its_versions(moved: CommandLine) -> None:
    shown = moved.json("facts-show", "facts", "show", "f1")
    assert [fact["id"] for fact in shown["replaced_by"]] == ["f2"]
    assert "replaced f1" in moved("facts", "show", "f2").out
    versions = moved.json("facts-log", "facts", "log", "f1")
    assert [version["state"] for version in versions] == ["superseded", "current"]
    assert "you, with memgpt facts add" in moved("facts", "log", "f1").out


def test_editing_retracting_merging_and_undoing(moved: CommandLine) -> None:
    assert moved.json("facts-edit", "facts", "edit", "f2", "--from", "2023-03")["valid_from"] == "2023-03"
    assert moved.json("facts-edit", "facts", "edit", "f2", "--from", "")["valid_from"] is None
    assert moved.json("facts-retract", "facts", "retract", "f2")[0]["state"] == "retracted"
    assert moved.json("facts-search", "facts", "search", "where do I live")["hits"] == []
    moved("undo")
    assert moved.json("facts-search", "facts", "search", "where do I live")["hits"][0]["id"] == "f2"
    moved("facts", "add", "me", "sister", "Ana Sousa")
    assert moved.json("facts-merge", "facts", "merge", "f3", "f4")["id"] == "f3"
    assert moved.json("facts-show", "facts", "show", "f4")["state"] == "retracted"
    moved("facts", "merge", "f3", "f3", code=2)
    moved("facts", "edit", "f3", code=2)


def test_the_parts_of_a_fact_are_on_one_line_and_not_empty(memgpt: CommandLine) -> None:
    added = memgpt.json("facts-add", "facts", "add", "Ana\nSousa", "home\n town", "Porto\r\nNorte")
    assert added["text"] == "Ana Sousa, home town: Porto Norte"
    edited = memgpt.json("facts-edit", "facts", "edit", "f1", "--object", "Porto\nCentro")
    assert edited["object"] == "Porto Centro"
    memgpt("facts", "add", "Ana", " ", "Porto", code=2)
    memgpt("facts", "add", "\n", "home", "Porto", code=2)
    memgpt("facts", "edit", "f1", "--predicate", "", code=2)


def test_a_retracted_fact_is_not_retracted_again(moved: CommandLine) -> None:
    moved("facts", "retract", "f3", "f3")
    assert moved("facts", "retract", "f3").out == "retracted already: f3; nothing was changed\n"


def test_facts_with_different_values_are_not_merged(moved: CommandLine) -> None:
    refused = moved("facts", "merge", "f1", "f2", code=2).err
    assert "f2 has another value (Lisbon) than f1 (Lyon)" in refused
    assert "hint: memgpt facts edit f2 --object" in refused


def test_importing_the_own_export_changes_nothing(moved: CommandLine) -> None:
    moved("facts", "retract", "f3")
    before = moved("facts", "list", "--all").out
    for name in ("facts.jsonl", "facts.csv"):
        moved("facts", "export", name)
        assert moved.json("facts-import", "facts", "import", name)["new"] == 0
    assert moved("facts", "list", "--all").out == before


def test_an_export_brings_superseded_facts_into_another_agent(moved: CommandLine) -> None:
    moved("facts", "export", "facts.jsonl")
    moved("agent", "create", "other")
    moved("facts", "import", "facts.jsonl", "-a", "other")
    listed = moved.json("facts-list", "facts", "list", "--all", "-a", "other")
    assert [fact["state"] for fact in listed] == ["current", "current", "superseded"]


def test_an_unknown_ending_is_not_an_export(moved: CommandLine) -> None:
    refused = moved("facts", "export", "facts.xyz", code=2).err
    assert ".xyz is not the ending of a format; the endings are .jsonl, .csv, .graphml, .ttl, .turtle" in refused
    moved("facts", "export", "facts.xyz", "--format", "csv")


def test_entities_are_renamed_and_merged(moved: CommandLine) -> None:
    moved("facts", "add", "Ana Sousa", "job", "editor")
    renamed = moved.json("entities-rename", "entities", "rename", "Ana", "Anna", "--kind", "person")
    assert (renamed["aliases"], renamed["kind"]) == (["Ana"], "person")
    merged = moved.json("entities-merge", "entities", "merge", "ana", "Ana Sousa")
    assert (merged["name"], merged["aliases"], merged["facts"]) == ("Anna", ["Ana", "Ana Sousa"], 2)
    shown = moved.json("entities-show", "entities", "show", "Ana Sousa")
    assert [fact["text"] for fact in shown["about"]] == ["user, sister: Ana", "Anna, job: editor"]
    assert len(moved.json("entities-list", "entities", "list")) == 2
    moved("undo")
    assert len(moved.json("entities-list", "entities", "list")) == 3
    assert "did you mean Anna" in moved("entities", "show", "Annaa", code=3).err


def test_facts_go_out_and_come_in(moved: CommandLine, tmp_path: Path) -> None:
    for name, form in (("a.csv", "csv"), ("a.jsonl", "jsonl"), ("a.graphml", "graphml"), ("a.ttl", "turtle")):
        assert moved.json("facts-export", "facts", "export", str(tmp_path / name))["format"] == form
    moved("facts", "export", str(tmp_path / "a.csv"), code=2)
    edges = ET.fromstring(  # noqa: S314 - our own file
        (tmp_path / "a.graphml").read_text(encoding="utf-8")
    ).iter("{http://graphml.graphdrawing.org/xmlns}edge")
    assert [edge.get("id") for edge in edges] == ["f1", "f2", "f3"]
    assert len((tmp_path / "a.ttl").read_text(encoding="utf-8").splitlines()) == 8
    for name in ("a.csv", "a.jsonl"):
        moved("agent", "create", f"of-{name[2:]}")
        done = moved.json("facts-import", "facts", "import", str(tmp_path / name), "--agent", f"of-{name[2:]}")
        assert (done["read"], done["new"]) == (3, 3)
        listed = moved.json("facts-list", "facts", "list", "--all", "--agent", f"of-{name[2:]}")
        assert [(fact["object"], fact["state"], fact["valid_until"]) for fact in listed] == [
            ("Ana", "current", None),
            ("Lisbon", "current", None),
            ("Lyon", "superseded", "2023-02"),
        ]


@pytest.mark.parametrize(
    "text",
    [
        "subject,predicate\nAna,home\n",
        '{"subject": "Ana", "predicate": "home", "object": "Lyon"}\n{"subject": ',
        '{"subject": "Ana", "object": "Lyon", "kind": "no such kind"}',
        '{"subject": "Ana", "object": "Lyon", "valid_from": "2023-02-30"}',
        "[1, 2]",
        "",
    ],
)
def test_a_faulty_file_imports_nothing(memgpt: CommandLine, tmp_path: Path, text: str) -> None:
    memgpt("facts", "add", "Ana", "job", "editor")
    (tmp_path / "facts").write_text(text, encoding="utf-8")
    assert "error" in memgpt("facts", "import", str(tmp_path / "facts"), code=2).err
    assert len(json.loads(memgpt("facts", "list", "--json").out)) == 1


def test_wrong_input_is_told(moved: CommandLine) -> None:
    assert (
        "'2024-13' is not a date that exists" in moved("facts", "add", "a", "b", "c", "--from", "2024-13", code=2).err
    )
    moved("facts", "add", "a", "b", "c", "--from", "2024", "--until", "2023", code=2)
    moved("facts", "add", " ", "b", "c", code=2)
    moved("facts", "add", "a", "b", "", code=2)
    moved("facts", "add", "a", "b", "x" * 2_000, code=2)
    moved("facts", "search", " ", code=2)
    assert "the nearest: f2, f3" in moved("facts", "show", "f9", code=3).err
    moved("facts", "show", "p1", code=2)


def test_a_forgotten_fact_is_in_no_file(moved: CommandLine) -> None:
    moved("forget", "Lyon", "--yes")
    assert moved.json("facts-list", "facts", "list", "--all", "--about", "me")[-1]["object"] == "Lisbon"
    assert all(b"Lyon" not in path.read_bytes() for path in moved.home.rglob("*") if path.is_file())


def test_a_search_of_everything_shows_present_facts_first(moved: CommandLine) -> None:
    moved("archival", "add", "I live near the old harbour of Lisbon")
    found = moved.json("search", "search", "where do I live")["hits"]
    assert [hit["id"] for hit in found] == ["f2", "p1"]
    assert moved("search", "where do I live").out.startswith("facts  f2")
    assert moved.json("search", "search", "where did I live in 2021")["hits"][0]["id"] == "f1"
    assert "f" not in [hit["id"][0] for hit in moved.json("search", "search", "how do I boil an egg")["hits"]]


def test_the_doctor_looks_at_memory(moved: CommandLine) -> None:
    assert moved("doctor", "--memory").out.startswith("ok")
    moved("memory", "append", "human", "Lives in Lyon")
    moved("facts", "add", "me", "job", "nurse")
    moved("facts", "add", "me", "employer", "a clinic")
    moved("facts", "edit", "f5", "--predicate", "job")
    moved("facts", "add", "me", "hobby", "chess")
    moved("facts", "add", "me", "hobby", "sailing")
    moved("facts", "edit", "f7", "--object", "Chess")
    found = moved("doctor", "--memory", code=1).out
    assert "block human, line 1 may be outdated" in found
    assert "two present values: f4 user, job: nurse; f5 user, job: a clinic" in found
    assert "hint: memgpt facts merge f6 f7" in found
