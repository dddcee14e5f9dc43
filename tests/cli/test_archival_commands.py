"""Passages at the command line: listed, shown with their origin, corrected, deleted, brought back."""

import io

import pytest
from support.command_line import CommandLine


def test_a_passage_is_corrected_and_its_history_kept(memgpt: CommandLine) -> None:
    assert memgpt.json("archival-add", "archival", "add", "The key is under the mat", "--tag", "home")["new"] is True
    memgpt("archival", "edit", "p1", "The key is with Tom", "--tag", "home", "--tag", "tom")
    shown = memgpt.json("archival-show", "archival", "show", "p1")
    assert (shown["text"], shown["tags"]) == ("The key is with Tom", ["home", "tom"])
    assert [(v["version"], v["text"], v["command"]) for v in shown["history"]] == [
        (1, "The key is under the mat", "archival add"),
        (2, "The key is with Tom", "archival edit"),
    ]
    assert memgpt("archival", "search", "mat").out == ""
    assert "p1" in memgpt("archival", "search", "Tom").out
    memgpt("archival", "restore", "1", "1")
    assert memgpt.json("archival-list", "archival", "list")[0]["tags"] == ["home"]
    memgpt("undo")
    assert memgpt.json("archival-list", "archival", "list")[0]["text"] == "The key is with Tom"
    assert len(memgpt.json("archival-log", "archival", "log", "p1")) == 4


def test_deleting_asks_and_can_be_undone_as_one(memgpt: CommandLine) -> None:
    for n in range(4):
        memgpt("archival", "add", f"note number {n}", "--tag", "even" if n % 2 == 0 else "odd")
    assert "add --yes" in memgpt("archival", "delete", "p1", code=2).err
    assert memgpt.json("archival-delete", "archival", "delete", "--tag", "even", "--dry-run") == {
        "passages": ["p1", "p3"],
        "deleted": False,
    }
    memgpt("archival", "delete", "--tag", "even", "--yes")
    assert [p["id"] for p in memgpt.json("archival-list", "archival", "list")] == ["p4", "p2"]
    memgpt("undo")
    assert len(memgpt.json("archival-list", "archival", "list")) == 4
    assert "p3" in memgpt("archival", "search", "note number 2").out
    memgpt("archival", "delete", "p2-p4", "--yes")
    assert "archival restore p3 " in memgpt("archival", "show", "p3", code=3).err


def test_a_wrong_id_is_exit_3_with_the_nearest(memgpt: CommandLine) -> None:
    for n in range(3):
        memgpt("archival", "add", f"note {n}")
    assert "the nearest: p2, p3" in memgpt("archival", "show", "p9", code=3).err
    assert "is not a valid id" in memgpt("archival", "show", "m1", code=2).err


def test_what_a_version_said_that_was_forgotten_cannot_be_restored(memgpt: CommandLine) -> None:
    memgpt("archival", "add", "The key is under the mat")
    memgpt("archival", "edit", "p1", "The key is with Alice")
    memgpt("archival", "edit", "p1", "The key is with Tom")
    memgpt("forget", "Alice", "--yes")
    assert "was permanently deleted" in memgpt("archival", "restore", "p1", "2", code=3).err
    assert memgpt.json("archival-show", "archival", "show", "p1")["text"] == "The key is with Tom"
    assert memgpt("archival", "log", "p1").out.splitlines()[1::2] == [
        "   +The key is with Tom",
        "   forgotten",
        "   +The key is under the mat",
    ]


def test_a_range_that_spans_more_than_anybody_has_is_refused(memgpt: CommandLine) -> None:
    memgpt("archival", "add", "The key is under the mat")
    for command in (("archival", "delete"), ("recall", "delete"), ("forget", "--id")):
        letter = "m" if command[0] == "recall" else "p"
        refused = memgpt(*command, f"{letter}1-{letter}999999999999", "--dry-run", code=2).err
        assert f"{letter}1-{letter}1000000" in refused
    assert memgpt.json("archival-delete", "archival", "delete", "p1-p1000000", "--dry-run")["passages"] == ["p1"]


def test_two_passages_cannot_say_the_same(memgpt: CommandLine) -> None:
    memgpt("archival", "add", "one")
    memgpt("archival", "add", "two")
    assert "p1 says exactly that already" in memgpt("archival", "edit", "p2", "one", code=2).err


def test_lists_are_paged_and_say_when_there_is_more(memgpt: CommandLine) -> None:
    for n in range(5):
        memgpt("archival", "add", f"note {n}", "--source", "notes" if n else "letters")
    first = memgpt("archival", "list", "--limit", "2", "--json")
    assert [p["id"] for p in first.json] == ["p5", "p4"]
    assert "--page 1" in first.err
    assert [p["id"] for p in memgpt("archival", "list", "--limit", "2", "--page", "2", "--json").json] == ["p1"]
    found = memgpt.json("archival-sources", "archival", "sources")
    assert [(s["source"], s["passages"]) for s in found] == [("letters", 1), ("notes", 4)]


def test_a_tag_is_not_empty_and_stands_once(memgpt: CommandLine) -> None:
    assert "a tag cannot be empty" in memgpt("archival", "add", "The key is under the mat", "--tag", "", code=2).err
    assert memgpt.json("archival-add", "archival", "add", "A", "-t", " home", "-t", "home")["tags"] == ["home"]
    assert "a tag cannot be empty" in memgpt("archival", "edit", "p1", "--tag", " ", code=2).err
    assert "use only one of them" in memgpt("archival", "edit", "p1", "-t", "x", "--no-tags", code=2).err


def test_a_tag_that_there_never_was_is_exit_3_with_the_nearest(memgpt: CommandLine) -> None:
    memgpt("archival", "add", "Bread recipe", "--tag", "kitchen")
    for command in (("list",), ("search", "bread"), ("delete", "--dry-run")):
        assert "did you mean kitchen?" in memgpt("archival", *command, "--tag", "kitchin", code=3).err
    memgpt("archival", "delete", "p1", "--yes")
    assert memgpt.json("archival-list", "archival", "list", "--tag", "kitchen") == []


def test_restoring_what_stands_there_already_changes_nothing_and_says_so(memgpt: CommandLine) -> None:
    memgpt("archival", "add", "The key is under the mat.")
    done = memgpt("archival", "restore", "p1", "1")
    assert "nothing was changed" in done.err
    assert "undo" not in done.err + done.out
    assert len(memgpt.json("archival-log", "archival", "log", "p1")) == 1


def test_one_deleted_passage_is_it_and_several_are_them(memgpt: CommandLine) -> None:
    for n in range(3):
        memgpt("archival", "add", f"note {n}")
    assert memgpt("archival", "delete", "p1", "--yes").out == "deleted 1 passage; memgpt undo brings it back\n"
    assert memgpt("archival", "delete", "p2-p3", "--yes").out == "deleted 2 passages; memgpt undo brings them back\n"


def test_each_line_of_standard_input_is_a_passage_and_one_undo_takes_all_back(
    memgpt: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"One fact\n\nTwo facts\nOne fact\n")))
    assert memgpt("archival", "add", "-").out.splitlines() == ["stored as p1", "stored as p2", "already stored as p1"]
    assert [p["text"] for p in memgpt.json("archival-list", "archival", "list")] == ["Two facts", "One fact"]
    memgpt("undo")
    assert memgpt.json("archival-list", "archival", "list") == []
