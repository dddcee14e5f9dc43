"""Detect whether the selected model would send another agent's history to another server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memgpt_cli.errors import ConfigError

if TYPE_CHECKING:
    from memgpt_cli.bootstrap import ModelChoice, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An agent's history would go from its `own` model (None: its profile does not exist) to `to`."""

    agent: str
    own: ModelChoice | None
    to: ModelChoice


def move_of(workspace: Workspace, agent: str) -> Move | None:
    """Return the move that the command line's model causes for this agent; None if its history stays on its own server.

    An unknown agent has no history, and a model inside this program sends it nowhere. Raises ConfigError.
    """
    if not workspace.agents.exists(agent):
        return None
    config = workspace.agents.summary(agent).config
    to = workspace.models.choose(config)
    try:
        own = workspace.without_flags().models.choose(config)
    except ConfigError:
        own = None
    stays = to.endpoint is None or (own is not None and own.destination.place == to.destination.place)
    return None if stays else Move(agent=agent, own=own, to=to)
