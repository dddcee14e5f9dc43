"""The server in a thread of this process, over a workspace of the test's own."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from openai import OpenAI
from support.agents import workspace as workspace_in

from memgpt_cli.bootstrap import Workspace
from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.server.app import make_app
from memgpt_cli.services.memory import open_memory


@dataclass(frozen=True)
class Served:
    """A running server; `url` ends in `/v1`."""

    url: str
    workspace: Workspace

    def client(self, **options: Any) -> OpenAI:
        return OpenAI(base_url=self.url, api_key="any", **{"max_retries": 2, **options})

    def said(self, agent: str = "default") -> list[str]:
        """What the agent holds of what people said, oldest first."""
        return [message.text for message in self.messages(agent, Role.USER)]

    def messages(self, agent: str, *roles: Role) -> list[Message]:
        with open_memory(self.workspace, agent) as memory:
            return list(memory.messages.recent(RecallFilters(roles=roles), limit=1_000).messages)[::-1]


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(
            *agents: str,
            base_url: str | None = None,
            model: str = "gpt-4o",
            protocol: Protocol = Protocol.NATIVE,
            **options: Any,
        ) -> Served:
            workspace = workspace_in(tmp_path, base_url=base_url, model=model, protocol=protocol, model_max_retries="0")
            for name in agents or ("default",):
                workspace.new_agents.create(name)
            app = make_app(workspace, **{"loopback": True, **options})
            return Served(stack.enter_context(_running(app)), workspace)

        yield start


@contextmanager
def _running(app: Any) -> Iterator[str]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        threading.Event().wait(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()
