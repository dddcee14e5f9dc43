"""Finding model servers on this machine: when it is done at all, what counts as one, and for how long."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from support.strict_server import StrictServer

from memgpt_cli.bootstrap import Flags, Workspace
from memgpt_cli.domain.agents import AgentConfig
from memgpt_cli.llm.local_servers import find_local_servers, server_ports
from memgpt_cli.services.local_servers import Offer, accept, may_look

MakeWorkspace = Callable[..., Workspace]
URL = "http://127.0.0.1:9/v1"


@pytest.fixture
def workspace(tmp_path: Path) -> MakeWorkspace:
    def make(*, flags: Flags | None = None, **environ: str) -> Workspace:
        return Workspace(flags, environ={"MEMGPT_HOME": str(tmp_path / "home"), **environ}, directory=tmp_path)

    return make


def test_it_looks_only_where_nothing_is_configured(workspace: MakeWorkspace) -> None:
    assert may_look(workspace())
    assert not may_look(workspace(MEMGPT_MODEL="offline"))
    assert not may_look(workspace(MEMGPT_BASE_URL=URL))
    assert not may_look(workspace(OPENAI_API_KEY="sk-test-0123456789abcdef"))
    assert not may_look(workspace(MEMGPT_MODEL_FIND_LOCAL="false"))
    assert not may_look(workspace(flags=Flags(model="offline")))


def test_it_does_not_look_for_an_agent_that_has_a_model_of_its_own(workspace: MakeWorkspace) -> None:
    made = workspace()
    config = AgentConfig(name="default", created_at=made.clock.now(), model="offline")
    made.new_agents.create("default", config=config)
    assert not may_look(workspace())


def test_what_is_chosen_becomes_a_profile_and_the_default(workspace: MakeWorkspace) -> None:
    for model in ("tiny-1", "ollama-local"):
        accept(workspace(), Offer(model=model, server="Ollama", base_url=URL))
        choice = workspace().sessions.choice_in_use()
        assert (choice.name, choice.base_url) == (model, URL)
    assert sorted(workspace().configuration.profiles) == ["ollama", "ollama-local-local"]


def test_a_stated_ollama_port_is_used_and_its_host_is_not() -> None:
    assert dict(server_ports({}))["Ollama"] == 11434
    for stated in ("192.168.1.5:7000", "http://0.0.0.0:7000", "0.0.0.0:7000"):
        assert dict(server_ports({"OLLAMA_HOST": stated}))["Ollama"] == 7000
    for stated in ("192.168.1.5", "host:port", "", "http://[::"):
        assert dict(server_ports({"OLLAMA_HOST": stated}))["Ollama"] == 11434


def test_servers_are_listed_with_their_models() -> None:
    with StrictServer(models=("b", "a")) as server:
        port = urlsplit(server.base_url).port
        found = find_local_servers(within_s=5, environ={"OLLAMA_HOST": f"127.0.0.1:{port}"})
    assert ("Ollama", ("a", "b")) in [(s.name, s.models) for s in found]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Welcome to Jenkins</html>",
        b"[1]",
        b'{"data": 3}',
        b"[" * 100_000,
        b'{"data": [], "x": "' + b"y" * 2_000_000,
    ],
    ids=["html", "list", "number", "deep", "long"],
)
def test_what_is_not_a_model_server_is_skipped(body: bytes) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        found = find_local_servers(within_s=5, environ={"OLLAMA_HOST": f"127.0.0.1:{server.server_port}"})
        server.shutdown()
    assert "Ollama" not in [s.name for s in found]
