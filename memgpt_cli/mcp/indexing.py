"""Vectors for what clients store: made when no call has come for a while and nobody else works on the agent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from memgpt_cli.errors import MemGPTError

if TYPE_CHECKING:
    from memgpt_cli.bootstrap import Workspace

IDLE_S: Final = 3.0
"""How long it waits after the last write. Until then words find the new texts, and meaning does not."""


class IdleIndexing:
    """A thread that embeds what waits in the outbox. It sleeps without waking while nothing is written.

    A chat that holds the agent's lock makes the vectors itself, so a busy agent is left alone.
    """

    def __init__(self, workspace: Workspace, agent: str, *, idle_s: float = IDLE_S) -> None:
        self._workspace = workspace
        self._agent = agent
        self._idle_s = idle_s
        self._written = threading.Event()
        threading.Thread(target=self._work, name="indexing", daemon=True).start()

    def wake(self) -> None:
        """Something was written."""
        self._written.set()

    def _work(self) -> None:
        while True:
            self._written.wait()
            self._written.clear()
            if self._written.wait(self._idle_s):
                continue
            try:
                with self._workspace.held_memory(self._agent, purpose="memgpt mcp") as memory:
                    memory.index.flush()
            except MemGPTError:
                continue  # what waits stays in the outbox, and words find it
