"""Conversations from other programs: their messages, and the progress of an import."""

from dataclasses import dataclass
from datetime import datetime

from memgpt_cli.domain.messages import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidElsewhere:
    """One message of a file. `created_at` is None if the file states no time; `key` is the file's own id of it."""

    role: Role
    text: str
    created_at: datetime | None = None
    name: str | None = None
    session: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part of a file that is not a message: its position and the reason."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """Progress of an import: `new` were stored, `known` already existed, `faulty` could not be read.

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
        """Return the number of all messages so far."""
        return self.new + self.known + self.faulty
