"""Search results as the model reads them: the format, the budget, and what is said about the rest."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import Hit, SearchResult
from memgpt_cli.external_context.rendering import render_messages, render_passages

ZONE = ZoneInfo("America/New_York")
AT = datetime(2023, 5, 8, 17, 56, tzinfo=UTC)


def count(text: str) -> int:
    return len(re.findall(r"\w+|[^\w\s]", text))


def message(number: int, text: str = "a text", role: Role = Role.USER, name: str | None = None) -> Message:
    return Message(id=number, role=role, text=text, name=name, created_at=AT)


def result(
    items: Sequence[Message], total: int = 41, page: int = 0, size: int = 10, *, ranked: bool = True, **more: object
) -> SearchResult[Message]:
    hits = tuple(Hit(item=item, score=1.0) for item in items)
    return SearchResult(hits=hits, total=total, ranked=ranked, page=page, page_size=size, **more)  # type: ignore[arg-type]


def rendered(found: SearchResult[Message], budget: int = 1_000) -> list[str]:
    return render_messages(found, zone=ZONE, budget=budget, count=count).text.splitlines()


def test_a_message_is_a_line_with_id_local_time_and_speaker() -> None:
    hits = [
        message(12, "it\nrained \r\n\n all day", name="Caroline"),
        message(40, "I did"),
        message(50, "well", role=Role.ASSISTANT, name="ignored"),
        message(60, "3 results", role=Role.TOOL, name="conversation_search"),
    ]
    assert rendered(result(hits, size=4)) == [
        "4 of 41 results, page 0.",
        "[m12 2023-05-08 13:56] Caroline: it / rained / all day",
        "[m40 2023-05-08 13:56] user: I did",
        "[m50 2023-05-08 13:56] assistant: well",
        "[m60 2023-05-08 13:56] conversation_search: 3 results",
        "37 more: page=1.",
    ]


def test_a_passage_names_source_place_and_tags_where_it_has_them() -> None:
    passages = (
        Passage(id=7, text="fjord", created_at=AT, source="notes.md", location="Travel", tags=("sea", "north")),
        Passage(id=9, text="moss", created_at=AT),
        Passage(id=11, text="fern", created_at=AT, tags=("wood",)),
    )
    found = SearchResult(hits=tuple(Hit(item=p, score=1.0) for p in passages), total=3, ranked=True)
    assert render_passages(found, zone=ZONE, budget=500, count=count).text.splitlines() == [
        "3 of 3 results, page 0.",
        "[p7 2023-05-08 13:56 notes.md > Travel #sea #north] fjord",
        "[p9 2023-05-08 13:56] moss",
        "[p11 2023-05-08 13:56 #wood] fern",
    ]


def ids(lines: Sequence[str]) -> list[int]:
    return [int(found[1]) for line in lines if (found := re.match(r"\[m(\d+) ", line))]


def test_hits_that_stand_together_come_together_in_order_where_the_best_of_them_is() -> None:
    assert ids(rendered(result([message(n) for n in (30, 12, 50, 11, 29, 14)]))) == [29, 30, 11, 12, 14, 50]


def test_filters_alone_leave_the_newest_first() -> None:
    assert ids(rendered(result([message(n) for n in (30, 29, 28)], ranked=False))) == [30, 29, 28]


def test_neighbours_out_of_two_documents_stand_where_each_of_them_belongs() -> None:
    found = [
        Passage(id=n, text="t", created_at=AT, source=source) for n, source in ((4, "b"), (9, "c"), (5, "b"), (3, "a"))
    ]
    hits = SearchResult(hits=tuple(Hit(item=p, score=1.0) for p in found), total=4, ranked=True, page=0, page_size=10)
    lines = render_passages(hits, zone=ZONE, budget=500, count=count).text.splitlines()
    assert [re.findall(r"p\d", line)[0] for line in lines[1:]] == ["p4", "p5", "p9", "p3"]


def test_what_does_not_fit_is_left_out_from_the_end_and_said() -> None:
    hits = [message(10 * n, "word " * 20) for n in range(1, 11)]
    lines = rendered(result(hits), budget=200)
    assert ids(lines) == [10, 20, 30, 40]
    assert lines[0] == "4 of 41 results, page 0."
    assert lines[-1] == "6 of this page did not fit; ask for it by itself, or more narrowly. 31 more: page=1."


def test_a_hit_larger_than_the_budget_is_cut_and_said() -> None:
    lines = rendered(result([message(1, "word " * 500)], total=1), budget=100)
    assert lines[1].startswith("[m1 2023-05-08 13:56] user: word word")
    assert lines[1].endswith(" …")
    assert lines[-1] == "The text was cut to fit."


def test_an_empty_answer_says_what_to_try() -> None:
    lines = rendered(result([], total=0))
    assert lines[0] == "0 of 0 results, page 0."
    assert "Try other words" in lines[-1]
    assert "archival_memory_search" in lines[-1]


def test_a_page_beyond_the_last_says_so() -> None:
    assert rendered(result([], total=12, page=3)) == [
        "0 of 12 results, page 3.",
        "There are no more messages; the first are on page=0.",
    ]


def test_notes_stand_before_the_last_line() -> None:
    lines = rendered(result([message(1)], notes=("words only",)))
    assert lines[-2:] == ["note: words only.", "40 more: page=1."]


@given(
    texts=st.lists(st.text(max_size=300), min_size=1, max_size=10),
    budget=st.integers(90, 600),
    total=st.integers(10, 10_000),
)
def test_an_answer_keeps_to_its_budget(texts: list[str], budget: int, total: int) -> None:
    text = render_messages(
        result([message(3 * n, text) for n, text in enumerate(texts, 1)], total=total),
        zone=ZONE,
        budget=budget,
        count=count,
    ).text
    assert count(text) <= budget
    assert text.startswith(tuple(f"{n} of {total} results, page 0." for n in range(1, 11)))


@pytest.mark.parametrize("text", ["a\u2028b", "a\x0bb", "a\x85b", "a\r\nb"])
def test_no_text_can_pass_for_a_line_of_its_own(text: str) -> None:
    assert rendered(result([message(1, text)], total=1)) == [
        "1 of 1 results, page 0.",
        "[m1 2023-05-08 13:56] user: a / b",
    ]
