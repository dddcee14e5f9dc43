"""Rebuild the vectors of an agent, with the same embedder or another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memgpt_cli.services.embedding_costs import EmbeddingCost

if TYPE_CHECKING:
    from collections.abc import Callable

    from memgpt_cli.bootstrap import Workspace
    from memgpt_cli.domain.vectors import EmbedderIdentity, IndexStatus

_WITHOUT_MODEL = {"static", "multilingual"}
"""Providers that have one model only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reindexed:
    """The result of a rebuild: the index, the number of new vectors, and the embedding cost (None: unknown)."""

    agent: str
    status: IndexStatus
    made: int
    tokens: int
    usd: float | None


def reindex(
    workspace: Workspace, embedder: str | None, *, wait: bool, progress: Callable[[str, int, int], None]
) -> Reindexed:
    """Rebuild the selected agent's index from its stored vectors, or with `embedder` from its texts.

    After a failure, finished work stays, and the same call continues. Raises UsageError for an unknown embedder,
    AgentBusyError, ModelError, APIKeyError, EmbedderMismatchError.
    """
    chosen = workspace.embedders.name(embedder)
    new = None if embedder is None else workspace.embedders.called(*chosen)
    cost = EmbeddingCost(workspace, chosen[1])
    with workspace.held_memory(purpose="memgpt archival reindex", wait=wait) as memory:
        if new is None:
            memory.check_embedder()
        made = memory.index.reindex(new, progress=progress)
        status = memory.index.status()
    return Reindexed(agent=memory.name, status=status, made=made, tokens=cost.tokens, usd=cost.usd)


def save_embedder(workspace: Workspace, embedder: str) -> None:
    """Make this embedder the configured one. Raises UsageError, ConfigError."""
    provider, model = workspace.embedders.name(embedder)
    file = workspace.settings_file
    file.set("embedder.provider", provider)
    if provider in _WITHOUT_MODEL:
        file.unset("embedder.model")
    else:
        file.set("embedder.model", model)


def commands_to_agree(workspace: Workspace, embedder: str | None) -> list[str]:
    """The commands that make the settings name this embedder; none when they do."""
    provider, model = workspace.embedders.name(embedder)
    if workspace.embedders.name() == (provider, model):
        return []
    wanted = {"embedder.provider": provider, **({} if provider == "static" else {"embedder.model": model})}
    commands = []
    for key, value in wanted.items():
        setting = workspace.configuration[key]
        if setting.value == value:
            continue
        in_environment = setting.source.value == "environment"
        commands.append(f"export {setting.where}={value}" if in_environment else f"memgpt config set {key} {value}")
    return commands


def agents_with_other_vectors(workspace: Workspace, done: Reindexed) -> list[tuple[str, EmbedderIdentity]]:
    """Other agents whose vectors come from another embedder, with that embedder."""
    identity = done.status.identity
    theirs = (
        (name, workspace.agents.summary(name).embedder) for name in workspace.agents.names() if name != done.agent
    )
    return [(name, other) for name, other in theirs if identity is not None and other not in {None, identity} and other]


def reindexed_shape(done: Reindexed, *, settings_agree: bool) -> dict[str, Any]:
    """A rebuild as JSON (docs/schemas/archival-reindex.schema.json)."""
    status = done.status
    return {
        "agent": done.agent,
        "embedder": None if status.identity is None else str(status.identity),
        "embedded": done.made,
        "vectors": {str(collection): count for collection, count in status.vectors.items()},
        "embedding_tokens": done.tokens,
        "cost_usd": done.usd,
        "settings_agree": settings_agree,
    }
