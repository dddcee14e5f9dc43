"""Create agents: new ones, on first use, from a file, or as a copy in another folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memgpt_cli.config.paths import check_agent_name
from memgpt_cli.domain.agents import AgentConfig
from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.domain.names import did_you_mean
from memgpt_cli.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from memgpt_cli.bootstrap.adapters import Adapters
    from memgpt_cli.storage.agents.folders import AgentFolders

PERSONA = "persona"
HUMAN = "human"
_DESCRIPTIONS = {PERSONA: "who you are and how you speak", HUMAN: "what you know about the person you talk to"}


class NewAgents:
    """Creates agents on this machine."""

    def __init__(self, adapters: Adapters) -> None:
        self._adapters = adapters

    def create(
        self,
        name: str,
        *,
        config: AgentConfig | None = None,
        persona: str | None = None,
        human: str = "",
        blocks: Sequence[Block] = (),
        may_exist: bool = False,
        folders: AgentFolders | None = None,
    ) -> None:
        """Create an agent with its first blocks, in other `folders` if given.

        Raises UsageError if it exists, LimitError for a block over its limit.
        """
        from memgpt_cli.main_context.core_memory import check_block, check_new

        check_agent_name(name)
        settings = self._adapters.settings
        config = config or AgentConfig(
            name=name, created_at=self._adapters.clock.now(), protocol=settings.loop.protocol
        )
        limit = settings.memory.block_limit
        texts = {PERSONA: self._adapters.prompts.render("persona", {}) if persona is None else persona, HUMAN: human}
        first = [
            Block(label=label, value=value.strip(), description=_DESCRIPTIONS[label], limit=limit)
            for label, value in texts.items()
        ]
        given = {block.label: block for block in blocks}
        everything = [given.pop(b.label, b) for b in first] + list(given.values())
        counter = self._adapters.models.counter(config.model or "offline")
        for block in everything:
            check_new(block, counter.count)
            check_block(block, block.value, counter.count)
        provenance = Provenance(author=Author.SYSTEM, command="agent create")
        (folders or self._adapters.agents).create(config, everything, provenance=provenance, may_exist=may_exist)

    def ensure(self, name: str) -> None:
        """Create the default agent on first use; any other must exist. Raises NotFoundError."""
        if self._adapters.agents.exists(name):
            return
        if not self._adapters.is_default(name):
            meant = did_you_mean(name, self._adapters.agents.names())
            raise NotFoundError(f"there is no agent {name!r}{meant}", hint=f"memgpt agent create {name}")
        self.create(name, may_exist=True)

    def from_file(
        self, source: Path, name: str | None, *, keep_endpoint: bool, progress: Callable[[str, int], None]
    ) -> tuple[str, str | None]:
        """Create an agent from a file; returns its name and the file's endpoint, which is used only if requested.

        Raises DocumentError, and UsageError if the name exists.
        """
        from memgpt_cli.storage.agents.files import agent_in, import_agent
        from memgpt_cli.storage.agents.folders import RECORD

        name = check_agent_name(name or agent_in(source))
        if self._adapters.agents.exists(name):
            raise UsageError(f"there is an agent {name!r} already", hint="give it another name with --as NAME")
        with self._adapters.agent_folders.new_agent(name, purpose="agent import") as folder:
            endpoint = import_agent(source, folder / RECORD, name=name, keep_endpoint=keep_endpoint, progress=progress)
        return name, endpoint

    def in_folder(self, folder: Path, *, template: str | None) -> None:
        """Create in `folder` the record of a new agent, or a copy of an agent's current record."""
        from memgpt_cli.storage.agents.copies import copy_record
        from memgpt_cli.storage.agents.folders import RECORD

        if template is None:
            self.create(folder.name, folders=self._adapters.folders(folder.parent))
            return
        if not self._adapters.agents.exists(template):
            self._adapters.agents.open(template).close()  # raises NotFoundError with the known agents
        folder.mkdir(parents=True, mode=0o700)
        copy_record(self._adapters.agents.path(template) / RECORD, folder / RECORD)
