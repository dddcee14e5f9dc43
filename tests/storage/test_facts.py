"""Facts and entities as rows: nothing is overwritten, everything is undone, exported and forgotten like the rest."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.memory_changes import NOW, USER

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.facts import Entity, FactFilters, FactKind, FactSource, FactState
from memgpt_cli.domain.forgetting import Wanted
from memgpt_cli.domain.kinds import Collection, Kind
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.partial_dates import PartialDate, Validity
from memgpt_cli.errors import UsageError
from memgpt_cli.facts.keeping import FactKeeper, KeptFact, Statement
from memgpt_cli.files.replacing import PENDING, Replacements
from memgpt_cli.storage.agents.files import export_agent, import_agent
from memgpt_cli.storage.forgetting import Forgetting
from memgpt_cli.storage.store import SQLiteStore
from memgpt_cli.storage.vectors.log import Vectors

DAY = timedelta(days=1)
UNDO = Provenance(author=Author.USER, command="undo")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "agent.db"
    store = SQLiteStore(path)
    with store.transaction():
        store.messages.append(Message(role=Role.USER, text="My rent went up to 700.", created_at=NOW))
    store.close()
    return path


@pytest.fixture
def store(empty: Path, tmp_path: Path) -> Iterator[SQLiteStore]:
    folder = tmp_path / "agents" / "default"
    folder.mkdir(parents=True)
    opened = SQLiteStore(Path(shutil.copy(empty, folder / "agent.db")))
    yield opened
    opened.close()


def keep(store: SQLiteStore, subject: str, predicate: str, value: str, *, days: int = 0, **more: object) -> KeptFact:
    at = NOW + days * DAY
    statement = Statement(subject=subject, predicate=predicate, object=value, **more)  # type: ignore[arg-type]
    with store.transaction():
        return FactKeeper(store, UTC).keep(statement, said_at=at, at=at, provenance=USER)


def current(store: SQLiteStore) -> set[str]:
    return {fact.object for fact in store.facts.page(FactFilters(states=(FactState.CURRENT,)), limit=99)}


def test_a_new_value_closes_the_old_one_and_both_clocks_answer(store: SQLiteStore) -> None:
    keep(store, "Ana", "home", "Lyon", valid=Validity(PartialDate.parse("2020")))
    kept = keep(store, "ana", "Home", "Lisbon", days=10, valid=Validity(PartialDate.parse("2022-03")))
    assert [fact.object for fact in kept.closed] == ["Lyon"]
    assert kept.fact.supersedes == kept.closed[0].id
    assert current(store) == {"Lisbon"}

    def asked(**filters: object) -> list[tuple[str, str]]:
        found = store.facts.page(FactFilters(**filters), limit=9)  # type: ignore[arg-type]
        return [(fact.object, fact.state.value) for fact in found]

    assert asked(as_of=PartialDate.parse("2021")) == [("Lyon", "superseded")]
    assert asked(as_of=PartialDate.parse("2023")) == [("Lisbon", "current")]
    assert asked(known_at=NOW + 5 * DAY) == [("Lyon", "current")]
    assert asked(known_at=NOW - DAY) == []
    assert asked(known_at=NOW + 5 * DAY, as_of=PartialDate.parse("2023")) == [("Lyon", "current")]
    assert [v.fact.state.value for v in store.facts.history(1)] == ["current", "superseded"]


def test_the_same_statement_again_adds_its_source(store: SQLiteStore) -> None:
    keep(store, "Ana", "home", "Lyon", sources=(FactSource(ref="m1", quote="in Lyon"),))
    kept = keep(store, "Ana", "home", "lyon", sources=(FactSource(ref="m2", quote="Lyon"),))
    assert not kept.new
    assert [source.ref for source in kept.fact.sources] == ["m1", "m2"]
    assert store.facts.count() == 1


def test_values_of_which_there_are_several_stand_side_by_side(store: SQLiteStore) -> None:
    for value in ("chess", "sailing"):
        keep(store, "Ana", "hobby", value)
    keep(store, "Ana", "met", "Ben", kind=FactKind.RELATION)
    assert current(store) == {"chess", "sailing", "Ben"}
    assert store.entities.named("ben") is not None
    assert [fact.object for fact in store.facts.of_entity(2)] == ["Ben"]


def test_what_rests_on_the_words_of_a_superseded_fact_is_to_be_checked(store: SQLiteStore) -> None:
    source = (FactSource(ref="m1", quote="I moved to Lyon, my desk is by the river"),)
    keep(store, "Ana", "home", "Lyon", sources=source)
    keep(store, "Ana", "desk", "by the river", sources=source)
    keep(store, "Ana", "home", "Lisbon", days=1)
    (marked,) = store.facts.page(FactFilters(to_check=True), limit=9)
    assert (marked.predicate, "f1" in marked.check) == ("desk", True)


def test_contradictions_leave_both_uncertain_and_say_why(store: SQLiteStore) -> None:
    keep(store, "Ana", "home", "Lyon")
    keep(store, "Ana", "home", "Rome", days=1, denies=True)
    assert current(store) == set()
    assert {fact.check for fact in store.facts.page(FactFilters(), limit=9)} == {"contradicts f1", "contradicted by f2"}


def test_words_and_entities_find_facts(store: SQLiteStore) -> None:
    keep(store, "Ana", "home", "Lyon")
    keep(store, "小李", "电话", "13912345678")
    keep(store, "user", "job", "nurse")
    ana = store.entities.named("Ana")
    assert ana is not None
    with store.transaction():
        store.entities.revise(replace(ana, name="Anna", aliases=("Ana",)), at=NOW, provenance=USER)
        store.facts.rewrite(ana.id)
    assert [hit.id for hit in store.facts.search("where does Ana live, in lyon?", 5)] == [1]
    assert [hit.id for hit in store.facts.search("小李的电话", 5)] == [2]
    assert store.facts.search('nurse" OR *', 5)[0].id == 3
    assert store.facts.search("?!", 5) == []
    assert [fact.text for fact in store.facts.get([1])] == ["Anna, home: Lyon"]


def test_two_entities_cannot_share_a_name(store: SQLiteStore) -> None:
    keep(store, "Ana", "home", "Lyon")
    with pytest.raises(UsageError, match="e1"), store.transaction():
        store.entities.add(Entity(name="Anna", aliases=("ANA",)), at=NOW, provenance=USER)


def test_vectors_are_awaited_and_removed(store: SQLiteStore) -> None:
    keep(store, "Ana", "home", "Lyon")
    assert [item.text for item in Vectors(store.connection).waiting(Collection.FACTS, 9)] == ["Ana, home: Lyon"]
    with store.transaction():
        store.undo.undo(at=NOW, provenance=UNDO)
    assert Vectors(store.connection).waiting_count(Collection.FACTS) == 0


def test_each_statement_is_one_operation_that_is_undone_and_redone(store: SQLiteStore) -> None:
    keep(store, "Ana", "home", "Lyon")
    keep(store, "Ana", "home", "Lisbon", days=1)
    with store.transaction():
        store.undo.undo(at=NOW, provenance=UNDO)
    assert current(store) == {"Lyon"}
    assert store.facts.search("Lisbon", 5) == []
    with store.transaction():
        store.undo.redo(at=NOW, provenance=UNDO)
    assert current(store) == {"Lisbon"}
    with store.transaction():
        for _ in range(2):
            store.undo.undo(at=NOW, provenance=UNDO)
    assert store.facts.count() == 0
    assert store.entities.all() == []
    assert store.journal.undoable() == []


def forget(store: SQLiteStore, **wanted: object) -> tuple:
    folder = store.path.parent
    forgetting = Forgetting(
        store, folder=folder, agents=folder.parent, roots=[folder.parent.parent], history=folder / "history",
        vectors="vectors",
    )  # fmt: skip
    return forgetting.carry_out(Wanted(**wanted), at=NOW, progress=lambda _: None)  # type: ignore[arg-type]


def everything(store: SQLiteStore) -> bytes:
    return b"".join(path.read_bytes() for path in store.path.parent.rglob("*") if path.is_file())


def test_a_forgotten_text_leaves_no_byte(store: SQLiteStore) -> None:
    keep(store, "Marguerite", "home", "Porto", sources=(FactSource(ref="m1", quote="Marguerite moved to Porto"),))
    keep(store, "Ana", "sister", "Marguerite", kind=FactKind.RELATION)
    kept = keep(store, "Ana", "home", "Lyon", sources=(FactSource(ref="m1", quote="as Marguerite says"),))
    with store.transaction():
        store.facts.revise(replace(kept.fact, sources=()), at=NOW, provenance=USER)
        ana = store.entities.named("Ana")
        assert ana is not None
        store.entities.revise(replace(ana, aliases=("Marguerite's sister", "Anna")), at=NOW, provenance=USER)
    plan, checked = forget(store, text="marguerite")
    assert set(plan.items[Kind.FACT]) == {1, 2}
    assert set(plan.items[Kind.ENTITY]) == {1}
    assert checked.clean
    assert b"arguerite" not in everything(store)
    assert [fact.text for fact in store.facts.page(FactFilters(), limit=9)] == ["Ana, home: Lyon"]
    (left,) = store.entities.all()
    assert left.aliases == ("Anna",)
    for kind in store.kinds:
        kind.check()


def test_facts_go_with_the_message_that_they_rest_on(store: SQLiteStore) -> None:
    keep(store, "user", "rent", "seven hundred euros", sources=(FactSource(ref="m1", quote="rent went up"),))
    keep(store, "user", "job", "nurse")
    plan, checked = forget(store, items={Kind.MESSAGE: (1,)})
    assert (plan.derived, checked.clean) == ({"f1"}, True)
    assert current(store) == {"nurse"}
    assert b"seven hundred" not in everything(store)


def test_an_entity_is_forgotten_with_the_facts_about_it(store: SQLiteStore) -> None:
    keep(store, "Ana", "home", "Lyon")
    keep(store, "user", "met", "Ana", kind=FactKind.RELATION)
    keep(store, "user", "job", "nurse")
    plan, _ = forget(store, items={Kind.ENTITY: (1,)})
    assert set(plan.items[Kind.FACT]) == {1, 2}
    assert current(store) == {"nurse"}


def test_an_exported_agent_brings_its_facts(store: SQLiteStore, tmp_path: Path) -> None:
    from memgpt_cli.domain.agents import AgentConfig

    store.set_config(AgentConfig(name="default", created_at=datetime(2026, 1, 1, tzinfo=UTC)))
    keep(store, "Ana", "home", "Lyon")
    keep(store, "Ana", "home", "Lisbon", days=1)
    pending = Replacements(tmp_path / "agents" / PENDING)
    export_agent(store.path, tmp_path / "a.zip", pending, name="default", at=NOW, overwrite=False, program="test")
    copy = tmp_path / "copy.db"
    import_agent(tmp_path / "a.zip", copy, name="copy", keep_endpoint=False, progress=lambda *_: None)
    opened = SQLiteStore(copy)
    try:
        assert opened.facts.page(FactFilters(), limit=9) == store.facts.page(FactFilters(), limit=9)
        assert [hit.id for hit in opened.facts.search("lisbon", 5)] == [2]
        with opened.transaction():
            opened.undo.undo(at=NOW, provenance=UNDO)
        assert current(opened) == {"Lyon"}
    finally:
        opened.close()


def test_rivals_are_found_by_words_and_marks_are_bounded(store: SQLiteStore) -> None:
    """A new fact is weighed against those that can matter, however many there are."""
    for number in range(30):
        keep(store, "Ana", f"flat number {number}", str(number))
        keep(store, f"Person {number}", "home", "Lyon")
    kept = keep(store, "Ana", "Flat, number 3", "333", days=1)
    assert [fact.object for fact in kept.closed] == ["3"]
    assert len(kept.to_check) <= 3
    assert [fact.object for fact in keep(store, "小李", "电话", "139").closed] == []
    assert [fact.object for fact in keep(store, "小李", "电话", "138", days=1).closed] == ["139"]
