"""The check of `memgpt doctor --memory`: issues in the agent's memory, each with the command that settles it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from memgpt_cli.cli.doctor.finding import Finding
from memgpt_cli.services.memory import open_memory
from memgpt_cli.services.memory_health import memory_issues

if TYPE_CHECKING:
    from memgpt_cli.services.workspaces import Workspace


def check_memory(workspace: "Workspace") -> Iterator[Finding]:
    """Report each issue, or that memory is in order."""
    with open_memory(workspace) as memory:
        issues = memory_issues(memory)
    for issue in issues:
        yield Finding(what="memory", ok=False, says=issue.says, hint=issue.hint)
    if not issues:
        yield Finding(what="memory", ok=True, says="no contradictions, duplicates, stale lines or facts to check")
