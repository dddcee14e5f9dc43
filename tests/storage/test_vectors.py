"""Vectors and the outbox as rows: what waits, what is stored, and what a late vector may not do."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from support.vector_records import (
    HashedEmbedder,
    add_messages,
    add_passages,
    change_passage,
    cosine,
    delete_passage,
    new_record,
)

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.vectors import EmbedderIdentity, Vector, WaitingItem
from memgpt_cli.errors import EmbedderMismatchError
from memgpt_cli.storage.database.connection import connect, transaction
from memgpt_cli.storage.vectors.exact_index import ExactIndex, scan
from memgpt_cli.storage.vectors.log import Vectors, check_identity

PASSAGES = Collection.PASSAGES
EMBEDDER = HashedEmbedder()


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(new_record(tmp_path / "agent.db"))) as opened:
        yield opened


@pytest.fixture
def vectors(connection: sqlite3.Connection) -> Vectors:
    return Vectors(connection)


def put(vectors: Vectors, items: list[WaitingItem], collection: Collection = PASSAGES) -> int:
    rows = [(item, EMBEDDER.vector(item.text)) for item in items]
    return vectors.put(collection, rows, identity=EMBEDDER.identity)


def embed_all(vectors: Vectors) -> None:
    for collection in Collection:
        put(vectors, vectors.waiting(collection, 1000), collection)


def test_what_waits_comes_oldest_first_and_leaves_when_its_vector_is_stored(
    connection: sqlite3.Connection, vectors: Vectors
) -> None:
    ids = add_passages(connection, ["one", "two", "three"])
    items = vectors.waiting(PASSAGES, 2)
    assert [(item.id, item.text) for item in items] == [(ids[0], "one"), (ids[1], "two")]
    assert put(vectors, items) == 2
    assert [item.text for item in vectors.waiting(PASSAGES, 10)] == ["three"]
    assert vectors.count(PASSAGES) == 2


def test_the_collections_are_apart(connection: sqlite3.Connection, vectors: Vectors) -> None:
    add_passages(connection, ["a passage"])
    add_messages(connection, ["a message"])
    assert [item.text for item in vectors.waiting(Collection.MESSAGES, 10)] == ["a message"]
    embed_all(vectors)
    assert [vectors.count(collection) for collection in Collection] == [1, 1, 0]


def test_a_vector_of_a_text_that_changed_meanwhile_is_not_stored(
    connection: sqlite3.Connection, vectors: Vectors
) -> None:
    (passage,) = add_passages(connection, ["old"])
    late = vectors.waiting(PASSAGES, 10)
    change_passage(connection, passage, "new")
    assert put(vectors, late) == 0
    assert [item.text for item in vectors.waiting(PASSAGES, 10)] == ["new"]


def test_a_vector_of_a_text_that_was_deleted_meanwhile_is_not_stored(
    connection: sqlite3.Connection, vectors: Vectors
) -> None:
    (passage,) = add_passages(connection, ["secret"])
    late = vectors.waiting(PASSAGES, 10)
    delete_passage(connection, passage)
    assert put(vectors, late) == 0
    assert vectors.count(PASSAGES) == 0


def test_a_vector_arriving_twice_is_stored_once(connection: sqlite3.Connection, vectors: Vectors) -> None:
    add_passages(connection, ["one"])
    items = vectors.waiting(PASSAGES, 10)
    assert [put(vectors, items), put(vectors, items), vectors.count(PASSAGES)] == [1, 0, 1]


def test_a_changed_vector_and_a_removed_one_are_news_in_the_log(
    connection: sqlite3.Connection, vectors: Vectors
) -> None:
    first, second, third = add_passages(connection, ["one", "two", "three"])
    embed_all(vectors)
    seen = vectors.changes(PASSAGES, after=0, limit=10)[-1].seq
    change_passage(connection, first, "uno")
    embed_all(vectors)
    delete_passage(connection, third)
    news = vectors.changes(PASSAGES, after=seen, limit=10)
    assert [(entry.id, entry.vector) for entry in news] == [(first, EMBEDDER.vector("uno")), (third, b"")]
    assert vectors.count(PASSAGES) == 2
    assert vectors.vectors_of(PASSAGES, [first, second, third, 99]) == {
        first: EMBEDDER.vector("uno"),
        second: EMBEDDER.vector("two"),
    }


def test_nothing_stays_of_a_removed_vector_but_its_id(connection: sqlite3.Connection, vectors: Vectors) -> None:
    (passage,) = add_passages(connection, ["secret"])
    embed_all(vectors)
    delete_passage(connection, passage)
    assert [tuple(row) for row in connection.execute("SELECT item_id, vector FROM vectors")] == [(passage, b"")]


def test_what_lost_its_text_does_not_wait_for_ever(connection: sqlite3.Connection, vectors: Vectors) -> None:
    passage, _ = add_passages(connection, ["gone", "stays"])
    add_messages(connection, [""])
    connection.execute("UPDATE passages SET deleted_at = created_at WHERE id = ?", (passage,))
    vectors.enqueue(Collection.MESSAGES, [999])
    vectors.prune()
    assert [vectors.waiting_count(collection) for collection in Collection] == [0, 1, 0]


def test_writes_join_the_transaction_that_is_open(connection: sqlite3.Connection, vectors: Vectors) -> None:
    def fail_after_enqueueing() -> None:
        with transaction(connection):
            add_passages(connection, ["one"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_enqueueing()
    assert vectors.waiting_count(PASSAGES) == 0


def test_the_identity_is_that_of_the_first_vector_and_others_are_refused(
    connection: sqlite3.Connection, vectors: Vectors
) -> None:
    add_passages(connection, ["one", "two"])
    assert vectors.identity() is None
    put(vectors, vectors.waiting(PASSAGES, 1))
    assert vectors.identity() == EMBEDDER.identity
    other = HashedEmbedder(model="other")
    (item,) = vectors.waiting(PASSAGES, 1)
    with pytest.raises(EmbedderMismatchError) as caught:
        vectors.put(PASSAGES, [(item, other.vector("two"))], identity=other.identity)
    assert caught.value.hint == "memgpt archival reindex --embedder test/other"
    assert vectors.count(PASSAGES) == 1


@pytest.mark.parametrize(
    ("provider", "model", "dimensions", "fits"),
    [
        ("openai", "org/model/v1", 8, True),
        ("openai", "org/model/v1", None, True),
        ("openai", "org/model/v1", 9, False),
        ("openai", "org/model", 8, False),
        ("static", "org/model/v1", 8, False),
    ],
)
def test_an_identity_fits_when_provider_model_and_known_dimensions_do(
    provider: str, model: str, dimensions: int | None, *, fits: bool
) -> None:
    stored = EmbedderIdentity(provider="openai", model="org/model/v1", dimensions=8)
    if fits:
        check_identity(stored, provider=provider, model=model, dimensions=dimensions)
    else:
        with pytest.raises(EmbedderMismatchError):
            check_identity(stored, provider=provider, model=model, dimensions=dimensions)


def test_a_models_name_may_hold_slashes(vectors: Vectors) -> None:
    identity = EmbedderIdentity(provider="openai", model="org/model/v1", dimensions=8)
    vectors.restart(identity)
    assert vectors.identity() == identity


def test_a_new_embedder_lets_everything_wait_again_and_voids_what_was_read(
    connection: sqlite3.Connection, vectors: Vectors
) -> None:
    kept, deleted = add_passages(connection, ["one", "two"])
    embed_all(vectors)
    delete_passage(connection, deleted)
    vectors.mark_indexed(PASSAGES, 3)
    before = vectors.generation()
    vectors.restart(HashedEmbedder(model="other").identity)
    assert [item.id for item in vectors.waiting(PASSAGES, 10)] == [kept]
    assert vectors.waiting_count(PASSAGES) == 1
    assert (vectors.count(PASSAGES), vectors.indexed_upto(PASSAGES)) == (0, 0)
    assert vectors.generation() > before


def test_the_samples_are_the_newest_and_some_from_all_over_of_what_was_given(
    connection: sqlite3.Connection, vectors: Vectors
) -> None:
    ids = add_passages(connection, [f"text {n}" for n in range(300)])
    embed_all(vectors)
    delete_passage(connection, ids[250])
    upto = vectors.changes(PASSAGES, after=0, limit=300)[279].seq
    vectors.mark_indexed(PASSAGES, upto)
    given = vectors.indexed_state(samples=20)
    chosen = [entry.id for entry in given.samples[PASSAGES]]
    assert set(chosen) >= set(ids[271:280])
    assert min(chosen) == ids[0]
    assert 20 <= len(set(chosen)) + 1 <= 22
    assert given.upto == {Collection.MESSAGES: 0, PASSAGES: upto, Collection.FACTS: 0}


class OutboxMachine(RuleBasedStateMachine):
    """Texts come, change and go, while vectors of them are under way and arrive late, twice or never."""

    passages = Bundle("passages")
    under_way = Bundle("under_way")
    texts = st.text("abc", min_size=1, max_size=3)

    @initialize()
    def open(self) -> None:
        self.folder = TemporaryDirectory()
        self.path = new_record(Path(self.folder.name) / "agent.db")
        self.connection = connect(self.path)
        self.vectors = Vectors(self.connection)
        self.living: dict[int, str] = {}
        self.index = ExactIndex(PASSAGES, dimensions=EMBEDDER.identity.dimensions)

    def teardown(self) -> None:
        if hasattr(self, "connection"):
            self.connection.close()
            self.folder.cleanup()

    @rule(target=passages, text=texts)
    def add(self, text: str) -> int:
        (passage,) = add_passages(self.connection, [text])
        self.living[passage] = text
        return passage

    @rule(passage=passages, text=texts)
    def change(self, passage: int, text: str) -> None:
        if passage in self.living:
            change_passage(self.connection, passage, text)
            self.living[passage] = text

    @rule(passage=passages)
    def delete(self, passage: int) -> None:
        delete_passage(self.connection, passage)
        self.living.pop(passage, None)

    @rule(target=under_way, limit=st.integers(1, 4))
    def begin_to_embed(self, limit: int) -> list[WaitingItem]:
        return self.vectors.waiting(PASSAGES, limit)

    @rule(items=under_way)
    def finish(self, items: list[WaitingItem]) -> None:
        put(self.vectors, items)

    @rule()
    def crash(self) -> None:
        self.connection.close()
        self.connection = connect(self.path)
        self.vectors = Vectors(self.connection)

    @rule(limit=st.integers(1, 5))
    def follow(self, limit: int) -> None:
        self.index.follow(self.vectors)
        query = EMBEDDER.vector("abc")
        assert self.index.search(query, limit) == scan(self.vectors, PASSAGES, query, limit)

    @invariant()
    def everything_living_waits_or_has_the_vector_of_its_present_text(self) -> None:
        if not hasattr(self, "living"):
            return
        waiting = {item.id: item.text for item in self.vectors.waiting(PASSAGES, 1000)}
        stored = self.vectors.vectors_of(PASSAGES, self.living)
        for passage, text in self.living.items():
            assert waiting.get(passage) == text or stored.get(passage) == EMBEDDER.vector(text)

    @invariant()
    def nothing_dead_waits_or_has_a_vector(self) -> None:
        if not hasattr(self, "living"):
            return
        log = self.vectors.changes(PASSAGES, after=0, limit=1000)
        with_vector = [entry.id for entry in log if entry.vector]
        assert set(with_vector) <= set(self.living)
        assert len(with_vector) == len(set(with_vector)) == self.vectors.count(PASSAGES)
        assert {item.id for item in self.vectors.waiting(PASSAGES, 1000)} <= set(self.living)


OutboxMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestOutbox = OutboxMachine.TestCase


def brute_force(texts: dict[int, str], query: Vector, limit: int) -> list[int]:
    scores = {item_id: cosine(EMBEDDER.vector(text), query) for item_id, text in texts.items()}
    return sorted(scores, key=lambda item_id: (-scores[item_id], item_id))[:limit]


def test_the_matrix_and_the_scan_find_what_brute_force_finds(connection: sqlite3.Connection, vectors: Vectors) -> None:
    texts = [f"text {n}" for n in range(5000)]
    ids = add_passages(connection, texts)
    for _ in range(5):
        embed_all(vectors)
    index = ExactIndex(PASSAGES, dimensions=24)
    index.follow(vectors)
    query = EMBEDDER.vector("a question")
    expected = brute_force(dict(zip(ids, texts, strict=True)), query, 7)
    assert [item_id for item_id, _ in index.search(query, 7)] == expected
    assert [item_id for item_id, _ in scan(vectors, PASSAGES, query, 7)] == expected
    assert len(index) == 5000


def test_equals_are_ranked_by_id_wherever_the_cut_falls(connection: sqlite3.Connection, vectors: Vectors) -> None:
    ids = add_passages(connection, ["same"] * 50 + ["other"] * 50)
    embed_all(vectors)
    index = ExactIndex(PASSAGES, dimensions=24)
    index.follow(vectors)
    query = EMBEDDER.vector("same")
    assert [item_id for item_id, _ in index.search(query, 20)] == ids[:20]
    assert index.search(query, 0) == []


def test_a_vector_of_another_length_is_passed_over(connection: sqlite3.Connection, vectors: Vectors) -> None:
    good, bad = add_passages(connection, ["one", "two"])
    embed_all(vectors)
    connection.execute("UPDATE vectors SET vector = x'00ff' WHERE item_id = ?", (bad,))
    index = ExactIndex(PASSAGES, dimensions=24)
    index.follow(vectors)
    assert [item_id for item_id, _ in index.search(EMBEDDER.vector("two"), 10)] == [good]
    assert [item_id for item_id, _ in scan(vectors, PASSAGES, EMBEDDER.vector("two"), 10)] == [good]
