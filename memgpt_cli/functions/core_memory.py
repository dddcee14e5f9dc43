"""Functions that write core memory.

A result says what changed and how full the block is. If a step edits a block twice, the executor adds the whole block.
"""

from typing import Final

from memgpt_cli.domain.blocks import Block, Provenance
from memgpt_cli.domain.effects import Effects
from memgpt_cli.domain.parameters import Arguments, Parameter
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.errors import FunctionArgumentError, UsageError
from memgpt_cli.functions.holding import held, provenance_for
from memgpt_cli.functions.spec import FunctionContext, FunctionSpec
from memgpt_cli.main_context.core_memory import CoreMemory, state_of

APPEND: Final = "core_memory_append"
REPLACE: Final = "core_memory_replace"

WHOLE: Final = "*"
"""`old_content` that means the whole block."""

_LABEL = Parameter(name="label", type="string")


def _append(arguments: Arguments, context: FunctionContext) -> FunctionResult:
    done, same = "Added to block {}", "Block {} has this already; nothing was added"
    return _edited(APPEND, arguments, context, written=arguments["content"], done=done, same=same)


def _replace(arguments: Arguments, context: FunctionContext) -> FunctionResult:
    new = arguments["new_content"]
    whole = arguments["old_content"].strip() == WHOLE
    if whole and not new.strip():
        raise FunctionArgumentError("new_content is empty; nothing was changed", hint="pass the whole new text")
    done = "Rewrote block {}" if whole else "Replaced in block {}" if new else "Removed from block {}"
    try:
        return _edited(REPLACE, arguments, context, written=new, done=done, same="Block {} is unchanged")
    except UsageError as error:
        if whole:
            raise
        block = context.core_memory.block(arguments["label"])
        text = f"{error.message}. {state_of(block)}"
        return FunctionResult(text=text, ok=False, effects=Effects(blocks={block.label: block.version}))


def edit_block(core_memory: CoreMemory, function: str, arguments: Arguments, provenance: Provenance) -> Block:
    """Make the change that a call of `function` asks for. Raises what the rules of core memory raise."""
    label = arguments["label"]
    if function == APPEND:
        return core_memory.append(label, arguments["content"], provenance)
    old, new = arguments["old_content"], arguments["new_content"]
    if old.strip() == WHOLE:
        return core_memory.change(label, provenance, value=new)
    return core_memory.replace(label, old, new, provenance)


def _edited(
    function: str, arguments: Arguments, context: FunctionContext, *, written: str, done: str, same: str
) -> FunctionResult:
    def edit(provenance: Provenance) -> Block:
        return edit_block(context.core_memory, function, arguments, provenance)

    if (waiting := held(function, arguments, edit, context)) is not None:
        return waiting
    before = context.core_memory.block(arguments["label"])
    block = edit(provenance_for(written, context))
    said = same if block.version == before.version else done
    text = f"{said.format(block.label)} ({len(block.value)}/{block.limit})."
    return FunctionResult(text=text, effects=Effects(blocks={block.label: block.version}))


CORE_MEMORY_APPEND = FunctionSpec(
    name=APPEND,
    description="Add a line to a block.",
    parameters=(_LABEL, Parameter(name="content", type="string")),
    run=_append,
    writes=True,
)

CORE_MEMORY_REPLACE = FunctionSpec(
    name=REPLACE,
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
