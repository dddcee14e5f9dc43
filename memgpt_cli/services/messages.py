"""Messages of recall storage: list them, show them with their turn or neighbours, delete them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.agents import TurnState
from memgpt_cli.domain.messages import SPOKEN, Role
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.services import ids
from memgpt_cli.services.filters import recall_filters
from memgpt_cli.services.imports import imported_messages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from memgpt_cli.bootstrap import Memory
    from memgpt_cli.domain.agents import StepRecord, Turn
    from memgpt_cli.domain.history import Operation
    from memgpt_cli.domain.messages import Message
    from memgpt_cli.ports import Clock
    from memgpt_cli.services.callers import Caller

ANY_ROLE: Final = RecallFilters(roles=tuple(Role))


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage:
    """One page of messages, newest first, and whether there are older ones."""

    messages: tuple[Message, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContext:
    """A message and its neighbours, oldest first."""

    before: tuple[Message, ...]
    message: Message
    after: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnView:
    """A turn with its messages, its changes to memory, and its model calls."""

    turn: Turn
    messages: tuple[Message, ...]
    changes: tuple[Operation, ...]
    steps: tuple[StepRecord, ...]


class MessageService:
    """The messages of one agent."""

    def __init__(self, memory: Memory, caller: Caller, clock: Clock, zone: tzinfo) -> None:
        self._memory = memory
        self._caller = caller
        self._clock = clock
        self._zone = zone

    def filters(
        self,
        roles: Sequence[Role] | None = None,
        *,
        name: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> RecallFilters:
        """Filters of texts; None means all roles. Raises UsageError for an invalid date."""
        chosen = tuple(roles or Role)
        return recall_filters(chosen, zone=self._zone, name=name, since=since, until=until)

    def recent(self, filters: RecallFilters = ANY_ROLE, *, limit: int = 50, page: int = 0) -> MessagePage:
        """One page (0-based), newest first."""
        found = self._memory.store.messages.page(filters, limit=limit + 1, offset=page * limit)
        return MessagePage(messages=tuple(found[:limit]), more=len(found) > limit)

    def get(self, ref: str) -> Message:
        """Return the message with an id such as `m12`. Raises UsageError, and NotFoundError with the nearest ids."""
        return ids.message(self._memory, ref)

    def around(self, ref: str, most: int = 5) -> MessageContext:
        """Return a message with at most `most` messages before and after it. Raises UsageError, NotFoundError."""
        message = self.get(ref)
        roles = SPOKEN if message.role in SPOKEN else tuple(Role)
        before, after = self._memory.recall.around(message, RecallFilters(roles=roles), most)
        return MessageContext(before=before, message=message, after=after)

    def newest_refs(self, limit: int) -> list[tuple[str, str]]:
        """The ids of the newest messages and the beginnings of their texts."""
        return ids.newest_messages(self._memory, limit)

    def turn_of(self, message: Message) -> TurnView | None:
        """Return the turn of a message; None for an imported one."""
        store = self._memory.store
        turn = None if message.turn is None else store.turns.get(message.turn)
        if turn is None:
            return None
        return TurnView(
            turn=turn,
            messages=tuple(store.messages.of_turn(turn.id)),
            changes=tuple(store.journal.of_turn(turn.id)),
            steps=tuple(store.turns.steps(turn.id)),
        )

    def select(
        self, refs: Sequence[str], filters: RecallFilters | None = None, *, imported: int | None = None
    ) -> list[Message]:
        """The messages of these ids and ranges, filters and import, with the rest of each turn, oldest first.

        Raises UsageError for an invalid id, NotFoundError for an unknown one or an unknown import.
        """
        store, found = self._memory.store, dict[int, "Message"]()
        for ref in refs:
            first, last = ids.numbers(ref, letter="m")
            if first == last:
                found[first] = self.get(ref)
            else:
                found |= {m.id: m for m in store.messages.get(range(first, last + 1))}
        if imported is not None:
            found |= {m.id: m for m in store.messages.get(imported_messages(store, imported))}
        if filters is not None:
            found |= {m.id: m for m in store.messages.page(filters, limit=store.messages.count(filters))}
        for turn in {m.turn for m in found.values() if m.turn is not None}:
            found |= {m.id: m for m in store.messages.of_turn(turn)}
        return [found[number] for number in sorted(found)]

    def export(self, filters: RecallFilters) -> Iterator[str]:
        """Messages by time, each as a line of JSON that an import reads back as the same message."""
        from memgpt_cli.external_context.importing import export_lines

        return export_lines(self._memory.store, roles=filters.roles, filters=filters)

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete whole turns, as returned by `select`, as one operation that can be undone.

        An unanswered turn is closed. Raises AgentBusyError during a turn.
        """
        store, by = self._memory.store, self._caller.did("recall delete")
        gone = {message.turn for message in messages}
        with self._memory.between_turns(), store.transaction(), store.journal.operation(by):
            for turn in store.turns.open_turns():
                if turn.id in gone:
                    store.turns.update(replace(turn, state=TurnState.INTERRUPTED))
            store.tombstones.delete([m.id for m in messages], at=self._clock.now(), provenance=by)
