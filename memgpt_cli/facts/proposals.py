"""From an extractor's reply to checked statements: each with the message that it rests on, and checked dates."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Final

from memgpt_cli.domain.facts import FactState
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.trust import Author
from memgpt_cli.facts.candidate import Candidate, candidate_of
from memgpt_cli.facts.checks import checked_validity, unfounded_numbers
from memgpt_cli.facts.reply import MOST_OBJECTS, read
from memgpt_cli.facts.whose_word import Word, best_source, is_denial, whose_word
from memgpt_cli.text.runs_of_words import locate, sentences_of

_NEIGHBOURS: Final = 2
"""Messages before and after the source in which the numbers of a value may stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A candidate with its source. `state` is current or uncertain; `check` says why a person should look at it."""

    candidate: Candidate
    source: Message
    state: FactState = FactState.CURRENT
    word: Word = Word.PERSON
    check: str = ""
    denies: bool = False


@dataclass(slots=True)
class Proposals:
    """What a reply proposes, in order, and what was dropped, by reason. `last` is the last message that was cited."""

    items: list[Proposal] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    last: int | None = None


def proposals(text: str, messages: Sequence[Message], zone: tzinfo, *, most: int = MOST_OBJECTS) -> Proposals:
    """Read the facts part of a reply against the messages that it is about."""
    lines = read(text, most=most)
    made = Proposals(dropped=lines.dropped)
    spoken = [message for message in messages if message.text and message.role is not Role.SYSTEM]
    for fields in lines.objects:
        candidate = candidate_of(fields)
        if isinstance(candidate, str):
            made.dropped[candidate] += 1
            continue
        index = _source(candidate, spoken)
        if index is None:
            made.dropped["quote not found"] += 1
            continue
        made.last = max(made.last or 0, spoken[index].id)
        proposal = _checked(candidate, spoken, index, zone)
        if proposal is None:
            made.dropped["not a person's word"] += 1
        else:
            made.items.append(proposal)
    return made


def _source(candidate: Candidate, spoken: Sequence[Message]) -> int | None:
    located = locate(candidate.quote, [message.text for message in spoken])
    return best_source(located, [message.role for message in spoken]).index if located else None


def _checked(candidate: Candidate, spoken: Sequence[Message], index: int, zone: tzinfo) -> Proposal | None:
    source = spoken[index]
    word = whose_word(source.role, source.text, candidate.quote)
    if word is Word.OTHER:
        return None
    if source.least in {Author.DOCUMENT, Author.TOOL}:
        word = Word.PASTED
    said_on = source.created_at.astimezone(zone).date()
    sentence = sentences_of(candidate.quote, source.text)
    valid = checked_validity(candidate.valid, candidate.quote, sentence, said_on)
    near = spoken[max(0, index - _NEIGHBOURS) : index + _NEIGHBOURS + 1]
    numbers = unfounded_numbers(candidate.value or candidate.sentence, [m.text for m in near], said_on)
    reasons = []
    if word is not Word.PERSON:
        reasons.append("pasted text" if word is Word.PASTED else "said as a supposition or a joke")
    if numbers:
        reasons.append(f"{', '.join(numbers)} is not in the source")
    return Proposal(
        candidate=replace(candidate, valid=valid),
        source=source,
        state=FactState.UNCERTAIN if reasons else FactState.CURRENT,
        word=word,
        check="; ".join(reasons),
        denies=is_denial(candidate.quote),
    )
