"""The contract of `ports.VectorIndex`: every way of finding vectors gives the same answers.

Exactly, with Chroma, with both, as a reader, by scanning.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.vector_records import (
    HashedEmbedder,
    add_messages,
    add_passages,
    change_passage,
    cosine,
    delete_passage,
    new_record,
)
from support.vectors_under_test import KINDS, TEXTS, VectorsUnderTest, add

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.errors import EmbedderMismatchError, ModelError
from memgpt_cli.storage.vectors.index import AgentVectorIndex
from memgpt_cli.storage.vectors.log import Vectors

PASSAGES, MESSAGES = Collection.PASSAGES, Collection.MESSAGES


@pytest.fixture(params=KINDS, ids=lambda kind: kind.replace(" ", "-"))
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> VectorsUnderTest:
    new_record(tmp_path / "agent.db")
    return VectorsUnderTest(tmp_path, HashedEmbedder(), KINDS[request.param])


@pytest.fixture
def index(stored: VectorsUnderTest) -> Iterator[AgentVectorIndex]:
    opened = stored.open()
    yield opened
    opened.close()


def test_an_empty_index_finds_nothing(stored: VectorsUnderTest, index: AgentVectorIndex) -> None:
    assert index.search(PASSAGES, stored.embedder.vector("anything"), 5) == []
    assert index.flush() == 0
    assert index.pending(PASSAGES) == 0


def test_each_text_is_found_by_its_own_vector_with_cosine_one(
    stored: VectorsUnderTest, index: AgentVectorIndex
) -> None:
    ids = add(stored, TEXTS)
    assert index.pending(PASSAGES) == 60
    assert index.flush() == 60
    assert index.pending(PASSAGES) == 0
    for passage, text in zip(ids, TEXTS, strict=True):
        ((found, similarity),) = index.search(PASSAGES, stored.embedder.vector(text), 1)
        assert found == passage
        assert similarity == pytest.approx(1.0, abs=1e-5)


def test_hits_come_best_first_with_their_cosines_and_no_more_than_asked_for(
    stored: VectorsUnderTest, index: AgentVectorIndex
) -> None:
    ids = add(stored, TEXTS)
    index.flush()
    query = stored.embedder.vector("a question")
    expected = {passage: cosine(stored.embedder.vector(text), query) for passage, text in zip(ids, TEXTS, strict=True)}
    best = sorted(expected, key=lambda passage: -expected[passage])[:10]
    hits = index.search(PASSAGES, query, 10)
    assert [passage for passage, _ in hits] == best
    assert [similarity for _, similarity in hits] == pytest.approx([expected[p] for p in best], abs=1e-5)
    assert len(index.search(PASSAGES, query, 1000)) == 60


def test_the_collections_are_searched_apart(stored: VectorsUnderTest, index: AgentVectorIndex) -> None:
    with closing(stored.connect()) as connection:
        passages = add_passages(connection, TEXTS[:30])
        messages = add_messages(connection, TEXTS[30:])
    index.flush()
    query = stored.embedder.vector("text 40")
    assert index.search(MESSAGES, query, 1)[0][0] == messages[10]
    assert {passage for passage, _ in index.search(PASSAGES, query, 100)} == set(passages)


def test_what_comes_later_is_found_after_the_next_flush(stored: VectorsUnderTest, index: AgentVectorIndex) -> None:
    add(stored, TEXTS)
    index.flush()
    index.search(PASSAGES, stored.embedder.vector("text 1"), 1)
    (late,) = add(stored, ["a late text"])
    index.flush()
    assert index.search(PASSAGES, stored.embedder.vector("a late text"), 1)[0][0] == late


def test_a_changed_text_is_found_by_its_new_vector_only(stored: VectorsUnderTest, index: AgentVectorIndex) -> None:
    ids = add(stored, TEXTS)
    index.flush()
    index.search(PASSAGES, stored.embedder.vector("text 5"), 1)
    with closing(stored.connect()) as connection:
        change_passage(connection, ids[5], "something else")
    index.flush()
    hits = dict(index.search(PASSAGES, stored.embedder.vector("text 5"), 60))
    assert hits[ids[5]] < 0.99
    assert index.search(PASSAGES, stored.embedder.vector("something else"), 1)[0][0] == ids[5]


def test_a_removed_text_is_not_found_whether_flushed_or_not(stored: VectorsUnderTest, index: AgentVectorIndex) -> None:
    ids = add(stored, TEXTS)
    index.flush()
    query = stored.embedder.vector("text 5")
    index.search(PASSAGES, query, 1)
    with closing(stored.connect()) as connection:
        delete_passage(connection, ids[5])
    assert ids[5] not in dict(index.search(PASSAGES, query, 60))
    index.settle()
    assert ids[5] not in dict(index.search(PASSAGES, query, 60))


def test_similarities_are_exact_and_leave_out_what_has_no_vector(
    stored: VectorsUnderTest, index: AgentVectorIndex
) -> None:
    ids = add(stored, TEXTS)
    index.flush()
    (waiting,) = add(stored, ["not embedded yet"])
    query = stored.embedder.vector("a question")
    found = index.similarities(PASSAGES, query, [ids[3], waiting, ids[1], 9999])
    assert found == {
        ids[1]: pytest.approx(cosine(stored.embedder.vector("text 1"), query), abs=1e-6),
        ids[3]: pytest.approx(cosine(stored.embedder.vector("text 3"), query), abs=1e-6),
    }
    assert index.similarities(PASSAGES, query, []) == {}


def test_a_new_process_finds_what_the_last_one_stored(stored: VectorsUnderTest) -> None:
    ids = add(stored, TEXTS)
    with closing(stored.open()) as first:
        first.flush()
    with closing(stored.open()) as second:
        assert second.search(PASSAGES, stored.embedder.vector("text 7"), 1)[0][0] == ids[7]
        assert second.pending(PASSAGES) == 0


def test_a_failing_embedder_leaves_its_rows_waiting_and_searches_working(
    stored: VectorsUnderTest, index: AgentVectorIndex
) -> None:
    ids = add(stored, TEXTS)
    stored.embedder.failure, stored.embedder.fails_after = ModelError("away"), 20
    with pytest.raises(ModelError, match="away"):
        index.flush()
    assert index.pending(PASSAGES) == 60 - 21
    assert index.search(PASSAGES, stored.embedder.vector("text 3"), 1)[0][0] == ids[3]
    stored.embedder.failure = None
    assert index.flush() == 39
    assert stored.embedder.embedded == TEXTS


def test_another_embedder_is_refused_by_search_flush_and_check(
    stored: VectorsUnderTest, index: AgentVectorIndex
) -> None:
    add(stored, TEXTS)
    index.flush()
    add(stored, ["one more"])
    stored.embedder = HashedEmbedder(model="other")
    with closing(stored.open()) as other:
        for attempt in (other.check, other.flush, lambda: other.search(PASSAGES, stored.embedder.vector("x"), 1)):
            with pytest.raises(EmbedderMismatchError) as caught:
                attempt()
            assert caught.value.hint == "memgpt archival reindex --embedder test/other"
    assert index.pending(PASSAGES) == 1


def test_a_query_of_another_length_is_refused_even_when_the_embedder_cannot_be_asked(
    stored: VectorsUnderTest, index: AgentVectorIndex
) -> None:
    add(stored, TEXTS)
    index.flush()
    with pytest.raises(EmbedderMismatchError, match="24 dimensions, the query has 8"):
        index.search(PASSAGES, HashedEmbedder(dimensions=8).vector("x"), 1)


def test_the_status_counts_what_is_stored_and_what_waits(stored: VectorsUnderTest, index: AgentVectorIndex) -> None:
    add(stored, TEXTS)
    assert index.status().identity is None
    index.flush()
    add(stored, ["one more"])
    status = index.status()
    assert status.identity == stored.embedder.identity
    assert (status.vectors[PASSAGES], status.waiting[PASSAGES], status.vectors[MESSAGES]) == (60, 1, 0)


def test_flushing_and_searching_from_many_threads_at_once_lose_and_double_nothing(stored: VectorsUnderTest) -> None:
    index = stored.open()
    failures: list[BaseException] = []

    def add_and_flush(name: str) -> None:
        try:
            for n in range(6):
                texts = [f"{name} {n} {k}" for k in range(5)]
                ids = add(stored, texts)
                index.flush()
                hits = index.search(PASSAGES, stored.embedder.vector(texts[0]), 3)
                assert hits[0][0] == ids[0]
        except BaseException as error:  # noqa: BLE001 - the main thread tells
            failures.append(error)

    threads = [threading.Thread(target=add_and_flush, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(stored.embedder.embedded) == sorted(set(stored.embedder.embedded))
    assert len(index.search(PASSAGES, stored.embedder.vector("x"), 1000)) == 90
    index.close()


def test_closing_while_a_flush_runs_ends_it_and_the_rest_waits(stored: VectorsUnderTest) -> None:
    add(stored, [f"text {n}" for n in range(400)])
    index = stored.open(batch=1)
    embed, begun = stored.embedder.embed, threading.Event()

    def slowly(texts: list[str]) -> list[Vector]:
        begun.set()
        time.sleep(0.01)
        return embed(texts)

    stored.embedder.embed = slowly
    thread = threading.Thread(target=index.flush)
    thread.start()
    begun.wait()
    index.close()
    thread.join()
    with closing(stored.connect()) as connection:
        vectors = Vectors(connection)
        assert 0 < vectors.count(PASSAGES) < 400
        assert vectors.count(PASSAGES) + vectors.waiting_count(PASSAGES) == 400


def test_a_flush_whose_time_is_up_leaves_the_rest_waiting_for_the_next(
    stored: VectorsUnderTest, index: AgentVectorIndex
) -> None:
    add(stored, TEXTS)
    assert index.flush(within_s=-1.0) == 0
    assert index.pending(PASSAGES) == len(TEXTS)
    assert index.flush() == len(TEXTS)
