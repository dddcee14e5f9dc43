"""Where something in memory comes from: the chain of what it was derived from, down to its sources."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.messages import Message, Role, message_ref
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.reviews import review_number, review_ref
from memgpt_cli.domain.times import to_text
from memgpt_cli.domain.trust import UNTRUSTED, Author, least_trusted
from memgpt_cli.errors import NotFoundError
from memgpt_cli.services.causes import AUTHORS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from memgpt_cli.bootstrap import Memory

_MOST: Final = 200
"""Items of one chain; what is further away is left out, and said."""

_RANGE_SHOWN: Final = 20
_REF: Final = re.compile(r"([mpsr])(\d{1,15})", re.IGNORECASE)
_RANGE: Final = re.compile(r"m(\d+)-m(\d+)")
_VERSION: Final = re.compile(r"(.+)@(\d{1,9})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One item of a chain.

    `source` says in words who or what it comes from, `least` the least trusted source behind it, `derived_from` the ids
    of the items that it was derived from directly. `at` is None where nothing is known.
    """

    ref: str
    kind: str
    author: Author
    least: Author
    source: str
    text: str
    at: datetime | None = None
    derived_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The item first, then what it goes back to, nearest first. `left_out`: the chain is longer."""

    links: tuple[Link, ...]
    left_out: bool = False

    @property
    def least(self) -> Author:
        """The least trusted source of all."""
        return least_trusted((link.least for link in self.links), Author.USER)

    def get(self, ref: str) -> Link | None:
        """The link of an id, if the chain has it."""
        return next((link for link in self.links if link.ref == ref), None)


class TrustService:
    """Traces items of one agent's memory to their sources."""

    def __init__(self, memory: Memory) -> None:
        self._store = memory.store
        self._memory = memory

    def chain(self, typed: str) -> Chain:
        """The chain of a message (`m12`), passage (`p7`), summary (`s3`), waiting write (`r3`) or block.

        A block is named by its label, a version of it as `human@4`. Raises NotFoundError.
        """
        first = self._link(typed.strip())
        if first is None:
            raise self._unknown(typed)
        links = {first.ref: first}
        waiting = deque(first.derived_from)
        while waiting and len(links) < _MOST:
            for ref in self._spread(waiting.popleft()):
                if ref not in links and (link := self._link(ref)) is not None:
                    links[ref] = link
                    waiting.extend(link.derived_from)
        return Chain(links=tuple(links.values()), left_out=bool(waiting))

    def _spread(self, ref: str) -> Sequence[str]:
        """A range of messages as those in it that are not to be trusted, or as its ends."""
        match = _RANGE.fullmatch(ref)
        if match is None:
            return (ref,)
        first, last = int(match[1]), int(match[2])
        found = self._store.messages.get(range(first, min(last, first + 10_000) + 1))
        foreign = [message_ref(m.id) for m in found if m.untrusted]
        return foreign[:_RANGE_SHOWN] or list(dict.fromkeys((f"m{first}", f"m{last}")))

    def _link(self, ref: str) -> Link | None:
        match = _REF.fullmatch(ref)
        if match is None:
            return self._block(ref)
        number = int(match[2])
        finders = {"m": self._message, "p": self._passage, "s": self._summary, "r": self._review}
        found = finders[match[1].lower()](number)
        return found if found is not None or self._store.blocks.get(ref) is None else self._block(ref)

    def _message(self, number: int) -> Link | None:
        message = next(iter(self._store.messages.get([number])), None)
        if message is None:
            return None
        return Link(
            ref=message_ref(number),
            kind="message",
            author=_author(message),
            least=message.least,
            source=_speaker(message),
            text=message.text or " ".join(f"{c.name}({c.arguments})" for c in message.calls),
            at=message.created_at,
            derived_from=self._behind_message(message),
        )

    def _behind_message(self, message: Message) -> tuple[str, ...]:
        """What a message was derived from: as recorded, or for what the agent wrote the turn before it."""
        named = message.lineage.derived_from if message.lineage is not None else ()
        if message.role is Role.TOOL:
            return tuple(dict.fromkeys((*named, *message.effects.shown)))
        if message.role is not Role.ASSISTANT or message.turn is None:
            return named
        before = [m for m in self._store.messages.of_turn(message.turn) if m.id < message.id]
        own = [message_ref(m.id) for m in before if m.role in (Role.USER, Role.TOOL)]
        return tuple(dict.fromkeys((*own, *named)))

    def _passage(self, number: int) -> Link | None:
        history = self._store.passages.history(number)
        if not history or not history[-1].passage.text:
            return None
        passage, by = history[-1].passage, history[-1].provenance
        return Link(
            ref=f"p{number}",
            kind="passage",
            author=by.author,
            least=passage.provenance.least if by.origin is None else by.least,
            source=_place(passage) or AUTHORS[by.author],
            text=passage.text,
            at=history[-1].at,
            derived_from=_causes(by),
        )

    def _summary(self, number: int) -> Link | None:
        epoch = self._store.epochs.get(number)
        if epoch is None or not epoch.summary:
            return None
        origin = epoch.origin
        return Link(
            ref=f"s{number}",
            kind="summary",
            author=Author.AGENT,
            least=Author.AGENT if origin is None else origin.least,
            source="the agent",
            text=epoch.summary,
            at=epoch.started_at,
            derived_from=() if origin is None else origin.derived_from,
        )

    def _review(self, number: int) -> Link | None:
        review = self._store.reviews.get(number)
        if review is None:
            return None
        return Link(
            ref=review_ref(number),
            kind="review",
            author=Author.AGENT,
            least=review.provenance.least,
            source=f"the agent, {review.state.name.lower()}",
            text=review.text,
            at=review.at,
            derived_from=_causes(review.provenance),
        )

    def _block(self, ref: str) -> Link | None:
        """A version of a block; a block by its label as the versions that its lines come from."""
        from memgpt_cli.main_context.block_history import blame

        match = _VERSION.fullmatch(ref)
        label = match[1] if match else ref
        history = self._store.blocks.history(label)
        if match is None:
            if not history or history[-1].deleted:
                return None
            versions = {line.version.block.version: line.version for line in blame(history) if line.text}
            newest = history[-1]
            return Link(
                ref=label,
                kind="block",
                author=newest.provenance.author,
                least=least_trusted((v.provenance.least for v in versions.values()), Author.USER),
                source="core memory",
                text=newest.block.value,
                at=newest.at,
                derived_from=tuple(f"{label}@{number}" for number in versions),
            )
        version = next((v for v in history if v.block.version == int(match[2])), None)
        if version is None:
            return None
        return Link(
            ref=f"{label}@{match[2]}",
            kind="block version",
            author=version.provenance.author,
            least=version.provenance.least,
            source=_who(version.provenance),
            text=version.block.value,
            at=version.at,
            derived_from=_causes(version.provenance),
        )

    def _unknown(self, typed: str) -> NotFoundError:
        if _REF.fullmatch(typed.strip()) or review_number(typed) is not None:
            return NotFoundError(f"there is no item {typed}", hint="memgpt recall list, or memgpt archival list")
        labels = ", ".join(block.label for block in self._store.blocks.all())
        return NotFoundError(
            f"{typed!r} is neither an id nor a block; the blocks are: {labels or 'none'}",
            hint="ids look like m12, p7, s3, r3, human or human@4",
        )


def shape(chain: Chain) -> dict[str, Any]:
    """A chain as JSON (docs/schemas/trust-show.schema.json)."""
    return {
        "id": chain.links[0].ref,
        "least_trusted": chain.least.value,
        "untrusted": chain.least in UNTRUSTED,
        "left_out": chain.left_out,
        "chain": [
            {
                "id": link.ref,
                "kind": link.kind,
                "author": link.author.value,
                "least_trusted": link.least.value,
                "source": link.source,
                "at": None if link.at is None else to_text(link.at),
                "text": link.text,
                "derived_from": list(link.derived_from),
            }
            for link in chain.links
        ],
    }


def _author(message: Message) -> Author:
    if message.role is Role.USER:
        return message.least
    return Author.SYSTEM if message.role is Role.SYSTEM else Author.AGENT


def _speaker(message: Message) -> str:
    if message.untrusted and message.role is Role.USER:
        name = message.lineage.name if message.lineage is not None else None
        return f"{message.least} {name or message.name or ''}".strip()
    named = {Role.USER: message.name or "you", Role.ASSISTANT: "the agent", Role.SYSTEM: "memgpt"}
    return named.get(message.role, f"the result of {message.name}")


def _place(passage: Passage) -> str:
    origin = ", ".join(part for part in (passage.source, passage.location) if part)
    return f"{passage.provenance.author} {origin}" if origin else ""


def _who(provenance: Provenance) -> str:
    command = f", with memgpt {provenance.command}" if provenance.command else ""
    return f"{AUTHORS[provenance.author]}{command}"


def _causes(provenance: Provenance) -> tuple[str, ...]:
    caused = () if provenance.message_id is None else (message_ref(provenance.message_id),)
    named = provenance.origin.derived_from if provenance.origin is not None else ()
    return tuple(dict.fromkeys((*caused, *named)))
