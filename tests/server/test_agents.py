"""The agents that the server holds open."""

import asyncio
import time
from pathlib import Path

from support.agents import workspace as workspace_in

from memgpt_cli.server.agents import OpenAgents
from memgpt_cli.services.callers import Caller
from memgpt_cli.services.talking import Talk


def test_work_that_needs_the_lock_waits_for_the_running_turn_and_finds_the_agent_closed(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path, model="offline")
    workspace.new_agents.create("default")
    done: list[str] = []

    def slow(_: Talk) -> None:
        time.sleep(0.2)
        done.append("first turn")

    def locked() -> None:
        with workspace.agents.lock("default", purpose="test", since=workspace.clock.now()).acquire():
            done.append("alone")

    async def run() -> None:
        agents = OpenAgents(workspace, Caller("serve"))
        await asyncio.gather(
            agents.use("default", slow),
            agents.alone("default", locked),
            agents.use("default", lambda _: done.append("second turn")),
        )
        await agents.close()

    asyncio.run(run())
    assert done == ["first turn", "alone", "second turn"]
