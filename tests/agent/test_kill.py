"""Promise 2: `kill -9` loses nothing that was acknowledged, doubles nothing, and the next start works."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support.brains import Call, Reply, answers_results, do, say
from support.strict_server import Fault, StrictServer


def brain(body: dict[str, Any]) -> Reply:
    """Writes two things in the first step, then answers."""
    if answers_results(body):
        return say(body, "I have noted that. " * 20)
    return do(
        body,
        Call("core_memory_append", {"label": "human", "content": "Plays the cello"}),
        Call("archival_memory_insert", {"content": "The cello was built in Cremona in 1702."}),
    )


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "memgpt_cli", *arguments]


def environment(home: Path, server: StrictServer) -> dict[str, str]:
    return {
        **os.environ,
        "MEMGPT_HOME": str(home),
        "MEMGPT_MODEL": "gpt-4o",
        "MEMGPT_BASE_URL": server.base_url,
        "OPENAI_API_KEY": "sk-test",
    }


@pytest.mark.parametrize("when", ["first call", "first step committed", "second call"])
def test_killed_in_mid_turn_the_same_send_finishes_the_turn(tmp_path: Path, when: str) -> None:
    faults = {
        "first call": [Fault.slow(0.5)],
        "first step committed": [None, Fault.slow(5.0)],
        "second call": [None, Fault.slow(0.3)],
    }[when]
    with StrictServer(brain, faults=faults) as server:
        process = subprocess.Popen(
            command("send", "--id", "1", "I play the cello"),
            env=environment(tmp_path, server),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wanted = 1 if when == "first call" else 2
        deadline = time.monotonic() + 60
        while server_calls(server) < wanted and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

        again = subprocess.run(
            command("send", "--json", "--id", "1", "I play the cello"),
            env=environment(tmp_path, server),
            capture_output=True,
            text=True,
            check=True,
        )
        assert "I have noted that." in json.loads(again.stdout)["reply"]
        assert not server.refusals
    record = sqlite3.connect(tmp_path / "data" / "agents" / "default" / "agent.db")
    count = lambda sql: record.execute(sql).fetchone()[0]  # noqa: E731
    assert count("SELECT count(*) FROM messages WHERE role = 'user'") == 1
    assert count("SELECT value FROM blocks WHERE label = 'human'") == "Plays the cello"
    assert count("SELECT count(*) FROM passages") == 1
    # No call without its result: each assistant message with two calls is followed by two results.
    calls = count("SELECT coalesce(sum(json_array_length(calls)), 0) FROM messages WHERE calls IS NOT NULL")
    assert calls == count("SELECT count(*) FROM messages WHERE role = 'tool'")
    record.close()


def server_calls(server: StrictServer) -> int:
    """Requests that have reached the server, answered or not."""
    return len(server.requests)
