"""The full-text index: what it finds, that its scores are BM25's, and that it stays true through every change."""

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lexical_records import NOON, found, own, said, shelve, tell

from memgpt_cli.domain.messages import SPOKEN, Role
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import ArchivalFilters, RecallFilters
from memgpt_cli.storage.lexical import common_words
from memgpt_cli.storage.lexical import index as lexical
from memgpt_cli.storage.lexical.forms import Tokenizer
from memgpt_cli.storage.store import SQLiteStore
from memgpt_cli.text.words import query_words

ALL_ROLES = tuple(Role)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(tmp_path / "agent.db")) as opened:
        yield opened


def is_sound(store: SQLiteStore) -> bool:
    for table in ("message_words", "event_words", "passage_words"):
        store.connection.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
    return True


DAYS = timedelta(days=1)


# Words


@given(
    words=st.lists(
        st.sampled_from(["went", "go", "goes", "painting", "paint", "咖啡", "北京", "the", "is", "naïve", "x-ray"]),
        max_size=8,
    )
)
def test_a_query_is_cut_alike_however_often_it_is_asked(words: list[str]) -> None:
    tokenizer = Tokenizer()
    query = " ".join(words)
    assert tokenizer.terms(query) == tokenizer.terms(query)
    stems = [frozenset(form.tokens for form in term.forms) for term in tokenizer.terms(query)]
    assert len(stems) == len(set(stems))
    tokenizer.close()


# Chinese, Japanese, Korean


def test_a_query_of_nothing_but_particles_asks_for_them() -> None:
    assert query_words("的") == ["的"]
    assert query_words("これは何ですか")


# Neighbours and sessions


# Scores


def reference(texts: Sequence[str], query: Sequence[str], context: float = 0.3) -> list[float]:
    """BM25 over two columns, read off the formula: no arrays, no stems, one session."""
    windows = [[j for j in (i - 2, i - 1, i + 1, i + 2) if 0 <= j < len(texts)] for i in range(len(texts))]
    words = [text.split() for text in texts]
    length = [len(words[i]) + sum(len(words[j]) for j in windows[i]) for i in range(len(texts))]
    mean = sum(length) / len(texts)
    scores = [0.0] * len(texts)
    for term in query:
        if not any(term in text for text in words):
            continue
        rows = [i for i, text in enumerate(words) if term in text]
        places = sum(min(5, b - a) for a, b in pairwise(rows)) + 5
        seen = min(places, len(texts))
        rarity = math.log(1 + (len(texts) - seen + 0.5) / (seen + 0.5))
        for i in range(len(texts)):
            often = words[i].count(term) + context * sum(words[j].count(term) for j in windows[i])
            scores[i] += rarity * often * 2.2 / (often + 1.2 * (0.25 + 0.75 * length[i] / mean))
    return scores


@given(
    texts=st.lists(
        st.lists(st.sampled_from(["lake", "band", "moss", "fern", "reed"]), min_size=1, max_size=6).map(" ".join),
        min_size=1,
        max_size=12,
    ),
    query=st.lists(st.sampled_from(["lake", "moss", "reed"]), min_size=1, max_size=3, unique=True),
)
@settings(max_examples=20, deadline=None)
def test_scores_are_bm25_of_a_message_with_its_neighbours(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], query: list[str]
) -> None:
    with closing(SQLiteStore(tmp_path_factory.mktemp("bm25") / "agent.db")) as store:
        ids = tell(store, *texts)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lexical, "_TOGETHER", 0)  # the formula knows no neighbouring words
            hits = store.lexical.search_messages(" ".join(query), RecallFilters(), 50)
    wanted = reference(texts, query)
    assert {hit.id: pytest.approx(hit.score, rel=1e-4) for hit in hits} == {
        number: score for number, score in zip(ids, wanted, strict=True) if score > 0
    }
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(0 <= hit.nearby <= hit.score + 1e-6 for hit in hits)


# Filters


def test_filters_hold_for_the_last_of_many_hits(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexical, "_PROBE", 1)
    with store.transaction():
        for number in range(40):
            name = "Ana" if number % 20 == 0 else "Ben"
            store.messages.append(said("a lake", minute=600 * number, name=name))
    assert found(store, "lake", RecallFilters(name="ana"), limit=2) == [21, 1]
    assert found(store, "lake", RecallFilters(name="Ben"), limit=3) == [40, 39, 38]
    day = RecallFilters(start=NOON + timedelta(minutes=600), end=NOON + timedelta(minutes=1800))
    assert found(store, "lake", day) == [3, 2]
    assert found(store, "lake", RecallFilters(name="nobody")) == []
    assert found(store, "lake", RecallFilters(roles=(Role.ASSISTANT,))) == []


# Changes


def test_a_removed_message_is_gone_with_what_it_lent_its_neighbours(store: SQLiteStore) -> None:
    ids = tell(store, "which band?", "the Larks", "fine")
    with store.transaction():
        store.lexical.remove_message(ids[0])
        store.connection.execute("DELETE FROM messages WHERE id = ?", (ids[0],))
    assert found(store, "band") == []
    assert found(store, "Larks") == [ids[1], ids[2]]
    assert store.lexical.count_spoken_messages() == 2
    assert is_sound(store)


def test_a_message_leaves_the_index_before_its_row_is_deleted(store: SQLiteStore) -> None:
    with pytest.raises(ValueError, match="before its row"):
        store.lexical.remove_message(99)


def test_rebuilding_changes_no_answer(store: SQLiteStore) -> None:
    tell(store, "which band?", "the Larks", "fine", "我喜欢北京")
    with store.transaction():
        store.messages.append(said("band: 3", role=Role.TOOL, minute=9))
        store.messages.append(said("", role=Role.ASSISTANT, minute=9))
        store.passages.add(Passage(text="a harbour at dawn", created_at=NOON, tags=("sea",), source="notes.md"))
    queries = ("band", "北京", "larks fine")
    everything = RecallFilters(roles=ALL_ROLES)
    before = [store.lexical.search_messages(query, everything, 9) for query in queries]
    shelf = store.lexical.search_passages("harbour sea", ArchivalFilters(), 9)
    with store.transaction():
        store.kinds.reindex()
    assert [store.lexical.search_messages(query, everything, 9) for query in queries] == before
    assert store.lexical.search_passages("harbour sea", ArchivalFilters(), 9) == shelf
    assert is_sound(store)


def test_what_a_transaction_takes_back_leaves_no_trace(store: SQLiteStore) -> None:
    tell(store, "which band?")
    with pytest.raises(RuntimeError), store.transaction():  # noqa: PT012
        store.messages.append(said("a lake", minute=2))
        assert found(store, "lake") == [2, 1]
        raise RuntimeError
    assert found(store, "lake") == []
    assert store.lexical.count_spoken_messages() == 1
    tell(store, "another lake")
    assert found(store, "lake")[:1] == [2]
    assert store.lexical.count_spoken_messages() == 2


def test_another_connection_sees_what_is_added_removed_and_rebuilt(store: SQLiteStore) -> None:
    ids = tell(store, "a lake", "a band")
    with closing(SQLiteStore(store.path)) as other:
        assert found(other, "lake") == ids
        more = tell(store, "one more lake")
        assert set(found(other, "lake")) == {*ids, *more}
        with store.transaction():
            store.lexical.remove_message(ids[0])
            store.connection.execute("DELETE FROM messages WHERE id = ?", (ids[0],))
        assert found(other, "lake") == [more[0], ids[1]]
        with store.transaction():
            store.kinds.reindex()
        assert found(other, "lake") == [more[0], ids[1]]
        assert other.lexical.count_spoken_messages() == 2


def test_messages_in_bulk_are_indexed_as_one_by_one(store: SQLiteStore, tmp_path: Path) -> None:
    texts = ["which band?", "the Larks", "", "a lake", "我喜欢北京"]
    ids = tell(store, *texts)
    with closing(SQLiteStore(tmp_path / "bulk.db")) as bulk:
        messages = store.messages.get(ids)
        with bulk.transaction():
            bulk.connection.executemany(
                "INSERT INTO messages (id, role, text, created_at, evicted_by) VALUES (?, ?, ?, ?, 0)",
                [(m.id, m.role, m.text, m.created_at.isoformat()) for m in messages],
            )
            bulk.lexical.add_messages(messages)
        for query in ("band", "lake", "北京"):
            every = RecallFilters(roles=SPOKEN)
            assert bulk.lexical.search_messages(query, every, 9) == store.lexical.search_messages(query, every, 9)


# The copy of common words


@pytest.fixture
def _copies_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common_words, "_COMMON", 2)
    monkeypatch.setattr(common_words, "_FEW", 1)


MANY = ("a lake and a band", "the band at the lake", "我喜欢北京", "北京的冬天", "cold lake water", "lake") * 4
QUERIES = ("lake band", "北京", "喜欢北京", "cold water", "lake")


@pytest.mark.usefixtures("_copies_early")
def test_the_copy_of_common_words_changes_no_answer(store: SQLiteStore) -> None:
    tell(store, *MANY)
    before = [store.lexical.search_messages(query, RecallFilters(), 99) for query in QUERIES]
    assert store.lexical.refresh()
    assert store.connection.execute("SELECT count(*) FROM common_words").fetchone()[0] > 4
    assert [store.lexical.search_messages(query, RecallFilters(), 99) for query in QUERIES] == before
    with closing(SQLiteStore(store.path)) as other:
        assert [other.lexical.search_messages(query, RecallFilters(), 99) for query in QUERIES] == before
    assert not store.lexical.refresh()


@pytest.mark.usefixtures("_copies_early")
def test_what_came_after_the_copy_is_found_too(store: SQLiteStore) -> None:
    tell(store, *MANY)
    store.lexical.refresh()
    ids = tell(store, "the newest lake", "北京，还是北京", "bands of lakes")
    assert set(ids) & set(own(store.lexical.search_messages("lakes", RecallFilters(), 99))) == {ids[0], ids[2]}
    assert ids[1] in own(store.lexical.search_messages("北京", RecallFilters(), 99))
    assert ids[2] in own(store.lexical.search_messages("band", RecallFilters(), 99))
    assert store.lexical.count_spoken_messages() == len(MANY) + 3


@pytest.mark.usefixtures("_copies_early")
def test_no_message_takes_a_place_that_the_copy_covers(store: SQLiteStore) -> None:
    ids = tell(store, *MANY)
    store.lexical.refresh()
    with store.transaction():
        store.lexical.remove_message(ids[-1])
        store.connection.execute("DELETE FROM messages WHERE id = ?", (ids[-1],))
    assert ids[-1] not in found(store, "lake", limit=99)
    new = tell(store, "nothing of the kind")
    assert new[0] not in own(store.lexical.search_messages("lake", RecallFilters(), 99))
    assert store.lexical.count_spoken_messages() == len(MANY)


@pytest.mark.usefixtures("_copies_early")
def test_a_message_that_comes_back_is_found_where_it_stood(store: SQLiteStore) -> None:
    ids = tell(store, *MANY)
    before = store.lexical.search_messages("lake band", RecallFilters(), 99)
    message = store.messages.get([ids[4]])[0]
    place, session = store.connection.execute(
        "SELECT place, session FROM message_places WHERE message = ?", (ids[4],)
    ).fetchone()
    with store.transaction():
        store.lexical.remove_message(ids[4])
    store.lexical.refresh()
    assert ids[4] not in found(store, "cold", limit=99)
    with store.transaction():
        store.lexical.return_message(message, place=place, session=session, generation=store.lexical.generation())
    assert store.lexical.search_messages("lake band", RecallFilters(), 99) == before
    assert ids[4] in found(store, "cold", limit=99)


@pytest.mark.usefixtures("_copies_early")
def test_a_copy_that_was_cut_short_is_used_as_far_as_it_goes(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(store, *MANY)
    before = [store.lexical.search_messages(query, RecallFilters(), 99) for query in QUERIES]
    monkeypatch.setattr(common_words, "_BATCH", 1)
    copy_terms = common_words.CommonWords._copy_terms
    left = 3

    def until_killed(self: common_words.CommonWords, kind: str, terms: Sequence[str], last: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        copy_terms(self, kind, terms, last)

    monkeypatch.setattr(common_words.CommonWords, "_copy_terms", until_killed)
    with pytest.raises(KeyboardInterrupt):
        store.lexical.refresh()
    assert [store.lexical.search_messages(query, RecallFilters(), 99) for query in QUERIES] == before


# Passages


@pytest.mark.usefixtures("_copies_early")
def test_a_revised_passage_is_found_by_its_new_tags_only(store: SQLiteStore) -> None:
    passages = [shelve(store, f"harbour number {n}", tags=("old",)) for n in range(6)]
    store.lexical.refresh()
    with store.transaction():
        store.lexical.replace_passage(replace(passages[2], tags=("new",)))
        store.connection.execute("UPDATE passages SET tags = '[\"new\"]' WHERE id = ?", (passages[2].id,))
    assert [hit.id for hit in store.lexical.search_passages("new", ArchivalFilters(), 9)] == [passages[2].id]
    assert passages[2].id not in [hit.id for hit in store.lexical.search_passages("old", ArchivalFilters(), 9)]
    assert is_sound(store)
