"""The writing tools: passages, core memory, undo and forget. Each write returns the operation for `undo`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.parameters import Parameter
from memgpt_cli.domain.passages import passage_ref
from memgpt_cli.domain.reviews import review_ref
from memgpt_cli.errors import UsageError
from memgpt_cli.mcp.spec import Tool, ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from memgpt_cli.domain.blocks import Block
    from memgpt_cli.domain.history import Change
    from memgpt_cli.services.memory import AgentMemory

_LOOKED_THROUGH: Final = 100
"""Operations searched for a write's own; other processes may have written since."""

_MOST_STORED: Final = 100_000
"""Maximum characters of one passage: more is a document, which `memgpt archival load` splits into passages."""

_LABEL: Final = Parameter(name="label", type="string", description="e.g. human")


def _remember(call: ToolCall) -> dict[str, Any]:
    memory, arguments = call.memory, call.arguments
    content = arguments["content"]
    if len(content) > _MOST_STORED:
        raise UsageError(
            f"a passage has at most {_MOST_STORED:,} characters, not {len(content):,}",
            hint="store its parts one by one, or load the file with memgpt archival load",
        )
    stored = memory.passages.add([content], tags=arguments.get("tags") or None)[0]
    found: dict[str, Any] = {"id": passage_ref(stored.passage.id), "new": stored.new}
    if stored.new:
        found["operation"] = _operation(
            memory, lambda c: c.kind is Kind.PASSAGE and c.before == 0 and c.first <= stored.passage.id <= c.last
        )
    if stored.similar:
        found["similar"] = [{"id": passage_ref(p.id), "text": p.text[:200]} for p in stored.similar]
    return found


def _append(call: ToolCall) -> dict[str, Any]:
    label, content = call.arguments["label"], call.arguments["content"]
    return _edited(call, CORE_MEMORY_APPEND.name, lambda: call.memory.blocks.append(label, content))


def _replace(call: ToolCall) -> dict[str, Any]:
    label, old, new = (call.arguments[name] for name in ("label", "old_content", "new_content"))
    return _edited(call, CORE_MEMORY_REPLACE.name, lambda: call.memory.blocks.replace(label, old, new))


def _edited(call: ToolCall, function: str, edit: Callable[[], Block]) -> dict[str, Any]:
    """Make an edit, or keep it for the person: a client that was shown documents or imports may repeat them."""
    memory = call.memory
    before = memory.blocks.get(call.arguments["label"])
    held = memory.reviews.hold(function, call.arguments, call.shown.sources(call.program))
    if held is not None:
        note = f"not written yet: {held.reason}. It waits for the person as {review_ref(held.id)} (memgpt review)"
        return {"label": before.label, "changed": False, "waits_as": review_ref(held.id), "note": note}
    block = edit()
    found: dict[str, Any] = {"label": block.label, "characters": len(block.value), "limit": block.limit}
    if block.version == before.version:
        return {**found, "changed": False}
    operation = _operation(
        memory, lambda c: c.kind is Kind.BLOCK and c.label == block.label and c.after == block.version
    )
    return {**found, "changed": True, "operation": operation}


def _operation(memory: AgentMemory, own: Callable[[Change], bool]) -> str:
    """Return the id of the operation that contains a change."""
    for operation in memory.changes.recent(limit=_LOOKED_THROUGH).operations:
        if any(own(change) for change in operation.changes):
            return str(operation.id)
    return ""


def _undo(call: ToolCall) -> dict[str, Any]:
    memory, arguments = call.memory, call.arguments
    wanted = arguments["operation"].strip()
    if not wanted.isdecimal():
        raise UsageError(f"{wanted[:80]!r} is not an operation", hint="pass the `operation` that a write returned")
    done = memory.changes.undo(only=int(wanted))
    return {"undone": str(done.operation.id), "lines": list(done.lines)}


def _forget(call: ToolCall) -> dict[str, Any]:
    memory, arguments = call.memory, call.arguments
    from memgpt_cli.services.forgetting import forgotten_shape, plan_shape

    wanted = memory.forget.wanted(text=arguments["text"])
    if not arguments.get("confirm", False):
        return plan_shape(memory.forget.plan(wanted))
    done = memory.forget.carry_out(wanted)
    return {} if done is None else forgotten_shape(done)


REMEMBER = Tool(
    name="remember",
    description="Store a self-contained note, found by search.",
    parameters=(
        Parameter(name="content", type="string"),
        Parameter(name="tags", type="array", items="string", required=False),
    ),
    run=_remember,
    writes=True,
)

CORE_MEMORY_APPEND = Tool(
    name="core_memory_append",
    description="Add a line to a core memory block.",
    parameters=(_LABEL, Parameter(name="content", type="string")),
    run=_append,
    writes=True,
)

CORE_MEMORY_REPLACE = Tool(
    name="core_memory_replace",
    description="Replace text in a core memory block.",
    parameters=(
        _LABEL,
        Parameter(name="old_content", type="string", description="Text that occurs once."),
        Parameter(name="new_content", type="string", description="Empty: delete."),
    ),
    run=_replace,
    writes=True,
)

UNDO = Tool(
    name="undo",
    description="Undo a write, if nothing was written after it.",
    parameters=(Parameter(name="operation", type="string", description="What the write returned."),),
    run=_undo,
    writes=True,
)

FORGET = Tool(
    name="forget",
    description="Permanently delete a text everywhere. Without confirm it only lists what would go.",
    parameters=(
        Parameter(name="text", type="string"),
        Parameter(name="confirm", type="boolean", required=False),
    ),
    run=_forget,
    writes=True,
)
