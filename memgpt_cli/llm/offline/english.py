"""What an English sentence tells about the person who says it, as notes for core memory.

Forms are anchored at the beginning of a clause, so that "if I lived in Rome" and "he says I like it" give nothing. What
no form covers is not lost: it stays in recall storage.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from memgpt_cli.llm.offline import english_people
from memgpt_cli.llm.offline.english_forms import forms
from memgpt_cli.llm.offline.english_words import PROPER_NAME, SOMEBODY, STATE
from memgpt_cli.llm.offline.facts import Fact

LONGEST_CLAUSE: Final = 140
"""Characters beyond which a clause is a story and not a fact."""

_FILLER: Final = re.compile(
    r"(?:(?:hi|hello|hey|hiya|about me|well|oh|ok|okay|so|yes|yeah|yep|no|nope|also|and|but|plus|actually|btw"
    r"|by the way|anyway|sorry|fyi|wow|haha|please note(?: that)?|note that|just so you know|for your information"
    r"|you know|to be honest|honestly|in fact|correction|wait|oops|i meant?|i mean|good (?:morning|evening|afternoon)"
    r"|thanks|thank you|as you know|now|currently|these days|there|everyone|all|that['’]s (?:old|wrong"
    r"|outdated|not true))(?:\s*[,:;.!—–-]+\s*|\s+))+",
    re.IGNORECASE,
)
_MAY_TELL: Final = re.compile(
    r"(?:i|im|ive|my|we|our|please|you (?:can|may)|people|(?:my )?friends|every(?:one|body)|calls?|the name"
    r"|the (?:kids|children|twins) are (?:called|named))\b"
    r"|.* my .*favou?rite|\w+ is (?:my|our)\b",
    re.IGNORECASE,
)
_OF_THE_MOMENT: Final = re.compile(
    r"\b(?:you|your|yours|u|ur)\b|\b(?:it|them|him|her|that|this|those)$|^\w+ (?:the|all|this|these|those)(?: \S+){3,}",
    re.IGNORECASE,
)
"""Signs that a sentence answers what somebody just said and tells nothing lasting."""
_CORRECTION: Final = re.compile(
    r"\b(?:actually|no|sorry|correction|i meant?|instead|not any ?more|now|wait|oops|wrong|changed)\b", re.IGNORECASE
)
_CLAUSES: Final = re.compile(
    r"(?:\s*[;—–]\s*|,?\s+(?:and|but|so|because|while|although|though)\s+|,\s*)"
    rf"(?=(?:now )?(?:i|im|i['’](?:m|ve)|my|our|we|this|it['’]?s|that['’]s|the {SOMEBODY} (?:is|are|lives|works))\b)",
    re.IGNORECASE,
)
_OF_THE_FAMILY: Final = re.compile(rf"the {SOMEBODY}\b", re.IGNORECASE)
_NOBODY: Final[Mapping[str, str]] = {}
_FIRST_NAME: Final = re.compile(r"([^\W\d_a-z][\w-]*)(?= |['’]s )")
_OWN_ACT: Final = re.compile(r"(?:i|we)\b", re.IGNORECASE)
_MENTIONED: Final = re.compile(
    rf"\b(?:with|to|from|for|visit\w*|met|meet|see|saw|marr\w+) (?:my|our)"
    rf" ((?i:{SOMEBODY})) ({PROPER_NAME})(?!['’])"
)
"""I went to Rome with my sister Ann: that tells her name."""
_I_AM: Final = re.compile(r"i(?:['’]?m| am) ", re.IGNORECASE)
_LIST_OF_STATES: Final = re.compile(
    rf"(?:, (?:and )?| and )(?=(?:not )?(?:allergic to|from (?-i:[A-Z])|{STATE}$|(?:\d{{1,2}}|an?) \w+(?: \w+)?$))",
    re.IGNORECASE,
)
_LIST_OF_ACTS: Final = re.compile(
    r"(?:, (?:and )?(?:then )?| and )(?=(?:work (?:as|at|for)|live in|moved to|study|speak|play (?:the)?) )",
    re.IGNORECASE,
)
_OF_OTHERS: Final = re.compile(rf"\b(?:who|that|which|whose|they|{SOMEBODY})s?\b", re.IGNORECASE)
_OWN: Final = re.compile(r"(?:my|our|i|we)\b", re.IGNORECASE)
_SAYS: Final = re.compile(
    r"(?!(?:i|we)\b).*\b(?:said|says|asked|asks|replied|wrote|writes|told|tells|thinks|thought|shouted|answered|claims?"
    r"|claimed|believes?|believed|insists?|jokes?|joked|calls me|goes:)(?!\w)",
    re.IGNORECASE,
)
"""Somebody else speaks in what follows."""
_NOT_SO: Final = re.compile(
    r"(?:if|imagine|suppose|supposing|pretend|assum(?:e|ing)|what if|let['’]?s (?:say|pretend)|unless|say|i wish"
    r"|in (?:my|the|a) (?:dream|story|book|novel|game|movie|film)|i dream(?:ed|t)|i (?:thought|believed|imagined)"
    r"|when i (?:was|grow)|as a (?:child|kid|boy|girl)|once upon)\b",
    re.IGNORECASE,
)
"""What begins so is not so, or no longer."""
_TAIL: Final = re.compile(
    r"(?:[\s,]+(?:too|as well|though|now|right now|currently|these days|actually|by the way|btw|you know|of course"
    r"|so much|a lot|anyway|lol|haha|at the moment|nowadays|please|thanks|instead|again|again now))+$"
    r"|[\s,;:.!\u200d\ufe0f\u20e3\u2600-\u27bf\U0001f000-\U0001faff]+$",
    re.IGNORECASE,
)


def facts(sentence: str, people: Mapping[str, str] = _NOBODY) -> Iterator[Fact]:
    """The facts of one sentence about its speaker, and about the speaker's relatives and animals, in order.

    `people` are those whose names are known, "Leo" as "brother": "Leo moved to Bergen" tells of the brother.
    """
    if _NOT_SO.match(_FILLER.sub("", sentence, count=1) if _FILLER.match(sentence) else sentence):
        return
    correction = _CORRECTION.search(sentence) is not None
    of_own = False
    for part in clauses(sentence):
        known = _FIRST_NAME.match(part)
        clause = f"my {people[known[1]]} {part}" if known and known[1] in people else part
        # "my dog is Bosse and the cat is Misha": the cat belongs to the one who has just spoken of the dog
        may_tell = _MAY_TELL.match(clause) or (of_own and _OF_THE_FAMILY.match(clause))
        of_own = _OWN.match(clause) is not None
        if len(clause) <= LONGEST_CLAUSE and may_tell:
            lines = _lines(clause)
            yield from (Fact(line, correction) for line in lines)
            if _OWN_ACT.match(clause):
                named = (f"{mention[1].capitalize()}: {mention[2]}" for mention in _MENTIONED.finditer(clause))
                yield from (Fact(line, correction) for line in named if line not in lines)


def _lines(clause: str) -> list[str]:
    if lines := list(english_people.lines(clause)):
        return lines
    for pattern, maker in forms():
        match = pattern.fullmatch(clause)
        line = maker(match) if match is not None else None
        if line is not None:
            return line.split("\n") if _OF_THE_MOMENT.search(line) is None else []
    return []


def clauses(sentence: str) -> Iterator[str]:
    """The clauses of a sentence that may begin with "I" or "my", without fillers and closing words.

    What stands after "she said," is somebody else speaking.
    """
    quoted = False
    for part in _CLAUSES.split(sentence):
        clause = part.strip() if len(part) <= 2 * LONGEST_CLAUSE else ""
        if filler := _FILLER.match(clause):
            clause = clause[filler.end() :]
        before = None
        while before != clause:
            before, clause = clause, _TAIL.sub("", clause)
        if clause and not quoted:
            yield from _listed(clause)
        quoted = quoted or _SAYS.match(clause) is not None


def _listed(clause: str) -> Iterator[str]:
    """I'm 29, allergic to penicillin; I live in Leeds and work as a plumber: each as a clause of its own."""
    if _I_AM.match(clause):
        first, *others = _LIST_OF_STATES.split(clause)
        subject = "I'm"
    elif _OWN_ACT.match(clause) and not _OF_OTHERS.search(clause):
        first, *others = _LIST_OF_ACTS.split(clause)
        subject = "I"
    else:
        first, others, subject = clause, [], ""
    yield first
    yield from (f"{subject} {other}" for other in others)
