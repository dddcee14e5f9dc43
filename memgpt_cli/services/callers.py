"""Who uses a service: the person at this machine, or a program on their behalf. Every write is recorded with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from memgpt_cli.domain.blocks import Author, Provenance


@dataclass(frozen=True, slots=True)
class Caller:
    """The person, or a program such as `mcp:claude`, which is then named as the author of what it writes."""

    program: str | None = None

    def did(self, command: str) -> Provenance:
        """The provenance of a change. `command` is what the person typed; a program is named instead of it."""
        if self.program is None:
            return Provenance(author=Author.USER, command=command)
        return Provenance(author=Author.TOOL, command=self.program)


PERSON: Final = Caller()
