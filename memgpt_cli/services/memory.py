"""One agent's memory for entry points: read, search and change it without a conversation."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from memgpt_cli.domain.kinds import Kind
from memgpt_cli.services.blocks import BlockService
from memgpt_cli.services.callers import PERSON, Caller
from memgpt_cli.services.causes import Causes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memgpt_cli.bootstrap import Memory, Workspace
    from memgpt_cli.domain.agents import Filling
    from memgpt_cli.domain.blocks import Provenance
    from memgpt_cli.domain.facts import Fact
    from memgpt_cli.domain.messages import Message
    from memgpt_cli.domain.passages import Passage
    from memgpt_cli.services.changes import ChangeService
    from memgpt_cli.services.facts import FactService
    from memgpt_cli.services.forgetting import ForgetService
    from memgpt_cli.services.messages import MessageService
    from memgpt_cli.services.passages import PassageService
    from memgpt_cli.services.reviews import ReviewService
    from memgpt_cli.services.searching import SearchService
    from memgpt_cli.services.standing_wishes import WishService
    from memgpt_cli.services.trust import TrustService


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedItem:
    """An item of memory found by its id; for a message also the messages before and after it, oldest first."""

    item: Message | Passage | Fact
    before: tuple[Message, ...] = ()
    after: tuple[Message, ...] = ()


class AgentMemory:
    """The services for one agent's memory. `caller` is the author of everything written through them."""

    def __init__(self, workspace: Workspace, memory: Memory, caller: Caller) -> None:
        self.name = memory.name
        self._workspace = workspace
        self._memory = memory
        self._caller = caller

    @cached_property
    def blocks(self) -> BlockService:
        """Core memory."""
        return BlockService(self._memory, self._caller, limit=self._workspace.settings.memory.block_limit)

    @cached_property
    def search(self) -> SearchService:
        """Searches over all kinds of memory."""
        from memgpt_cli.services.searching import SearchService

        return SearchService(self._memory, self._workspace.settings.zone)

    @cached_property
    def messages(self) -> MessageService:
        """Recall storage."""
        from memgpt_cli.services.messages import MessageService

        workspace = self._workspace
        return MessageService(self._memory, self._caller, workspace.clock, workspace.settings.zone)

    @cached_property
    def passages(self) -> PassageService:
        """Archival storage."""
        from memgpt_cli.services.passages import PassageService

        workspace = self._workspace
        return PassageService(self._memory, self._caller, workspace.clock, workspace.settings.zone)

    @cached_property
    def facts(self) -> FactService:
        """Facts and the entities that they are about."""
        from memgpt_cli.services.facts import FactService

        workspace = self._workspace
        return FactService(self._memory, self._caller, workspace.clock, workspace.settings.zone)

    @cached_property
    def changes(self) -> ChangeService:
        """Return the changes, for listing, undo and redo."""
        from memgpt_cli.services.changes import ChangeService

        return ChangeService(self._workspace, self._memory, self._caller)

    @cached_property
    def reviews(self) -> ReviewService:
        """Writes that wait for the person."""
        from memgpt_cli.services.reviews import ReviewService

        workspace = self._workspace
        return ReviewService(self._memory, self._caller, workspace.clock, workspace.settings.trust)

    @cached_property
    def trust(self) -> TrustService:
        """Where items come from."""
        from memgpt_cli.services.trust import TrustService

        return TrustService(self._memory)

    @cached_property
    def forget(self) -> ForgetService:
        """Permanent deletion."""
        from memgpt_cli.services.forgetting import ForgetService

        return ForgetService(self._workspace, self._memory)

    @cached_property
    def wishes(self) -> WishService:
        """Standing wishes in what people said."""
        from memgpt_cli.services.standing_wishes import WishService

        return WishService(self._memory)

    def fetch(self, ref: str, *, around: int = 0) -> FetchedItem:
        """An item by its id such as `m12`, `p7` or `f3`; a message with `around` others on either side.

        Raises UsageError for an invalid id, NotFoundError with the nearest ids for an unknown one.
        """
        if ref.strip()[:1].lower() == Kind.FACT.prefix:
            return FetchedItem(item=self.facts.get(ref))
        if ref.strip()[:1].lower() == Kind.PASSAGE.prefix:
            return FetchedItem(item=self.passages.get(ref))
        if not around:
            return FetchedItem(item=self.messages.get(ref))
        found = self.messages.around(ref, around)
        return FetchedItem(item=found.message, before=found.before, after=found.after)

    def fillings(self, *, limit: int) -> list[Filling]:
        """How full the window was at the end of each of the last turns, oldest first."""
        return self._memory.store.ledger.fillings(limit=limit)

    def causes(self, provenances: Iterable[Provenance]) -> Causes:
        """Return the authors and causes of these changes, with the messages that caused them."""
        return Causes(self._memory.store, list(provenances))


@contextmanager
def open_memory(
    workspace: Workspace, name: str | None = None, *, caller: Caller = PERSON, create: bool = False
) -> Iterator[AgentMemory]:
    """Open an agent's memory, also while it talks; the default is the selected agent.

    With `create` the default agent is created if it does not exist. Raises NotFoundError, StorageError.
    """
    name = name or workspace.agent_name
    if create:
        workspace.new_agents.ensure(name)
    with workspace.memory(name) as memory:
        yield AgentMemory(workspace, memory, caller)
