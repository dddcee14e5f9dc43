"""Writes to core memory that wait for the person: listed, accepted, rejected."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.reviews import Review, ReviewState, review_number, review_ref
from memgpt_cli.domain.times import to_text
from memgpt_cli.domain.trust import Author, Origin, least_trusted
from memgpt_cli.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memgpt_cli.bootstrap import Memory
    from memgpt_cli.domain.settings import TrustSettings
    from memgpt_cli.ports import Clock
    from memgpt_cli.services.callers import Caller

_MOST = 10_000
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The lines that a write would add to its block, and those that it would remove; `fault` if it cannot be made."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    fault: str = ""


class ReviewService:
    """The review queue of one agent. Only the person decides; a program may look."""

    def __init__(self, memory: Memory, caller: Caller, clock: Clock, trust: TrustSettings) -> None:
        self._memory = memory
        self._caller = caller
        self._clock = clock
        self._trust = trust

    def page(self, *, limit: int = 50, number: int = 0, decided: bool = False) -> tuple[list[Review], bool]:
        """Page `number` (0-based) of the writes that wait, oldest first, or of all; and whether there are more."""
        state = None if decided else ReviewState.WAITING
        found = self._memory.store.reviews.page(limit=limit + 1, offset=number * limit, state=state)
        return found[:limit], len(found) > limit

    def get(self, ref: str) -> Review:
        """The write of an id such as `r3`, whatever became of it. Raises UsageError, NotFoundError."""
        number = review_number(ref)
        if number is None:
            raise UsageError(f"{ref!r} is not a valid id", hint="ids look like r3; memgpt review list")
        found = self._memory.store.reviews.get(number)
        if found is None or found.state is ReviewState.WITHDRAWN:
            near = self._memory.store.kinds.nearest(Kind.REVIEW, number)
            known = f"; the nearest: {', '.join(map(review_ref, sorted(near)))}" if near else "; none is waiting"
            raise NotFoundError(f"there is no write {review_ref(number)} to review{known}", hint="memgpt review list")
        return found

    def difference(self, review: Review) -> Difference:
        """What accepting a write would change as things stand."""
        from memgpt_cli.errors import MemGPTError

        core = self._memory.core_memory
        try:
            with self._memory.store.rehearsal():
                before = core.block(review.label).value.split("\n")
                after = self._make(review).split("\n")
        except MemGPTError as error:
            return Difference(fault=error.message)
        return Difference(
            added=tuple(line for line in after if line not in before),
            removed=tuple(line for line in before if line and line not in after),
        )

    def accept(self, refs: Sequence[str]) -> list[Review]:
        """Make these writes, all or none, as one operation that undo takes back.

        Raises UsageError when one was decided already, or does not fit its block any more, LimitError, NotFoundError.
        """
        chosen = self._waiting(refs)
        self._only_the_person()
        by = self._caller.did(f"review accept {' '.join(review_ref(review.id) for review in chosen)}")
        with self._memory.store.transaction(), self._memory.store.journal.operation(by):
            for review in chosen:
                self._make(review)
            self._memory.store.reviews.decide(chosen, ReviewState.ACCEPTED, at=self._clock.now(), provenance=by)
        return [self.get(review_ref(review.id)) for review in chosen]

    def reject(self, refs: Sequence[str]) -> list[Review]:
        """Drop these writes; undo lets them wait again. Raises UsageError, NotFoundError."""
        chosen = self._waiting(refs)
        self._only_the_person()
        by = self._caller.did(f"review reject {' '.join(review_ref(review.id) for review in chosen)}")
        with self._memory.store.transaction(), self._memory.store.journal.operation(by):
            self._memory.store.reviews.decide(chosen, ReviewState.REJECTED, at=self._clock.now(), provenance=by)
        return [self.get(review_ref(review.id)) for review in chosen]

    def hold(self, function: str, arguments: Mapping[str, str], shown: Mapping[str, Author]) -> Review | None:
        """Keep a program's write to core memory for the person, where the setting `trust.hold` says so.

        `shown` names the untrusted items that the program was shown, with their sources. None: it may be made. What
        would fail raises what the write raises, and what would change nothing is not kept.
        """
        if self._trust.hold == "off" or (self._trust.hold == "untrusted" and not shown):
            return None
        from memgpt_cli.functions.core_memory import edit_block

        store, core = self._memory.store, self._memory.core_memory
        least = least_trusted(shown.values(), default=Author.TOOL)
        by = replace(self._caller.did(function), origin=Origin(least=least, derived_from=tuple(shown)))
        before = core.block(arguments["label"])
        after = core.rehearse(lambda: edit_block(core, function, dict(arguments), by))
        if after.version == before.version:
            return None
        named = ", ".join(list(shown)[:_NAMED]) + (f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else "")
        reason = f"{by.command} was shown text from {named}" if shown else "the setting trust.hold is all"
        with store.transaction():
            return store.reviews.add(
                Review(
                    at=self._clock.now(),
                    label=before.label,
                    function=function,
                    arguments=json.dumps(dict(arguments), ensure_ascii=False),
                    reason=reason,
                    provenance=by,
                )
            )

    def waiting(self) -> list[str]:
        """The ids of all writes that wait."""
        return [
            review_ref(review.id) for review in self._memory.store.reviews.page(limit=_MOST, state=ReviewState.WAITING)
        ]

    def _make(self, review: Review) -> str:
        """Make the change; returns what the block holds then."""
        from memgpt_cli.functions.core_memory import edit_block

        by = replace(review.provenance, command=f"review accept {review_ref(review.id)}")
        return edit_block(self._memory.core_memory, review.function, json.loads(review.arguments), by).value

    def _waiting(self, refs: Sequence[str]) -> list[Review]:
        chosen = {review.id: review for review in map(self.get, refs)}
        for review in chosen.values():
            if review.state is not ReviewState.WAITING:
                raise UsageError(
                    f"{review_ref(review.id)} was {review.state.name.lower()} already", hint="memgpt review list"
                )
        return list(chosen.values())

    def _only_the_person(self) -> None:
        if self._caller.program is not None:
            raise UsageError("only the person decides about writes that wait", hint="memgpt review list")


def shape(review: Review) -> dict[str, Any]:
    """A write as JSON (docs/schemas/review-list.schema.json)."""
    origin = review.provenance.origin
    message = review.provenance.message_id
    return {
        "id": review_ref(review.id),
        "state": review.state.name.lower(),
        "at": to_text(review.at),
        "block": review.label,
        "function": review.function,
        "arguments": json.loads(review.arguments),
        "reason": review.reason,
        "least_trusted": None if origin is None else origin.least.value,
        "derived_from": [] if origin is None else list(origin.derived_from),
        "message": None if message is None else f"m{message}",
        "decided_at": None if review.decided_at is None else to_text(review.decided_at),
    }
