"""The agents that the server holds open: one thread each, one turn at a time, closed when idle."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from memgpt_cli.errors import RateLimitError
from memgpt_cli.services.talking import open_talk

if TYPE_CHECKING:
    from collections.abc import Callable

    from memgpt_cli.services.callers import Caller
    from memgpt_cli.services.talking import Talk
    from memgpt_cli.services.workspaces import Workspace

IDLE_S: Final = 10.0
"""An agent without a turn for so long is closed, so that other commands can talk to it."""

MOST_OPEN: Final = 64
MOST_WAITING: Final = 16
"""Requests that may wait for one agent; one more is refused with a time to retry."""

Result = TypeVar("Result")


@dataclass(slots=True)
class _Held:
    """An agent in use. `waiting` counts the requests that run or wait; `talk` is open in `thread` only."""

    thread: ThreadPoolExecutor
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    talk: Talk | None = None
    waiting: int = 0
    used_at: float = 0.0


class OpenAgents:
    """Agents by name. All methods are for the event loop's thread; what uses an agent runs in the agent's own."""

    def __init__(
        self, workspace: Workspace, caller: Caller, *, idle_s: float = IDLE_S, most_open: int = MOST_OPEN
    ) -> None:
        self._workspace = workspace
        self._caller = caller
        self._idle_s = idle_s
        self._most_open = most_open
        self._held: dict[str, _Held] = {}

    @property
    def names(self) -> list[str]:
        """The agents that are held."""
        return sorted(self._held)

    async def use(self, name: str, work: Callable[[Talk], Result]) -> Result:
        """Run `work` with the agent, in its thread, after those that asked before.

        Raises RateLimitError when too many wait, and what opening an agent raises.
        """
        return await self._in_turn(name, lambda held: self._talk(name, held, work))

    async def alone(self, name: str, work: Callable[[], Result]) -> Result:
        """Close the agent and run `work`, which needs the agent's lock, after those that asked before.

        Requests that come meanwhile wait. Raises RateLimitError when too many wait, and what `work` raises.
        """
        return await self._in_turn(name, lambda held: self._closed(held, work))

    async def _in_turn(self, name: str, work: Callable[[_Held], Result]) -> Result:
        held = self._held.get(name)
        if held is None:
            await self._make_room()
            held = self._held.setdefault(name, _Held(thread=ThreadPoolExecutor(1, thread_name_prefix=f"agent-{name}")))
        if held.waiting >= MOST_WAITING:
            raise RateLimitError(f"{held.waiting} requests wait for agent {name!r}", hint="try again in a few seconds")
        held.waiting += 1
        try:
            async with held.turn:
                loop = asyncio.get_running_loop()
                return await asyncio.shield(loop.run_in_executor(held.thread, work, held))
        finally:
            held.waiting -= 1
            held.used_at = time.monotonic()

    def _talk(self, name: str, held: _Held, work: Callable[[Talk], Result]) -> Result:
        if held.talk is None:
            held.talk = open_talk(self._workspace, name, purpose="memgpt serve", caller=self._caller)
        return work(held.talk)

    def _closed(self, held: _Held, work: Callable[[], Result]) -> Result:
        talk, held.talk = held.talk, None
        if talk is not None:
            talk.close()
        return work()

    async def close_idle(self) -> None:
        """Close idle agents until cancelled: the server's background task."""
        while True:
            await asyncio.sleep(self._idle_s / 4)
            for name, held in list(self._held.items()):
                if not held.waiting and time.monotonic() - held.used_at >= self._idle_s:
                    await self._close(name)

    async def close(self) -> None:
        """Close all agents after their running turns."""
        for name in list(self._held):
            await self._close(name)

    async def _make_room(self) -> None:
        idle = sorted((held.used_at, name) for name, held in self._held.items() if not held.waiting)
        if len(self._held) >= self._most_open and idle:
            await self._close(idle[0][1])

    async def _close(self, name: str) -> None:
        held = self._held.pop(name)
        async with held.turn:
            talk, held.talk = held.talk, None
            if talk is not None:
                await asyncio.get_running_loop().run_in_executor(held.thread, talk.close)
        held.thread.shutdown(wait=False)
