"""The JSON shapes that scripts may rely on; their schemas are in docs/schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.messages import message_ref
from memgpt_cli.domain.passages import passage_ref
from memgpt_cli.domain.times import to_text

if TYPE_CHECKING:
    from memgpt_cli.agent.session import Session
    from memgpt_cli.domain.agents import Filling, Totals
    from memgpt_cli.domain.blocks import Block
    from memgpt_cli.domain.events import StepCommitted, TurnEnded
    from memgpt_cli.domain.messages import Message
    from memgpt_cli.domain.passages import Passage
    from memgpt_cli.domain.search import SearchResult, Why
    from memgpt_cli.ports import Store


def message(item: Message) -> dict[str, Any]:
    """One message of recall storage."""
    return {
        "id": message_ref(item.id),
        "role": item.role.value,
        "name": item.name,
        "text": item.text,
        "created_at": to_text(item.created_at),
        "in_context": item.in_context,
        "turn": item.turn,
    }


def passage(item: Passage) -> dict[str, Any]:
    """One passage of archival storage."""
    return {
        "id": passage_ref(item.id),
        "text": item.text,
        "tags": list(item.tags),
        "source": item.source,
        "location": item.location,
        "created_at": to_text(item.created_at),
    }


def block(item: Block) -> dict[str, Any]:
    """One core memory block."""
    return {
        "label": item.label,
        "value": item.value,
        "description": item.description,
        "limit": item.limit,
        "read_only": item.read_only,
        "version": item.version,
    }


def why(item: Why) -> dict[str, Any]:
    """The reasons for a hit."""
    return {
        "signals": {name: round(value, 4) for name, value in item.signals.items()},
        "words": list(item.words),
        "attention": round(item.attention, 4),
    }


def recall_result(query: str, found: SearchResult[Message]) -> dict[str, Any]:
    """The result of a search in recall storage."""
    from memgpt_cli.external_context.excerpts import excerpt_for_people

    hits = [
        {
            "id": message_ref(hit.item.id),
            "score": round(hit.score, 4),
            "role": hit.item.role.value,
            "name": hit.item.name,
            "text": hit.item.text,
            "excerpt": excerpt_for_people(hit.item, found.terms).text,
            "created_at": to_text(hit.item.created_at),
            "why": why(hit.why),
        }
        for hit in found.hits
    ]
    return _result(query, found, hits, what="messages")


def archival_result(query: str, found: SearchResult[Passage]) -> dict[str, Any]:
    """The result of a search in archival storage."""
    from memgpt_cli.external_context.excerpts import excerpt_for_people

    hits = [
        {
            **passage(hit.item),
            "excerpt": excerpt_for_people(hit.item, found.terms).text,
            "score": round(hit.score, 4),
            "why": why(hit.why),
        }
        for hit in found.hits
    ]
    return _result(query, found, hits, what="passages")


def _result(query: str, found: SearchResult[Any], hits: list[dict[str, Any]], *, what: str) -> dict[str, Any]:
    from memgpt_cli.external_context.meaning import notes_for_people

    return {
        "query": query,
        "total": found.total,
        "total_is": "candidates" if found.ranked else "matches",
        "page": found.page,
        "hits": hits,
        "weak": found.weak,
        "notes": list(notes_for_people(found, what=what)),
    }


def turn(agent: str, steps: list[StepCommitted], ended: TurnEnded) -> dict[str, Any]:
    """One turn of `send`."""
    usages = [step.record.usage for step in steps]
    costs = [step.record.cost_usd for step in steps]
    return {
        "agent": agent,
        "turn": ended.turn,
        "reply": ended.reply,
        "state": ended.state.value,
        "repeated": ended.repeated,
        "steps": [
            {
                "text": step.text,
                "prompt_tokens": step.record.usage.prompt_tokens,
                "completion_tokens": step.record.usage.completion_tokens,
                "cached_tokens": step.record.usage.cached_tokens,
                "functions": [
                    {"name": f.call.name, "arguments": f.call.arguments, "ok": f.ok, "result": f.result.text}
                    for f in step.functions
                ],
            }
            for step in steps
        ],
        "evicted": ended.evicted,
        "usage": {
            "prompt_tokens": sum(u.prompt_tokens for u in usages),
            "completion_tokens": sum(u.completion_tokens for u in usages),
            "cached_tokens": sum(u.cached_tokens for u in usages),
            "cost_usd": None if any(c is None for c in costs) else round(sum(c or 0.0 for c in costs), 8),
        },
    }


def context(session: Session) -> dict[str, Any]:
    """Show the current window."""
    manager = session.agent.queue_manager
    window, usage = manager.window, manager.usage()
    return {
        "agent": session.name,
        "model": session.agent.model.name,
        "window": window.settings.window,
        "window_from": window.settings.source,
        "reserved": window.settings.reserved,
        "used": usage.total,
        "free": max(0, window.room - usage.total),
        "pressure": round(usage.total / window.room, 4),
        "parts": {
            "instructions": usage.instructions,
            "functions": usage.functions,
            "core_memory": usage.core_memory,
            "summary": usage.summary,
            "queue": usage.queue,
        },
        "epoch": manager.epoch.id,
        "hidden": manager.epoch.hidden,
        "messages_in_queue": len(manager.queue),
        "messages_total": session.store.messages.count(),
        "counting": {
            "table": window.counter.name,
            "exact": window.counter.exact,
            "ratio": round(window.ratio, 4),
        },
        "last_prompt": _last_prompt(session.store),
        "totals": {
            "turn": totals(session.store.ledger.totals(turn=_last_turn(session.store))),
            "epoch": totals(session.store.ledger.totals(epoch=manager.epoch.id)),
            "all": totals(session.store.ledger.totals()),
        },
    }


def totals(item: Totals) -> dict[str, Any]:
    """The sum of calls."""
    return {
        "calls": item.calls,
        "prompt_tokens": item.prompt_tokens,
        "cached_tokens": item.cached_tokens,
        "completion_tokens": item.completion_tokens,
        "cost_usd": None if item.cost_usd is None else round(item.cost_usd, 8),
    }


def filling(item: Filling) -> dict[str, Any]:
    """How full the window was when a turn ended."""
    return {
        "turn": item.turn,
        "at": to_text(item.at),
        "prompt_tokens": item.prompt_tokens,
        "epoch": item.epoch,
        "evicted": item.evicted,
    }


def _last_turn(store: Store) -> int:
    step = store.turns.last_step()
    return step.turn if step else 0


def _last_prompt(store: Store) -> dict[str, Any] | None:
    """The newest prompt in the server's tokens: we compute the repeated share, the server the cached part."""
    step = store.turns.last_step()
    if step is None:
        return None
    tokens = step.usage.prompt_tokens or step.counted_tokens
    return {
        "tokens": tokens,
        "repeated": round(tokens * step.repeated_tokens / max(1, step.counted_tokens)),
        "cached": step.usage.cached_tokens if step.usage_reported else None,
    }
