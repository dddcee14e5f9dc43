"""An agent that is locked but not opened yet. A chat needs no more until the user sends a message.

It does not import the loop, so reserving an agent is cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from memgpt_cli.agent.session import Session
    from memgpt_cli.domain.agent_summary import AgentSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The exclusive right to an agent, and what is known of it. Call either `open` or `release`, once.

    `model` and `window` (tokens) are what will answer; `host` is its server, None for a model inside this program.
    `warm_up` loads what opening and the first turn need; it may run on another thread meanwhile.
    """

    name: str
    model: str
    host: str | None
    window: int
    notices: tuple[str, ...]
    summary: AgentSummary
    open: Callable[[], Session]
    release: Callable[[], None]
    warm_up: Callable[[], None]
