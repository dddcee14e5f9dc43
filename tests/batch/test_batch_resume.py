"""A run that was killed goes on where it was: no turn lost, none doubled, the output whole."""

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from hypothesis import given, settings
from hypothesis import strategies as st
from support.batches import Command, Writer, start, start_mortal, talk, written
from support.brains import Body, Reply, last_user_text, say
from support.strict_server import Fault, StrictServer

from memgpt_cli.batch.journal import FILE, RunHeader, RunJournal
from memgpt_cli.batch.records import ConversationRecord, TurnKind, TurnRecord

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")
OFFLINE = ("--model", "offline", "--fixed-time", "2024-01-01", "-q")


def many(*values: int) -> ParameterSet:
    """The same with more kills, on demand."""
    return pytest.param(*values, marks=pytest.mark.long)


def conversations(count: int, *, agent: str | None = None) -> list[dict[str, object]]:
    more = {"agent": agent} if agent else {"ask": ["What is my name?"]}
    return [talk(n, f"My name is Ada{n}.", f"I live in town {n}.", "Where do I live?", **more) for n in range(count)]


def moments_of(arguments: list[str], counter: Path) -> int:
    """How many moments an undisturbed run has."""
    process = start_mortal("0", counter, *arguments)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return int(counter.read_text())


def killed_at(moment: int | str, arguments: list[str], counter: Path) -> None:
    """Start the command; it must die at this moment."""
    process = start_mortal(str(moment), counter, *arguments, start_new_session=True)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL


def finished(arguments: list[str]) -> None:
    """Start the command; it must come to its end."""
    process = start("batch", *arguments)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err


@posix
@pytest.mark.parametrize(("workers", "kills"), [(1, 2), (2, 1), many(1, 6), many(2, 6)])
def test_killed_at_any_moment_the_output_is_the_same_to_the_byte(
    batch: Command, write: Writer, tmp_path: Path, home: Path, workers: int, kills: int
) -> None:
    """Each start dies in the middle of something else; with two workers the moments are those of their parent."""
    path, out, counter = write(*conversations(12)), tmp_path / "out.jsonl", tmp_path / "moments"
    whole = batch(path).out
    arguments = [str(path), "-o", str(out), "--workers", str(workers), *OFFLINE]
    moments = moments_of(arguments, counter)
    source = random.Random(workers)
    for _ in range(kills):
        killed_at(source.randint(moments // 8, moments // 5), arguments, counter)
    killed_at("end", arguments, counter)
    finished(arguments)
    assert out.read_bytes() == whole
    assert list((home / "data" / "batch").iterdir()) == []
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@posix
@pytest.mark.parametrize("kills", [2, many(6)])
def test_killed_at_any_moment_an_existing_agent_hears_everything_once(
    batch: Command, memgpt: Command, write: Writer, tmp_path: Path, kills: int
) -> None:
    for name in ("tutor", "twin", "third"):
        memgpt("agent", "create", name)
    counter = tmp_path / "moments"
    whole = batch(write(*conversations(8, agent="twin"))).lines
    moments = moments_of([str(write(*conversations(8, agent="third"))), "--workers", "1", *OFFLINE], counter)
    path, out = write(*conversations(8, agent="tutor")), tmp_path / "out.jsonl"
    arguments = [str(path), "-o", str(out), "--workers", "1", *OFFLINE]
    source = random.Random(3)
    for _ in range(kills):
        killed_at(source.randint(moments // 8, moments // 5), arguments, counter)
    finished(arguments)
    assert [{**line, "agent": "twin"} for line in written(out)] == whole
    listed = json.loads(memgpt("recall", "list", "-a", "tutor", "--json", "-n", "500").out)
    said = [m["text"] for m in (listed["messages"] if isinstance(listed, dict) else listed) if m["role"] == "user"]
    assert said.count("Where do I live?") == 8
    assert len(said) == 24


def counted(body: Body) -> Reply:
    """Says what it heard, without the time in brackets before it."""
    return say(body, f"Heard: {last_user_text(body).partition('] ')[2]}")


@posix
@pytest.mark.parametrize("kills", [2, many(6)])
def test_killed_at_any_moment_a_server_is_asked_at_most_once_more_for_each_running_turn(
    write: Writer, tmp_path: Path, kills: int
) -> None:
    lines = [talk(n, *(f"conversation {n}, message {k}" for k in range(4)), ask=[f"question {n}"]) for n in range(4)]
    path, out, counter = write(*lines), tmp_path / "out.jsonl", tmp_path / "moments"
    source = random.Random(5)
    with StrictServer(counted) as server:
        arguments = [str(path), "--workers", "2", "--model", "gpt-4o", "--base-url", server.base_url, "-q"]
        moments = moments_of(arguments, counter)
        asked = len(server.exchanges)
        arguments += ["-o", str(out)]
        for _ in range(kills):
            killed_at(source.randint(moments // 8, moments // 5), arguments, counter)
        finished(arguments)
        assert 20 <= len(server.exchanges) - asked <= 20 + 2 * kills
    records = written(out)
    assert [[turn["reply"] for turn in record["turns"]] for record in records] == [
        [f"Heard: {text}" for text in (*(m["content"] for m in line["messages"]), *line["ask"])] for line in lines
    ]
    assert not server.refusals


@posix
@pytest.mark.parametrize("fails", [False, True], ids=["all well", "with a failure"])
def test_killed_when_all_is_done_nothing_is_asked_again(write: Writer, tmp_path: Path, fails: bool) -> None:
    """Up to the removal of the journal, which is the last thing that happens, a run can be gone on with."""
    path, out, counter = write(talk("a", "one"), talk("b", "two")), tmp_path / "out.jsonl", tmp_path / "moments"
    faults = [None, Fault.error(400, "no")] if fails else []
    with StrictServer(counted, faults=faults) as server:
        arguments = [str(path), "-o", str(out), "--workers", "1", "--model", "gpt-4o", "--base-url", server.base_url]
        if fails:
            killed_at("complete", arguments, counter)
        else:
            killed_at("end", arguments, counter)
        asked = len(server.headers)
        whole = out.read_bytes()
        process = start("batch", *arguments)
        process.communicate(timeout=60)
        assert process.returncode == (1 if fails else 0)
        assert len(server.headers) == asked == 2
    assert out.read_bytes() == whole


class Gate:
    """A brain that keeps everybody waiting from its call number `free` + 1 on, until it is opened."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.opened = threading.Event()

    def __call__(self, body: Body) -> Reply:
        self.free -= 1
        if self.free < 0:
            assert self.opened.wait(60)
        return counted(body)


def wait_until(condition: Callable[[], bool]) -> None:
    """Look again and again, for a minute at most."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@posix
def test_interrupted_the_running_turns_end_and_the_next_start_goes_on(write: Writer, tmp_path: Path) -> None:
    path, out = write(*(talk(n, "one", "two", "three") for n in range(6))), tmp_path / "out.jsonl"
    gate = Gate(free=6)
    with StrictServer(gate) as server:
        arguments = ["batch", str(path), "-o", str(out), "--workers", "2", "--base-url", server.base_url]
        process = start(*arguments, "--model", "gpt-4o", start_new_session=True)
        # Six calls were answered and both workers wait for another: one of them at least has ended a conversation.
        wait_until(lambda: len(server.headers) == 8)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stderr is not None
        while b"stopping after the running turns" not in process.stderr.readline():
            assert process.poll() is None
        gate.opened.set()
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert b"the same command continues from here" in err
        assert len(server.exchanges) == 8
        assert 0 < len(written(out)) < 6
        assert server.disconnects == 0
        process = start(*arguments, "--model", "gpt-4o")
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert len(server.exchanges) == 18
    assert len(written(out)) == 6


@posix
def test_ctrl_c_and_sigterm_to_the_whole_group_stop_a_run_and_fail_nothing(
    batch: Command, write: Writer, tmp_path: Path
) -> None:
    path, out = write(*conversations(40)), tmp_path / "out.jsonl"
    arguments = ["batch", path, "-o", out, "--workers", "2", *OFFLINE]
    finished_before = 0
    for number in (signal.SIGINT, signal.SIGTERM):
        process = start(*arguments, start_new_session=True)
        wait_until(lambda before=finished_before: out.exists() and out.read_bytes().count(b"\n") > before)
        os.killpg(process.pid, number)
        process.communicate(timeout=60)
        assert process.returncode == 130
        assert all(line["ok"] for line in written(out))
        assert finished_before < len(written(out)) < 40
        finished_before = len(written(out))
    process = start(*arguments)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.read_bytes() == batch(path).out


@posix
def test_spawned_workers_do_not_outlive_a_killed_parent(write: Writer, tmp_path: Path) -> None:
    path = write(*conversations(400))
    process = start("batch", path, "-o", tmp_path / "out.jsonl", "--workers", "2", *OFFLINE, start_new_session=True)
    wait_until(lambda: len(children_of(process.pid)) >= 2)
    children = children_of(process.pid)
    process.kill()
    process.communicate()
    wait_until(lambda: not any(alive(child) for child in children))


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
    assert "nothing can be retried" in refused.err


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


def test_the_same_run_is_not_begun_twice_at_a_time(memgpt: Command, write: Writer, tmp_path: Path) -> None:
    path, out = write(talk("a", "one")), tmp_path / "out.jsonl"
    gate = Gate(free=0)
    with StrictServer(gate) as server:
        arguments = ("batch", path, "-o", out, "--model", "gpt-4o", "--base-url", server.base_url)
        process = start(*arguments)
        wait_until(lambda: len(server.headers) == 1)
        second = memgpt(*arguments)
        gate.opened.set()
        process.communicate(timeout=60)
    assert second.code == 5
    assert "another process is running the same run" in second.err
    assert process.returncode == 0


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
    with RunJournal(folder, durable=False) as journal:
        journal.begin(HEADER)
        for index in range(3):
            for turn in record(index).turns:
                journal.turn_ended(index, turn)
            journal.conversation_ended(record(index))
    data = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(data[: int(cut * len(data))] + garbage)
    with RunJournal(folder, durable=False) as journal:
        ended = sorted(journal.ended)
        assert ended == list(range(len(ended)))
        assert [journal.record(index) for index in ended] == [record(index) for index in ended]
        unfinished = journal.turns(len(ended))
        assert unfinished == record(len(ended)).turns[: len(unfinished)]
        if journal.header is None:
            journal.begin(HEADER)
        for index in range(len(ended), 3):
            journal.conversation_ended(record(index))
    with RunJournal(folder, durable=False) as journal:
        assert list(journal.records()) == [record(index) for index in range(3)]


def test_workers_that_die_fail_their_conversation_and_no_other(tmp_path: Path, write: Writer) -> None:
    path, out = write(*conversations(40)), tmp_path / "out.jsonl"
    process = start("batch", path, "-o", out, "--workers", "2", *OFFLINE)
    wait_until(lambda: out.exists() and out.stat().st_size > 0)
    os.kill(children_of(process.pid)[-1], signal.SIGKILL)
    process.communicate(timeout=120)
    failed = [line for line in written(out) if not line["ok"]]
    assert process.returncode == 1
    assert len(written(out)) == 40
    assert [line["error"]["code"] for line in failed] == ["worker"]
