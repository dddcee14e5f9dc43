"""Operations on memory: list, undo and redo, one by one or a whole turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.messages import message_ref
from memgpt_cli.errors import NotFoundError, UsageError
from memgpt_cli.services import operations
from memgpt_cli.services.callers import PERSON
from memgpt_cli.services.causes import Causes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from memgpt_cli.bootstrap import Memory, Workspace
    from memgpt_cli.domain.blocks import Author
    from memgpt_cli.domain.history import Operation, UndoneTurn
    from memgpt_cli.ports import Store
    from memgpt_cli.services.callers import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationPage:
    """One page of operations, newest first, and whether there are older ones."""

    operations: tuple[Operation, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """An operation that was undone or redone, and the changes: added lines begin with +, removed ones with -."""

    operation: Operation
    lines: tuple[str, ...]


class ChangeService:
    """The operations on one agent's memory."""

    def __init__(self, workspace: Workspace, memory: Memory, caller: Caller) -> None:
        self._workspace = workspace
        self._memory = memory
        self._caller = caller

    def recent(self, *, limit: int = 50, page: int = 0, author: Author | None = None) -> OperationPage:
        """One page (0-based) of all operations, or of those of one author."""
        found = self._memory.store.journal.page(limit=limit + 1, offset=page * limit, author=author)
        return OperationPage(operations=tuple(found[:limit]), more=len(found) > limit)

    def describe(self, operation: Operation) -> list[str]:
        """Return the changes of an operation, line by line."""
        return operations.describe(operation, self._memory.store)

    def describe_undoing(self, operation: Operation) -> list[str]:
        """Return the changes that undoing an operation makes, line by line."""
        return operations.describe_undoing(operation, self._memory.store)

    def shapes(self, found: Sequence[Operation]) -> list[dict[str, Any]]:
        """Operations as JSON (docs/schemas/undo-list.schema.json)."""
        store = self._memory.store
        causes = Causes(store, [operation.provenance for operation in found])
        return [operations.shape(operation, store, causes) for operation in found]

    def turn_shape(self, taken: UndoneTurn) -> dict[str, Any]:
        """An undone turn as JSON (docs/schemas/undo-turn.schema.json)."""
        return {
            "turn": taken.turn,
            "messages": [message_ref(message.id) for message in taken.messages],
            "undone": self.shapes(taken.operations),
            "kept": self.shapes(taken.kept),
            "returned": taken.returned,
            "reopened": list(taken.reopened),
        }

    def undo(self, *, only: int | None = None) -> Reversal:
        """Undo the last change by any author; with `only`, raise UsageError unless it is this operation.

        Raises NotFoundError, UsageError, AgentBusyError.
        """
        while True:
            operation = _next(self._memory.store, redo=False)
            if only is not None and operation.id != only:
                raise UsageError(
                    f"operation {only} is not the last change",
                    hint=f"the last change is operation {operation.id}; undo later changes first",
                )
            if done := self._reversed(operation, redo=False):
                return done

    def redo(self) -> Reversal:
        """Redo the last undone change. Raises NotFoundError if there was a change since, UsageError."""
        while True:
            if done := self._reversed(_next(self._memory.store, redo=True), redo=True):
                return done

    def undo_turn(self) -> UndoneTurn:
        """Undo the last turn with its messages, changes and evictions. Raises NotFoundError, AgentBusyError."""
        workspace, now = self._workspace, self._workspace.clock.now()
        with workspace.agents.lock(self._memory.name, purpose="memgpt undo --turn", since=now).acquire():
            return undo_last_turn(self._memory.store, at=now, caller=self._caller)

    def _reversed(self, operation: Operation, *, redo: bool) -> Reversal | None:
        """Undo or redo it; None if another process has changed what is next."""
        store, now = self._memory.store, self._workspace.clock.now()
        lines = tuple((operations.describe if redo else operations.describe_undoing)(operation, store))
        moves_messages = any(change.kind is Kind.MESSAGE for change in operation.changes)
        by = self._caller.did("redo" if redo else "undo")
        with self._memory.between_turns(needed=moves_messages), store.transaction():
            if _next(store, redo=redo).id != operation.id:
                return None
            done = (store.undo.redo if redo else store.undo.undo)(at=now, provenance=by)
        return Reversal(operation=done or operation, lines=lines)


def undo_last_turn(store: Store, *, at: datetime, caller: Caller = PERSON) -> UndoneTurn:
    """Undo the last turn; the caller holds the agent's lock. Raises NotFoundError if there is none."""
    last = store.undo.last_turn()
    if last is None:
        raise NotFoundError("there is no turn to undo", hint="memgpt undo undoes changes to memory")
    with store.transaction():
        return store.undo.undo_turn(last, at=at, provenance=caller.did("undo"))


def _next(store: Store, *, redo: bool) -> Operation:
    """Return the operation to undo or redo next. Raises NotFoundError if there is none."""
    found = store.journal.undone(limit=1) if redo else store.journal.undoable(limit=1)
    if not found:
        what = "do again" if redo else "take back"
        raise NotFoundError(f"there is nothing to {what}", hint="memgpt undo --list")
    return found[0]
