"""Undo: whatever was done to memory, by whomever, is taken back one operation at a time."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.memory_changes import LABELS, NOW, USER, WORDS, operations, perform

from memgpt_cli.domain.agents import Epoch, TurnState
from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.domain.documents import LoadedDocument
from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import ArchivalFilters, RecallFilters
from memgpt_cli.errors import UsageError
from memgpt_cli.storage.store import SQLiteStore
from memgpt_cli.storage.vectors.log import Vectors

UNDO = Provenance(author=Author.USER, command="undo")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "agent.db"
    store = SQLiteStore(path)
    with store.transaction():
        for label in LABELS[:2]:
            store.blocks.put(Block(label=label), at=NOW, provenance=Provenance(author=Author.SYSTEM))
        for n in range(8):
            role = Role.USER if n % 2 == 0 else Role.ASSISTANT
            store.messages.append(Message(role=role, text=f"{WORDS[n % 6]} {n}", created_at=NOW, in_context=n > 3))
        store.passages.add(Passage(text="the first", created_at=NOW, provenance=Provenance(author=Author.SYSTEM)))
    store.close()
    return path


@pytest.fixture
def store(empty: Path, tmp_path: Path) -> Iterator[SQLiteStore]:
    opened = SQLiteStore(Path(shutil.copy(empty, tmp_path / "agent.db")))
    yield opened
    opened.close()


def memory(store: SQLiteStore) -> object:
    """Everything that a person or a model can see or find of memory."""
    return (
        [replace(block, version=0) for block in store.blocks.all()],
        sorted((p.id, p.text, p.tags, p.source, p.location) for p in store.passages.page(ArchivalFilters(), limit=999)),
        sorted((m.id, m.text, m.role) for m in store.messages.page(RecallFilters(roles=tuple(Role)), limit=999)),
        {word: sorted(h.id for h in store.lexical.search_messages(word, RecallFilters(), 99)) for word in WORDS},
        {word: sorted(h.id for h in store.lexical.search_passages(word, ArchivalFilters(), 99)) for word in WORDS},
        sorted(living_vectors(store.connection)),
    )


def living_vectors(db: sqlite3.Connection) -> list[int]:
    waiting = {item.id for item in Vectors(db).waiting(Collection.PASSAGES, 999)}
    return list(waiting)


def undo_all(store: SQLiteStore) -> int:
    count = 0
    while True:
        with store.transaction():
            if store.undo.undo(at=NOW, provenance=UNDO) is None:
                return count
        count += 1


def redo_all(store: SQLiteStore) -> int:
    count = 0
    while True:
        with store.transaction():
            if store.undo.redo(at=NOW, provenance=UNDO) is None:
                return count
        count += 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(operations, max_size=8), st.integers(0, 8))
def test_any_sequence_of_operations_undone_one_by_one_returns_to_the_start(
    empty: Path, sequence: list[tuple], redone: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteStore(Path(shutil.copy(empty, Path(folder) / "agent.db")))
        try:
            start = memory(store)
            states = []
            for operation in sequence:
                states.append((len(store.journal.undoable(limit=99)), memory(store)))
                perform(store, operation)
            end = memory(store)
            for _ in range(min(redone, len(store.journal.undoable(limit=99)))):
                with store.transaction():
                    store.undo.undo(at=NOW, provenance=UNDO)
                standing = len(store.journal.undoable(limit=99))
                assert any(memory(store) == state for count, state in states if count == standing)
            redo_all(store)
            assert memory(store) == end
            undo_all(store)
            assert memory(store) == start
        finally:
            store.close()


def test_what_comes_back_is_found_in_a_process_that_had_searched_before(store: SQLiteStore) -> None:
    perform(store, ("add", ["tea", "tea and rain"], USER))
    perform(store, ("delete", [1], USER))
    other = SQLiteStore(store.path)
    before = other.lexical.search_passages("tea", ArchivalFilters(), 9)
    with store.transaction():
        store.undo.undo(at=NOW, provenance=UNDO)
    found = other.lexical.search_passages("tea", ArchivalFilters(), 9)
    other.close()
    assert (len(before), len(found)) == (1, 2)


def test_an_operation_after_an_undo_cannot_be_overrun_by_a_redo(store: SQLiteStore) -> None:
    perform(store, ("put", "human", "tea", 2, USER))
    with store.transaction():
        store.undo.undo(at=NOW, provenance=UNDO)
    perform(store, ("put", "persona", "rain", 2, USER))
    with store.transaction():
        assert store.undo.redo(at=NOW, provenance=UNDO) is None
    assert store.blocks.get("human").value == ""


def test_a_redo_does_what_was_taken_back_last_not_what_was_taken_back_before_that(store: SQLiteStore) -> None:
    perform(store, ("put", "human", "tea", 2, USER))
    with store.transaction():
        store.undo.undo(at=NOW, provenance=UNDO)
    perform(store, ("put", "persona", "rain", 2, USER))
    with store.transaction():
        store.undo.undo(at=NOW, provenance=UNDO)
    with store.transaction():
        assert store.undo.redo(at=NOW, provenance=UNDO) is not None
        assert store.undo.redo(at=NOW, provenance=UNDO) is None
    assert (store.blocks.get("persona").value, store.blocks.get("human").value) == ("rain", "")


def test_what_the_system_makes_is_not_the_persons_to_undo(store: SQLiteStore) -> None:
    assert store.journal.undoable() == []


def test_a_load_of_many_passages_is_one_operation_and_one_row(store: SQLiteStore) -> None:
    document = LoadedDocument(source="notes.md", content_hash="0", title="notes", kind="markdown", size=1)
    by = Provenance(author=Author.DOCUMENT, command="archival load")
    passages = [Passage(text=f"line {n}", created_at=NOW, source="notes.md", provenance=by) for n in range(100)]
    with store.transaction():
        store.documents.begin(document)
        store.documents.add("notes.md", passages[:50])
    with store.transaction():
        store.documents.add("notes.md", passages[50:])
        store.documents.finish("notes.md", at=NOW)
    assert [change.count for op in store.journal.page(limit=9) for change in op.changes] == [100]
    with store.transaction():
        store.undo.undo(at=NOW, provenance=UNDO)
    assert store.passages.count() == 1
    assert store.documents.get("notes.md") is None


def test_a_rolled_back_change_leaves_no_operation_behind(store: SQLiteStore) -> None:
    with store.journal.operation(USER):
        with store.rehearsal():
            store.blocks.put(Block(label="human", value="lost"), at=NOW, provenance=USER)
        with store.transaction():
            store.blocks.put(Block(label="human", value="kept"), at=NOW, provenance=USER)
    assert len(store.journal.page(limit=9)) == 1
    with store.transaction():
        store.undo.undo(at=NOW, provenance=UNDO)
    assert store.blocks.get("human").value == ""


def begin_turn(store: SQLiteStore, text: str) -> int:
    epoch = store.epochs.current() or store.epochs.begin(
        Epoch(id=0, started_at=NOW, cause="start", head=(), fingerprint="f", seen_blocks={"persona": 1, "human": 1})
    )
    turn = store.turns.begin(NOW, epoch=epoch.id)
    store.messages.append(Message(role=Role.USER, text=text, created_at=NOW, turn=turn.id))
    return turn.id


def test_a_turn_is_taken_back_with_all_that_it_wrote_and_evicted(store: SQLiteStore) -> None:
    start = memory(store)
    queue = [m.id for m in store.messages.queue()]
    with store.transaction():
        turn = begin_turn(store, "I moved to Lisbon")
        cause = store.messages.of_turn(turn)[0]
        agent = Provenance(author=Author.AGENT, message_id=cause.id)
        store.blocks.put(Block(label="human", value="Lives in Lisbon"), at=NOW, provenance=agent)
        store.passages.add(Passage(text="tea in Lisbon", created_at=NOW, provenance=agent))
        paged = Provenance(author=Author.USER, message_id=cause.id)
        store.passages.add(Passage(text="part of a long message", created_at=NOW, provenance=paged))
        later = store.epochs.begin(
            Epoch(id=0, started_at=NOW, cause="eviction", head=(), fingerprint="f", summary="s", hidden=2)
        )
        store.messages.evict(queue[:2], epoch=later.id)
        store.messages.append(Message(role=Role.ASSISTANT, text="Noted", created_at=NOW, turn=turn))
    with store.transaction():
        taken = store.undo.undo_turn(turn, at=NOW + timedelta(seconds=1), provenance=UNDO)
    assert memory(store) == start
    assert [m.id for m in store.messages.queue()] == queue
    assert (taken.returned, len(taken.operations), taken.kept) == (2, 3, ())
    current = store.epochs.current()
    assert (current.summary, current.hidden, current.fingerprint) == ("", 0, "f")
    assert current.seen_blocks["human"] == store.blocks.get("human").version
    assert store.turns.get(turn).state is TurnState.UNDONE
    assert [t.message.text for t in store.tombstones.of_turn(turn)] == ["I moved to Lisbon", "Noted"]
    assert store.journal.undoable() == []


def test_what_somebody_else_changed_since_is_left_alone_when_a_turn_is_taken_back(store: SQLiteStore) -> None:
    with store.transaction():
        turn = begin_turn(store, "hello")
        agent = Provenance(author=Author.AGENT, message_id=store.messages.of_turn(turn)[0].id)
        store.blocks.put(Block(label="human", value="agent"), at=NOW, provenance=agent)
        store.blocks.put(Block(label="persona", value="agent"), at=NOW, provenance=agent)
    with store.transaction():
        store.blocks.put(Block(label="human", value="person"), at=NOW, provenance=USER)
    with store.transaction():
        taken = store.undo.undo_turn(turn, at=NOW, provenance=UNDO)
    assert (store.blocks.get("human").value, store.blocks.get("persona").value) == ("person", "")
    assert [change.label for op in taken.kept for change in op.changes] == ["human"]


def test_only_the_last_turn_can_be_taken_back_then_the_one_before(store: SQLiteStore) -> None:
    with store.transaction():
        first, second = begin_turn(store, "one"), begin_turn(store, "two")
    with pytest.raises(UsageError, match="not the last"), store.transaction():
        store.undo.undo_turn(first, at=NOW, provenance=UNDO)
    with store.transaction():
        store.undo.undo_turn(second, at=NOW, provenance=UNDO)
        store.undo.undo_turn(first, at=NOW, provenance=UNDO)


def test_a_message_answered_by_a_turn_that_is_taken_back_waits_for_an_answer_again(store: SQLiteStore) -> None:
    with store.transaction():
        first, second = begin_turn(store, "one"), begin_turn(store, "two")
        store.turns.close_open(TurnState.JOINED, joined=second)
        taken = store.undo.undo_turn(second, at=NOW, provenance=UNDO)
    assert taken.reopened == (first,)
    assert store.turns.get(first).state is TurnState.OPEN
