"""Promises 8 and 10: nothing leaves but the calls to the endpoint; a turn's work does not grow with the past."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.agents import run, session
from support.brains import Call, answers_results, do, echo, say
from support.strict_server import Reply, StrictServer

from memgpt_cli.agent.session import Session
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.messages import Message, Role

WATCHED = """
import json, sys
from pathlib import Path

seen = Path(sys.argv[1]).open("a", encoding="utf-8")

def watch(event, arguments):
    if event == "socket.connect":
        print(json.dumps([event, str(arguments[1])]), file=seen, flush=True)
    elif event in {"socket.getaddrinfo", "socket.sendto", "subprocess.Popen"}:
        print(json.dumps([event, str(arguments[0])]), file=seen, flush=True)

sys.addaudithook(watch)
from memgpt_cli.cli.app import main
main(sys.argv[2:])
"""
"""Runs a command and writes down every connection that Python is asked for."""


def test_nothing_is_sent_anywhere_but_to_the_endpoint(tmp_path: Path) -> None:
    """With Chroma open, a document loaded, memory written and searched."""
    seen = tmp_path / "seen.jsonl"
    (tmp_path / "notes.md").write_text("\n\n".join(f"Note {n}: lamp {n * 7} was lit." for n in range(80)))

    def brain(body: dict[str, object]) -> Reply:
        if answers_results(body):
            return say(body, "It was lit.")
        return do(
            body, Call("archival_memory_search", {"query": "lamp"}), Call("conversation_search", {"query": "lit"})
        )

    vectors = tmp_path / "home" / "data" / "agents" / "default" / "vectors"
    with StrictServer(brain) as server:
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MEMGPT_", "OPENAI_"))},
            "MEMGPT_HOME": str(tmp_path / "home"),
            "MEMGPT_MODEL": "gpt-4o",
            "MEMGPT_BASE_URL": server.base_url,
            "MEMGPT_ARCHIVAL_EXACT_VECTORS": "1",
            "MEMGPT_ARCHIVAL_CHUNK_TOKENS": "16",
            "OPENAI_API_KEY": "sk-test",
        }
        for command in (
            ["archival", "load", str(tmp_path / "notes.md")],
            ["send", "Which lamp was lit?"],
            ["search", "lamp"],
            ["doctor"],
        ):
            done = subprocess.run(
                [sys.executable, "-c", WATCHED, str(seen), *command],
                env=environ,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, (command, done.stderr)
        assert len(server.requests) == 2
        port = int(server.base_url.rpartition(":")[2].partition("/")[0])
    assert (vectors / "chroma.sqlite3").exists()
    asked = [json.loads(line) for line in seen.read_text().splitlines()]
    talk = {("socket.connect", f"('127.0.0.1', {port})"), ("socket.getaddrinfo", "127.0.0.1")}
    own = {("subprocess.Popen", sys.executable), ("subprocess.Popen", "uname")}  # an index probed; openai's platform
    assert talk <= {tuple(entry) for entry in asked} <= talk | own


def test_the_work_of_a_turn_does_not_grow_with_the_past(tmp_path: Path) -> None:
    """SQLite's own steps are counted, not seconds: the same turn after 100 messages and after 20,000 more."""
    with StrictServer(echo) as server, session(tmp_path, base_url=server.base_url, window=16_384) as opened:
        short = steps_of_turns(opened)
        add_past(opened, 20_000)
        opened.store.lexical.refresh()
        run(opened, "The first turn after that may still put things in order.")
        long = steps_of_turns(opened)
    assert long <= 1.25 * short, f"{short} steps of SQLite's machine before, {long} after"


def steps_of_turns(opened: Session) -> int:
    """Steps of SQLite's virtual machine in ten turns without an eviction, on the connection that a turn uses."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    opened.agent.start_afresh()
    run(opened, "Hello")
    opened.store.connection.set_progress_handler(count, 10)  # type: ignore[attr-defined]
    for number in range(10):
        run(opened, f"Turn {number}: we walked along the harbour.")
    opened.store.connection.set_progress_handler(None, 0)  # type: ignore[attr-defined]
    return steps


def add_past(opened: Session, count: int) -> None:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    past = [
        Message(
            role=Role.USER,
            text=f"Message {n} about the harbour and lamp {n % 977}.",
            created_at=start + timedelta(minutes=n),
            external_id=f"past/{n}",
            in_context=False,
        )
        for n in range(count)
    ]
    with opened.store.transaction():
        opened.store.messages.extend(past, at=start, provenance=Provenance(author=Author.IMPORT))
