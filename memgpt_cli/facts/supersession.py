"""When a new statement replaces a known one: same subject and predicate, one value at a time, nothing against it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from memgpt_cli.domain.facts import Fact, FactState, name_key, trust_rank
from memgpt_cli.text.people import is_role
from memgpt_cli.text.words import has_unspaced, words

_SOFT_SHARE: Final = 0.5
_MOST_CHECKS: Final = 3
"""Known facts that one new one marks to be checked, the newest."""
_SOFT_COSINE: Final = 0.6
_REPLACES_COSINE: Final = 0.35

Similarity = Callable[[str, str], float]
"""The cosine of two short texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a new statement does to known ones, by their ids.

    `restates`: it repeats this one. `closes`: these are no longer true. `doubts`: these and the new one contradict each
    other, and both are uncertain. `outranked_by`: these stay, and the new one is uncertain, since its word counts less.
    `checks`: a person should check these.
    """

    restates: int | None = None
    closes: tuple[int, ...] = ()
    doubts: tuple[int, ...] = ()
    outranked_by: tuple[int, ...] = ()
    checks: tuple[int, ...] = ()


def judge(
    new: Fact,
    known: Sequence[Fact],
    *,
    replaces: int | None = None,
    denies: bool = False,
    similarity: Similarity | None = None,
) -> Verdict:
    """Weigh a new statement against the known ones. `replaces` is the id of the one that its extractor names.

    `known` are statements about the same subject that are current or uncertain. Ended ones do not count.
    """
    same_subject = [fact for fact in known if fact.subject_id == new.subject_id]
    if (same := _restated(new, same_subject)) is not None:
        return Verdict(restates=same.id)
    found: dict[str, list[int]] = {"closes": [], "doubts": [], "outranked_by": [], "checks": []}
    for fact in same_subject:
        if fact.state is not FactState.CURRENT:
            continue
        is_named = fact.id == replaces and _is_plausible(new, fact, similarity)
        if is_named or _is_same_state(new, fact):
            if not _has_ended(new, fact):
                found[_outcome(new, fact, denies=denies)].append(fact.id)
        elif _is_soft_match(new, fact, similarity):
            found["checks"].append(fact.id)
    return Verdict(
        closes=tuple(found["closes"]),
        doubts=tuple(found["doubts"]),
        outranked_by=tuple(found["outranked_by"]),
        checks=tuple(sorted(found["checks"])[-_MOST_CHECKS:]),
    )


def effective_start(fact: Fact) -> date:
    """The first day on which it is known to hold."""
    return fact.valid.start.first if fact.valid.start else fact.said_at.date()


def _restated(new: Fact, known: Sequence[Fact]) -> Fact | None:
    for fact in known:
        if new.sentence or fact.sentence:
            if name_key(new.sentence) == name_key(fact.sentence):
                return fact
        elif _statement(new) == _statement(fact) and not _has_ended(new, fact):
            return fact
    return None


def _statement(fact: Fact) -> tuple[str, str]:
    return name_key(fact.predicate), name_key(fact.object)


def _has_ended(new: Fact, fact: Fact) -> bool:
    """Whether the new statement tells of a time that ended before the known one began, or the other way round."""
    new_last, old_last = new.valid.last, fact.valid.last
    return (new_last is not None and new_last < effective_start(fact)) or (
        old_last is not None and old_last < effective_start(new)
    )


def _is_same_state(new: Fact, fact: Fact) -> bool:
    return new.one_valued and fact.one_valued and name_key(new.predicate) == name_key(fact.predicate)


def _outcome(new: Fact, fact: Fact, *, denies: bool) -> str:
    """What a new value does to a known one: closes it, unless trust, time, hearsay or a denial speaks against that."""
    is_hearsay = bool(new.says) and name_key(new.says) != name_key(fact.says)
    ranks_lower = trust_rank(new.provenance.author) < trust_rank(fact.provenance.author)
    if new.state is not FactState.CURRENT or ranks_lower or is_hearsay:
        return "outranked_by"
    if is_role(new.subject):
        return "checks"
    return "doubts" if denies or _begins_earlier(new, fact) else "closes"


def _begins_earlier(new: Fact, fact: Fact) -> bool:
    """Whether a new value began before the known one did; 2023 is not earlier than 2023-05.

    Of a known one without a start, only what was said before it is earlier.
    """
    if fact.valid.start is None:
        return new.said_at < fact.said_at
    start = new.valid.start
    known = fact.valid.start.coarser(start.precision) if start else fact.valid.start
    return effective_start(new) < known.first


def _is_plausible(new: Fact, fact: Fact, similarity: Similarity | None) -> bool:
    """Whether a replacement that an extractor names can be one: same subject, and something common in what it is."""
    if not (new.predicate and fact.predicate):
        return bool(new.sentence and fact.sentence)
    if _shared(new.predicate, fact.predicate) > 0 and not has_unspaced(new.predicate):
        return True
    if has_unspaced(new.predicate):
        return _shared(new.predicate, fact.predicate) >= _SOFT_SHARE
    return similarity is not None and similarity(new.predicate, fact.predicate) >= _REPLACES_COSINE


def _is_soft_match(new: Fact, fact: Fact, similarity: Similarity | None) -> bool:
    if not (new.one_valued and fact.one_valued and new.predicate and fact.predicate):
        return False
    if _shared(new.predicate, fact.predicate) >= _SOFT_SHARE:
        return True
    return similarity is not None and similarity(new.predicate, fact.predicate) >= _SOFT_COSINE


def _shared(one: str, other: str) -> float:
    """The share of the shorter one's words (characters, in Chinese) that both have."""
    first, second = ({w for w in words(text) if not re.fullmatch(r"of|the|a|an|的", w)} for text in (one, other))
    return len(first & second) / min(len(first), len(second)) if first and second else 0.0
