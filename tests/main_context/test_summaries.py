"""The recursive summary: what it is made of, that it is shown, and that a model's reasoning never stands in it."""

import re
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.agents import run, session
from support.brains import Call, Reply, answers_results, asks_for_summary, chaos, do, echo, say, text_of
from support.strict_server import StrictServer

from memgpt_cli.agent.session import Session
from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.events import Evicted, UserMessage
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.domain.times import parse
from memgpt_cli.errors import MemGPTError

STORY = "The lighthouse keeper counted the ships that passed before the storm. "


def fill_archive(opened: Session) -> None:
    for number in range(80):
        opened.archival.insert(f"{number}: {STORY * 12}", provenance=Provenance(author=Author.USER))


def until_evicted(opened: Session, most: int = 60) -> Evicted:
    for number in range(most):
        for happening in run(opened, f"{number} {STORY * 8}"):
            if isinstance(happening, Evicted):
                return happening
    raise AssertionError("nothing was evicted")


def test_when_only_calls_and_results_leave_their_summary_is_shown(tmp_path: Path) -> None:
    """The first turn of an agent: no spoken message leaves, and the summary holds what the searches found."""
    searches = 0

    def brain(body: dict[str, Any]) -> Reply:
        nonlocal searches
        if asks_for_summary(body):
            return Reply("I found that the keeper is called Otto.")
        if searches == 12:
            return say(body, "enough")
        searches += 1
        return do(body, Call("archival_memory_search", {"query": "keeper", "page": searches}))

    with (
        StrictServer(brain, window=8_192) as server,
        session(tmp_path, base_url=server.base_url, window=8_192) as opened,
    ):
        fill_archive(opened)
        happened = run(opened, "What is the keeper called?")
        assert any(isinstance(h, Evicted) for h in happened)
        epoch = opened.agent.queue_manager.epoch
        assert epoch.hidden == 0
        assert "I found that the keeper is called Otto." in (epoch.head[1].content or "")
        assert "Otto" in text_of(server.requests[-1]["messages"][1])
        order = next(text_of(r["messages"][-1]) for r in server.requests if asks_for_summary(r))
        leaving = re.search(r"These messages leave it now: (.*?)\. Everything else stays\.", order)
        assert leaving is not None
        assert "archival_memory_search(" not in leaving[1].split('"')[3], "the last to leave is a result"
        assert "What is the keeper called?" not in leaving[1], "the question stays"


def test_a_prompt_of_its_own_shows_calls_results_core_memory_and_the_running_question(tmp_path: Path) -> None:
    searches: list[Any] = []

    def brain(body: dict[str, Any]) -> Reply:
        if asks_for_summary(body):
            return Reply("Summary.")
        searches.append(body)
        if len(searches) > 12:
            return say(body, "done")
        return do(body, Call("archival_memory_search", {"query": "keeper", "page": len(searches)}))

    options = {"window": 8_192, "summary_where": "apart"}
    with StrictServer(brain, window=8_192) as server, session(tmp_path, base_url=server.base_url, **options) as opened:
        fill_archive(opened)
        opened.core_memory.append("human", "Likes ships", Provenance(author=Author.USER))
        run(opened, "What is the keeper called?")
        order, material = next((r["messages"][0], r["messages"][1]) for r in server.requests if asks_for_summary(r))
        assert "Likes ships" in text_of(order)
        assert '(called archival_memory_search({"query": "keeper", "page": 1}))' in text_of(material)
        assert "This message is being answered now, and stays: What is the keeper called?" in text_of(material)
        result = re.search(r"\(archival_memory_search answered: (.*)\)", text_of(material))
        assert result is not None
        assert len(result[1]) > 1_000


@pytest.mark.parametrize("where", ["in_place", "apart"])
@pytest.mark.parametrize("reports", [True, False])
def test_a_model_that_spends_its_tokens_on_reasoning_is_given_more_of_them(
    tmp_path: Path, where: str, reports: bool
) -> None:
    """Some servers report the reasoning, others show an empty reply that was cut off."""
    asked: list[int] = []

    def brain(body: dict[str, Any]) -> Reply:
        if not asks_for_summary(body):
            return echo(body)
        asked.append(body["max_tokens"])
        if body["max_tokens"] < 1_000:
            thoughts = "Let me think about what to put in. " * 20
            return Reply(reasoning=thoughts if reports else None, finish_reason="length")
        return Reply("The keeper counts ships.")

    options = {"window": 8_192, "summary_where": where}
    with StrictServer(brain, window=8_192) as server, session(tmp_path, base_url=server.base_url, **options) as opened:
        assert until_evicted(opened).summarised_by == "gpt-4o"
        assert opened.agent.queue_manager.epoch.summary == "The keeper counts ships."
        first = len(asked)
        assert until_evicted(opened).summarised_by == "gpt-4o"
        assert len(asked) == first + 1, "the second time it is asked with enough at once"
        assert not server.refusals


def test_a_model_that_only_reasons_leaves_an_extract_and_never_its_thoughts(tmp_path: Path) -> None:
    def brain(body: dict[str, Any]) -> Reply:
        if not asks_for_summary(body):
            return echo(body)
        return Reply(reasoning="Let me think about what to put in. " * 20, finish_reason="length")

    with (
        StrictServer(brain, window=8_192) as server,
        session(tmp_path, base_url=server.base_url, window=8_192) as opened,
    ):
        assert until_evicted(opened).summarised_by == "extractive"
        summary = opened.agent.queue_manager.epoch.summary
        assert "lighthouse" in summary
        assert "think" not in summary
        assert not server.refusals


def test_a_summary_that_was_cut_off_ends_with_a_whole_sentence(tmp_path: Path) -> None:
    def brain(body: dict[str, Any]) -> Reply:
        if not asks_for_summary(body):
            return echo(body)
        return Reply("The keeper counts ships. He writes to his sister. In the", finish_reason="length")

    with (
        StrictServer(brain, window=8_192) as server,
        session(tmp_path, base_url=server.base_url, window=8_192) as opened,
    ):
        until_evicted(opened)
        assert opened.agent.queue_manager.epoch.summary == "The keeper counts ships. He writes to his sister."


@pytest.mark.parametrize("window", [4_600, 16_384])
def test_the_last_two_turns_stay_word_for_word(tmp_path: Path, window: int) -> None:
    """At every eviction, in every prompt after it."""

    def brain(body: dict[str, Any]) -> Reply:
        return Reply("Summary.") if asks_for_summary(body) else echo(body)

    size = window // 1_600
    with (
        StrictServer(brain, window=window) as server,
        session(tmp_path, base_url=server.base_url, window=window) as opened,
    ):
        evictions, number = 0, 0
        while evictions < 3:
            number += 1
            happened = run(opened, f"Turn {number}. {STORY * size}")
            evictions += sum(isinstance(h, Evicted) for h in happened)
            prompt = " ".join(text_of(m) for m in server.requests[-1]["messages"][1:])
            for past in range(max(1, number - 2), number):
                assert f"Turn {past}. " in prompt
                assert f"You said: Turn {past}. " in re.sub(r"\[\d{4}-\d\d-\d\d [^\]]*\] ", "", prompt)


def test_the_head_says_who_speaks_in_an_imported_history_and_over_which_period(tmp_path: Path) -> None:
    said = [("Ada", "2023-05-08"), ("Ben", "2023-12-12")]
    with session(tmp_path, base_url="http://127.0.0.1:9/v1") as opened, opened.store.transaction():
        opened.store.messages.extend(
            [
                Message(role=Role.USER, name=name, text="Hello.", created_at=parse(day, UTC), external_id=day)
                for name, day in said
            ],
            at=parse("2024-01-01", UTC),
            provenance=Provenance(author=Author.USER),
        )
    with session(tmp_path, base_url="http://127.0.0.1:9/v1", model="gpt-4.1") as opened:
        system = opened.agent.queue_manager.epoch.head[0].content or ""
    assert "2 messages from 2023-05-08 to 2023-12-12, beginning with an imported conversation of Ada, Ben," in system


def test_an_alert_names_what_leaves_unstored_and_none_is_given_where_all_is_stored(tmp_path: Path) -> None:
    def storing(body: dict[str, Any]) -> Reply:
        if asks_for_summary(body) or answers_results(body):
            return Reply("Noted.")
        return do(body, Call("archival_memory_insert", {"content": text_of(body["messages"][-1])}))

    for brain, alerts in ((echo, 1), (storing, 0)):
        with StrictServer(brain, window=8_192) as server:
            with session(tmp_path / str(alerts), base_url=server.base_url, window=8_192) as opened:
                until_evicted(opened)
                events = opened.store.messages.page(RecallFilters(roles=(Role.SYSTEM,)), limit=500)
                given = [m.text for m in events if m.name == "memory_pressure"]
                assert len(given) == alerts
                assert all("0 The lighthouse keeper" in text for text in given)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["say", "say", "say", "search", "edit", "restart", "restart with another model"]),
        st.sampled_from([1, 40, 400, 4_000]),
    ),
    min_size=4,
    max_size=9,
)


@pytest.mark.parametrize("protocol", [Protocol.NATIVE, Protocol.PAPER])
@given(events=EVENTS, where=st.sampled_from(["in_place", "apart"]), seed=st.integers(0, 1000))
@settings(
    max_examples=max(2, settings.default.max_examples // 25),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
def test_every_summary_in_a_head_is_the_one_that_was_paid_for(
    tmp_path_factory: pytest.TempPathFactory, protocol: Protocol, events: Any, where: str, seed: int
) -> None:
    """Each request for a summary gets another text: after it, every prompt begins with that text until the next."""
    home = tmp_path_factory.mktemp("home")
    paid = ""
    lost: list[str] = []
    other = chaos(seed)

    def brain(body: dict[str, Any]) -> Reply:
        nonlocal paid
        if asks_for_summary(body):
            lost.extend([paid] if not any(paid in text_of(m) for m in body["messages"][:2]) else [])
            paid = f"Summary {len(server.requests)}."
            return Reply(paid)
        lost.extend([paid] if paid not in text_of(body["messages"][1]) else [])
        if answers_results(body):
            return say(body, STORY * 20)
        if "search" in text_of(body["messages"][-1]):
            return do(body, *(Call("archival_memory_search", {"query": "keeper", "page": n}) for n in range(3)))
        return other(body)

    with StrictServer(brain, window=8_192) as server:
        model, pending = "gpt-4o", list(events)
        while pending:
            options = {"protocol": protocol, "model": model, "window": 8_192, "summary_where": where}
            with session(home, base_url=server.base_url, **options) as opened:
                if not opened.store.passages.count():
                    fill_archive(opened)
                while pending and not pending[0][0].startswith("restart"):
                    live(opened, *pending.pop(0))
                if pending and pending.pop(0)[0] == "restart with another model":
                    model = "gpt-4.1" if model == "gpt-4o" else "gpt-4o"
    assert not lost


def live(opened: Session, kind: str, size: int) -> None:
    try:
        if kind == "edit":
            opened.core_memory.append("human", (STORY * 9)[:size][:300], Provenance(author=Author.USER))
        else:
            text = f"{'search ' if kind == 'search' else ''}{STORY * (size // len(STORY) + 1)}"
            list(opened.agent.handle(UserMessage(text=text)))
    except MemGPTError as error:
        if error.code not in {"budget", "limit"}:
            raise
