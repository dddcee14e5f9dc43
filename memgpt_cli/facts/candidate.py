"""A fact as an extractor proposes it: the fields of one object, checked for form."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from memgpt_cli.domain.facts import FactKind, name_key
from memgpt_cli.domain.partial_dates import PartialDate, Validity

_BETWEEN_NAMES: Final = re.compile(r"\s*(?:,|，|、|;|；|\band\b|和)\s*")
_MOST_NAMES: Final = 6
_LONGEST_NAME: Final = 80
_KINDS: Final = {
    "wish": FactKind.PREFERENCE,
    "preference": FactKind.PREFERENCE,
    "habit": FactKind.HABIT,
    "how-to": FactKind.HOW_TO,
    "relation": FactKind.RELATION,
    "event": FactKind.EVENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What an extractor says: a state (`what` and `value`: one value at a time), or a `sentence`.

    `names` are whom it is about, the subject first. `replaces` is the number of a listed known line.
    """

    names: tuple[str, ...]
    quote: str
    what: str = ""
    value: str = ""
    sentence: str = ""
    kind: FactKind = FactKind.ATTRIBUTE
    valid: Validity = field(default_factory=Validity)
    says: str = ""
    replaces: int | None = None

    @property
    def is_state(self) -> bool:
        """Whether it says what is so now, one value at a time."""
        return bool(self.what) and self.kind in {FactKind.ATTRIBUTE, FactKind.RELATION}


def candidate_of(fields: Mapping[str, str]) -> Candidate | str:
    """The candidate that an object's fields make, or why they make none."""
    names = tuple(_names(fields.get("of", "")))
    what, value, sentence = (fields.get(name, "") for name in ("what", "is", "fact"))
    if not names:
        return "no subject"
    if not fields.get("quote"):
        return "no quote"
    if not (sentence or (name_key(what) and name_key(value))):
        return "no statement"
    is_sentence = bool(sentence) and not (name_key(what) and name_key(value))
    kind = _KINDS.get(name_key(fields.get("kind", "")), FactKind.EVENT if is_sentence else FactKind.ATTRIBUTE)
    replaces = fields.get("replaces", "")
    return Candidate(
        names=names,
        quote=fields["quote"],
        what="" if is_sentence else what,
        value="" if is_sentence else value,
        sentence=sentence if is_sentence else "",
        kind=kind,
        valid=_validity(fields),
        says=fields.get("says", "")[:_LONGEST_NAME],
        replaces=int(replaces) if re.fullmatch(r"[0-9]{1,3}", replaces) else None,
    )


def _names(text: str) -> Iterator[str]:
    for name in _BETWEEN_NAMES.split(text)[:_MOST_NAMES]:
        if name_key(name) and len(name) <= _LONGEST_NAME:
            yield name


def _validity(fields: Mapping[str, str]) -> Validity:
    """The dates that can be read. An end before its start is left out."""
    start, until = (_date(fields.get(name, "")) for name in ("from", "until"))
    if start and until and until.last < start.first:
        until = None
    return Validity(start, until)


def _date(text: str) -> PartialDate | None:
    try:
        return PartialDate.parse(text) if text else None
    except ValueError:
        return None
