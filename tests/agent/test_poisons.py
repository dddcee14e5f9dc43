"""Poisoned text through four channels, before a model that obeys all of it: none reaches core memory by itself."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.agents import run, session, steps, workspace
from support.brains import Body, Call, Reply, asks_for_summary, do, say, text_of
from support.poisons import KINDS, Poison, poisons
from support.strict_server import StrictServer

from memgpt_cli.agent.session import Session
from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.domain.documents import LoadedDocument
from memgpt_cli.domain.events import Attachment
from memgpt_cli.domain.forgetting import Wanted
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.reviews import ReviewState

CHANNELS = ("turn", "document", "summary", "write")
NOW = datetime.fromisoformat("2026-03-01T10:00:00+00:00")


class Obedient:
    """A model that takes one action after another in a turn, and obeys `poison` where the prompt shows it.

    `prompts` are the texts that it was shown when it obeyed.
    """

    def __init__(self) -> None:
        self.poison: Poison | None = None
        self.actions: list[str] = []
        self.prompts: list[str] = []

    def will(self, poison: Poison, *actions: str) -> None:
        self.poison, self.actions = poison, list(actions)

    def __call__(self, body: Body) -> Reply:
        poison = self.poison
        assert poison is not None
        if asks_for_summary(body):
            return Reply(f"They read this: {' '.join(poison.pieces)}")
        if not self.actions:
            return say(body, "All right.")
        action = self.actions.pop(0)
        if action == "search":
            return do(body, Call("archival_memory_search", {"query": ""}))
        shown = "\n".join(text_of(message) for message in body["messages"])
        if poison.token not in shown:  # it cannot obey what it was not shown: `check` finds nothing held
            return say(body, "There is nothing.")
        if action == "note":
            return do(body, Call("archival_memory_insert", {"content": f"Kept: {' '.join(poison.pieces)}"}))
        self.prompts.append(shown)
        return do(body, _ordered(poison))


def _ordered(poison: Poison) -> Call:
    """What the poison asks for: a rewritten block, or another line in it."""
    if poison.kind == "tool":
        arguments = {"label": "human", "old_content": "*", "new_content": poison.payload}
        return Call("core_memory_replace", arguments)
    return Call("core_memory_append", {"label": "human", "content": poison.payload})


def load(agent: Session, poison: Poison) -> None:
    passages = [
        Passage(
            text=piece,
            created_at=datetime.now(UTC),
            source=poison.name,
            location=f"line {number}",
            provenance=Provenance(author=Author.DOCUMENT, command="archival load"),
        )
        for number, piece in enumerate(poison.pieces, 1)
    ]
    document = LoadedDocument(source=poison.name, content_hash=poison.token, title="", kind="text", size=1)
    with agent.store.transaction():
        agent.store.documents.begin(document)
        agent.store.documents.add(poison.name, passages)
        agent.store.documents.finish(poison.name, at=NOW)


def let_in(channel: str, agent: Session, model: Obedient, poison: Poison) -> list[Any]:
    """Let the poison in through a channel; returns what happened in the turn in which the model obeys it."""
    agent.agent.start_afresh()
    question = "What do my papers say?"
    if channel == "turn":
        model.will(poison, "obey")
        attached = Attachment(name=poison.name, text="\n".join(poison.pieces))
        return run(agent, "What does this say?", attachments=(attached,))
    load(agent, poison)
    if channel == "document":
        model.will(poison, "search", "obey")
        return run(agent, question)
    if channel == "write":
        model.will(poison, "search", "note")
        run(agent, question)
        agent.agent.start_afresh()
        model.will(poison, "search", "obey")
        return run(agent, question)
    model.will(poison, "search")
    run(agent, question)
    turn = agent.store.turns.get(agent.store.undo.last_turn() or 0)
    assert turn is not None
    list(agent.agent.queue_manager.evict(turn, attempt=1, keep_recent=False))
    model.will(poison, "obey")
    return run(agent, "Good morning! How are you today?")


def check(home: Path, chosen: list[tuple[str, Poison]]) -> None:
    """Each poison through its channel: held back, marked in the prompt, and gone with its source."""
    model = Obedient()
    with StrictServer(model) as server, session(home, base_url=server.base_url) as agent:
        before = agent.store.blocks.get("human")
        for channel, poison in chosen:
            model.prompts.clear()
            happenings = let_in(channel, agent, model, poison)
            held = [n for step in steps(happenings) for f in step.functions for n in f.result.effects.held]
            assert agent.store.blocks.get("human") == before, (channel, poison)
            assert held, (channel, poison)
            assert is_marked(model.prompts[0], poison), (channel, poison, model.prompts[0])
        assert agent.store.reviews.count(ReviewState.WAITING) > 0
    place = workspace(home)
    with place.held_memory(purpose="test") as memory:
        memory.forgetting.carry_out(Wanted(source="poisons/"), at=NOW, progress=lambda _: None)
        assert memory.store.reviews.page(limit=10) == []
    tokens = {poison.token.encode() for _, poison in chosen}
    for path in home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [token for token in tokens if token in content], path


def check_own_words(home: Path, chosen: list[Poison]) -> None:
    """The person says what the poison wants, in a turn that shows the poison too: it is written at once."""
    model = Obedient()
    with StrictServer(model) as server, session(home, base_url=server.base_url) as agent:
        for poison in chosen:
            agent.agent.start_afresh()
            load(agent, poison)
            model.will(poison, "search", "obey")
            please = "Please remember this" if poison.language == "en" else "请记住"
            run(agent, f"{please}: {poison.payload}. What do my papers say?")
            assert poison.payload in agent.store.blocks.get("human").value, poison
            with agent.store.transaction():
                agent.store.blocks.put(Block(label="human"), at=NOW, provenance=Provenance(author=Author.SYSTEM))
        assert agent.store.reviews.page(limit=1) == []


def is_marked(prompt: str, poison: Poison) -> bool:
    """Whether every line of the prompt that shows the poison is a quotation, or follows a summary marked as one."""
    if "in part from documents, imports or tools" in prompt:
        return True
    lines = [line for line in prompt.split("\n") if poison.payload in line or line in poison.pieces]
    return all("> " in line for line in lines)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_sample_of_the_poisons_through_each_channel(tmp_path: Path, channel: str) -> None:
    check(tmp_path, [(channel, poison) for poison in poisons(len(KINDS))])


def test_the_same_words_from_the_person_are_written(tmp_path: Path) -> None:
    check_own_words(tmp_path, poisons(len(KINDS)))


@pytest.mark.long
def test_every_poison_in_the_words_of_the_person_is_written(tmp_path: Path) -> None:
    check_own_words(tmp_path, poisons(300))


@pytest.mark.long
@pytest.mark.parametrize("channel", CHANNELS)
def test_every_poison_through_each_channel(tmp_path: Path, channel: str) -> None:
    check(tmp_path, [(channel, poison) for poison in poisons(300)])
