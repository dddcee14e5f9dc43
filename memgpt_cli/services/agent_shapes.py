"""What an agent is and holds, as JSON and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.messages import Role
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import StorageError
from memgpt_cli.services.agent_settings import settings_changes

if TYPE_CHECKING:
    from memgpt_cli.bootstrap import Workspace


def describe(workspace: Workspace, name: str) -> dict[str, Any]:
    """Return one agent as JSON (docs/schemas/agent-show.schema.json). Raises NotFoundError, StorageError."""
    with workspace.agents.opened(name) as store:
        config = store.config()
        newest = store.messages.page(RecallFilters(roles=tuple(Role)), limit=1)
        step = store.turns.last_step()
        last = step.at if step and step.at else newest[0].created_at if newest else None
        return {
            "name": name,
            "model": config.model,
            "profile": config.profile,
            "base_url": config.base_url,
            "window": config.window,
            "protocol": config.protocol.value,
            "created_at": to_text(config.created_at),
            "last_used": to_text(last) if last else None,
            "messages": store.messages.count(),
            "passages": store.passages.count(),
            "blocks": [block.label for block in store.blocks.all()],
            "bytes": workspace.agents.size(name),
            "changes": settings_changes(store),
        }


def contents(workspace: Workspace, name: str) -> str:
    """Return what is deleted with an agent, also if its record is missing or damaged. Raises NotFoundError."""
    if name in workspace.agents.without_record():
        return "a folder without a record"
    try:
        shape = describe(workspace, name)
    except StorageError as error:
        return f"a record that cannot be read ({error.message})"
    return f"{shape['messages']} messages and {shape['passages']} passages"
