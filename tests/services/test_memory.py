"""One agent's memory through the services: who wrote what, what is found, what is undone and what is forgotten."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from memgpt_cli.bootstrap import Workspace
from memgpt_cli.domain.blocks import Author
from memgpt_cli.domain.events import UserMessage
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.passages import Passage
from memgpt_cli.errors import NotFoundError, UsageError
from memgpt_cli.services.callers import Caller
from memgpt_cli.services.forgetting import forgotten_shape, plan_shape
from memgpt_cli.services.memory import AgentMemory, open_memory
from memgpt_cli.services.searching import hits_shape, search_agents

CLAUDE = Caller("mcp:claude")


@pytest.fixture
def memory(home: Workspace) -> Iterator[AgentMemory]:
    with open_memory(home, create=True) as opened:
        yield opened


@pytest.fixture
def talked(home: Workspace) -> Iterator[AgentMemory]:
    with home.sessions.open(purpose="test") as session:
        for text in ("My sister Nina lives in Porto", "I sail on Sundays", "The boat is called Kittiwake"):
            list(session.agent.handle(UserMessage(text=text)))
    with open_memory(home) as opened:
        yield opened


def test_a_program_is_named_as_the_author_of_what_it_writes(home: Workspace) -> None:
    with open_memory(home, caller=CLAUDE, create=True) as memory:
        memory.blocks.append("human", "Ada lives in Lyon")
        memory.blocks.replace("human", "Lyon", "Lisbon")
        [stored] = memory.passages.add(["The key is under the mat"], tags=["house"])
        assert memory.blocks.get("human").value.endswith("Ada lives in Lisbon")
        [line] = [line for line in memory.blocks.blame("human") if "Lisbon" in line.text]
        provenance = line.version.provenance
        assert (provenance.author, provenance.command) == (Author.TOOL, "mcp:claude")
        assert memory.causes([provenance]).described(provenance) == "mcp:claude"
        assert stored.passage.provenance == provenance
        assert [o.provenance for o in memory.changes.recent(author=Author.TOOL).operations] == [provenance] * 3


def test_the_person_is_named_with_the_command(memory: AgentMemory) -> None:
    memory.blocks.change("human", text="Ada")
    [version] = memory.blocks.last_changes([memory.blocks.get("human")])
    assert memory.causes([version.provenance]).described(version.provenance) == "you, with memgpt memory set"


def test_only_the_person_changes_a_read_only_block(home: Workspace, memory: AgentMemory) -> None:
    memory.blocks.create("rules", "Be brief", read_only=True)
    with open_memory(home, caller=CLAUDE) as program:
        writes = (
            lambda: program.blocks.append("rules", "Be long"),
            lambda: program.blocks.replace("rules", "brief", "long"),
            lambda: program.blocks.change("rules", read_only=False),
            lambda: program.blocks.delete("rules"),
        )
        for write in writes:
            with pytest.raises(UsageError, match="read-only"):
                write()
    assert memory.blocks.get("rules").value == "Be brief"
    assert memory.blocks.change("rules", read_only=False).read_only is False


def test_an_edit_of_a_block_that_was_changed_meanwhile_is_refused(memory: AgentMemory) -> None:
    before = memory.blocks.get("human")
    memory.blocks.append("human", "Ada")
    with pytest.raises(UsageError, match="changed while you edited"):
        memory.blocks.edit(before, "Bea")
    assert memory.blocks.edit(memory.blocks.get("human"), "Cleo").value == "Cleo"


def test_versions_of_a_block_are_compared_and_restored(memory: AgentMemory) -> None:
    memory.blocks.change("human", text="Ada")
    memory.blocks.change("human", text="Bea")
    difference = memory.blocks.difference("human")
    assert (difference.before, difference.after) == (2, 3)
    assert {"-Ada", "+Bea"} <= set(difference.lines)
    restored, changed = memory.blocks.restore("human", 2)
    assert (restored.value, changed) == ("Ada", True)
    assert memory.blocks.restore("human", 4)[1] is False


def test_changes_are_undone_and_redone_one_by_one(memory: AgentMemory) -> None:
    memory.blocks.append("human", "Ada")
    memory.passages.add(["The key is under the mat"])
    assert memory.changes.undo().lines == ("passage p1 deleted", "-The key is under the mat")
    assert "-Ada" in memory.changes.undo().lines
    assert "+Ada" in memory.changes.redo().lines
    memory.blocks.append("human", "Bea")
    with pytest.raises(NotFoundError, match="nothing to do again"):
        memory.changes.redo()


def test_the_last_turn_is_undone_whole(talked: AgentMemory) -> None:
    before = talked.blocks.get("human").value
    taken = talked.changes.undo_turn()
    assert [m.text for m in taken.messages if m.role is Role.USER] == ["The boat is called Kittiwake"]
    assert all("Kittiwake" not in message.text for message in talked.messages.recent().messages)
    assert talked.blocks.get("human").value != before or not taken.operations


def test_every_storage_is_searched_at_once(home: Workspace, talked: AgentMemory) -> None:
    talked.passages.add(["Nina's diet: no nuts"], source="notes")
    found = talked.search.everything("Nina")
    assert {hit.storage for hit in found.hits} == {"core", "recall", "archival"}
    assert all("Nina" in hit["text"] for hit in hits_shape(found)["hits"][:3])
    assert search_agents(home, "Nina").hits == found.hits
    assert {hit.storage for hit in talked.search.everything("Nina", since="2020").hits} == {"recall", "archival"}
    with pytest.raises(UsageError, match="nothing to search"):
        talked.search.everything(" ")
    with pytest.raises(UsageError, match="not a valid date"):
        talked.search.everything("Nina", since="2024-13")


def test_search_continues_on_the_next_page(talked: AgentMemory) -> None:
    first, second = (talked.search.messages("boat sail sister", page=page, limit=2) for page in (0, 1))
    assert {hit.item.id for hit in first.hits}.isdisjoint(hit.item.id for hit in second.hits)
    assert talked.search.passages("").hits == ()


def test_a_message_is_fetched_with_what_was_said_around_it(talked: AgentMemory) -> None:
    said = [m for m in talked.messages.recent().messages if m.role is Role.USER]
    middle = next(m for m in said if "Sundays" in m.text)
    found = talked.fetch(f"m{middle.id}", around=2)
    assert isinstance(found.item, Message)
    assert [len(found.before), len(found.after)] == [2, 2]
    assert "Nina" in found.before[0].text
    assert "Kittiwake" in found.after[1].text
    assert talked.fetch(f"m{middle.id}").before == ()
    [stored] = talked.passages.add(["A note"])
    passage = talked.fetch("p1").item
    assert isinstance(passage, Passage)
    assert passage.text == stored.passage.text
    for wrong, error in (("m999", NotFoundError), ("p99", NotFoundError), ("x1", UsageError)):
        with pytest.raises(error):
            talked.fetch(wrong)


def test_messages_are_listed_newest_first_by_page(talked: AgentMemory) -> None:
    first = talked.messages.recent(limit=2)
    rest = talked.messages.recent(limit=100, page=0)
    assert first.more
    assert rest.messages[:2] == first.messages
    assert rest.messages[0].id > rest.messages[-1].id
    turn = talked.messages.turn_of(rest.messages[-1])
    assert turn is not None
    assert rest.messages[-1] in turn.messages
    assert turn.steps


def test_deleted_messages_go_with_their_turn_and_come_back(talked: AgentMemory) -> None:
    asked = next(m for m in talked.messages.recent().messages if "Sundays" in m.text)
    chosen = talked.messages.select([f"m{asked.id}"])
    assert len(chosen) > 1
    talked.messages.delete(chosen)
    with pytest.raises(NotFoundError, match="was deleted"):
        talked.messages.get(f"m{asked.id}")
    talked.changes.undo()
    assert talked.messages.get(f"m{asked.id}").text == "I sail on Sundays"


def test_a_passage_is_corrected_restored_and_deleted(memory: AgentMemory) -> None:
    [stored] = memory.passages.add(["The key is under the mat"], tags=["house"], source="me")
    [again] = memory.passages.add(["The key is under the mat"])
    assert (again.new, again.passage.id) == (False, stored.passage.id)
    before = memory.passages.get("p1")
    memory.passages.revise(before, replace(before, text="The key is with Tom"))
    with pytest.raises(UsageError, match="changed while you edited"):
        memory.passages.revise(before, replace(before, text="The key is lost"))
    assert memory.passages.restore("p1", 1) == (before, True)
    memory.passages.delete(memory.passages.select(["p1"]))
    assert [v.deleted for v in memory.passages.history("p1")] == [False, False, False, True]
    assert memory.passages.select([], tags=["house"]).empty
    with pytest.raises(NotFoundError, match="no passage has the tag 'hous'; did you mean house"):
        memory.passages.select([], tags=["hous"])


def test_nothing_is_forgotten_without_agreement_and_a_receipt_is_given(talked: AgentMemory) -> None:
    wanted = talked.forget.wanted(text="Kittiwake")
    plan = talked.forget.plan(wanted)
    assert plan_shape(plan)["messages"]
    assert talked.forget.carry_out(wanted, agree=lambda _: False) is None
    done = talked.forget.carry_out(wanted)
    assert done is not None
    assert done.checked.clean
    shape = forgotten_shape(done)
    assert shape["messages"] == plan_shape(plan)["messages"]
    assert {"place": "rows and indexes", "state": "not found", "detail": ""} in shape["receipt"]
    assert not talked.search.everything("Kittiwake").hits or "Kittiwake" not in str(talked.messages.recent().messages)


@pytest.mark.parametrize(
    ("selection", "error"),
    [
        ({}, UsageError),
        ({"refs": ["12"]}, UsageError),
        ({"refs": ["m99"]}, NotFoundError),
        ({"tags": ["x"]}, NotFoundError),
    ],
)
def test_a_selection_of_nothing_is_refused(memory: AgentMemory, selection: dict[str, list[str]], error: type) -> None:
    with pytest.raises(error):
        memory.forget.wanted(**selection)  # type: ignore[arg-type]
