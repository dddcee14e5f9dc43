"""The contract of `ports.Store`: what is committed stays, what is not leaves no trace, and every change has an undo."""

from datetime import UTC, datetime, timedelta

import pytest
from contracts.conftest import OpenStore

from memgpt_cli.domain.agents import AgentConfig, Epoch, TurnState
from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.domain.documents import LoadedDocument
from memgpt_cli.domain.effects import Effects
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.messages import FunctionCall, Message, Opaque, Role
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.pictures import Picture
from memgpt_cli.domain.search import ArchivalFilters, RecallFilters
from memgpt_cli.errors import UsageError
from memgpt_cli.ports import Store

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
USER = Provenance(author=Author.USER, command="memory set")


def say(store: Store, *texts: str, role: Role = Role.USER, in_context: bool = True) -> list[int]:
    with store.transaction():
        said = (Message(role=role, text=text, created_at=NOON, in_context=in_context) for text in texts)
        return [store.messages.append(message).id for message in said]


def keep(store: Store, text: str, **more: object) -> Passage:
    with store.transaction():
        passage = Passage(text=text, created_at=NOON, provenance=USER, **more)  # type: ignore[arg-type]
        return store.passages.add(passage)[0]


def fail_after(store: Store, text: str) -> None:
    with store.transaction():
        say(store, text)
        raise LookupError


def test_what_is_committed_is_there_for_another_process(store: Store, open_store: OpenStore) -> None:
    call = FunctionCall(id="c1", name="conversation_search", arguments='{"query": "tea"}')
    message = Message(
        role=Role.ASSISTANT,
        text="Zoë 茶\n",
        created_at=NOON,
        calls=(call,),
        opaque=Opaque(origin="o", content="[]", tokens=3),
        effects=Effects(shown=("m1",), total=1),
        external_id="x-1",
        session="s",
    )
    with store.transaction():
        stored = store.messages.append(message)
    other = open_store()
    assert other.messages.get([stored.id, 99]) == [stored]
    assert other.messages.by_external_id("x-1") == stored
    assert other.messages.known(["x-1", "x-2"]) == {"x-1": "Zoë 茶\n"}


def test_a_transaction_that_fails_leaves_no_trace(store: Store) -> None:
    with pytest.raises(LookupError):
        fail_after(store, "lost")
    with store.rehearsal():
        say(store, "tried")
        assert store.messages.count() == 1
    assert store.messages.count() == 0
    assert store.lexical.search_messages("lost tried", RecallFilters(), 5) == []


def test_a_savepoint_fails_alone(store: Store) -> None:
    with store.transaction():
        say(store, "stays")
        with pytest.raises(LookupError), store.savepoint():
            fail_after(store, "goes")
    assert [m.text for m in store.messages.queue()] == ["stays"]


def test_the_queue_loses_what_is_evicted_and_recall_storage_does_not(store: Store) -> None:
    ids = say(store, "one", "two", "three")
    say(store, "imported", in_context=False)
    with store.transaction():
        store.messages.evict(ids[:2], epoch=4)
        store.messages.set_stub(ids[2], "(long)")
    assert [(m.id, m.text, m.stub) for m in store.messages.queue()] == [(ids[2], "three", "(long)")]
    assert [m.id for m in store.messages.evicted(after=3, limit=1)] == [ids[1]]
    assert store.messages.count(RecallFilters(in_context=False)) == 3


def test_pages_of_messages_come_newest_first_and_pass_the_filters(store: Store) -> None:
    with store.transaction():
        for n, name in enumerate(["Ana", "Ben", "Ana", "Ana"]):
            at = NOON + timedelta(days=n)
            store.messages.append(Message(role=Role.USER, text=f"text {n}", name=name, created_at=at))
        store.messages.append(Message(role=Role.TOOL, text="a result", created_at=NOON))
    first = store.messages.page(RecallFilters(), limit=2)
    rest = store.messages.page(RecallFilters(), limit=9, before=(first[-1].created_at, first[-1].id))
    assert [m.text for m in (*first, *rest)] == ["text 3", "text 2", "text 1", "text 0"]
    assert [m.text for m in store.messages.oldest_first(RecallFilters(name="ana"))] == ["text 0", "text 2", "text 3"]
    assert store.messages.count(RecallFilters(start=NOON + timedelta(days=1), end=NOON + timedelta(days=3))) == 2
    assert store.messages.count() == 5
    assert store.messages.speakers()[0] == "Ana"


def test_an_import_stores_each_external_id_once_and_is_one_operation(store: Store) -> None:
    by = Provenance(author=Author.IMPORT, command="recall import")
    said = [Message(role=Role.USER, text=f"t{n}", created_at=NOON, external_id=f"x{n % 2}") for n in range(3)]
    with store.transaction():
        assert store.messages.extend(said, at=NOON, provenance=by) == 2
        assert store.messages.extend(said, at=NOON, provenance=by) == 0
    assert store.messages.queue() == []
    assert [change.count for operation in store.journal.page(limit=9) for change in operation.changes] == [2]


def test_a_deleted_message_leaves_a_tombstone_and_its_undo_brings_it_back(store: Store) -> None:
    (message,) = say(store, "I like tea")
    with store.transaction():
        assert store.tombstones.delete([message, 99], at=NOON, provenance=USER) == 1
    assert store.messages.get([message]) == []
    tombstone = store.tombstones.get(message)
    assert tombstone is not None
    assert tombstone.message is not None
    assert tombstone.message.text == "I like tea"
    with store.transaction():
        store.undo.undo(at=NOON, provenance=USER)
    assert [m.text for m in store.messages.get([message])] == ["I like tea"]
    assert store.tombstones.get(message) is None


def test_every_version_of_a_block_is_kept(store: Store) -> None:
    with store.transaction():
        store.blocks.put(Block(label="human", value="Ada"), at=NOON, provenance=USER)
        store.blocks.put(Block(label="human", value="Ada L.", limit=99), at=NOON, provenance=USER)
        store.blocks.delete("human", at=NOON, provenance=USER)
    assert store.blocks.get("human") is None
    versions = store.blocks.history("human")
    assert [(v.block.version, v.block.value, v.deleted) for v in versions] == [
        (1, "Ada", False), (2, "Ada L.", False), (3, "Ada L.", True),
    ]  # fmt: skip
    with store.transaction():
        store.blocks.restore("human", 1, at=NOON, provenance=USER)
    assert [(b.version, b.value, b.limit) for b in store.blocks.all()] == [(4, "Ada", 2000)]
    assert store.blocks.version("human", 9) is None


def test_a_passage_is_stored_once_and_its_versions_are_kept(store: Store) -> None:
    passage = keep(store, "tea at four", tags=("tea",))
    with store.transaction():
        assert store.passages.add(Passage(text="tea at four", created_at=NOON)) == (passage, False)
        store.passages.revise(Passage(id=passage.id, text="tea at five", created_at=NOON), at=NOON, provenance=USER)
        store.passages.delete([passage.id], at=NOON, provenance=USER)
    states = [(v.passage.text, v.deleted) for v in store.passages.history(passage.id)]
    assert states == [("tea at four", False), ("tea at five", False), ("tea at five", True)]
    assert store.passages.count() == 0
    with store.transaction():
        store.passages.restore(passage.id, 1, at=NOON, provenance=USER)
    assert store.passages.get([passage.id]) == [passage]
    assert [p.text for p in store.passages.page(ArchivalFilters(tags=("tea",)), limit=5)] == ["tea at four"]


def test_a_passage_cannot_be_given_the_text_of_another(store: Store) -> None:
    first, second = keep(store, "one"), keep(store, "two")
    taken = Passage(id=second.id, text=first.text, created_at=NOON)
    with pytest.raises(UsageError, match=r"p1 says exactly that"), store.transaction():
        store.passages.revise(taken, at=NOON, provenance=USER)


def test_a_reloaded_document_loses_the_passages_that_it_no_longer_has(store: Store) -> None:
    document = LoadedDocument(source="a.md", content_hash="0", title="a", kind="markdown", size=1)
    by = Provenance(author=Author.DOCUMENT, command="archival load")
    for texts, removed in ((["one", "two"], 0), (["two", "three"], 1)):
        passages = [Passage(text=text, created_at=NOON, source="a.md", provenance=by) for text in texts]
        with store.transaction():
            store.documents.begin(document)
            store.documents.add("a.md", passages)
            assert store.documents.finish("a.md", at=NOON) == removed
    assert sorted(p.text for p in store.passages.page(ArchivalFilters(source="a.md"), limit=9)) == ["three", "two"]
    assert [(source.name, source.passages) for source in store.documents.sources()] == [("a.md", 2)]
    with store.transaction():
        assert store.documents.delete("a.md", at=NOON) == 2
    assert store.documents.get("a.md") is None


def test_a_picture_is_found_by_its_message_and_by_what_describes_it(store: Store) -> None:
    (message,) = say(store, "look")
    passage = keep(store, "a red boat")
    picture = Picture(name="boat.png", kind="image/png", content=b"\x89PNG")
    with store.transaction():
        store.pictures.keep(picture, message_id=message)
        store.pictures.describe(message, passage=passage.id)
    found = store.pictures.of_message(message)
    assert found is not None
    assert (found.picture, found.passage) == (picture, passage.id)
    assert store.pictures.of_passage(passage.id) == found


def test_turns_and_epochs_are_kept_in_order(store: Store) -> None:
    with store.transaction():
        epoch = store.epochs.begin(Epoch(id=0, started_at=NOON, cause="start", head=(), fingerprint="f"))
        first, second = (store.turns.begin(NOON, epoch=epoch.id) for _ in range(2))
        store.turns.close_open(TurnState.JOINED, joined=second.id)
    assert [turn.id for turn in store.turns.open_turns()] == [second.id]
    joined = store.turns.get(first.id)
    assert joined is not None
    assert joined.state is TurnState.JOINED
    assert store.epochs.current() == store.epochs.get(epoch.id) == epoch
    assert store.turns.last_step() is None


def test_operations_are_undone_and_redone_from_the_newest(store: Store) -> None:
    with store.transaction():
        store.blocks.put(Block(label="human", value="tea"), at=NOON, provenance=USER)
    passage = keep(store, "rain")
    with store.transaction():
        undone = store.undo.undo(at=NOON, provenance=USER)
    assert undone is not None
    assert [change.kind for change in undone.changes] == [Kind.PASSAGE]
    assert store.passages.get([passage.id]) == []
    with store.transaction():
        assert store.undo.undo(at=NOON, provenance=USER) is not None
        assert store.undo.undo(at=NOON, provenance=USER) is None
        for _ in range(2):
            store.undo.redo(at=NOON, provenance=USER)
        assert store.undo.redo(at=NOON, provenance=USER) is None
    assert [b.value for b in store.blocks.all()] == ["tea"]
    assert store.passages.get([passage.id]) == [passage]


def test_the_config_and_notes_are_kept(store: Store, open_store: OpenStore) -> None:
    config = AgentConfig(name="ada", created_at=NOON, model="gpt-5", window=8192)
    store.set_config(config)
    store.set_note("endpoint", "x")
    assert open_store().config() == config
    assert [open_store().note(key) for key in ("endpoint", "none")] == ["x", None]
