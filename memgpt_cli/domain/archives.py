"""The contents of a backup, and the result of a restore."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """A written and verified backup: its size in bytes, its agents, and the program's other files in it.

    `damaged` maps each agent that was left out to the error in its record.
    """

    path: str
    bytes: int
    agents: tuple[str, ...]
    files: tuple[str, ...]
    damaged: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The result of a restore, or of its dry run.

    `agents` were restored; `replaced` are those that replaced an existing agent. `files` are other files of the program
    that were restored; `kept` are existing files that were not changed.
    """

    agents: tuple[str, ...]
    replaced: tuple[str, ...]
    files: tuple[str, ...]
    kept: tuple[str, ...]
    made_at: str
