"""Writes to core memory that wait for the person, because of where their words come from."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final

from memgpt_cli.domain.blocks import Provenance

_REF: Final = re.compile(r"r?(\d{1,15})", re.IGNORECASE)


class ReviewState(IntEnum):
    """What became of a write. `WITHDRAWN`: the turn that asked for it was undone."""

    WITHDRAWN = 0
    WAITING = 1
    ACCEPTED = 2
    REJECTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A call of the model that would change block `label`, kept until the person decides.

    `arguments` is the JSON object that the model wrote, or the person's correction of it. `reason` says why it was not
    made at once. `id` is 0 until stored. `decided_at` is None while it waits.
    """

    at: datetime
    label: str
    function: str
    arguments: str
    reason: str
    provenance: Provenance
    id: int = 0
    turn: int | None = None
    state: ReviewState = ReviewState.WAITING
    decided_at: datetime | None = None

    @property
    def text(self) -> str:
        """What would be written; what would be removed where nothing would be."""
        values = {key: str(value) for key, value in json.loads(self.arguments).items()}
        return values.get("content") or values.get("new_content") or f"-{values.get('old_content', '')}"


def review_ref(review_id: int) -> str:
    """How a waiting write is named to people and models: `r3`."""
    return f"r{review_id}"


def review_number(typed: str) -> int | None:
    """The number in `r3` or `3`; None for anything else."""
    match = _REF.fullmatch(typed.strip())
    return int(match[1]) if match else None
