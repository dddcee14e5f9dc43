"""Questions about documents far larger than the window: answered by turning the pages of archival_memory_search."""

import random
import re
from pathlib import Path
from typing import Any

import pytest
from support.agents import reply, run, session, workspace
from support.brains import Body, Brain, Call, Reply, asks_for_summary, do, say, summarise
from support.loading import load_paths
from support.strict_server import StrictServer

from memgpt_cli.domain.agents import Protocol

LIGHTHOUSES = 100


def almanac(path: Path) -> dict[str, str]:
    """A book of lighthouses, each under its own heading, most of it padding; the colour of each lamp by name."""
    source = random.Random(5)
    words = ["harbour", "rock", "tide", "keeper", "granite", "storm", "beacon", "channel", "ferry", "gull", "anchor"]
    colours = {f"Skerry {number:03d}": source.choice(("red", "green", "white")) for number in range(LIGHTHOUSES)}
    sections = [
        f"## {name}\n\n{' '.join(source.choices(words, k=150)).capitalize()}. The lamp of {name} burns {colour}.\n"
        for name, colour in colours.items()
    ]
    path.write_text("# The almanac of lamps\n\n" + "\n".join(sections))
    return colours


def load(home: Path, document: Path, **options: Any) -> int:
    place = workspace(home, **options)
    return load_paths(place, str(document)).passages[0]


def page_turner(query: str, found: set[str], wanted: str) -> Brain:
    """Searches, notes what a page says, and turns to the next as long as there is one; then tells how many it found."""
    page = 0

    def brain(body: Body) -> Reply:
        nonlocal page
        if asks_for_summary(body):
            return summarise(body)
        shown = next((m["content"] for m in reversed(body["messages"]) if m["role"] == "tool"), "")
        found.update(re.findall(wanted, shown))
        if shown and f"more: page={page + 1}." not in shown:
            return say(body, f"I found {len(found)} in {page + 1} pages.")
        page += 1 if shown else 0
        return do(body, Call("archival_memory_search", {"query": query, "page": page}))

    return brain


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize("window", [4096, 8192])
def test_a_model_that_turns_the_pages_sees_every_passage_it_asked_for(
    tmp_path: Path, protocol: Protocol, window: int
) -> None:
    colours = almanac(tmp_path / "almanac.md")
    found: set[str] = set()
    brain = page_turner("lamp burns red", found, r"The lamp of (Skerry \d+) burns red")
    settings: dict[str, Any] = {"window": window, "protocol": protocol, "loop_max_steps": "400"}
    settings["search_candidates"] = str(LIGHTHOUSES)
    with StrictServer(brain, window=window) as server:
        passages = load(tmp_path, tmp_path / "almanac.md", base_url=server.base_url, **settings)
        with session(tmp_path, base_url=server.base_url, **settings) as agent:
            told = reply(run(agent, "Which lamps burn red?"))
        assert not server.refusals
    red = {name for name, colour in colours.items() if colour == "red"}
    assert passages >= LIGHTHOUSES
    assert found == red
    assert f"I found {len(red)}" in told


def test_a_page_says_where_each_passage_is_from(tmp_path: Path) -> None:
    almanac(tmp_path / "almanac.md")
    question, shown = "What colour is the lamp of Skerry 057?", list[str]()

    def brain(body: Body) -> Reply:
        last = body["messages"][-1]
        if last["role"] != "tool":
            return do(body, Call("archival_memory_search", {"query": question}))
        shown.append(last["content"])
        return say(body, "as it says")

    with StrictServer(brain) as server:
        load(tmp_path, tmp_path / "almanac.md", base_url=server.base_url)
        with session(tmp_path, base_url=server.base_url) as agent:
            run(agent, question)
    first = shown[0].splitlines()[1]
    assert "almanac.md > The almanac of lamps > Skerry 057, lines" in first
    assert "The lamp of Skerry 057 burns" in first


def test_the_model_is_told_once_what_was_loaded_beside_the_conversation(tmp_path: Path) -> None:
    (tmp_path / "a <memgpt_event> b.md").write_text("The vault opens at nine.")
    with StrictServer(lambda body: say(body, "fine")) as server:
        with session(tmp_path, base_url=server.base_url) as agent:
            run(agent, "Hello")
        load(tmp_path, tmp_path / "a <memgpt_event> b.md", base_url=server.base_url)
        load(tmp_path, tmp_path / "a <memgpt_event> b.md", base_url=server.base_url)
        with session(tmp_path, base_url=server.base_url) as agent:
            run(agent, "What is in it?")
        contents = [m["content"] for m in server.requests[-1]["messages"]]
        told = [text for text in contents if "Now in archival storage" in text]
        assert len(told) == 1
        assert told[0].startswith('<memgpt_event type="documents_loaded"')
        assert "a &lt;memgpt_event> b.md" in told[0]
        assert server.requests[-1]["messages"][: len(server.requests[0]["messages"])] == server.requests[0]["messages"]
        assert not server.refusals


def test_the_offline_responder_answers_from_a_document_larger_than_its_window_and_names_the_place(
    tmp_path: Path,
) -> None:
    colours = almanac(tmp_path / "almanac.md")
    settings: dict[str, Any] = {"model": "offline", "window": 8192}
    load(tmp_path, tmp_path / "almanac.md", **settings)
    with session(tmp_path, **settings) as agent:
        for name in ("Skerry 007", "Skerry 093"):
            told = reply(run(agent, f"What colour does the lamp of {name} burn?"))
            assert f"burns {colours[name]}" in told
            assert f"almanac.md > The almanac of lamps > {name}" in told
