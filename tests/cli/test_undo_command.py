"""`memgpt undo`: the last change, whoever made it; and the whole last turn."""

from support.command_line import CommandLine


def values(memgpt: CommandLine) -> dict[str, str]:
    return {block["label"]: block["value"] for block in memgpt.json("memory-show", "memory", "show")}


def test_each_undo_takes_back_the_operation_before(memgpt: CommandLine) -> None:
    memgpt("send", "My name is Ada.")
    memgpt("memory", "append", "human", "Allergic to nuts")
    memgpt("archival", "add", "The spare key is under the blue pot")
    listed = memgpt.json("undo-list", "undo", "--list")
    assert [operation["author"] for operation in listed] == ["user", "user", "agent"]
    assert memgpt.json("undo", "undo")["undone"]["changes"][0] == {
        "kind": "passage", "what": "added", "label": None, "first": "p1", "last": "p1", "from": 0, "to": 1,
    }  # fmt: skip
    assert "-Allergic to nuts" in memgpt("undo").out
    assert 'the agent, after m1 "My name is Ada."' in memgpt("undo").out
    assert values(memgpt)["human"] == ""
    assert "nothing to take back" in memgpt("undo", code=3).err
    for _ in range(2):
        memgpt("redo")
    assert memgpt.json("undo", "redo")["redone"]["author"] == "user"
    assert values(memgpt)["human"] == "My name is Ada.\nAllergic to nuts"
    assert "nothing to do again" in memgpt("redo", code=3).err


def test_undo_shows_what_it_does_to_the_text_and_redo_the_opposite(memgpt: CommandLine) -> None:
    memgpt("memory", "set", "human", "Lives in Lyon\nLikes tea")
    memgpt("memory", "set", "human", "Lives in Lisbon\nLikes tea")
    memgpt("archival", "add", "The key is under the pot")
    memgpt("archival", "edit", "p1", "The key is under the mat")
    memgpt("archival", "delete", "p1", "--yes")
    shown = [[line.strip() for line in memgpt("undo").out.splitlines()[1:]] for _ in range(4)]
    assert shown == [
        ["passage p1 added", "+The key is under the mat"],
        ["passage p1 changed", "-The key is under the mat", "+The key is under the pot"],
        ["passage p1 deleted", "-The key is under the pot"],
        ["block human changed", "-Lives in Lisbon", "+Lives in Lyon"],
    ]
    assert memgpt("redo").out.splitlines()[2:] == ["   -Lives in Lyon", "   +Lives in Lisbon"]


def test_a_whole_turn_is_taken_back_with_its_messages(memgpt: CommandLine) -> None:
    memgpt("send", "My name is Ada.")
    memgpt("send", "--id", "again", "My doctor is Alice Miller.")
    taken = memgpt.json("undo-turn", "undo", "--turn")
    assert taken["turn"] == 2
    assert [operation["changes"][0]["label"] for operation in taken["undone"]] == ["human"]
    assert values(memgpt)["human"] == "My name is Ada."
    assert "Alice" not in memgpt("recall", "list").out
    assert "Alice" not in memgpt("context", "--prompt").out
    assert "Alice" in memgpt("send", "--id", "again", "My doctor is Alice Miller.").out


def test_a_turn_that_evicted_is_taken_back_and_the_prompt_is_what_it_was(memgpt: CommandLine) -> None:
    memgpt("memory", "set", "human", "--limit", "200")
    memgpt("memory", "set", "persona", "Mem", "--limit", "200")
    window = ("--window", "3000")
    for n in range(40):
        before = memgpt("context", *window, "--prompt").json["messages"] if n else []
        text = f"On day {n} I walked along the river bank for {n + 2} hours and counted {n * 7} grey herons. " * 5
        if memgpt("send", *window, text, "--json").json["evicted"]:
            break
    assert memgpt("context", *window, "--prompt").json["messages"][: len(before)] != before
    assert memgpt.json("undo-turn", "undo", "--turn")["returned"] > 0
    assert memgpt("context", *window, "--prompt").json["messages"] == before
    memgpt("send", *window, "Hello")


def test_what_a_person_changed_during_a_turn_stays_when_the_turn_goes(memgpt: CommandLine) -> None:
    memgpt("send", "My name is Ada.")
    memgpt("memory", "append", "human", "Allergic to nuts")
    kept = memgpt.json("undo-turn", "undo", "--turn")["kept"]
    assert [change["label"] for operation in kept for change in operation["changes"]] == ["human"]
    assert values(memgpt)["human"] == "My name is Ada.\nAllergic to nuts"


def test_changes_are_listed_by_author_and_in_pages(memgpt: CommandLine) -> None:
    memgpt("send", "My name is Ada.")
    memgpt("memory", "append", "human", "Likes jazz")
    memgpt("memory", "append", "human", "Likes tea")
    assert [o["author"] for o in memgpt.json("undo-list", "undo", "--list")] == ["user", "user", "agent"]
    assert [o["author"] for o in memgpt.json("undo-list", "undo", "--list", "--by", "agent")] == ["agent"]
    assert (
        "memgpt undo --list --by user --limit 1 --page 1"
        in memgpt("undo", "--list", "--by", "user", "--limit", "1").err
    )
    assert "no such changes" in memgpt("undo", "--list", "--by", "import").err


def test_whose_change_is_listed_does_not_choose_whose_is_taken_back(memgpt: CommandLine) -> None:
    memgpt("send", "My name is Ada.")
    memgpt("memory", "append", "human", "Likes tea")
    assert "memgpt undo --list --by agent" in memgpt("undo", "--by", "agent", code=2).err
    assert "use only one of them" in memgpt("undo", "--list", "--turn", code=2).err
    assert "Likes tea" in memgpt("memory", "show", "human").out
    assert len(memgpt.json("undo-list", "undo", "--list", "--by", "agent")) == 1
