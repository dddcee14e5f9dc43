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
from memgpt_cli.external_context.rendering import HitLines, page_of, render

ZONE = ZoneInfo("America/New_York")
AT = datetime(2023, 5, 8, 17, 56, tzinfo=UTC)


def count(text: str) -> int:
    return len(re.findall(r"\w+|[^\w\s]", text))


def message(number: int, text: str = "a text", role: Role = Role.USER, name: str | None = None) -> Message:
    return Message(id=number, role=role, text=text, name=name, created_at=AT)


def result(items: Sequence[Message], total: int = 41, page: int = 0, **more: object) -> SearchResult[Message]:
    hits = tuple(Hit(item=item, score=1.0) for item in items)
    return SearchResult(hits=hits, total=total, ranked=True, page=page, before=0, **more)  # type: ignore[arg-type]


def rendered(found: SearchResult[Message] | SearchResult[Passage], budget: int = 1_000) -> list[str]:
    what = "passages" if found.hits and isinstance(found.hits[0].item, Passage) else "messages"
    lines = HitLines(zone=ZONE, count=count, terms=found.terms)
    return render(found, lines, what=what, order="best match first", budget=budget).text.splitlines()


def test_a_message_is_a_line_with_id_weekday_local_time_and_speaker() -> None:
    hits = [
        message(12, "it\nrained \r\n\n all day", name="Caroline"),
        message(40, "I did"),
        message(50, "well", role=Role.ASSISTANT, name="ignored"),
        message(60, "3 results", role=Role.TOOL, name="conversation_search"),
    ]
    assert rendered(result(hits)) == [
        "4 of 41 messages, best match first.",
        "[m12 Mon 2023-05-08 13:56] Caroline: it / rained / all day",
        "[m40 Mon 2023-05-08 13:56] user: I did",
        "[m50 Mon 2023-05-08 13:56] assistant: well",
        "[m60 Mon 2023-05-08 13:56] conversation_search: 3 results",
        "37 more: page=1.",
    ]


def test_a_passage_names_source_place_and_tags_where_it_has_them() -> None:
    passages = (
        Passage(id=7, text="fjord", created_at=AT, source="notes.md", location="Travel", tags=("sea", "north")),
        Passage(id=9, text="moss", created_at=AT),
        Passage(id=11, text="fern", created_at=AT, tags=("wood",)),
    )
    found = SearchResult(hits=tuple(Hit(item=p, score=1.0) for p in passages), total=3, ranked=True)
    assert rendered(found) == [
        "3 of 3 passages, best match first.",
        "[p7 Mon 2023-05-08 13:56 notes.md > Travel #sea #north] fjord",
        "[p9 Mon 2023-05-08 13:56] moss",
        "[p11 Mon 2023-05-08 13:56 #wood] fern",
    ]


def ids(lines: Sequence[str]) -> list[int]:
    return [int(found[1]) for line in lines if (found := re.match(r"\[m(\d+) ", line))]


def test_hits_come_in_the_order_of_the_ranking_whatever_their_ids() -> None:
    assert ids(rendered(result([message(n) for n in (30, 12, 50, 11, 29, 14)]))) == [30, 12, 50, 11, 29, 14]


def test_a_long_message_is_an_excerpt_around_what_matched_that_says_how_to_read_the_rest() -> None:
    filler = "The weather was mild and nothing else happened that day. " * 30
    found = result([message(128, f"{filler}We saw a heron at the lake. {filler}")], terms={"heron": 3.0}, total=1)
    line = rendered(found)[1]
    assert "We saw a heron at the lake." in line
    assert re.search(r'… \(\d+ tokens; whole: conversation_search\(id="m128"\)\)$', line)
    assert count(line) < 160


def test_what_does_not_fit_is_left_out_from_the_end_and_said() -> None:
    hits = [message(10 * n, "word " * 20) for n in range(1, 11)]
    lines = rendered(result(hits), budget=200)
    assert ids(lines) == [10, 20, 30, 40]
    assert lines[0] == "4 of 41 messages, best match first."
    assert lines[-1] == "6 more of this page did not fit: ask for page=0 in a call by itself. 31 more: page=1."


def test_a_hit_larger_than_the_budget_is_cut() -> None:
    lines = rendered(result([message(1, "word " * 90)], total=1), budget=80)
    assert lines[1].startswith("[m1 Mon 2023-05-08 13:56] user: word word")
    assert lines[1].endswith(" …")


def test_an_empty_answer_says_what_to_try() -> None:
    assert rendered(result([], total=0)) == [
        "No messages found.",
        "Try other words, fewer filters, or archival_memory_search.",
    ]


def test_a_page_beyond_the_last_says_so() -> None:
    assert rendered(result([], total=12, page=3)) == ["There are no more messages: 12 in all, from page=0."]


def test_notes_stand_before_the_last_line() -> None:
    lines = rendered(result([message(1)], notes=("words only",)))
    assert lines[-2:] == ["note: words only.", "40 more: page=1."]


@given(
    texts=st.lists(st.text(max_size=300), min_size=1, max_size=10),
    budget=st.integers(90, 600),
    total=st.integers(10, 10_000),
)
def test_an_answer_keeps_to_its_budget(texts: list[str], budget: int, total: int) -> None:
    hits = [message(3 * n, text) for n, text in enumerate(texts, 1)]
    text = "\n".join(rendered(result(hits, total=total), budget))
    assert count(text) <= budget
    assert text.startswith(tuple(f"{n} of {total} messages, " for n in range(1, 11)))


@given(sizes=st.lists(st.integers(1, 200), max_size=80), room=st.integers(1, 900), most=st.integers(1, 20))
def test_pages_follow_on_each_other_without_a_gap_and_end(sizes: list[int], room: int, most: int) -> None:
    lines = ["x " * size for size in sizes]
    seen: list[int] = []
    for number in range(len(sizes) + 1):
        page = page_of(lines.__getitem__, len(lines), number, most=most, room=room, count=count)
        seen += range(page.start, page.end)
        assert page.end - page.start <= most
        assert page.tokens <= room or page.end - page.start == 1
    assert seen == list(range(len(sizes)))


@pytest.mark.parametrize("text", ["a\u2028b", "a\x0bb", "a\x85b", "a\r\nb"])
def test_no_text_can_pass_for_a_line_of_its_own(text: str) -> None:
    assert rendered(result([message(1, text)], total=1)) == [
        "1 of 1 messages, best match first.",
        "[m1 Mon 2023-05-08 13:56] user: a / b",
    ]
