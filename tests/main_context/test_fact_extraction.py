"""Facts in the summary call of an eviction, with an ideal extractor behind the test server."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.agents import run, session, workspace
from support.brains import Reply, asks_for_summary, say, text_of
from support.strict_server import StrictServer

from memgpt_cli.agent.session import Session
from memgpt_cli.domain.events import Evicted, Notice
from memgpt_cli.domain.facts import FactFilters, FactState
from memgpt_cli.facts.reply import MARK

CHANGES = json.loads((Path(__file__).parents[1] / "facts" / "changes.json").read_text(encoding="utf-8"))
SUMMARY = "I heard of several changes."
FILLER = "The weather was fine, we talked about the garden and the long evenings by the water for a while. " * 22
FILLER_ZH = "今天天气很好，我们聊了花园，也聊了水边漫长的夜晚，说了很久很久。" * 20
FIRST = datetime(2023, 3, 1, 12, tzinfo=UTC)


def line(change: dict[str, Any], which: str) -> str:
    value = change[which]
    fields = {"of": change["of"], "what": change["what"], "is": value["value"], "from": value["from"]}
    return json.dumps({**fields, "quote": value["quote"]}, ensure_ascii=False)


def extractor(changes: list[dict[str, Any]], summary: str = SUMMARY) -> Any:
    """A model that finds every fact of a prompt, in order; nothing else."""

    def brain(body: dict[str, Any]) -> Reply:
        if not asks_for_summary(body):
            return say(body, "I see.")
        if MARK not in text_of(body["messages"][-1]) + text_of(body["messages"][0]):
            return Reply(summary)
        prompt = "\n".join(text_of(m) for m in body["messages"])
        lines = [line(c, which) for which in ("old", "new") for c in changes if c[which]["said"] in prompt]
        return Reply("\n".join([summary, MARK, *lines]))

    return brain


def talk(opened: Session, changes: list[dict[str, Any]], filler: str) -> list[Any]:
    """Everything that is said: first the old values, then the new ones, then enough for all of it to be evicted."""
    texts = [change[which]["said"] for which in ("old", "new") for change in changes]
    happened: list[Any] = []
    number = 0
    while texts or any(not m.text.startswith(filler[:9]) for m in opened.agent.queue_manager.queue if m.role == "user"):
        text = f"{texts.pop(0)} {filler}" if texts else filler
        happened += run(opened, text, created_at=FIRST + number * timedelta(hours=8))
        number += 1
    return happened


@pytest.mark.parametrize(("language", "filler"), [("en", FILLER), ("zh", FILLER_ZH)])
def test_forty_changes_of_value(tmp_path: Path, language: str, filler: str) -> None:
    """Every current value is right, every old one is found as of its time, none is presented as current."""
    changes = [change for change in CHANGES if change["language"] == language]
    with (
        StrictServer(extractor(changes), window=8_192) as server,
        session(tmp_path, base_url=server.base_url, window=8_192, facts_at_eviction="on") as opened,
    ):
        happened = talk(opened, changes, filler)
        assert sum(isinstance(h, Evicted) for h in happened) > 2
        assert any(isinstance(h, Notice) and "facts stored" in h.text for h in happened)
    space = workspace(tmp_path)
    with space.held_memory(purpose="test") as memory:
        memory.index.flush()
        store = memory.store
        current = store.facts.page(FactFilters(states=(FactState.CURRENT,)), limit=99)
        assert {(f.subject, f.predicate, f.object) for f in current} == {
            (c["of"], c["what"], c["new"]["value"]) for c in changes
        }
        assert store.facts.count() == 2 * len(changes)
        for fact in current:
            message = store.messages.get([int(fact.sources[0].ref[1:])])[0]
            assert fact.sources[0].quote in message.text
            assert fact.said_at == message.created_at
        for change in changes:
            for question, which, other in ((change["now"], "new", "old"), (change["then"], "old", "new")):
                vector = memory.facts.embed_query(question)
                hits = memory.facts.search(question, query_vector=vector, today=date(2023, 6, 1)).hits
                found = [(h.item.subject, h.item.object) for h in hits]
                assert found[0] == (change["of"], change[which]["value"]), question
                assert (change["of"], change[other]["value"]) not in found, question


def requests_of(tmp_path: Path, setting: str, brain: Any) -> tuple[list[dict[str, Any]], str]:
    with (
        StrictServer(brain, window=8_192) as server,
        session(tmp_path / setting, base_url=server.base_url, window=8_192, facts_at_eviction=setting) as opened,
    ):
        talk(opened, CHANGES[:4], FILLER)
        return server.requests, opened.agent.queue_manager.epoch.summary


def test_without_facts_the_request_is_as_it_was_and_the_summary_is_the_same_with_them(tmp_path: Path) -> None:
    """Facts change the end of the order and the longest reply; the summary never."""
    without, plain = requests_of(tmp_path, "off", extractor(CHANGES[:4]))
    small, _ = requests_of(tmp_path, "auto", extractor(CHANGES[:4]))
    with_facts, summary = requests_of(tmp_path, "on", extractor(CHANGES[:4]))
    assert (plain, summary) == (SUMMARY, SUMMARY)
    assert [json.dumps(r) for r in without] == [json.dumps(r) for r in small], "a small window asks for none"
    assert not any(MARK in json.dumps(r) for r in without)
    first, second = (next(r for r in rs if asks_for_summary(r)) for rs in (without, with_facts))
    shared = min(len(first["messages"]), len(second["messages"])) - 1
    assert first["messages"][:shared] == second["messages"][:shared]
    order, longer = (text_of(r["messages"][-1]) for r in (first, second))
    assert "Answer with the summary alone." in order
    assert "Answer with the summary alone." not in longer
    assert "Wed 2023-03-01" in longer
    limits = [r.get("max_tokens") or r["max_completion_tokens"] for r in (first, second)]
    assert limits[1] > limits[0]


def test_hostile_replies_store_nothing_wrong_and_leave_the_summary_alone(tmp_path: Path) -> None:
    """What the assistant said, what nobody said, and what is cut off are no facts."""
    lines = [
        '{"of": "user", "what": "home", "is": "Porto", "quote": "I see."}',
        '{"of": "user", "what": "home", "is": "Rome", "quote": "I moved to Rome last year"}',
        line(CHANGES[0], "old"),
        '{"of": "user", "what": "job", "is": "nu',
    ]

    def brain(body: dict[str, Any]) -> Reply:
        return Reply("\n".join([SUMMARY, MARK, *lines])) if asks_for_summary(body) else say(body, "I see.")

    with (
        StrictServer(brain, window=8_192) as server,
        session(tmp_path, base_url=server.base_url, window=8_192, facts_at_eviction="on") as opened,
    ):
        talk(opened, CHANGES[:2], FILLER)
        assert opened.agent.queue_manager.epoch.summary == SUMMARY
        facts = opened.store.facts.page(FactFilters(), limit=9)
        assert [(fact.object, fact.state) for fact in facts] == [("Lyon", FactState.CURRENT)]


def test_facts_of_an_eviction_are_one_operation(tmp_path: Path) -> None:
    with (
        StrictServer(extractor(CHANGES[:4]), window=8_192) as server,
        session(tmp_path, base_url=server.base_url, window=8_192, facts_at_eviction="on") as opened,
    ):
        talk(opened, CHANGES[:4], FILLER)
        store = opened.store
        before = store.facts.count()
        assert before >= 4
        (last,) = store.journal.undoable()
        assert last.provenance.command == "eviction"
        with store.transaction():
            store.undo.undo(at=FIRST, provenance=last.provenance)
        assert store.facts.count() < before
