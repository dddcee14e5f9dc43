"""Make vectors for stored texts when there was no call for some seconds and no other process uses the agent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from memgpt_cli.errors import MemGPTError

if TYPE_CHECKING:
    from memgpt_cli.services.workspaces import Workspace

IDLE_S: Final = 3.0
"""Seconds of delay after the last write. Until then, new texts are found by words but not by meaning."""


class IdleIndexing:
    """A thread that embeds the outbox. It stays asleep until something is written.

    A chat that holds the agent's lock makes the vectors itself, so a busy agent is skipped.
    """

    def __init__(self, workspace: Workspace, agent: str, *, idle_s: float = IDLE_S) -> None:
        self._workspace = workspace
        self._agent = agent
        self._idle_s = idle_s
        self._written = threading.Event()
        threading.Thread(target=self._work, name="indexing", daemon=True).start()

    def wake(self) -> None:
        """Notify the thread of a write."""
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
                continue  # the rest stays in the outbox and is found by words
