"""What a function call did besides the text that it returned, as data that is stored with its result."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Refusal(StrEnum):
    """Why a write was not allowed: the person said no, or nobody could be asked."""

    PERSON = "person"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What a call did besides its text. Stored with its result.

    `blocks` maps the label of each block that the text tells of to the version it tells of; version 0 means that the
    block was deleted. `passages` are the ids written. `shown` are the ids of the hits that the model was shown (`m12`,
    `p7`), `total` is how many there were. `replied`: the call's `message` went to the person.
    """

    blocks: Mapping[str, int] = field(default_factory=dict)
    passages: tuple[int, ...] = ()
    shown: tuple[str, ...] = ()
    total: int | None = None
    replied: bool = False
    refusal: Refusal | None = None

    def to_text(self) -> str | None:
        """The effects as JSON without what is empty; None when there are none."""
        values = {
            "blocks": dict(self.blocks),
            "passages": self.passages,
            "shown": self.shown,
            "total": self.total,
            "replied": self.replied,
            "refusal": self.refusal,
        }
        given = {key: value for key, value in values.items() if value or (key == "total" and value is not None)}
        return json.dumps(given, ensure_ascii=False) if given else None

    @classmethod
    def from_text(cls, text: str | None) -> "Effects":
        """The inverse of `to_text`."""
        if not text:
            return NO_EFFECTS
        values = json.loads(text)
        refusal = values.get("refusal")
        return cls(
            blocks=values.get("blocks", {}),
            passages=tuple(values.get("passages", ())),
            shown=tuple(values.get("shown", ())),
            total=values.get("total"),
            replied=values.get("replied", False),
            refusal=Refusal(refusal) if refusal else None,
        )


NO_EFFECTS = Effects()
