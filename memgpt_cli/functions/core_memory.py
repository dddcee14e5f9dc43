"""Functions that write core memory.

A result says what changed and how full the block is. If a step edits a block twice, the executor adds the whole block.
"""

from collections.abc import Callable
from typing import Final

from memgpt_cli.domain.blocks import Block
from memgpt_cli.domain.effects import Effects
from memgpt_cli.domain.parameters import Arguments, Parameter
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.errors import FunctionArgumentError, UsageError
from memgpt_cli.functions.spec import FunctionContext, FunctionSpec
from memgpt_cli.main_context.core_memory import state_of

WHOLE: Final = "*"
"""`old_content` that means the whole block."""

_LABEL = Parameter(name="label", type="string")


def _append(arguments: Arguments, context: FunctionContext) -> FunctionResult:
    content, label = arguments["content"], arguments["label"]

    def append() -> Block:
        return context.core_memory.append(label, content, context.provenance)

    return _edited(
        append, label, context, done="Added to block {}", same="Block {} has this already; nothing was added"
    )


def _replace(arguments: Arguments, context: FunctionContext) -> FunctionResult:
    label, old, new = arguments["label"], arguments["old_content"], arguments["new_content"]

    def replace() -> Block:
        return context.core_memory.replace(label, old, new, context.provenance)

    if old.strip() == WHOLE:
        return _rewrite(label, new, context)
    done = "Replaced in block {}" if new else "Removed from block {}"
    try:
        return _edited(replace, label, context, done=done, same="Block {} is unchanged")
    except UsageError as error:
        block = context.core_memory.block(label)
        text = f"{error.message}. {state_of(block)}"
        return FunctionResult(text=text, ok=False, effects=Effects(blocks={block.label: block.version}))


def _rewrite(label: str, content: str, context: FunctionContext) -> FunctionResult:
    if not content.strip():
        raise FunctionArgumentError("new_content is empty; nothing was changed", hint="pass the whole new text")

    def rewrite() -> Block:
        return context.core_memory.change(label, context.provenance, value=content)

    return _edited(rewrite, label, context, done="Rewrote block {}", same="Block {} is unchanged")


def _edited(edit: Callable[[], Block], label: str, context: FunctionContext, *, done: str, same: str) -> FunctionResult:
    before = context.core_memory.block(label)
    block = edit()
    said = same if block.version == before.version else done
    text = f"{said.format(block.label)} ({len(block.value)}/{block.limit})."
    return FunctionResult(text=text, effects=Effects(blocks={block.label: block.version}))


CORE_MEMORY_APPEND = FunctionSpec(
    name="core_memory_append",
    description="Add a line to a block.",
    parameters=(_LABEL, Parameter(name="content", type="string")),
    run=_append,
    writes=True,
)

CORE_MEMORY_REPLACE = FunctionSpec(
    name="core_memory_replace",
    description="Replace text in a block.",
    parameters=(
        _LABEL,
        Parameter(
            name="old_content",
            type="string",
            description="Text that occurs once; * for all.",
        ),
        Parameter(name="new_content", type="string", description="Empty: delete."),
    ),
    run=_replace,
    writes=True,
)
