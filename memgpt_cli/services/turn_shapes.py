"""The JSON shape of a message with its whole turn (docs/schemas/recall-show.schema.json)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.times import to_text
from memgpt_cli.services import shapes

if TYPE_CHECKING:
    from memgpt_cli.domain.agents import StepRecord
    from memgpt_cli.domain.messages import Message, Opaque
    from memgpt_cli.services.memory import AgentMemory
    from memgpt_cli.services.messages import TurnView


def message_with_turn(memory: AgentMemory, message: Message, turn: TurnView | None) -> dict[str, Any]:
    """A message and its turn; the turn is None for an imported message."""
    return {"message": _message(message), "turn": None if turn is None else _turn(memory, turn)}


def _turn(memory: AgentMemory, view: TurnView) -> dict[str, Any]:
    return {
        "id": view.turn.id,
        "state": view.turn.state.value,
        "started_at": to_text(view.turn.started_at),
        "evicted": view.turn.evicted,
        "messages": [_message(message) for message in view.messages],
        "changes": memory.changes.shapes(view.changes),
        "steps": [_step(step) for step in view.steps],
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        **shapes.message(message),
        "calls": [{"id": c.id, "name": c.name, "arguments": c.arguments} for c in message.calls],
        "call_id": message.call_id,
        "ok": message.ok,
        "opaque": _opaque(message.opaque),
        "interrupted": message.interrupted,
        "stub": message.stub,
        "session": message.session,
        "external_id": message.external_id,
    }


def _opaque(opaque: Opaque | None) -> dict[str, Any] | None:
    return None if opaque is None else {"origin": opaque.origin, "content": opaque.content, "tokens": opaque.tokens}


def _step(step: StepRecord) -> dict[str, Any]:
    return {
        "model": step.model,
        "purpose": step.purpose,
        "prompt_tokens": step.usage.prompt_tokens,
        "completion_tokens": step.usage.completion_tokens,
        "cached_tokens": step.usage.cached_tokens,
        "cost_usd": step.cost_usd,
        "seconds": round(step.duration_s, 3),
    }
