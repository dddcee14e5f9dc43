"""The contract of `ports.AgentSet` and `ports.AgentLock`: agents come and go as a whole; one process talks to each."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from memgpt_cli.domain.agents import AgentConfig
from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.errors import AgentBusyError, NotFoundError, UsageError
from memgpt_cli.ports import AgentSet
from memgpt_cli.storage.agents.folders import AgentFolders

NOON = datetime(2026, 11, 25, 12, 0, 29, 13_000, tzinfo=UTC)
SYSTEM = Provenance(author=Author.SYSTEM)

SETS: dict[str, Callable[[Path], AgentSet]] = {
    "folders": lambda root: AgentFolders(root, session_gap=timedelta(hours=4), zone=ZoneInfo("Asia/Shanghai"))
}


@pytest.fixture(params=SETS)
def agents(request: pytest.FixtureRequest, tmp_path: Path) -> AgentSet:
    """One agent, `ann`, of a person in Shanghai."""
    made = SETS[request.param](tmp_path / "agents")
    made.create(config("ann"), (Block(label="human", value="Ada"),), provenance=SYSTEM)
    return made


def config(name: str) -> AgentConfig:
    return AgentConfig(name=name, created_at=NOON)


def test_an_agent_has_its_config_and_blocks_from_the_start(agents: AgentSet) -> None:
    assert agents.names() == ["ann"]
    with agents.opened("ann") as store:
        assert store.config() == agents.config("ann") == config("ann")
        assert [block.value for block in store.blocks.all()] == ["Ada"]
    assert agents.size("ann") > 0
    assert not agents.summary("ann").messages


def test_a_name_is_taken_once(agents: AgentSet) -> None:
    with pytest.raises(UsageError, match="there is an agent 'ann' already"):
        agents.create(config("ann"), (), provenance=SYSTEM)
    agents.create(config("ann"), (), provenance=SYSTEM, may_exist=True)
    with closing(agents.open("ann")) as store:
        assert len(store.blocks.all()) == 1


def test_a_wrong_name_is_answered_with_the_nearest(agents: AgentSet) -> None:
    for use in (agents.open, agents.summary, lambda name: agents.opened(name).__enter__()):
        with pytest.raises(NotFoundError, match=r"there is no agent 'An'; did you mean ann\?"):
            use("An")


def test_a_clone_has_the_memory_and_on_request_not_the_messages(agents: AgentSet) -> None:
    with agents.opened("ann") as store, store.transaction():
        store.messages.append(Message(role=Role.USER, text="hello", created_at=NOON))
    agents.clone("ann", "ben", at=NOON)
    agents.clone("ann", "cleo", at=NOON, with_messages=False)
    assert agents.names() == ["ann", "ben", "cleo"]
    for name, messages in (("ben", 1), ("cleo", 0)):
        with agents.opened(name) as store:
            assert (store.config().name, store.messages.count(), len(store.blocks.all())) == (name, messages, 1)
    with pytest.raises(UsageError, match="'ben' already"):
        agents.clone("ann", "ben", at=NOON)


def test_an_agent_is_renamed_and_deleted_as_a_whole(agents: AgentSet) -> None:
    with agents.lock("ann", purpose="memgpt agent rename", since=NOON).acquire():
        agents.rename("ann", "eve")
    assert agents.names() == ["eve"]
    with agents.opened("eve") as store:
        assert store.config().name == "eve"
    with agents.lock("eve", purpose="memgpt agent delete", since=NOON).acquire():
        agents.delete("eve")
    assert agents.names() == agents.without_record() == []
    assert not agents.exists("eve")


def test_a_held_agent_is_read_and_edited_but_not_talked_to_by_others(agents: AgentSet) -> None:
    with agents.lock("ann", purpose="memgpt chat", since=NOON).acquire():
        with pytest.raises(AgentBusyError, match=r"in use by `memgpt chat` \(process \d+, since 2026-11-25 20:00\)$"):
            agents.lock("ann", purpose="memgpt send", since=NOON).acquire()
        with agents.opened("ann") as store, store.transaction():
            store.blocks.put(Block(label="human", value="Ada L."), at=NOON, provenance=SYSTEM)
    lock = agents.lock("ann", purpose="memgpt send", since=NOON).acquire(wait=True)
    lock.release()
    with agents.opened("ann") as store:
        assert store.blocks.all()[0].value == "Ada L."
