"""Select the tools that clients are offered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memgpt_cli.errors import UsageError
from memgpt_cli.mcp import reading, writing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memgpt_cli.mcp.spec import Tool

ALL: Final = (
    reading.SEARCH,
    reading.FETCH,
    writing.REMEMBER,
    reading.CORE_MEMORY_VIEW,
    writing.CORE_MEMORY_APPEND,
    writing.CORE_MEMORY_REPLACE,
    reading.FACTS,
    reading.LIST_RECENT,
    writing.UNDO,
    writing.FORGET,
)


def chosen(*, read_only: bool = False, allow_forget: bool = False, names: Sequence[str] = ()) -> tuple[Tool, ...]:
    """Return the tools of a server; `names` selects from them. Raises UsageError for an unknown name."""
    tools = {
        tool.name: tool
        for tool in ALL
        if not (read_only and tool.writes) and (allow_forget or tool is not writing.FORGET)
    }
    for name in names:
        if name not in tools:
            raise UsageError(f"there is no tool {name!r}", hint=f"the tools are: {', '.join(tools)}")
    return tuple(tool for name, tool in tools.items() if not names or name in names)
