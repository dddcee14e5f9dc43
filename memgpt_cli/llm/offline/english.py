"""What an English sentence tells about the person who says it, as notes for core memory.

Forms are anchored at the beginning of a clause, so that "if I lived in Rome" and "he says I like it" give nothing. What
no form covers is not lost: it stays in recall storage.
"""

import re
from collections.abc import Iterator
from typing import Final

from memgpt_cli.llm.offline.english_forms import forms
from memgpt_cli.llm.offline.facts import Fact

LONGEST_CLAUSE: Final = 140
"""Characters beyond which a clause is a story and not a fact."""

_FILLER: Final = re.compile(
    r"(?:(?:hi|hello|hey|hiya|about me|well|oh|ok|okay|so|yes|yeah|yep|no|nope|also|and|but|plus|actually|btw"
    r"|by the way|anyway|sorry|fyi|wow|haha|please note(?: that)?|note that|just so you know|for your information"
    r"|you know|to be honest|honestly|in fact|correction|wait|oops|i meant?|i mean|good (?:morning|evening|afternoon)"
    r"|thanks|thank you|as you know|now|currently|these days|there|everyone|all)(?:\s*[,:;.!—–-]+\s*|\s+))+",
    re.IGNORECASE,
)
_MAY_TELL: Final = re.compile(
    r"(?:i|im|ive|my|we|our|please|you (?:can|may)|people|(?:my )?friends|every(?:one|body)|calls?|the name)\b"
    r"|.* my .*favou?rite",
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
    r"(?=(?:i|im|i['’](?:m|ve)|my|our|we|this|it['’]?s)\b)",
    re.IGNORECASE,
)
_SAYS: Final = re.compile(
    r"\b(?:said|says|asked|asks|replied|wrote|writes|told (?:me|him|her|us|them)|thinks|thought|shouted|answered)\W*$",
    re.IGNORECASE,
)
_TAIL: Final = re.compile(
    r"(?:[\s,]+(?:too|as well|though|now|right now|currently|these days|actually|by the way|btw|you know|of course"
    r"|so much|a lot|anyway|lol|haha|at the moment|nowadays|please|thanks|instead|again|again now))+$"
    r"|[\s,;:.!\u2600-\u27bf\U0001f000-\U0001faff]+$",
    re.IGNORECASE,
)


def facts(sentence: str) -> Iterator[Fact]:
    """The facts of one sentence about its speaker, in order."""
    correction = _CORRECTION.search(sentence) is not None
    for clause in clauses(sentence):
        if len(clause) > LONGEST_CLAUSE or not _MAY_TELL.match(clause):
            continue
        for pattern, maker in forms():
            match = pattern.fullmatch(clause)
            if match is None:
                continue
            line = maker(match)
            if line is not None and _OF_THE_MOMENT.search(line) is None:
                yield from (Fact(part, correction) for part in line.split("\n"))
                break


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
            yield clause
        quoted = _SAYS.search(part) is not None
