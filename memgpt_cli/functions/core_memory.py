"""Functions that write core memory."""

from memgpt_cli.functions.spec import Arguments, FunctionContext, FunctionSpec, Parameter
from memgpt_cli.main_context.core_memory import state_of

_LABEL = Parameter(name="label", type="string", description="The block's label, such as human or persona.")


def _append(arguments: Arguments, context: FunctionContext) -> str:
    block = context.core_memory.append(arguments["label"], arguments["content"], context.provenance)
    return state_of(block)


def _replace(arguments: Arguments, context: FunctionContext) -> str:
    block = context.core_memory.replace(
        arguments["label"], arguments["old_content"], arguments["new_content"], context.provenance
    )
    return state_of(block)


CORE_MEMORY_APPEND = FunctionSpec(
    name="core_memory_append",
    description="Add a line at the end of a core memory block.",
    parameters=(_LABEL, Parameter(name="content", type="string", description="The text to add.")),
    run=_append,
    writes=True,
)

CORE_MEMORY_REPLACE = FunctionSpec(
    name="core_memory_replace",
    description="Replace text in a core memory block. To delete, pass an empty new_content.",
    parameters=(
        _LABEL,
        Parameter(name="old_content", type="string", description="Text that stands exactly once in the block."),
        Parameter(name="new_content", type="string", description="What stands there afterwards."),
    ),
    run=_replace,
    writes=True,
)
