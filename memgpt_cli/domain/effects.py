"""The effects of a function call besides its text, as data that is stored with the result."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Refusal(StrEnum):
    """Why a write was not allowed: the user refused it, or no one could be asked."""

    PERSON = "person"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentVerdict:
    """The user's answer about a write: allowed, refused, or allowed with other arguments (a JSON object as text)."""

    allowed: bool
    arguments: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """The effects of a call besides its text, stored with its result.

    `blocks` maps the label of each block in the text to the version in the text; version 0 means that the block was
    deleted. `passages` are the ids written, `held` the ids of writes that wait for review. `shown` are the ids of the
    hits that the model was shown (`m12`, `p7`), `total` is how many hits there were. `replied`: the call's `message`
    was sent to the user.
    """

    blocks: Mapping[str, int] = field(default_factory=dict)
    passages: tuple[int, ...] = ()
    shown: tuple[str, ...] = ()
    total: int | None = None
    replied: bool = False
    refusal: Refusal | None = None
    held: tuple[int, ...] = ()

    def to_text(self) -> str | None:
        """Return the non-empty effects as JSON; None if there are none."""
        values = {
            "blocks": dict(self.blocks),
            "passages": self.passages,
            "shown": self.shown,
            "total": self.total,
            "replied": self.replied,
            "refusal": self.refusal,
            "held": self.held,
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
            held=tuple(values.get("held", ())),
        )


NO_EFFECTS = Effects()
