"""Appends the messages of a turn to the queue and closes the turn. Call it inside a transaction."""

from datetime import datetime, timedelta

from memgpt_cli.agent.intake import Accepted
from memgpt_cli.agent.sources import origin_of_result
from memgpt_cli.agent.turn_rows import close_turn
from memgpt_cli.domain.agents import Turn, TurnState
from memgpt_cli.domain.messages import FunctionCall, Message, Opaque, Role, clean
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.trust import Origin
from memgpt_cli.main_context.queue_manager import QueueManager
from memgpt_cli.ports import Clock, Store


class TurnWriter:
    """Writes what happens in the turns of one agent."""

    def __init__(self, store: Store, queue_manager: QueueManager, clock: Clock) -> None:
        self._store = store
        self._queue_manager = queue_manager
        self._clock = clock

    def append(
        self,
        accepted: Accepted,
        number: int,
        role: Role,
        text: str,
        *,
        name: str | None = None,
        calls: tuple[FunctionCall, ...] = (),
        interrupted: bool = False,
        opaque: Opaque | None = None,
        origin: Origin | None = None,
    ) -> Message:
        """Store a message of step `number` and return it with its id."""
        return self._queue_manager.append(
            Message(
                role=role,
                text=text,
                created_at=self.now(accepted.lag),
                turn=accepted.turn.id,
                step=number,
                name=name,
                calls=calls,
                interrupted=interrupted,
                opaque=opaque,
                lineage=origin,
            )
        )

    def append_result(self, accepted: Accepted, number: int, call: FunctionCall, result: FunctionResult) -> None:
        """Store the result of a call of step `number`."""
        self._queue_manager.append(
            Message(
                role=Role.TOOL,
                text=clean(result.text),
                created_at=self.now(accepted.lag),
                turn=accepted.turn.id,
                step=number,
                name=call.name,
                call_id=call.id,
                ok=result.ok,
                effects=result.effects,
                lineage=origin_of_result(result),
            )
        )

    def now(self, lag: timedelta) -> datetime:
        """Return the time of the conversation, which may differ from the clock's."""
        return self._clock.now() + lag

    def close(self, turn: Turn, state: TurnState) -> None:
        """Give the turn its final state."""
        close_turn(self._store, turn, state, epoch=self._queue_manager.epoch.id)
