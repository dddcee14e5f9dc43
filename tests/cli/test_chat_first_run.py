"""Models around a chat on a real terminal: the first run, agents that do not exist yet, other agents' histories."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("pexpect", reason="there are no pseudo-terminals on this system")

from support.brains import Reply
from support.strict_server import StrictServer
from support.terminal import CTRL_D, Terminal, environment_of


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def looking(port: int) -> dict[str, str]:
    """An environment whose Ollama listens at this port, in which nothing turns the search off."""
    return {"OLLAMA_HOST": f"127.0.0.1:{port}", "MEMGPT_MODEL_FIND_LOCAL": "true"}


def port_of(server: StrictServer) -> int:
    return urlsplit(server.base_url).port or 0


def memgpt(home: Path, *arguments: str, said: str = "") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "memgpt_cli", *arguments]
    return subprocess.run(command, env=environment_of(home), input=said, capture_output=True, text=True, check=False)


@contextmanager
def counting_connections() -> Iterator[tuple[int, list[socket.socket]]]:
    """A port that accepts connections and says nothing; the list grows with each."""
    seen: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    seen.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1], seen
        for connection in seen:
            connection.close()


def test_one_key_makes_a_model_of_this_machine_the_default(home: Path) -> None:
    with StrictServer(lambda _: Reply("Hello from here."), models=("tiny-1", "tiny-2", "nomic-embed-text")) as server:
        with Terminal(home, "chat", env=looking(port_of(server))) as terminal:
            terminal.wait_for("1 tiny-1", "2 tiny-2", "Press a number")
            assert "nomic" not in terminal.everything
            terminal.type("7")
            time.sleep(0.5)  # two keys at once are text
            terminal.type("2")
            terminal.wait_for("tiny-2 answers from now on", "memgpt config unset model.name")
            terminal.prompt()
            terminal.say("Hi")
            terminal.wait_for("Hello from here.")
            terminal.prompt()
            terminal.type(CTRL_D)
            assert terminal.exit_code() == 0
        assert {body["model"] for body in server.requests} == {"tiny-2"}
    profiles = json.loads(memgpt(home, "models", "list", "--json").stdout)
    assert [(p["name"], p["model"], p["in_use"]) for p in profiles] == [("ollama", "tiny-2", True)]


def test_any_other_key_continues_offline_and_what_was_typed_is_kept(home: Path) -> None:
    with StrictServer(models=("tiny-1",)) as server, Terminal(home, "chat", env=looking(port_of(server))) as terminal:
        terminal.wait_for("Press a number")
        terminal.type("Hello, I am Ada.")
        terminal.wait_for("> Hello, I am Ada.", "default · offline")
        terminal.type("\r")
        terminal.wait_for('Noted: "I am Ada."')
        assert not server.requests


def test_a_port_that_says_nothing_delays_the_first_prompt_no_further(home: Path) -> None:
    with counting_connections() as (port, seen), Terminal(home, "chat", env=looking(port)) as terminal:
        terminal.wait_for("memgpt keys set openai")
        terminal.prompt()
        assert len(seen) == 1


def test_nothing_is_contacted_where_a_model_is_configured_and_from_a_pipe(home: Path) -> None:
    with counting_connections() as (port, seen):
        with Terminal(home, "chat", env={**looking(port), "MEMGPT_MODEL": "offline"}) as terminal:
            terminal.prompt()
        subprocess.run(
            [sys.executable, "-m", "memgpt_cli", "chat"],
            env={**environment_of(home), **looking(port)},
            input=b"Hi\n",
            capture_output=True,
            check=True,
        )
        assert not seen


def test_a_chat_offers_to_create_an_agent_that_does_not_exist(home: Path) -> None:
    with Terminal(home, "chat", "-a", "tutor") as terminal:
        terminal.wait_for("There is no agent tutor. Create it? [y/N]")
        terminal.type("y\r")
        assert "tutor · offline" in terminal.prompt()
    with Terminal(home, "chat", "-a", "tutr") as terminal:
        terminal.wait_for("did you mean tutor?")
        terminal.type("\r")
        assert terminal.exit_code() == 3
        assert "memgpt agent create tutr" in terminal.everything
    refused = memgpt(home, "chat", "-a", "tutr", said="Hi\n")
    assert refused.returncode == 3
    assert "did you mean tutor?" in refused.stderr
    assert "hint: memgpt agent create tutr" in refused.stderr


def test_another_agents_history_goes_to_another_server_only_with_consent(home: Path) -> None:
    memgpt(home, "send", "My secret is 4711.")
    memgpt(home, "agent", "create", "tutor")
    with StrictServer(lambda _: Reply("Hello from here."), models=("tiny-1",)) as server:
        model = ("--model", "tiny-1", "--base-url", server.base_url)
        with Terminal(home, "chat", "-a", "tutor", *model) as terminal:
            terminal.prompt()
            terminal.say("/agent default")
            terminal.wait_for("Send what default remembers to")
            terminal.type("\r")
            terminal.wait_for("default · offline")
            terminal.say("/agent tutor")
            terminal.wait_for("tutor · offline")
        with Terminal(home, "chat", "-a", "tutor", *model) as terminal:
            terminal.prompt()
            terminal.say("/agent default")
            terminal.wait_for("Send what default remembers to")
            terminal.type("y\r")
            terminal.wait_for("default · tiny-1")
        refused = memgpt(home, "chat", "-a", "tutor", *model, said="/agent default\nHi\n")
        assert refused.returncode == 2
        assert "only with your consent" in refused.stderr
        assert not server.requests


def test_the_hint_of_model_names_the_server_too(home: Path) -> None:
    with StrictServer(models=("tiny-1",)) as server, Terminal(home, "chat", columns=160) as terminal:
        terminal.prompt()
        terminal.say(f"/model tiny-1 {server.base_url}")
        terminal.wait_for(f"memgpt agent set default --model tiny-1 --base-url {server.base_url}")
