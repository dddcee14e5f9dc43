"""A run that was killed goes on where it was: no turn lost, none doubled, the output whole."""

import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.batches import Command, Writer, start, talk, written
from support.brains import Body, Reply, last_user_text, say
from support.strict_server import Fault, StrictServer

from memgpt_cli.batch.journal import FILE, Journal, RunHeader
from memgpt_cli.batch.records import ConversationRecord, TurnKind, TurnRecord

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")
OFFLINE = ("--model", "offline", "--fixed-time", "2024-01-01", "-q")


def conversations(count: int, *, agent: str | None = None) -> list[dict[str, object]]:
    more = {"agent": agent} if agent else {"ask": ["What is my name?"]}
    return [talk(n, f"My name is Ada{n}.", f"I live in town {n}.", "Where do I live?", **more) for n in range(count)]


def kill_until_done(arguments: list[str], seed: int, *, longest_s: float) -> int:
    """Start the same command again and again, killing it at random moments; returns how often it was killed."""
    source, kills = random.Random(seed), 0
    while True:
        process = start("batch", *arguments, start_new_session=True)
        try:
            process.communicate(timeout=source.uniform(0.0, longest_s) if kills < 4 else 120)
        except Exception:  # noqa: BLE001 - it has not ended by itself
            process.kill()
            process.communicate()
            kills += 1
            continue
        assert process.returncode == 0
        return kills


@posix
@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment_the_output_is_the_same_to_the_byte(
    batch: Command, write: Writer, tmp_path: Path, home: Path, seed: int
) -> None:
    path = write(*conversations(12))
    whole = batch(path).out
    out = tmp_path / "out.jsonl"
    workers = ("1", "2")[seed]
    assert kill_until_done([str(path), "-o", str(out), "--workers", workers, *OFFLINE], seed, longest_s=2.5)
    assert out.read_bytes() == whole
    assert list((home / "data" / "batch").iterdir()) == []


@posix
def test_killed_at_any_moment_an_existing_agent_hears_everything_once(
    batch: Command, memgpt: Command, write: Writer, tmp_path: Path
) -> None:
    for name in ("tutor", "twin"):
        memgpt("agent", "create", name)
    whole = batch(write(*conversations(8, agent="twin"))).lines
    path, out = write(*conversations(8, agent="tutor")), tmp_path / "out.jsonl"
    kill_until_done([str(path), "-o", str(out), "--workers", "1", *OFFLINE], 3, longest_s=2.0)
    assert [{**line, "agent": "twin"} for line in written(out)] == whole
    listed = json.loads(memgpt("recall", "list", "-a", "tutor", "--json", "-n", "500").out)
    said = [m["text"] for m in (listed["messages"] if isinstance(listed, dict) else listed) if m["role"] == "user"]
    assert said.count("Where do I live?") == 8
    assert len(said) == 24


def counted(body: Body) -> Reply:
    """Says what it heard, without the time in brackets before it."""
    return say(body, f"Heard: {last_user_text(body).partition('] ')[2]}")


@posix
def test_killed_at_any_moment_a_server_is_asked_at_most_once_more_for_each_running_turn(
    write: Writer, tmp_path: Path
) -> None:
    lines = [talk(n, *(f"conversation {n}, message {k}" for k in range(4)), ask=[f"question {n}"]) for n in range(4)]
    path, out = write(*lines), tmp_path / "out.jsonl"
    with StrictServer(counted, latency_s=0.02) as server:
        arguments = [str(path), "-o", str(out), "--workers", "2", "--model", "gpt-4o", "--base-url", server.base_url]
        kills = kill_until_done([*arguments, "-q"], 5, longest_s=2.5)
    records = written(out)
    assert [[turn["reply"] for turn in record["turns"]] for record in records] == [
        [f"Heard: {text}" for text in (*(m["content"] for m in line["messages"]), *line["ask"])] for line in lines
    ]
    assert 20 <= len(server.exchanges) <= 20 + 2 * kills
    assert not server.refusals


@posix
def test_interrupted_the_running_turns_end_and_the_next_start_goes_on(write: Writer, tmp_path: Path) -> None:
    path, out = write(*(talk(n, "one", "two", "three") for n in range(6))), tmp_path / "out.jsonl"
    with StrictServer(counted, latency_s=0.15) as server:
        arguments = ["batch", str(path), "-o", str(out), "--workers", "2", "--base-url", server.base_url]
        process = start(*arguments, "--model", "gpt-4o", start_new_session=True)
        while len(server.exchanges) < 4:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert b"the same command goes on from here" in err
        asked = len(server.exchanges)
        assert asked < 18
        assert 0 < len(written(out)) < 6
        assert server.disconnects == 0
        process = start(*arguments, "--model", "gpt-4o")
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert len(server.exchanges) == 18
    assert len(written(out)) == 6


@posix
def test_spawned_workers_do_not_outlive_a_killed_parent(write: Writer, tmp_path: Path) -> None:
    path = write(*conversations(40))
    process = start("batch", path, "-o", tmp_path / "out.jsonl", "--workers", "2", *OFFLINE, start_new_session=True)
    children: list[int] = []
    deadline = time.monotonic() + 60
    while len(children) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
        children = children_of(process.pid)
    process.kill()
    process.communicate()
    while any(alive(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children
    assert not any(alive(child) for child in children)


def children_of(parent: int) -> list[int]:
    found = Path(f"/proc/{parent}/task/{parent}/children")
    if not found.exists():
        pytest.skip("no /proc here")
    return [int(word) for word in found.read_text().split()]


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split(")")[-1].split()[0] != "Z"
    except OSError:
        return False


def test_what_failed_can_be_retried_and_the_rest_is_left_alone(memgpt: Command, write: Writer, tmp_path: Path) -> None:
    path, out = write(talk("a", "one", "two", ask=["three"]), talk("b", "four")), tmp_path / "out.jsonl"
    with StrictServer(counted, faults=[None, Fault.error(400, "no")]) as server:
        arguments = ("batch", path, "-o", out, "--model", "gpt-4o", "--base-url", server.base_url, "--workers", "1")
        failed = memgpt(*arguments)
        assert failed.code == 1
        assert [line["ok"] for line in written(out)] == [False, True]
        assert "--retry-failed" in failed.err
        before = len(server.exchanges)
        assert memgpt(*arguments, "--retry-failed").code == 0
        assert len(server.exchanges) == before + 2  # `two`, which had failed, and `three`, which had not been asked
    assert [len(line["turns"]) for line in written(out)] == [3, 1]
    assert all(line["ok"] for line in written(out))


def test_an_expectation_that_was_not_met_is_retried_with_a_fresh_agent(
    batch: Command, write: Writer, tmp_path: Path, memgpt: Command
) -> None:
    path, out = write(talk("a", "My name is Ada.", expect=[{"contains": "Bob"}])), tmp_path / "out.jsonl"
    assert batch(path, "-o", out, "--keep").code == 1
    first = out.read_bytes()
    assert batch(path, "-o", out, "--keep", "--retry-failed").code == 1
    assert out.read_bytes() == first
    listed = json.loads(memgpt("recall", "list", "-a", "a", "--json").out)
    said = [m["text"] for m in (listed["messages"] if isinstance(listed, dict) else listed) if m["role"] == "user"]
    assert said == ["My name is Ada."]


def test_a_run_that_is_over_begins_anew_and_there_is_nothing_to_retry(batch: Command, write: Writer) -> None:
    path = write(talk("a", "My name is Ada."))
    assert batch(path).out == batch(path).out
    refused = batch(path, "--retry-failed")
    assert refused.code == 3
    assert "no run" in refused.err


def test_rate_limits_slow_down_all_workers_and_lose_nothing(memgpt: Command, write: Writer, tmp_path: Path) -> None:
    path, out = write(*(talk(n, "one") for n in range(8))), tmp_path / "out.jsonl"
    with StrictServer(counted, faults=[Fault.rate_limited(0.3)] * 6) as server:
        arguments = ("--model", "gpt-4o", "--base-url", server.base_url, "--workers", "4", "--json")
        done = memgpt("batch", path, "-o", out, *arguments)
    assert done.code == 0
    summary = json.loads(done.out)
    assert summary["rate_limits"] == 6
    assert len(server.exchanges) == 8
    assert max(turn["times"]["our_seconds"] for line in written(out) for turn in line["turns"]) < 5


def test_money_ends_a_run_that_can_be_gone_on_with(memgpt: Command, write: Writer, tmp_path: Path) -> None:
    path, out = write(*(talk(n, "one") for n in range(5))), tmp_path / "out.jsonl"
    with StrictServer(counted) as server:
        arguments = ("batch", path, "-o", out, "--model", "gpt-4o", "--base-url", server.base_url, "--workers", "1")
        unknown = memgpt(*arguments, "--max-usd", "1")
        assert unknown.code == 1
        assert "price" in unknown.err
        assert not server.exchanges
        assert memgpt(*arguments).code == 0


def test_the_same_run_is_not_begun_twice_at_a_time(batch: Command, write: Writer, tmp_path: Path) -> None:
    path, out = write(*conversations(40)), tmp_path / "out.jsonl"
    process = start("batch", path, "-o", out, "--workers", "1", *OFFLINE)
    deadline = time.monotonic() + 60
    while not (out.exists() and out.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
    second = batch(path, "-o", out)
    process.communicate(timeout=120)
    assert second.code == 5
    assert "under way" in second.err


HEADER = RunHeader(token="t", sha256="s", arguments={}, conversations=3, started_at="")  # noqa: S106


def record(index: int) -> ConversationRecord:
    turns = tuple(TurnRecord(turn=n, kind=TurnKind.MESSAGE, content=f"{index}é{n}") for n in range(index + 1))
    return ConversationRecord(index=index, id=index, agent=None, turns=turns)


@settings(max_examples=60, deadline=None)
@given(cut=st.floats(0, 1), garbage=st.sampled_from([b"", b"{", b"\x00\x00\n", b'{"end"\n']))
def test_a_journal_cut_anywhere_holds_a_beginning_of_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, cut: float, garbage: bytes
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    with Journal(folder, durable=False) as journal:
        journal.begin(HEADER)
        for index in range(3):
            for turn in record(index).turns:
                journal.turn_ended(index, turn)
            journal.conversation_ended(record(index))
    data = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(data[: int(cut * len(data))] + garbage)
    with Journal(folder, durable=False) as journal:
        ended = sorted(journal.ended)
        assert ended == list(range(len(ended)))
        assert [journal.record(index) for index in ended] == [record(index) for index in ended]
        unfinished = journal.turns(len(ended))
        assert unfinished == record(len(ended)).turns[: len(unfinished)]
        if journal.header is None:
            journal.begin(HEADER)
        for index in range(len(ended), 3):
            journal.conversation_ended(record(index))
    with Journal(folder, durable=False) as journal:
        assert list(journal.records()) == [record(index) for index in range(3)]


def test_workers_that_die_fail_their_conversation_and_no_other(tmp_path: Path, write: Writer) -> None:
    path, out = write(*conversations(20)), tmp_path / "out.jsonl"
    process = start("batch", path, "-o", out, "--workers", "2", *OFFLINE)
    deadline = time.monotonic() + 60
    killed = threading.Event()
    while not killed.is_set() and time.monotonic() < deadline:
        time.sleep(0.02)
        children = children_of(process.pid)
        if out.exists() and out.stat().st_size and len(children) >= 2:
            os.kill(children[-1], signal.SIGKILL)
            killed.set()
    process.communicate(timeout=120)
    failed = [line for line in written(out) if not line["ok"]]
    assert process.returncode == 1
    assert len(written(out)) == 20
    assert [line["error"]["code"] for line in failed] == ["worker"]
