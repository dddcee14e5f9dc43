"""The functions that record and search facts, and facts before the hits of other searches."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.function_calls import NOON, Functions, functions

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.facts import FactFilters, FactState
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.functions.facts import FACT_RECORD, FACT_SEARCH
from memgpt_cli.llm.token_counters import counter_for
from memgpt_cli.main_context.tokens import count_tools

HOME = {"subject": "user", "predicate": "home", "value": "Lyon", "since": "2020"}


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Functions]:
    """An agent whose person says in turn 1 where they live."""
    with functions(tmp_path, facts=True) as made:
        with made.store.transaction():
            made.store.connection.execute(
                "INSERT INTO turns (id, started_at, state, epoch, first_epoch) VALUES (1, '2024', 'open', 1, 1)"
            )
            text = "I lived in Lyon since 2020, and moved to Lisbon in March."
            made.store.messages.append(Message(role=Role.USER, text=text, created_at=NOON, turn=1))
        yield made


def record(agent: Functions, **arguments: str) -> str:
    return agent.step(("fact_record", {**HOME, **arguments}), turn=1)[0].text


def test_what_the_person_said_is_recorded_as_their_word(agent: Functions) -> None:
    assert record(agent) == "Recorded as f1."
    assert record(agent, value="Lisbon", since="2024-03") == "Recorded as f2. It replaces f1."
    assert record(agent, value="lisbon", since="2024-03") == "Known already as f2."
    (fact,) = agent.store.facts.page(FactFilters(states=(FactState.CURRENT,)), limit=9)
    assert (fact.object, fact.sources[0].ref, fact.provenance.author) == ("Lisbon", "m1", "user")


def test_what_the_person_did_not_say_is_uncertain(agent: Functions) -> None:
    record(agent)
    assert "It is uncertain" in record(agent, value="Porto", since="2024-03")
    assert [f.object for f in agent.store.facts.page(FactFilters(states=(FactState.CURRENT,)), limit=9)] == ["Lyon"]


def test_facts_are_searched_as_of_a_time(agent: Functions) -> None:
    record(agent)
    record(agent, value="Lisbon", since="2024-03", replaces="f1")
    assert agent.call("fact_search", query="home of the user").text.splitlines() == [
        "1 of 1 facts, best match first.",
        "[f2 since 2024-03; from m1] user, home: Lisbon",
    ]
    then = agent.call("fact_search", query="home of the user", as_of="2021")
    assert "[f1 2020 to 2024-03; superseded; from m1] user, home: Lyon" in then.text
    assert then.effects.shown == ("f1",)
    assert agent.call("fact_search", query="quantum physics").text.startswith("No facts found")


@pytest.mark.parametrize(
    "arguments",
    [
        {"since": "soon"},
        {"until": "2019"},
        {"value": " "},
        {"value": "x" * 400},
        {"replaces": "f99"},
        {"replaces": "p1"},
    ],
)
def test_wrong_arguments_are_told_and_change_nothing(agent: Functions, arguments: dict[str, str]) -> None:
    assert not agent.step(("fact_record", {**HOME, **arguments}), turn=1)[0].ok
    assert agent.store.facts.count() == 0


def test_a_search_of_messages_begins_with_present_facts(agent: Functions) -> None:
    record(agent)
    record(agent, value="Lisbon", since="2024-03")
    agent.store.messages.evict([1], epoch=0)
    found = agent.call("conversation_search", query="where does the user live, home")
    assert found.text.splitlines()[:2] == ["Known facts:", "[f2 since 2024-03; from m1] user, home: Lisbon"]
    assert found.effects.shown[0] == "f2"
    assert "Lyon" not in found.text.split("\n", 2)[1]
    assert "Known facts" not in agent.call("conversation_search", query="boiling eggs").text


def test_both_schemas_take_at_most_250_tokens() -> None:
    schemas = [spec.schema(Protocol.NATIVE) for spec in (FACT_RECORD, FACT_SEARCH)]
    assert count_tools(counter_for("gpt-4o"), schemas) <= 250
