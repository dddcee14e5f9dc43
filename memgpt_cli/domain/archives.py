"""What a backup holds and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """A written and verified backup: its size in bytes, its agents, and the program's other files in it.

    `damaged` maps the agents that were left out to what is wrong with their records.
    """

    path: str
    bytes: int
    agents: tuple[str, ...]
    files: tuple[str, ...]
    damaged: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did, or would do.

    `agents` were restored, `replaced` of them in the place of others; `files` of the program too; `kept` are files that
    were there already and stayed as they are.
    """

    agents: tuple[str, ...]
    replaced: tuple[str, ...]
    files: tuple[str, ...]
    kept: tuple[str, ...]
    made_at: str
