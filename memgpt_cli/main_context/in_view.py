"""What the prompt of a step shows by where it comes from, and what follows for what the model writes in it.

Text of documents, imports and tools may steer nothing: a write to core memory in whose turn such text stands needs the
person's own words of this turn, and one that repeats such text from further back needs words of the person at all.
What the agent writes is traced to the texts whose words it shares. Nothing here judges what a text says.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from memgpt_cli.domain.agents import Epoch
from memgpt_cli.domain.messages import Message, Role, message_ref
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.domain.trust import QUOTE, UNTRUSTED, Author, Origin, least_trusted
from memgpt_cli.ports import Store
from memgpt_cli.text.attribution import carrying_terms, every_term, not_in, told_terms
from memgpt_cli.text.sentences import sentences
from memgpt_cli.text.words import has_unspaced

_QUOTED_LINE: Final = re.compile(rf"\[(?P<ref>[mp]\d+) [^\]\n]*\](?: [^\n:]{{1,80}}:)? {QUOTE}(?P<text>.*)")
_SHARED: Final = 0.3
"""The share of a text's terms from which on a quotation is taken as one of its sources."""
_REPEATED: Final = 0.5
"""The share of a text's terms in one quoted sentence from which on the text repeats it."""
_TOGETHER: Final = 0.8
"""The same over all quotations: a text that was put together from several."""
_OWN: Final = 0.5
"""The share of a text's terms from which on it is the person's, for the same comparison."""
_NAMED: Final = 3
_LOOKED_UP: Final = 5


@dataclass(frozen=True, slots=True)
class Quotation:
    """A sentence of untrusted text in view: which item it stands in, where that comes from, and its terms."""

    ref: str
    least: Author
    terms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a write needs the person's consent, and what it was derived from."""

    reason: str
    origin: Origin


class InView:
    """The prompt of one step: the turn's messages, the rest of the queue, and the summary of the epoch."""

    def __init__(self, store: Store, *, queue: Sequence[Message], epoch: Epoch, turn: int) -> None:
        self._store = store
        self._epoch = epoch
        self._number = turn
        start = max((n for n, m in enumerate(queue, 1) if m.role is Role.ASSISTANT and m.turn != turn), default=0)
        self._in_queue = queue[start:]
        self._before = queue[:start]

    def origin_of(self, text: str) -> Origin | None:
        """What a text of the agent goes back to besides the person's words; None where it is nothing untrusted."""
        wanted = carrying_terms(text)
        if not text.strip() or not self.quoted or (self._here and not self._missing(wanted)):
            return None
        shared = [q for q in self._here if len(wanted & q.terms) >= _SHARED * len(wanted)]
        sources = (shared or list(self._here)) + self._repeated(wanted, self._earlier)
        return _origin(sources) if sources else None

    def objection(self, before: str, after: str) -> Objection | None:
        """Why changing a block from `before` to `after` needs the person's consent; None where it does not."""
        if not self.quoted:
            return None
        added, removed = _difference(before, after)
        wanted = carrying_terms(added) - (every_term(removed) - _negated(removed)) if added else frozenset()
        if len(removed.split("\n")) > len(added.split("\n")) or not wanted:
            wanted |= carrying_terms(removed) if removed else every_term(added)
        if self._here:
            return self._not_asked(wanted) if self._missing(wanted) else None
        repeated = self._repeated(wanted, self._earlier)
        if repeated or self._comes_from_nowhere(wanted, added or removed):
            return self._objected(repeated or list(self._earlier), "it repeats text from")
        return None

    @cached_property
    def quoted(self) -> tuple[Quotation, ...]:
        """All untrusted text in view."""
        return self._here + self._earlier

    @cached_property
    def _here(self) -> tuple[Quotation, ...]:
        return tuple(q for message in self._turn for q in self._of_message(message))

    @cached_property
    def _earlier(self) -> tuple[Quotation, ...]:
        found = [q for message in self._before for q in self._of_message(message)]
        origin = self._epoch.origin
        if origin is not None and origin.least in UNTRUSTED:
            found += _quotations(f"s{self._epoch.id}", origin.least, self._epoch.summary)
        return tuple(found)

    def _of_message(self, message: Message) -> Iterator[Quotation]:
        """The untrusted sentences that a message shows."""
        if message.role is Role.USER and not message.untrusted and message.lineage is not None:
            yield from self._of_pictures(message.lineage.derived_from)
        if not message.untrusted:
            return
        if message.role is not Role.TOOL:
            yield from _quotations(message_ref(message.id), message.least, message.text)
            return
        for line in message.text.split("\n"):
            if found := _QUOTED_LINE.match(line):
                yield from _quotations(found["ref"], message.least, found["text"])

    def _of_pictures(self, refs: Sequence[str]) -> Iterator[Quotation]:
        numbers = [int(ref[1:]) for ref in refs if ref.startswith("p")]
        for passage in self._store.passages.get(numbers):
            yield from _quotations(f"p{passage.id}", passage.provenance.least, passage.text)

    # The person's words

    @cached_property
    def _turn(self) -> list[Message]:
        """The messages of the turn, those that have left the queue too, and those that it answers as well."""
        ids = {message.id for message in self._in_queue}
        gone = [message for message in self._store.messages.of_turn(self._number) if message.id not in ids]
        return [*gone, *self._in_queue]

    @cached_property
    def _told(self) -> frozenset[str]:
        """What the person tells or asks for in this turn, with their name and the date."""
        own = [m for m in self._turn if _is_persons(m)]
        dates = " ".join(f"{m.created_at:%Y %m %d %B %b %A}" for m in own)
        return told_terms("\n".join(m.text for m in own)) | every_term(f"{dates} {' '.join(m.name or '' for m in own)}")

    @cached_property
    def _everything_quoted(self) -> frozenset[str]:
        return frozenset().union(*(q.terms for q in self.quoted))

    def _missing(self, wanted: frozenset[str]) -> frozenset[str]:
        return not_in(wanted, self._told, elsewhere=self._everything_quoted)

    def _said_before(self, wanted: frozenset[str]) -> frozenset[str]:
        """What the person has said in view, and in the messages of recall storage that come nearest."""
        hits = self._store.lexical.search_messages(
            " ".join(wanted), RecallFilters(roles=(Role.USER,)), _LOOKED_UP, context=0.0
        )
        found = self._store.messages.get([hit.id for hit in hits])
        texts = [m.text for m in (*found, *self._before, *self._turn) if _is_persons(m)]
        return self._told.union(*(_terms_said(text) for text in texts))

    # Texts from further back

    def _repeated(self, wanted: frozenset[str], quotations: Sequence[Quotation]) -> list[Quotation]:
        """The quotations that have words of a text which the person never said."""
        if not quotations or not wanted:
            return []
        said = self._said_before(wanted)
        foreign = not_in(wanted, said)
        found = [q for q in quotations if len(wanted & q.terms) >= _REPEATED * len(wanted) and foreign & q.terms]
        together = wanted & frozenset().union(*(q.terms for q in quotations))
        if not found and foreign and len(together) >= _TOGETHER * len(wanted) and _is_little(wanted - foreign, wanted):
            found = [q for q in quotations if foreign & q.terms]
        return found

    def _comes_from_nowhere(self, wanted: frozenset[str], text: str) -> bool:
        """Whether the person has said no word of a text in their own script, while untrusted text is in view."""
        spoken = "".join(m.text for m in (*self._before, *self._turn) if _is_persons(m))
        same_script = has_unspaced(spoken) == has_unspaced(text)
        return bool(self._earlier) and same_script and not wanted & self._said_before(wanted)

    def _not_asked(self, wanted: frozenset[str]) -> Objection:
        shared = [q for q in self._here if wanted & q.terms]
        return self._objected(shared or list(self._here), "this turn shows text from")

    def _objected(self, sources: Sequence[Quotation], why: str) -> Objection:
        origin = _origin(sources)
        names = list(dict.fromkeys(self._name(ref) for ref in origin.derived_from))
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        reason = f"{why} {', '.join(names[:_NAMED])}{more}, and the person did not ask for it in these words"
        return Objection(reason=reason, origin=origin)

    def _name(self, ref: str) -> str:
        if ref.startswith("s"):
            return "the summary of earlier messages"
        found: Sequence[Message | Passage]
        number = int(ref[1:])
        found = self._store.messages.get([number]) if ref.startswith("m") else self._store.passages.get([number])
        name = next((source_name(item) for item in found), "")
        return f"{name} ({ref})" if name else ref


def source_name(item: Message | Passage) -> str:
    """What the person calls the source of an item; empty where it has no name."""
    if isinstance(item, Passage):
        return item.source or ""
    return item.lineage.name or "" if item.lineage is not None else ""


@lru_cache(maxsize=2_048)
def _terms_said(text: str) -> frozenset[str]:
    return every_term(text)


def _is_persons(message: Message) -> bool:
    return not message.untrusted and (message.role is Role.USER or message.name == "advice")


@lru_cache(maxsize=2_048)
def _quotations(ref: str, least: Author, text: str) -> tuple[Quotation, ...]:
    """The sentences of a text. Cached, since a text stays in view for many steps."""
    return tuple(Quotation(ref, least, terms) for s in sentences(text) if (terms := every_term(s)))


def _origin(sources: Sequence[Quotation]) -> Origin:
    refs = tuple(dict.fromkeys(q.ref for q in sources))
    return Origin(least=least_trusted(q.least for q in sources), derived_from=refs)


def _is_little(part: frozenset[str], whole: frozenset[str]) -> bool:
    return len(part) < _OWN * len(whole)


def _difference(before: str, after: str) -> tuple[str, str]:
    """The lines that a change adds, and those that it removes."""
    old, new = before.split("\n"), after.split("\n")
    added = "\n".join(line for line in new if line not in old)
    removed = "\n".join(line for line in old if line not in new)
    return added, removed


def _negated(text: str) -> frozenset[str]:
    """The negations of a text: taking one away, or adding one, is a change by itself."""
    return every_term(text) & frozenset("not no never without none 不 没 無 无 未 别 勿".split())  # noqa: SIM905
