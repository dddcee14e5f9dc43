"""Facts in the summary call of an eviction: what the model is asked for, and what of its reply is stored.

The call is made anyway; facts add to its order and to its reply. Rules for reading and weighing are in `facts`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.facts import Fact, FactFilters, FactSource, FactState
from memgpt_cli.domain.messages import Message, Role, message_ref
from memgpt_cli.facts.keeping import FactKeeper, Statement
from memgpt_cli.facts.proposals import Proposal, proposals
from memgpt_cli.facts.reply import MARK, MOST_OBJECTS
from memgpt_cli.facts.whose_word import Word
from memgpt_cli.ports import PromptSource, Store, TokenCounter
from memgpt_cli.text.terms import query_terms

FEWEST_TOKENS: Final = 150
"""With less room in the reply, no facts are asked for."""

_FEWEST_WORDS: Final = 120
"""Tokens of people's words below which an eviction is not worth the order."""

_LEAST_SHARE: Final = 0.2
"""The share of people's words in what leaves, below which it is mostly results and documents."""

_PER_FACT: Final = 48
_TOKENS_FOR_ONE: Final = 25
"""One fact for so many tokens of people's words."""

_MOST_IN_SMALL_WINDOWS: Final = 24
_SMALL_WINDOW: Final = 16_000
_KNOWN: Final = 15
_CANDIDATES: Final = 60
_MOST_TERMS: Final = 60
_LONGEST_LINE: Final = 120
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsOrder:
    """A request for at most `most` facts. `known` are the listed facts, by their number in the order minus one."""

    days: str
    known: tuple[Fact, ...]
    most: int

    @property
    def tokens(self) -> int:
        """The tokens of the reply that the facts may take."""
        return self.most * _PER_FACT

    def within(self, tokens: int) -> "FactsOrder | None":
        """The order for a reply with so much room for facts; None where that is too little."""
        return None if tokens < FEWEST_TOKENS else replace(self, most=min(self.most, tokens // _PER_FACT))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFacts:
    """How many facts an eviction stored, how many it superseded, and what was dropped, by reason."""

    new: int
    superseded: int
    dropped: Counter[str]


class FactExtraction:
    """Asks for facts and stores them, on behalf of one agent."""

    def __init__(
        self, *, store: Store, prompts: PromptSource, counter: TokenCounter, zone: tzinfo, window: int
    ) -> None:
        self._store = store
        self._prompts = prompts
        self._counter = counter
        self._zone = zone
        self._most = _MOST_IN_SMALL_WINDOWS if window < _SMALL_WINDOW else MOST_OBJECTS

    def order(self, leaving: Sequence[Message]) -> FactsOrder | None:
        """What to ask for when these messages leave; None where facts are not worth it."""
        said = [m for m in leaving if m.role is Role.USER and m.text]
        tokens = sum(self._counter.count(m.stub or m.text) for m in said)
        whole = sum(self._counter.count(m.stub or m.text) for m in leaving)
        if tokens < _FEWEST_WORDS or tokens < _LEAST_SHARE * whole:
            return None
        days = dict.fromkeys(m.created_at.astimezone(self._zone).date() for m in said)
        return FactsOrder(
            days="; ".join(f"{_WEEKDAYS[day.weekday()]} {day}" for day in days),
            known=tuple(self._known(said)),
            most=max(4, min(self._most, tokens // _TOKENS_FOR_ONE)),
        )

    def text(self, order: FactsOrder) -> str:
        """The order in words."""
        lines = [f"{n}. {' '.join(fact.text.split())[:_LONGEST_LINE]}" for n, fact in enumerate(order.known, 1)]
        known = "\n".join(["", *lines]) if lines else "nothing yet."
        values = {"mark": MARK, "max_facts": str(order.most), "days": order.days, "known": known}
        return self._prompts.render("facts", values)

    def store(
        self, replies: Sequence[str], order: FactsOrder, leaving: Sequence[Message], *, cause: int | None, at: datetime
    ) -> StoredFacts:
        """Store what the facts parts of replies hold, as one operation; joins the caller's transaction.

        `cause` is the message whose turn made the eviction necessary.
        """
        keeper = FactKeeper(self._store, self._zone)
        new = superseded = 0
        dropped: Counter[str] = Counter()
        operation = Provenance(author=Author.AGENT, message_id=cause, command="eviction")
        with self._store.journal.operation(operation):
            for reply in replies:
                found = proposals(reply, leaving, self._zone, most=self._most)
                dropped += found.dropped
                for proposal in found.items:
                    kept = keeper.keep(
                        _statement(proposal, order),
                        said_at=proposal.source.created_at,
                        at=at,
                        provenance=_provenance(proposal),
                    )
                    new += kept.new
                    superseded += len(kept.closed)
        return StoredFacts(new=new, superseded=superseded, dropped=dropped)

    def _known(self, said: Sequence[Message]) -> list[Fact]:
        """Present states that the leaving messages may change, most likely first."""
        counted = Counter(term for message in said for term in query_terms((message.stub or message.text)[:4_000]))
        query = " ".join(term for term, _ in counted.most_common(_MOST_TERMS))
        ids = [hit.id for hit in self._store.facts.search(query, _CANDIDATES)]
        current = self._store.facts.known(ids, FactFilters(states=(FactState.CURRENT,)))
        return [fact for fact in current if fact.one_valued][:_KNOWN]


def _statement(proposal: Proposal, order: FactsOrder) -> Statement:
    candidate = proposal.candidate
    number = candidate.replaces
    replaced = order.known[number - 1].id if number and number <= len(order.known) else None
    first, *others = candidate.names
    return Statement(
        subject=first,
        predicate=candidate.what,
        object=candidate.value,
        sentence=candidate.sentence,
        about=tuple(others),
        kind=candidate.kind,
        valid=candidate.valid,
        says=candidate.says,
        sources=(FactSource(ref=message_ref(proposal.source.id), quote=candidate.quote),),
        state=proposal.state,
        check=proposal.check,
        replaces=replaced,
        denies=proposal.denies,
    )


def _provenance(proposal: Proposal) -> Provenance:
    """The person's own word; pasted text is a document's."""
    author = Author.DOCUMENT if proposal.word is Word.PASTED else Author.USER
    return Provenance(author=author, message_id=proposal.source.id, command="eviction")
