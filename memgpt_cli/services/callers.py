"""The user of a service: the person at this machine, or a program on their behalf. Every write records it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from memgpt_cli.domain.blocks import Author, Provenance


@dataclass(frozen=True, slots=True)
class Caller:
    """The person, or a program such as `mcp:claude`, which is then the author of its writes."""

    program: str | None = None

    def did(self, command: str) -> Provenance:
        """Return the provenance of a change.

        `command` is the command that a person typed; a program has its name instead.
        """
        if self.program is None:
            return Provenance(author=Author.USER, command=command)
        return Provenance(author=Author.TOOL, command=self.program)


PERSON: Final = Caller()
