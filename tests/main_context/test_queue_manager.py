"""What leaves the window, when, and what stands in its place; held through the agent and the strict server."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from support.agents import is_extension, reply, run, session, steps
from support.brains import Call, Reply, answers_results, asks_for_summary, do, echo, plan, say
from support.strict_server import Fault, StrictServer

from memgpt_cli.agent.session import Session
from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.domain.events import Evicted, Happening, MemoryPressure, Notice, PagedOut, Resume
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.pictures import Picture
from memgpt_cli.domain.search import ArchivalFilters, RecallFilters
from memgpt_cli.errors import BudgetError, LimitError
from memgpt_cli.storage.store import SQLiteStore

H = TypeVar("H")

NOW = datetime(2024, 3, 1, tzinfo=UTC)
STORY = "The lighthouse keeper counted the ships that passed before the storm. "


def summarising(body: dict[str, Any]) -> Reply:
    """A model that summarises when it is asked to and echoes otherwise."""
    return Reply("I talked with the keeper about ships.") if asks_for_summary(body) else echo(body)


def until(opened: Session, kind: type[H], text: str = STORY * 8, most: int = 60) -> tuple[H, list[Happening]]:
    """Talk until something of this kind happens; returns it and all that happened in that turn."""
    for number in range(most):
        happened = run(opened, f"{number} {text}")
        found = [h for h in happened if isinstance(h, kind)]
        if found:
            return found[0], happened
    raise AssertionError(f"no {kind.__name__} in {most} turns")


def events_of(opened: Session, name: str) -> list[Message]:
    everything = RecallFilters(roles=(Role.SYSTEM,))
    return [m for m in opened.store.messages.page(everything, limit=500) if m.name == name]


def test_the_model_is_warned_once_in_each_epoch_before_anything_leaves(tmp_path: Path) -> None:
    with StrictServer(summarising, window=8_192) as server:
        with session(tmp_path, base_url=server.base_url, window=8_192) as opened:
            warned, _ = until(opened, MemoryPressure)
            assert 0.7 < warned.used / warned.limit < 1
            assert opened.agent.queue_manager.epoch.hidden == 0
            until(opened, Evicted)
            assert len(events_of(opened, "memory_pressure")) == 1
            until(opened, Evicted)
            assert len(events_of(opened, "memory_pressure")) == 2


def test_an_eviction_goes_down_to_the_target_and_a_summary_says_what_it_hides(tmp_path: Path) -> None:
    with StrictServer(summarising, window=8_192) as server:
        with session(tmp_path, base_url=server.base_url, window=8_192) as opened:
            evicted, _ = until(opened, Evicted)
            window = opened.agent.queue_manager.window
            head = window.head_tokens(opened.agent.queue_manager.epoch.head)
            assert evicted.tokens_after - head <= (window.room - head) * 0.5
            assert evicted.summarised_by == "gpt-4o"
            head = opened.agent.queue_manager.epoch.head
            assert "I talked with the keeper about ships." in head[1].content
            assert f"{opened.agent.queue_manager.epoch.hidden} earlier messages" in head[1].content
            assert "conversation_search" in head[1].content
        assert not server.refusals


def test_the_summary_is_asked_for_at_the_end_of_the_prompt_just_seen(tmp_path: Path) -> None:
    with StrictServer(summarising, window=8_192, cache_step=1, cache_from=0) as server:
        with session(tmp_path, base_url=server.base_url, window=8_192) as opened:
            until(opened, Evicted)
    asked = next(e for e in server.exchanges if asks_for_summary(e.body))
    assert asked.body["tool_choice"] == "none"
    assert asked.repeated_tokens / asked.prompt_tokens > 0.9


def test_another_summary_model_gets_a_prompt_of_its_own_in_parts_that_fit(tmp_path: Path) -> None:
    with StrictServer(summarising, window=4_600) as server:
        options = {"base_url": server.base_url, "window": 4_600, "summary_model": "gpt-4o-mini"}
        with session(tmp_path, **options) as opened:
            evicted, _ = until(opened, Evicted)
            assert evicted.summarised_by == "gpt-4o-mini"
        summaries = [r for r in server.requests if r["model"] == "gpt-4o-mini"]
        assert summaries
        assert all("tools" not in r for r in summaries)
        assert not server.refusals


def test_when_the_summarising_model_fails_an_extract_stands_in_and_it_is_said(tmp_path: Path) -> None:
    def brain(body: dict[str, Any]) -> Reply:
        return Reply("") if asks_for_summary(body) else echo(body)

    with StrictServer(brain, window=8_192) as server:
        with session(tmp_path, base_url=server.base_url, window=8_192) as opened:
            evicted, happened = until(opened, Evicted)
            assert evicted.summarised_by == "extractive"
            assert any(isinstance(h, Notice) and "summarising model failed" in h.text for h in happened)
            assert "lighthouse" in opened.agent.queue_manager.epoch.summary


def test_calls_never_part_from_their_results_and_whole_turns_leave(tmp_path: Path) -> None:
    def brain(body: dict[str, Any]) -> Reply:
        if asks_for_summary(body):
            return Reply("Summary.")
        if answers_results(body):
            return say(body, "found it")
        return do(body, Call("conversation_search", {"query": "ships"}), Call("archival_memory_search", {"query": "x"}))

    with StrictServer(brain, window=8_192) as server:
        with session(tmp_path, base_url=server.base_url, window=8_192) as opened:
            until(opened, Evicted)
            queue = opened.agent.queue_manager.queue
            turns = {m.turn for m in queue}
            for turn in turns - {max(turns)}:
                assert {m.id for m in opened.store.messages.of_turn(turn)} <= {m.id for m in queue}
        assert not server.refusals


@pytest.mark.parametrize("protocol", [Protocol.NATIVE, Protocol.PAPER])
def test_a_turn_that_fills_the_window_by_its_own_steps_goes_on_without_the_oldest(
    tmp_path: Path, protocol: Protocol
) -> None:
    wanted = 14

    def brain(body: dict[str, Any]) -> Reply:
        if asks_for_summary(body):
            return Reply("I searched a lot.")
        if brain.steps == wanted:
            return say(body, "enough")
        brain.steps += 1
        return do(body, Call("archival_memory_search", {"query": "keeper", "page": brain.steps}))

    brain.steps = 0
    with StrictServer(brain, window=8_192) as server:
        with session(tmp_path, base_url=server.base_url, window=8_192, protocol=protocol) as opened:
            fill_archive(opened)
            happened = run(opened, "Read everything about the keeper")
            assert reply(happened) == "enough"
            assert any(isinstance(h, Evicted) for h in happened)
            for body in server.requests:
                said = " ".join(m["content"] or "" for m in body["messages"])
                assert asks_for_summary(body) or "Read everything" in said
        assert not server.refusals


def fill_archive(opened: Session) -> None:
    from memgpt_cli.domain.blocks import Author, Provenance

    for number in range(80):
        opened.archival.insert(f"{number}: {STORY * 12}", provenance=Provenance(author=Author.USER))


def test_a_message_larger_than_the_window_is_kept_whole_and_shown_as_a_stub_that_says_how_to_read_it(
    tmp_path: Path,
) -> None:
    text = "".join(f"Entry {n}: the keeper saw {n * 7} ships.\n" for n in range(4_000))
    with StrictServer(echo, window=8_192) as server:
        with session(tmp_path, base_url=server.base_url, window=8_192) as opened:
            happened = run(opened, text)
            paged = next(h for h in happened if isinstance(h, PagedOut))
            stored = opened.store.messages.get([paged.message_id])[0]
            assert stored.text == text
            shown = server.requests[-1]["messages"][-1]["content"]
            assert f'tags ["m{paged.message_id}"]' in shown
            found = opened.archival.search("Entry 3999", ArchivalFilters(tags=(f"m{paged.message_id}",)))
            assert any("27993 ships" in hit.item.text for hit in found.hits)
            assert paged.passages == opened.store.passages.count()
        assert not server.refusals


@pytest.mark.parametrize("entries", [10, 500, 4_000])
def test_a_picture_is_described_however_long_the_message_it_is_shown_with(tmp_path: Path, entries: int) -> None:
    text = "".join(f"Entry {n}: the keeper saw {n * 7} ships.\n" for n in range(entries))
    picture = Picture(name="roses.png", kind="image/png", content=b"\x89PNG\r\n\x1a\n")
    options = {"window": 8_192, "model_images": "true"}
    with StrictServer(plan(["Three red roses.", "Lovely.", "Red."]), window=8_192) as server:
        with session(tmp_path, base_url=server.base_url, **options) as opened:
            happened = run(opened, text, picture=picture)
            assert any(isinstance(h, PagedOut) for h in happened) == (entries > 10)
            assert reply(happened) == "Lovely."
            assert "Three red roses." in server.requests[1]["messages"][-1]["content"]
            assert reply(run(opened, "Which colour?")) == "Red."
            assert is_extension(server.requests[1], server.requests[2])
            assert opened.store.messages.get([1])[0].text == text
        assert not server.refusals


def test_the_same_long_text_pasted_twice_is_stored_once_and_found_from_both_stubs(tmp_path: Path) -> None:
    text = "".join(f"Entry {n}: the keeper saw {n * 7} ships.\n" for n in range(2_000))
    with StrictServer(echo, window=8_192) as server:
        with session(tmp_path, base_url=server.base_url, window=8_192) as opened:
            paged = [h for _ in range(2) for h in run(opened, text) if isinstance(h, PagedOut)]
            assert paged[0].passages == paged[1].passages == opened.store.passages.count()
            tags = [ArchivalFilters(tags=(f"m{p.message_id}",)) for p in paged]
            assert [opened.store.passages.count(tag) for tag in tags] == [paged[0].passages] * 2


def test_a_server_that_counts_more_than_we_do_is_met_once_and_remembered(tmp_path: Path) -> None:
    with StrictServer(summarising, window=8_192, count_factor=1.25) as server:
        with session(tmp_path, base_url=server.base_url, window=8_192) as opened:
            until(opened, Evicted, most=80)
            assert opened.agent.queue_manager.window.ratio > 1.02
        with session(tmp_path, base_url=server.base_url, window=8_192) as opened:
            assert opened.agent.queue_manager.window.ratio > 1.02
            until(opened, Evicted, most=80)
        assert len(server.refusals) <= 1


def test_a_server_with_a_smaller_window_than_configured_is_learnt_from_its_refusal(tmp_path: Path) -> None:
    with StrictServer(summarising, window=8_192) as server:
        with session(tmp_path, base_url=server.base_url, window=32_768) as opened:
            for number in range(80):
                run(opened, f"{number} {STORY * 20}")
            assert opened.agent.queue_manager.window.settings.window == 8_192
        assert len(server.refusals) == 1


def test_a_context_length_error_that_repeats_is_an_error_and_the_turn_stays(tmp_path: Path) -> None:
    refusal = Fault.error(400, "This model's maximum context length is 8192 tokens", "context_length_exceeded")
    with StrictServer(echo, faults=[refusal] * 2) as server:
        with session(tmp_path, base_url=server.base_url, window=8_192) as opened:
            from memgpt_cli.errors import ContextLengthError

            with pytest.raises(ContextLengthError):
                run(opened, "hello")
            assert len(opened.store.turns.open_turns()) == 1
            assert "again" in reply(run(opened, "again"))
            assert any("hello" in m["content"] for m in server.requests[-1]["messages"][1:])


def test_a_window_too_small_is_an_error_with_the_numbers_and_the_stated_minimum_works(tmp_path: Path) -> None:
    with StrictServer(echo) as server:
        with (
            pytest.raises(LimitError, match="too small for this agent") as error,
            session(tmp_path, base_url=server.base_url, window=1_500),
        ):
            pass
        smallest = int(error.value.hint.split()[1])
        assert smallest <= 2_000
        with session(tmp_path, base_url=server.base_url, window=smallest) as opened:
            assert "hi" in reply(run(opened, "hi"))
        with pytest.raises(LimitError), session(tmp_path, base_url=server.base_url, window=smallest - 1):
            pass


@pytest.mark.parametrize("protocol", [Protocol.NATIVE, Protocol.PAPER])
def test_instructions_schemas_and_empty_memory_take_less_than_2000_tokens(tmp_path: Path, protocol: Protocol) -> None:
    with session(tmp_path, base_url="http://127.0.0.1:9/v1", protocol=protocol) as opened:
        assert opened.agent.queue_manager.usage().total < 2_000


def test_a_change_of_model_or_protocol_begins_a_new_epoch_and_a_restart_does_not(tmp_path: Path) -> None:
    with StrictServer(echo) as server:
        epochs = []
        for model in ("gpt-4o", "gpt-4o", "gpt-4.1"):
            with session(tmp_path, base_url=server.base_url, model=model) as opened:
                run(opened, "hi")
                epochs.append(opened.agent.queue_manager.epoch.id)
        assert epochs == [1, 1, 2]


def test_what_the_queue_still_says_of_a_block_that_was_changed_meanwhile_is_set_right(tmp_path: Path) -> None:
    person = Provenance(author=Author.USER, command="memory set")
    noting = plan([Reply(calls=(Call("core_memory_append", {"label": "human", "content": "Ada"}),))])
    with StrictServer(noting) as server:
        with session(tmp_path, base_url=server.base_url) as opened:
            run(opened, "I am Ada")
            with opened.store.transaction():
                opened.store.blocks.put(Block(label="human", value="Bob"), at=NOW, provenance=person)
        with session(tmp_path, base_url=server.base_url, model="gpt-4.1") as opened:  # begins a new epoch
            assert "Bob" in opened.agent.queue_manager.epoch.head[0].content
            run(opened, "Who am I?")
            run(opened, "And now?")
            assert [m.text.split("\n")[1] for m in events_of(opened, "core_memory_edited")] == ["Bob"]
        with session(tmp_path, base_url=server.base_url) as opened:  # and another, with nothing to set right
            run(opened, "Once more")
            assert len(events_of(opened, "core_memory_edited")) == 1


def test_calls_of_the_summariser_are_priced_and_counted_like_any_other(tmp_path: Path) -> None:
    prices = '[models."gpt-4o"]\ninput = 2.0\ncached = 2.0\noutput = 0.0\n'
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(prices)
    with StrictServer(summarising, window=8_192) as server:
        with session(tmp_path, base_url=server.base_url, window=8_192) as opened:
            until(opened, Evicted)
            totals = opened.store.ledger.totals()
    assert totals.calls == len(server.requests)
    assert totals.prompt_tokens == sum(e.prompt_tokens for e in server.exchanges)
    assert totals.cost_usd == pytest.approx(totals.prompt_tokens * 2.0 / 1e6)


def test_a_token_budget_stops_before_the_call_and_the_message_stays(tmp_path: Path) -> None:
    with StrictServer(echo) as server:
        with session(tmp_path, base_url=server.base_url, budget_max_tokens_per_turn="2000") as opened:
            with pytest.raises(BudgetError, match="max_tokens_per_turn"):
                run(opened, "hello")
        assert server.requests == []
        with session(tmp_path, base_url=server.base_url) as opened:
            assert "hello" in reply(list(opened.agent.handle(Resume())))


def test_a_budget_holds_before_the_second_try_of_a_refused_prompt_too(tmp_path: Path) -> None:
    refusal = Fault.error(400, "Your prompt is too long.", "context_length_exceeded")  # by a quarter, it is assumed
    with StrictServer(echo, faults=[refusal]) as server:
        options = {"base_url": server.base_url, "window_reserve": "1000"}
        with session(tmp_path, **options) as opened:
            total = opened.agent.queue_manager.usage().total
        most = str(1_000 + total * 11 // 10)
        with session(tmp_path, **options, budget_max_tokens_per_turn=most) as opened:
            with pytest.raises(BudgetError, match="max_tokens_per_turn"):
                run(opened, "hello")
        assert (server.requests, list(server.faults)) == ([], []), "refused once, and not asked again"


def test_a_money_budget_with_an_unknown_price_is_an_error_never_a_zero(tmp_path: Path) -> None:
    with StrictServer(echo) as server:
        with session(tmp_path, base_url=server.base_url, model="mystery", budget_max_usd_per_day="1") as opened:
            with pytest.raises(BudgetError, match="price of mystery is not known"):
                run(opened, "hello")
        assert server.requests == []


def test_a_money_budget_counts_what_was_spent_and_stops_before_it_is_passed(tmp_path: Path) -> None:
    prices = '[models."gpt-4o"]\ninput = 2.5\ncached = 1.25\noutput = 10.0\n'
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(prices)
    with StrictServer(echo) as server:
        options = {"base_url": server.base_url, "budget_max_usd_per_day": "0.06", "window_reserve": "1000"}
        with session(tmp_path, **options) as opened:
            first = steps(run(opened, "hello"))[0].record
            assert first.cost_usd == pytest.approx(
                (first.usage.prompt_tokens * 2.5 + first.usage.completion_tokens * 10) / 1e6
            )
            with pytest.raises(BudgetError, match="spent today"):
                until(opened, Evicted, text="hello")
            spent = opened.store.ledger.totals().cost_usd
            assert 0.03 < spent <= 0.06


def test_a_summary_that_could_pass_the_budget_is_not_asked_for_and_nothing_leaves(tmp_path: Path) -> None:
    with StrictServer(summarising, window=8_192) as server:
        with session(tmp_path, base_url=server.base_url, window=8_192) as opened:
            until(opened, MemoryPressure)
            while opened.agent.queue_manager.usage().total < opened.agent.queue_manager.window.room - 400:
                run(opened, "Go on.")
        made = len(server.requests)
        with session(tmp_path, base_url=server.base_url, window=8_192, budget_max_tokens_per_turn="6000") as opened:
            queued = len(opened.agent.queue_manager.queue)
            with pytest.raises(BudgetError, match="max_tokens_per_turn"):
                run(opened, STORY * 50)
            assert len(opened.agent.queue_manager.queue) >= queued
        assert len(server.requests) == made
        with session(tmp_path, base_url=server.base_url, window=8_192) as opened:
            assert any(isinstance(h, Evicted) for h in opened.agent.handle(Resume()))


def test_a_server_that_counts_more_locks_no_agent_out_of_the_smallest_window(tmp_path: Path) -> None:
    with session(tmp_path, base_url="http://127.0.0.1:9/v1", window=8_192) as opened:
        smallest = opened.agent.queue_manager.window.smallest(opened.store.blocks.all())
    with StrictServer(summarising, window=smallest, count_factor=1.2) as server:
        for number in range(3):
            with session(tmp_path, base_url=server.base_url, window=smallest) as opened:
                assert f"hello {number}" in reply(run(opened, f"hello {number}"))
        assert opened.agent.queue_manager.window.ratio > 1.02
    assert len([r for r in server.refusals if "maximum context length" in r.message]) <= 1


def test_the_hint_of_a_token_budget_is_enough(tmp_path: Path) -> None:
    with StrictServer(echo) as server:
        with session(tmp_path, base_url=server.base_url, budget_max_tokens_per_turn="100") as opened:
            with pytest.raises(BudgetError) as caught:
                run(opened, "hello")
        enough = caught.value.hint.split()[-1]
        with session(tmp_path, base_url=server.base_url, budget_max_tokens_per_turn=enough) as opened:
            assert "hello" in reply(list(opened.agent.handle(Resume())))


@pytest.mark.parametrize("protocol", list(Protocol))
def test_4096_tokens_are_enough_for_a_model_whose_tokenizer_is_unknown(tmp_path: Path, protocol: Protocol) -> None:
    with (
        StrictServer(summarising, window=4_096) as server,
        session(tmp_path, base_url=server.base_url, model="qwen3:8b", window=4_096, protocol=protocol) as opened,
    ):
        for number in range(12):
            run(opened, f"Message {number}. " + "The hills are far and the river is wide. " * 20)
        assert not server.refusals
        assert opened.agent.queue_manager.epoch.hidden


def test_in_a_small_window_a_block_cannot_outgrow_its_share(tmp_path: Path) -> None:
    with (
        StrictServer(echo) as server,
        session(tmp_path, base_url=server.base_url, window=3_000) as opened,
    ):
        window, core = opened.agent.queue_manager.window, opened.core_memory
        by_agent = Provenance(author=Author.AGENT)
        text = " ".join(f"{number:03d}" for number in range(490))
        core.write(replace(core.block("human"), limit=9_000), text[:1_200], by_agent)
        with pytest.raises(LimitError, match=f"this window of 3000 has {window.core_room} for them"):
            core.write(core.block("human"), text + text, by_agent)
        window.check(opened.store.blocks.all())


def test_the_queue_is_read_again_only_if_somebody_else_wrote(tmp_path: Path) -> None:
    with StrictServer(echo) as server, session(tmp_path, base_url=server.base_url) as opened:
        run(opened, "one")
        read: list[str] = []
        opened.store.connection.set_trace_callback(
            lambda sql: read.append(sql) if "evicted_by IS NULL ORDER" in sql else None
        )
        run(opened, "two")
        assert not read
        with closing(SQLiteStore(opened.store.path)) as other, other.transaction():
            other.messages.append(Message(role=Role.USER, text="from elsewhere", created_at=datetime.now(UTC)))
        run(opened, "three")
        assert len(read) == 1
        assert "from elsewhere" in str(server.requests[-1])
        with opened.store.transaction():
            opened.store.messages.evict([opened.agent.queue_manager.queue[0].id], epoch=0)
        run(opened, "four")
        assert len(read) == 2
        assert '] one"' not in str(server.requests[-1])
        manager = opened.agent.queue_manager
        summed = sum(manager.window.counted_message(m) for m in manager.queue)
        assert manager.counted() == manager.window.counted(manager.epoch, summed)
