"""An agent held under its lock but not opened yet: all that a chat needs until the person has said something.

Imports nothing of the loop, so that holding an agent costs next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from memgpt_cli.agent.session import Session
    from memgpt_cli.domain.glance import Glance


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The exclusive right to an agent, and what is known of it. Either `open` or `release` must follow, once.

    `model` and `window` (tokens) are what will answer; `host` is its server, None for a model inside this program.
    `warm_up` loads what opening and the first turn need; it may run on another thread meanwhile.
    """

    name: str
    model: str
    host: str | None
    window: int
    notices: tuple[str, ...]
    glance: Glance
    open: Callable[[], Session]
    release: Callable[[], None]
    warm_up: Callable[[], None]
