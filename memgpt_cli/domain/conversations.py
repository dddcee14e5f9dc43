"""Conversations held elsewhere: what a file says was said, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

from memgpt_cli.domain.messages import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidElsewhere:
    """One message of a file. `created_at` is None where the file does not say; `key` is the file's own id of it."""

    role: Role
    text: str
    created_at: datetime | None = None
    name: str | None = None
    session: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part of a file that is no message: where it stands and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """How far an import is: `new` came in, `known` were there already, `faulty` could not be read.

    `first` and `last` are the times of the earliest and the latest message of the file so far. `wishes`: one that came
    in reads like a standing wish of a person ("always ... when I ask about ...").
    """

    new: int = 0
    known: int = 0
    faulty: int = 0
    sessions: int = 0
    speakers: tuple[str, ...] = ()
    first: datetime | None = None
    last: datetime | None = None
    wishes: bool = False

    @property
    def read(self) -> int:
        """All of them."""
        return self.new + self.known + self.faulty
