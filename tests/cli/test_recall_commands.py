"""Messages at the command line: shown with their turn, deleted in whole turns, brought back."""

import json

from support.command_line import CommandLine


def talk(memgpt: CommandLine) -> None:
    for text in ("My name is Ada.", "My doctor is Alice Miller.", "I moved to Lisbon in May."):
        memgpt("send", text)


def user_ids(memgpt: CommandLine) -> dict[str, str]:
    return {m["text"]: m["id"] for m in memgpt("recall", "list", "--json", "--role", "user").json}


def test_a_message_is_shown_with_what_was_called_and_why(memgpt: CommandLine) -> None:
    talk(memgpt)
    shown = memgpt.json("recall-show", "recall", "show", user_ids(memgpt)["My doctor is Alice Miller."])
    turn = shown["turn"]
    assert [m["role"] for m in turn["messages"]] == ["user", "assistant", "tool", "assistant"]
    assert turn["messages"][1]["calls"][0]["name"] == "core_memory_append"
    assert turn["changes"][0]["lines"] == ["block human changed", "+My doctor is Alice Miller."]
    assert [step["model"] for step in turn["steps"]] == ["offline", "offline"]
    told = memgpt("recall", "show", "1").out
    assert "core_memory_append(" in told
    assert "+My name is Ada." in told


def test_a_turn_is_deleted_whole_and_leaves_the_prompt(memgpt: CommandLine) -> None:
    talk(memgpt)
    doctor = user_ids(memgpt)["My doctor is Alice Miller."]
    before = memgpt("recall", "list", "--json").json
    dry = memgpt.json("recall-delete", "recall", "delete", doctor, "--dry-run")
    assert (len(dry["messages"]), dry["deleted"]) == (4, False)
    assert "add --yes" in memgpt("recall", "delete", doctor, code=2).err
    assert memgpt.json("recall-delete", "recall", "delete", doctor, "--yes")["messages"] == dry["messages"]
    assert "was deleted" in memgpt("recall", "show", doctor, code=3).err
    prompt = memgpt("context", "--prompt").json
    assert "My doctor is" not in json.dumps(prompt["messages"][1:])
    assert "[m5]" not in memgpt("recall", "search", "doctor").out
    memgpt("undo")
    assert memgpt("recall", "list", "--json").json == before
    assert "My doctor is" in json.dumps(memgpt("context", "--prompt").json)


def test_a_deletion_begins_a_new_epoch_and_an_edit_does_not(memgpt: CommandLine) -> None:
    talk(memgpt)
    epoch = memgpt("context", "--json").json["epoch"]
    memgpt("memory", "append", "human", "likes tea")
    assert memgpt("context", "--json").json["epoch"] == epoch
    memgpt("recall", "delete", "m1", "--yes")
    memgpt("send", "Hello")
    assert memgpt("context", "--json").json["epoch"] > epoch


def test_deleting_by_date_takes_both_days(memgpt: CommandLine) -> None:
    for day in (1, 2, 3):
        memgpt("send", f"Day {day} was fine.", "--created-at", f"2024-03-0{day}T12:00")
    memgpt("recall", "delete", "--since", "2024-03-01", "--until", "2024-03-02", "--yes")
    assert list(user_ids(memgpt)) == ["Day 3 was fine."]
    assert "is before" in memgpt("recall", "delete", "--since", "2024-03-03", "--until", "2024-03-01", code=2).err


def test_a_wrong_message_id_is_exit_3_with_the_nearest(memgpt: CommandLine) -> None:
    memgpt("send", "Hello")
    assert "the nearest: m1, m2" in memgpt("recall", "show", "m99", code=3).err
