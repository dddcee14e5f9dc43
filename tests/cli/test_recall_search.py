"""Recall storage searched at the command line: filters, pages, totals, reasons."""

import json
from pathlib import Path

import pytest
from support.command_line import CommandLine

TALK = (
    ("user", "Ana", "2024-02-29T23:30:00", "We flew to Lisbon in the evening"),
    ("user", "Ben", "2024-03-01T00:30:00", "Lisbon by night is lovely"),
    ("assistant", None, "2024-03-01T09:00:00", "The castle of Lisbon opens at nine"),
    ("user", "Ana", "2024-03-02T23:59:30", "Our last evening in Lisbon"),
    ("user", "Ana", "2024-03-03T00:00:00", "Flying home from Lisbon"),
)


@pytest.fixture(autouse=True)
def _told(memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMGPT_DISPLAY_TIMEZONE", "America/New_York")
    path = tmp_path / "talk.jsonl"
    keys = ("role", "name", "created_at", "content")
    path.write_text("".join(json.dumps(dict(zip(keys, said, strict=True))) + "\n" for said in TALK), encoding="utf-8")
    memgpt("recall", "import", str(path))


def ids(memgpt: CommandLine, *arguments: str) -> list[str]:
    return [hit["id"] for hit in memgpt.json("recall-search", "recall", "search", *arguments)["hits"]]


@pytest.mark.parametrize("query", ["", "Lisbon"], ids=["filters alone", "ranked"])
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (("--since", "2024-03-01", "--until", "2024-03-02"), {"m2", "m3", "m4"}),
        (("--until", "2024-02"), {"m1"}),
        (("--since", "2024-03-03"), {"m5"}),
        (("--since", "2024-03-01T00:30", "--until", "2024-03-01T09:00"), {"m2", "m3"}),
        (("--role", "assistant"), {"m3"}),
        (("--role", "assistant", "--role", "user"), {"m1", "m2", "m3", "m4", "m5"}),
        (("--name", "ana"), {"m1", "m4", "m5"}),
        (("--name", "ANA", "--since", "2024-03"), {"m4", "m5"}),
        (("--name", "nobody"), set()),
    ],
)
def test_a_filter_means_both_of_its_days_in_the_persons_zone(
    memgpt: CommandLine, query: str, filters: tuple[str, ...], expected: set[str]
) -> None:
    assert set(ids(memgpt, query, *filters)) == expected


def test_pages_part_one_order_and_totals_say_what_they_count(memgpt: CommandLine) -> None:
    for query, total_is in (("", "matches"), ("evening in Lisbon", "candidates")):
        whole = ids(memgpt, query)
        parts = [ids(memgpt, query, "--limit", "2", "--page", str(page)) for page in range(4)]
        assert [len(part) for part in parts] == [2, 2, 1, 0]
        assert [item for part in parts for item in part] == whole
        found = memgpt("recall", "search", query, "--limit", "2", "--json").json
        assert (found["total"], found["total_is"]) == (5, total_is)
    assert ids(memgpt, "") == ["m5", "m4", "m3", "m2", "m1"]
    assert (
        "3 more messages: memgpt recall search '' --limit 2 --page 1"
        in memgpt("recall", "search", "", "--limit", "2").err
    )
    assert (
        "3 more candidates: memgpt recall search Lisbon --limit 2 --page 1"
        in memgpt("recall", "search", "Lisbon", "--limit", "2").err
    )


def test_each_hit_can_say_what_made_it_one(memgpt: CommandLine) -> None:
    hits = memgpt.json("recall-search", "recall", "search", "When did Ana fly to Lisbon?")["hits"]
    [flew] = [hit["why"] for hit in hits if hit["id"] == "m1"]
    assert flew["words"] == ["fly", "lisbon"]
    assert flew["signals"]["speaker"] > 0
    for hit in hits:
        assert abs(sum(hit["why"]["signals"].values()) - hit["score"]) < 0.001
    assert abs(sum(hit["why"]["attention"] for hit in hits) - 1) < 0.001
    told = memgpt("recall", "search", "When did Ana fly to Lisbon?", "--explain", "--limit", "1").out
    assert "why: words " in told
    assert "attention 100%" in told


@pytest.mark.parametrize(
    "query", ["AND", '"', "a-b NEAR(c)", "*", "lisbon OR NOT", "'; --", "\x00", "((((", "🦄" * 500]
)
def test_no_query_is_an_error(memgpt: CommandLine, query: str) -> None:
    memgpt("recall", "search", "--", query)


def test_what_is_no_date_is_refused_with_an_example(memgpt: CommandLine) -> None:
    assert "hint: --since 2024-03-31" in memgpt("recall", "search", "x", "--since", "yesterday", code=2).err
    assert "is before" in memgpt("recall", "search", "x", "--since", "2024-02", "--until", "2024-01", code=2).err


LONG = "The weather was fine that day. " * 60 + "We paid 240 euros for the canoe. " + "It rained in the evening. " * 60


def test_of_a_long_message_the_part_that_matched_is_shown(memgpt: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_text(json.dumps({"role": "assistant", "content": LONG}) + "\n", encoding="utf-8")
    memgpt("recall", "import", str(path))
    told = memgpt("recall", "search", "price of the canoe", "--limit", "1").out
    assert "240 euros" in told
    assert "whole: memgpt recall show m6)" in told
    assert len(told) < len(LONG) / 4
    assert LONG.strip() in memgpt("recall", "show", "m6").out.replace("\n", " ")
    hit = memgpt.json("recall-search", "recall", "search", "price of the canoe", "--limit", "1")["hits"][0]
    assert hit["text"].strip() == LONG.strip()
    assert hit["excerpt"].startswith("… ")
    assert "240 euros" in hit["excerpt"]
    assert "whole: memgpt recall show m6 --agent" in memgpt("search", "canoe", "--all-agents").out


def test_of_a_long_passage_the_part_that_matched_is_shown(memgpt: CommandLine) -> None:
    memgpt("archival", "add", LONG)
    told = memgpt("archival", "search", "price of the canoe").out
    assert "240 euros" in told
    assert "whole: memgpt archival show p1)" in told
    hit = memgpt.json("archival-search", "archival", "search", "price of the canoe")["hits"][0]
    assert (hit["text"], len(hit["excerpt"]) < len(LONG) / 2) == (LONG.strip(), True)
