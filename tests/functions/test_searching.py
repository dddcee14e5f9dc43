"""What the model is shown of recall and archival storage: pages, single messages, what is around them, and no noise."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.function_calls import Functions, functions

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.search import Hit, Meaning, SearchResult
from memgpt_cli.external_context.rendering import notes_of
from memgpt_cli.functions.pages import result_of

SEARCH, ARCHIVAL = "conversation_search", "archival_memory_search"
START = datetime(2024, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
CITIES = "Kyoto Oslo Lima Quito Porto Bergen Lyon Graz Turin Basel".split()  # noqa: SIM905
KEY = "3f2b8c1e-9d47-4a60-8e15-7c0d2b6f9a34"
OTHER = "7d1e6a52-0c3b-4f98-b2d4-5e8f1a9c6037"


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    """A trip a day to one of ten cities, told by Ana and answered at length."""
    with functions(tmp_path_factory.mktemp("agent")) as made:
        with made.store.transaction():
            for n in range(60):
                city = CITIES[n % 10]
                tell(made, f"My trip to {city} number {n} was by slow train", n, name="Ana" if n % 2 else "Ben")
                advice = f"About {city}. " + "Remember to pack warm clothes and to book early. " * 40
                tell(made, advice, n, role=Role.ASSISTANT)
            tell(made, "I see.", 60)
            ids = [m.id for m in made.store.messages.queue()]
            made.store.messages.evict(ids, epoch=0)
            passage = Provenance(author=Author.AGENT)
            made.context.archival.insert(f"{KEY} has the value {OTHER}", provenance=passage)
            made.context.archival.insert(f"{OTHER} has the value 5", provenance=passage)
            for n in range(30):
                made.context.archival.insert(f"Passage {n} on {CITIES[n % 10]} has a value", provenance=passage)
        made.index.flush()
        yield made


def tell(agent: Functions, text: str, day: int, *, role: Role = Role.USER, name: str | None = None) -> None:
    minutes = timedelta(minutes=5 if role is Role.ASSISTANT else 0)
    agent.store.messages.append(Message(role=role, text=text, name=name, created_at=START + day * DAY + minutes))


def shown(text: str) -> list[str]:
    return re.findall(r"^\[([mp]\d+) ", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("query", "budget"), [("slow train to Kyoto", 150), ("slow train to Kyoto", 1_000), ("", 400), ("", 5_000)]
)
def test_the_pages_together_are_the_ranked_list(agent: Functions, budget: int, query: str) -> None:
    recall = agent.context.recall
    ranked = recall.search(query, page_size=10_000, query_vector=recall.embed_query(query))
    seen: list[str] = []
    for page in range(200):
        result = agent.step((SEARCH, {"query": query, "page": page}), budget=budget, page_budget=budget)[0]
        assert list(result.effects.shown) == shown(result.text)
        seen += result.effects.shown
        if "more: page=" not in result.text:
            break
    assert sorted(seen) == sorted(f"m{hit.item.id}" for hit in ranked.hits)
    noise = {f"m{hit.item.id}" for hit in ranked.hits if hit.item.text == "I see."}
    in_order = [f"m{hit.item.id}" for hit in ranked.hits if f"m{hit.item.id}" not in noise]
    assert [ref for ref in seen if ref not in noise] == in_order


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(1, 400), min_size=1, max_size=50),
    budget=st.integers(48, 5_000),
    more=st.integers(1, 3),
)
def test_pages_lose_and_repeat_nothing_at_any_window(
    agent: Functions, lengths: list[int], budget: int, more: int
) -> None:
    """`budget` is what any prompt of a window has for a page; a prompt that is less full has `more` times that."""
    said = [Message(id=n, role=Role.USER, text=f"word {n} " * size, created_at=START) for n, size in enumerate(lengths)]
    hits = tuple(Hit(item=message, score=1.0) for message in said)
    found = SearchResult(hits=hits, total=len(hits), ranked=True, terms={"word": 1.0})
    context = replace(agent.context, budget=more * budget, page_budget=budget)
    seen: list[str] = []
    for page in range(len(said)):
        result = result_of(found, page, context, what="messages", order="best match first")
        assert list(result.effects.shown) == shown(result.text)
        seen += result.effects.shown
        if "more: page=" not in result.text:
            break
    assert seen == [f"m{n}" for n in range(len(said))]


def test_the_model_is_not_told_how_far_indexing_is_nor_why_a_vector_is_missing(tmp_path: Path) -> None:
    with functions(tmp_path) as own:
        with own.store.transaction():
            tell(own, "The ferry to Bergen leaves at noon", 0)
            own.store.messages.evict([m.id for m in own.store.messages.queue()], epoch=0)
            own.context.archival.insert("The ferry takes bicycles", provenance=Provenance(author=Author.AGENT))
        for name in (SEARCH, ARCHIVAL):
            waiting = own.call(name, query="ferry")
            assert waiting.found is not None
            assert (waiting.found.meaning.pending, "note:" in waiting.text) == (1, False)
        own.index.flush()
        found = replace(own.context.recall.search("ferry"), meaning=Meaning(asked=False))
        assert notes_of(found) == ["note: searched by words only."]


def test_a_line_that_this_turn_has_shown_is_not_repeated(agent: Functions) -> None:
    first, second = agent.step((ARCHIVAL, {"query": KEY}), (ARCHIVAL, {"query": OTHER}))
    assert "\n[p1 " in first.text
    assert f"{KEY} has the value {OTHER}" in first.text
    assert "[p1 shown above]" in second.text.split("\n")
    assert f"{KEY} has" not in second.text
    assert set(second.effects.shown) == {"p1", "p2"}
    again = agent.step((ARCHIVAL, {"query": OTHER}), seen=frozenset(first.text.split("\n")))[0]
    assert again.text == second.text


def test_a_page_holds_twenty_hits_where_they_fit_best_first_with_long_ones_as_excerpts(agent: Functions) -> None:
    text = agent.step((SEARCH, {"query": "trip to Kyoto"}), budget=5_000, page_budget=5_000)[0].text
    assert re.match(r"20 of \d+ messages, best match first\.\n\[m\d+ \w{3} 2024-", text)
    assert 'whole: conversation_search(id="m' in text


def test_one_message_is_read_whole_and_in_parts_where_it_is_long(agent: Functions) -> None:
    parts = []
    for page in range(20):
        told = agent.step((SEARCH, {"id": "m2", "page": page}), budget=200, page_budget=200)[0].text
        assert told.startswith("[m2 Fri 2024-03-01 09:05 import] assistant: > ")
        parts.append(told.split("assistant: > ", 1)[1].split("\nPage ")[0])
        if "Next:" not in told:
            break
    whole = next(iter(agent.store.messages.get([2]))).text
    assert " ".join(" ".join(parts).split()) == " ".join(whole.split())


def test_reading_on_around_a_message_shows_what_came_before_and_after_in_order(agent: Functions) -> None:
    text = agent.call(SEARCH, around="m61").text
    numbers = [int(ref[1:]) for ref in shown(text)]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[0] < 61 < numbers[-1]
    assert f'Later: around="m{numbers[-1]}".' in text


def test_a_function_result_that_left_the_window_can_be_read(agent: Functions) -> None:
    with agent.store.transaction():
        moved = agent.store.messages.append(
            Message(role=Role.TOOL, name=SEARCH, text="old result", created_at=START + 70 * DAY, in_context=False)
        )
    assert "old result" in agent.call(SEARCH, id=f"m{moved.id}").text
    assert f"m{moved.id}" in shown(agent.call(SEARCH, around=f"m{moved.id}").text)


def test_browsing_by_time_is_oldest_first_in_short_lines(agent: Functions) -> None:
    text = agent.call(SEARCH, order="time", role="assistant").text
    assert ", oldest first." in text.split("\n", 1)[0]
    numbers = [int(ref[1:]) for ref in shown(text)]
    assert numbers == sorted(numbers)
    assert max(len(line) for line in text.split("\n")) < 300
    about = agent.call(SEARCH, order="time", query="Kyoto").text
    assert [int(ref[1:]) for ref in shown(about)] == sorted(int(ref[1:]) for ref in shown(about))


def test_a_speaker_a_month_and_a_role_narrow_a_search(agent: Functions) -> None:
    text = agent.call(SEARCH, query="trip", name="ben", start_date="2024-04").text
    assert shown(text)
    assert all("] Ben: " in line and " 2024-04-" in line for line in text.split("\n") if line.startswith("["))


def test_unknown_arguments_are_named_and_not_silently_dropped(agent: Functions) -> None:
    text = agent.call(SEARCH, query="Kyoto", speaker="Ana").text
    assert "Ignored unknown arguments: speaker. There are: query, page," in text


def test_of_one_exact_identifier_only_what_holds_it_is_shown(agent: Functions) -> None:
    text = agent.call(ARCHIVAL, query=KEY).text
    assert text.startswith("1 of 1 passages, best match first.\n[p1 ")
    assert len(shown(agent.call(ARCHIVAL, query=f"value of {OTHER}").text)) == 2


def test_where_no_word_matches_it_is_said_and_the_nearest_few_are_shown(agent: Functions) -> None:
    text = agent.call(SEARCH, query="quantum chromodynamics").text
    assert len(shown(text)) <= 3
    assert "note: none of these messages holds a word of the query" in text


def test_small_talk_comes_last(agent: Functions) -> None:
    text = agent.step((SEARCH, {"query": "trip to Basel number 59"}), budget=9_000, page_budget=9_000)[0].text
    assert "I see." not in text


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (SEARCH, {"query": "Kyoto"}),
        (SEARCH, {"query": "quantum chromodynamics"}),
        (SEARCH, {"id": "m2"}),
        (SEARCH, {"id": "m99999"}),
        (SEARCH, {"around": "nothing"}),
        (SEARCH, {"query": "Kyoto", "start_date": "soon"}),
        (SEARCH, {"query": "Kyoto", "name": "Nobody"}),
        (SEARCH, {"query": "Kyoto", "page": 500}),
        (ARCHIVAL, {"query": "value"}),
        (ARCHIVAL, {"id": "p99999"}),
        ("archival_memory_insert", {"content": " "}),
        ("archival_memory_insert", {"content": "Passage 3 on Quito has a value"}),
        ("archival_memory_insert", {"id": "p3", "content": "Passage 3 on Quito has a value"}),
        ("core_memory_append", {"label": "nowhere", "content": "x"}),
        ("core_memory_replace", {"label": "rules", "old_content": "Be", "new_content": "x"}),
        ("no_such_function", {}),
    ],
)
def test_no_result_text_contains_a_shell_command(agent: Functions, name: str, arguments: dict[str, object]) -> None:
    text = agent.call(name, **arguments).text
    assert not re.search(r"memgpt |did you mean|--\w", text), text


def test_a_passage_is_corrected_and_deleted_and_both_can_be_undone(tmp_path: Path) -> None:
    with functions(tmp_path) as own:
        stored = own.call("archival_memory_insert", content="The boat sails at ten")
        assert stored.text == "Stored as p1."
        told = own.call("archival_memory_insert", id="p1", content="The boat sails at noon")
        assert (told.text, told.effects.passages) == ("Corrected p1.", (1,))
        assert own.call("archival_memory_insert", id="p1", content="").text == "Deleted p1."
        assert not own.call("archival_memory_insert", id="p1", content="x").ok
        versions = own.store.passages.history(1)
        assert [v.deleted for v in versions] == [False, False, True]
        assert {v.provenance.author for v in versions} == {Author.AGENT}


def test_a_passage_of_a_document_is_not_changed_by_the_model(tmp_path: Path) -> None:
    with functions(tmp_path) as own:
        with own.store.transaction():
            document = Provenance(author=Author.DOCUMENT)
            own.context.archival.insert("Chapter one", provenance=document, source="book.md")
        told = own.call("archival_memory_insert", id="p1", content="Chapter two")
        assert not told.ok
        assert "comes from book.md" in told.text


def test_a_new_passage_carries_the_time_of_the_conversation(tmp_path: Path) -> None:
    with functions(tmp_path) as own:
        own.step(("archival_memory_insert", {"content": "Born today"}), at=datetime(2019, 1, 2, tzinfo=UTC))
        assert own.store.passages.get([1])[0].created_at.year == 2019
