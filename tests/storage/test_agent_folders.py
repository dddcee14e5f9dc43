"""Agents as folders: who holds one is told as people read times, and what fails half-way leaves all as it was."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from memgpt_cli.domain.agents import AgentConfig
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.errors import AgentBusyError, StorageError
from memgpt_cli.storage.agents.folders import HOLDER, AgentFolders

NOON = datetime(2026, 11, 25, 12, 0, 29, 13_000, tzinfo=UTC)


@pytest.fixture
def agents(tmp_path: Path) -> AgentFolders:
    """One agent, `ann`, of a person in Shanghai."""
    folders = AgentFolders(tmp_path, session_gap=timedelta(hours=4), zone=ZoneInfo("Asia/Shanghai"))
    provenance = Provenance(author=Author.SYSTEM)
    folders.create(AgentConfig(name="ann", created_at=NOON), (), provenance=provenance)
    return folders


def test_a_holder_that_cannot_be_read_is_left_out(agents: AgentFolders) -> None:
    with agents.lock("ann", purpose="memgpt chat", since=NOON).acquire():
        (agents.path("ann") / HOLDER).write_text('{"process": 1, "purpose": "x", "since": "yesterday"}')
        with pytest.raises(AgentBusyError, match=r"'ann' is in use$"):
            agents.lock("ann", purpose="memgpt send", since=NOON).acquire()


def test_a_lock_whose_holder_cannot_be_noted_is_not_kept(agents: AgentFolders) -> None:
    in_the_way = agents.path("ann") / HOLDER
    in_the_way.mkdir()
    with pytest.raises(StorageError, match="cannot be held"):
        agents.lock("ann", purpose="memgpt chat", since=NOON).acquire()
    in_the_way.rmdir()
    with agents.lock("ann", purpose="memgpt send", since=NOON).acquire():
        assert (agents.path("ann") / HOLDER).is_file()
