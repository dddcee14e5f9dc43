"""What a backup holds and what became of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """A written and verified backup: its size in bytes, its agents, and the program's other files in it."""

    path: str
    bytes: int
    agents: tuple[str, ...]
    files: tuple[str, ...]


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
