"""The contract of `ports.LexicalIndex`: every adapter finds the same messages and passages."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import cjk_sentences
from support.lexical_records import NOON, found, neighbours, own, said, shelve, tell

from memgpt_cli.domain.messages import Role
from memgpt_cli.domain.search import ArchivalFilters, RecallFilters
from memgpt_cli.ports import Store

ALL_ROLES = tuple(Role)
DAYS = timedelta(days=1)


def test_a_word_is_found_in_its_other_forms(store: Store) -> None:
    ids = tell(store, "I painted the fence", "we went to the lake", "two children played", apart=DAYS)
    assert found(store, "who paints?") == [ids[0]]
    assert found(store, "where did you go?") == [ids[1]]
    assert found(store, "a child") == [ids[2]]


def test_stop_words_are_not_looked_for_unless_there_is_nothing_else(store: Store) -> None:
    ids = tell(store, "what is it", "the lake was cold", apart=DAYS)
    assert found(store, "what was the lake like?") == [ids[1]]
    assert found(store, "what is it?") == [ids[0]]


def test_accents_and_full_width_letters_make_no_difference(store: Store) -> None:
    ids = tell(store, "a café in Málaga", "ＦＵＬＬ width", apart=DAYS)
    assert found(store, "cafe malaga") == [ids[0]]
    assert found(store, "full") == [ids[1]]


@given(query=st.text(max_size=60))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_query(store: Store, query: str) -> None:
    store.lexical.search_messages(query, RecallFilters(roles=ALL_ROLES), 5)
    store.lexical.search_passages(query, ArchivalFilters(), 5)


@pytest.mark.parametrize(
    "query", ["'", '"', "a-b", "AND", "*", "NEAR(a b)", "words : a", "^a", "a OR", "(", "\x00", "…"]
)
def test_search_syntax_is_plain_text(store: Store, query: str) -> None:
    tell(store, "a b and near words")
    store.lexical.search_messages(query, RecallFilters(roles=ALL_ROLES), 5)
    store.lexical.search_passages(query, ArchivalFilters(), 5)


@pytest.mark.parametrize(
    ("sentences", "queries"),
    [
        (cjk_sentences.CHINESE, cjk_sentences.CHINESE_QUERIES),
        (cjk_sentences.JAPANESE, cjk_sentences.JAPANESE_QUERIES),
        (cjk_sentences.KOREAN, cjk_sentences.KOREAN_QUERIES),
    ],
    ids=["Chinese", "Japanese", "Korean"],
)
def test_questions_in_unspaced_scripts_find_their_sentence_first(
    store: Store, sentences: tuple[str, ...], queries: tuple[tuple[str, int], ...]
) -> None:
    filler = ("We had soup and bread.", "The train was late again.", "Call me when you land.")
    ids = tell(store, *sentences, *filler, apart=DAYS)
    missed = [query for query, wanted in queries if found(store, query)[:1] != [ids[wanted]]]
    assert missed == []


def test_a_two_character_word_is_a_phrase_and_not_two_characters(store: Store) -> None:
    ids = tell(store, "我喜欢北京", "北风从京城吹来", apart=DAYS)
    assert found(store, "北京") == [ids[0]]


def test_a_single_ideograph_is_found(store: Store) -> None:
    ids = tell(store, "妹妹养了一只猫", "今天下雨", apart=DAYS)
    assert found(store, "猫") == [ids[0]]


def test_a_message_is_found_by_what_was_said_around_it(store: Store) -> None:
    ids = tell(store, "which band do you like?", "the Larks, by far", "nice", "cool", "well")
    hits = store.lexical.search_messages("band", RecallFilters(), 10)
    assert hits[0].id == ids[0]
    assert {hit.id for hit in hits} == set(ids[:3])
    assert own(hits) == [ids[0]]
    assert [hit.nearby > 0 for hit in hits] == [False, True, True]


def test_what_another_session_said_is_no_neighbour(store: Store) -> None:
    with store.transaction():
        store.messages.append(said("which band?", minute=0))
        store.messages.append(said("the Larks", minute=300))
        store.messages.append(said("which lake?", minute=301, session="a"))
        store.messages.append(said("the cold one", minute=302, session="b"))
    assert found(store, "band") == [1]
    assert found(store, "lake") == [3]
    assert len({place.session for place in store.lexical.session_places([1, 2, 3, 4]).values()}) == 4


def test_an_import_may_say_that_distant_messages_are_one_session(store: Store) -> None:
    with store.transaction():
        store.messages.append(said("which band?", minute=0, session="a"))
        store.messages.append(said("the Larks", minute=9999, session="a"))
    assert found(store, "band") == [1, 2]
    assert neighbours(store, [1, 2]) == {1: [2], 2: [1]}


def test_a_function_result_stands_between_no_neighbours(store: Store) -> None:
    with store.transaction():
        store.messages.append(said("which band?"))
        for _ in range(4):
            store.messages.append(said('{"result": "band"}', role=Role.TOOL))
        store.messages.append(said("the Larks", role=Role.ASSISTANT))
    assert found(store, "band") == [1, 6]
    assert neighbours(store, [6]) == {6: [1]}


def test_function_results_and_notices_are_found_when_asked_for(store: Store) -> None:
    with store.transaction():
        store.messages.append(said("my lake"))
        store.messages.append(said("lake: 3 results", role=Role.TOOL))
        store.messages.append(said("a notice of the lake", role=Role.SYSTEM))
    assert found(store, "lake") == [1]
    assert set(found(store, "lake", RecallFilters(roles=ALL_ROLES))) == {1, 2, 3}
    assert found(store, "lake", RecallFilters(roles=(Role.TOOL,))) == [2]


def test_the_turn_that_asks_lends_its_words_to_no_neighbour(store: Store) -> None:
    with store.transaction():
        turn = store.turns.begin(NOON, epoch=1).id
        store.messages.append(said("good morning"))
        store.messages.append(said("which band did I like?", turn=turn))
    assert found(store, "which band did I like?", RecallFilters(not_turn=turn)) == []
    assert found(store, "band") == [2, 1]


def test_two_words_that_stand_together_count_for_more_than_apart(store: Store) -> None:
    ids = tell(store, "a support team met our group", "a support group met our team", apart=DAYS)
    assert found(store, "support group") == [ids[1], ids[0]]


def test_of_equals_the_later_one_comes_first(store: Store) -> None:
    ids = tell(store, *["the same lake"] * 5, apart=DAYS)
    assert found(store, "lake") == ids[::-1]
    assert found(store, "lake", limit=2) == ids[:-3:-1]


def test_what_stands_in_the_queue_can_be_left_out_or_asked_for(store: Store) -> None:
    with store.transaction():
        store.messages.append(said("a lake"))
        store.messages.append(replace(said("another lake"), in_context=True))
    assert found(store, "lake", RecallFilters(in_context=False)) == [1]
    assert found(store, "lake", RecallFilters(in_context=True)) == [2]


def test_a_passage_is_found_by_its_text_its_tags_and_where_it_came_from(store: Store) -> None:
    harbour = shelve(store, "the harbour opens at dawn", tags=("travel",), source="oslo-notes.md", location="Ferries")
    shelve(store, "bread needs time")
    for query in ("harbours", "travel", "oslo", "ferry"):
        assert [hit.id for hit in store.lexical.search_passages(query, ArchivalFilters(), 9)] == [harbour.id]


def test_its_own_words_count_for_more_than_its_tags(store: Store) -> None:
    tagged = shelve(store, "bread needs time", tags=("harbour",))
    about = shelve(store, "harbour at dawn")
    assert [hit.id for hit in store.lexical.search_passages("harbour", ArchivalFilters(), 9)] == [about.id, tagged.id]


def test_passages_are_filtered_by_tag_source_and_date(store: Store) -> None:
    first = shelve(store, "harbour one", tags=("sea", "north"), source="a.md")
    second = shelve(store, "harbour two", tags=("sea",), source="b.md")

    def ids(filters: ArchivalFilters) -> set[int]:
        return {hit.id for hit in store.lexical.search_passages("harbour", filters, 9)}

    assert ids(ArchivalFilters(tags=("sea",))) == {first.id, second.id}
    assert ids(ArchivalFilters(tags=("sea", "north"))) == {first.id}
    assert ids(ArchivalFilters(source="b.md")) == {second.id}
    assert ids(ArchivalFilters(end=NOON)) == set()


def test_a_code_is_found_in_the_midst_of_many(store: Store) -> None:
    keys = [f"{n:08x}-6b1c-4f7e-9d20-{n * 7919:012x}" for n in range(50)]
    for n, key in enumerate(keys):
        shelve(store, f"{key} -> {keys[(n + 1) % 50]}")
    hits = store.lexical.search_passages(keys[17], ArchivalFilters(), 2)
    texts = [passage.text for passage in store.passages.get([hit.id for hit in hits])]
    assert all(re.search(keys[17], text) for text in texts)


DAY = (
    "We met on 8 May.",
    "It is dated 2023-05-08.",
    "我们5月8日见面",
    "May 8th it was",
    "On May 9 it rained, 8 times.",
)


@pytest.mark.parametrize("query", ["8 May", "May 8th", "2023-05-08", "5月8日", "on the 8th of May 2023"])
def test_a_day_is_found_in_every_spelling(store: Store, query: str) -> None:
    ids = tell(store, *DAY, *(f"Nothing happened on morning number {n}" for n in range(20)), apart=timedelta(days=1))
    hits = store.lexical.search_messages(query, RecallFilters(), 50)
    assert {hit.id for hit in hits if "8 may" in hit.words} == set(ids[:4])


@pytest.mark.parametrize("query", ["1,200", "1200"])
def test_a_number_is_found_with_and_without_separators(store: Store, query: str) -> None:
    ids = tell(
        store, "It cost 1,200 euros", "I paid 1200 for it", "Room 1, floor 2, 1300 steps", apart=timedelta(days=1)
    )
    assert set(found(store, query)[:2]) == set(ids[:2])
