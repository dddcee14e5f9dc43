"""Where lines go: never over the input, through links, into devices and pipes; how money and retries are counted."""

import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from support.batches import Command, Writer, start, start_mortal, talk, written
from support.brains import Body, Reply, last_user_text, say
from support.strict_server import Fault, StrictServer

posix = pytest.mark.skipif(sys.platform == "win32", reason="devices, pipes, signals")
ADA = "My name is Ada and I live in Lisbon."


def heard(body: Body) -> Reply:
    return say(body, f"Heard: {last_user_text(body).partition('] ')[2]}")


def test_the_input_is_never_written_over(batch: Command, write: Writer, tmp_path: Path) -> None:
    path = write(talk("a", ADA))
    before = path.read_bytes()
    (tmp_path / "link.jsonl").symlink_to(path)
    for name in ("input.jsonl", "link.jsonl"):
        done = batch(path, "-o", tmp_path / name)
        assert done.code == 2
        assert "is the input itself" in done.err
    assert path.read_bytes() == before


def test_an_output_that_cannot_be_is_refused_before_anything_runs(
    batch: Command, write: Writer, tmp_path: Path, home: Path
) -> None:
    path = write(talk("a", ADA))
    assert "is a folder" in batch(path, "-o", tmp_path).err
    missing = batch(path, "-o", tmp_path / "none" / "out.jsonl")
    assert missing.code == 2
    assert "hint: mkdir -p" in missing.err
    assert not (home / "data" / "batch").exists()


def test_what_a_link_points_to_is_written_and_keeps_its_permissions(
    batch: Command, write: Writer, tmp_path: Path
) -> None:
    target, link = tmp_path / "target.jsonl", tmp_path / "link.jsonl"
    target.write_text("old\n", encoding="utf-8")
    target.chmod(0o600)
    link.symlink_to(target)
    assert batch(write(talk("a", ADA)), "-o", link).code == 0
    assert link.is_symlink()
    assert [line["id"] for line in written(target)] == ["a"]
    assert target.stat().st_mode & 0o777 == 0o600


@posix
def test_a_device_or_a_pipe_is_written_into_and_not_replaced(batch: Command, write: Writer, tmp_path: Path) -> None:
    path, pipe = write(talk("a", ADA)), tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert batch(path, "-o", pipe).code == 0
    reader.join(60)
    assert read == [batch(path).out]
    assert pipe.is_fifo()
    assert batch(path, "-o", os.devnull).code == 0
    assert not Path(os.devnull).is_file()


@posix
def test_the_input_may_be_a_pipe(batch: Command, write: Writer, tmp_path: Path) -> None:
    path, pipe = write(talk("a", ADA)), tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(path.read_bytes()))
    writer.start()
    piped = batch(pipe)
    writer.join(60)
    assert piped.out == batch(path).out


@posix
def test_standard_input_is_gone_on_with_and_a_kill_leaves_no_copy_of_it(
    write: Writer, tmp_path: Path, home: Path
) -> None:
    path, out = write(talk("a", "one", "two"), talk("b", "three")), tmp_path / "out.jsonl"
    opened = threading.Event()

    def brain(body: Body) -> Reply:
        if "three" in last_user_text(body):
            assert opened.wait(60)
        return heard(body)

    with StrictServer(brain) as server:
        arguments = ("batch", "-", "-o", out, "--workers", "1", "--model", "gpt-4o", "--base-url", server.base_url)
        with path.open("rb") as stdin:
            process = start(*arguments, stdin=stdin)
            while len(server.headers) < 3:
                assert process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.communicate()
        opened.set()
        assert [entry.is_dir() for entry in (home / "data" / "batch").iterdir()] == [True]
        with path.open("rb") as stdin:
            process = start(*arguments, stdin=stdin)
            _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"going on: 1 of 2 conversations have ended" in err
    assert len(server.headers) == 4
    assert [line["id"] for line in written(out)] == ["a", "b"]
    assert list((home / "data" / "batch").iterdir()) == []


def test_money_ends_a_run_and_more_of_it_lets_it_go_on(
    memgpt: Command, write: Writer, tmp_path: Path, home: Path
) -> None:
    (home / "config").mkdir(parents=True)
    prices = '[models."gpt-4o"]\ninput = 1000.0\noutput = 0.0\n'
    (home / "config" / "config.toml").write_text(prices, encoding="utf-8")
    path, out = write(*(talk(n, "one") for n in range(6))), tmp_path / "out.jsonl"
    with StrictServer(heard) as server:
        arguments = ("batch", path, "-o", out, "--model", "gpt-4o", "--base-url", server.base_url, "--workers", "2")
        short = memgpt(*arguments, "--max-usd", "4")
        spent = sum(exchange.prompt_tokens for exchange in server.exchanges) / 1000
        assert short.code == 1
        assert "start the same command with a larger --max-usd" in short.err
        assert 0 < len(written(out)) < 6
        assert spent <= 4
        assert memgpt(*arguments, "--max-usd", "40").code == 0
        assert len(server.exchanges) == 6


@posix
def test_a_retry_that_was_cut_short_is_gone_on_with_and_not_begun_again(write: Writer, tmp_path: Path) -> None:
    path, out, counter = write(talk("a", "one"), talk("b", "two")), tmp_path / "out.jsonl", tmp_path / "moments"
    no = Fault.error(400, "no")
    with StrictServer(heard, faults=[no, no, no]) as server:
        arguments = [str(path), "-o", str(out), "--workers", "1", "--model", "gpt-4o", "--base-url", server.base_url]
        process = start("batch", *arguments)
        process.communicate(timeout=60)
        assert process.returncode == 1
        assert len(server.headers) == 2
        process = start_mortal("complete", counter, *arguments, "--retry-failed")
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert len(server.headers) == 4  # `a` failed once more, `b` is well
        process = start("batch", *arguments, "--retry-failed")
        process.communicate(timeout=60)
        assert process.returncode == 1
        assert len(server.headers) == 4
        process = start("batch", *arguments, "--retry-failed")
        process.communicate(timeout=60)
        assert process.returncode == 0
        assert len(server.headers) == 5
    assert [json.loads(line)["ok"] for line in out.read_bytes().splitlines()] == [True, True]


def test_what_a_retry_throws_away_was_spent_all_the_same(
    memgpt: Command, write: Writer, tmp_path: Path, home: Path
) -> None:
    (home / "config").mkdir(parents=True)
    prices = '[models."gpt-4o"]\ninput = 1000.0\noutput = 0.0\n'
    (home / "config" / "config.toml").write_text(prices, encoding="utf-8")
    path, out = write(talk("a", "one", expect=[{"contains": "never"}])), tmp_path / "out.jsonl"
    with StrictServer(heard) as server:
        arguments = ("batch", path, "-o", out, "--model", "gpt-4o", "--base-url", server.base_url, "--json")
        assert memgpt(*arguments).code == 1
        again = memgpt(*arguments, "--retry-failed")
        spent = sum(exchange.prompt_tokens for exchange in server.exchanges) / 1000
    assert len(server.exchanges) == 2
    assert json.loads(again.out)["usage"]["cost_usd"] == pytest.approx(spent)
