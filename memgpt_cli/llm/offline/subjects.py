"""Whom a sentence speaks of: the one who says it, or somebody of theirs. English and Chinese.

"My wife's birthday is on 2 June" does not answer "When is my birthday?". Decided by the form of clauses alone; a clause
without a subject goes on about the one of the clause before.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from memgpt_cli.llm.offline.chinese_words import SAME_PEOPLE
from memgpt_cli.llm.offline.chinese_words import SOMEBODY as SOMEBODY_ZH
from memgpt_cli.llm.offline.english_words import PROPER_NAME, SOMEBODY
from memgpt_cli.llm.offline.relevance import text_of
from memgpt_cli.llm.offline.words import RELATED, is_chinese, stem

_CLAUSES_EN: Final = re.compile(
    r"[,;:.!?—–]+\s+|\s+(?:and|but|so|because|while|although|though|when)\s+(?=\w)|\s+(?=(?:who|whose)\b)",
    re.IGNORECASE,
)
_CLAUSES_ZH: Final = re.compile(r"[，,；;。！!：:\s]+|但是|不过|可是|而且")
_OTHERS_EN: Final = re.compile(
    rf"(?:(?:well|also|then|now|yes|no|oh|and|but|so|today|yesterday|then)\W+)*(?:(?:my|our|his|her|their|the|a|an|this"
    rf"|that|one of my|some of my) (?:[\w-]+ )??(?:{SOMEBODY})(?:s|es)?\b|(?:he|she|they|who|whose|his|her|their)\b"
    rf"|(?!I\b){PROPER_NAME}(?:['’]s)? (?:is|was|has|had|lives?|works?|likes?|loves?|hates?|said|says|wants"
    rf"|went|got|does|did)\b)",
    re.IGNORECASE,
)
_OF_MINE: Final = re.compile(rf"\b(?:my|our) (?:[\w-]+ )??(?:{SOMEBODY})(?:s|es)?\b", re.IGNORECASE)
_I: Final = re.compile(
    r"\b(?:i|i['’]?m|i['’]?ve|i['’]?ll|i['’]?d|we|we['’](?:re|ve|ll)|me|us|my|our|myself)\b", re.IGNORECASE
)
_OTHERS_ZH: Final = re.compile(rf"(?:我们?(?:的|家的?)?)?{SOMEBODY_ZH}|[他她它]|(?:有|那)[个位]")
_ASKED_EN: Final = re.compile(rf"\b(?:my|our) (?:[\w-]+ )??(?P<who>{SOMEBODY})(?:s|es)?\b", re.IGNORECASE)
_ASKED_ZH: Final = re.compile(rf"我们?(?:的|家的?)?({SOMEBODY_ZH})")
_THEY: Final = re.compile(r"\b(?:he|she|they|him|her|his|their|them|it|its)\b|[他她它]", re.IGNORECASE)


_INTRODUCES_EN: Final = re.compile(
    rf"\b(?:have|got|own|adopted|met|know|['’]ve)\b.*\b(?:{SOMEBODY})(?:s|es)?\b", re.IGNORECASE
)
_INTRODUCES_ZH: Final = re.compile(rf"(?:[有养娶嫁]|认识|遇到|见到).*(?:{SOMEBODY_ZH}|[个位名].)")
"""After "I have a daughter" a clause without a subject is about her."""


def own_part(text: str) -> str:
    """The clauses of a text in which its speaker tells of themselves, or of nobody in particular."""
    in_chinese = is_chinese(text)
    kept: list[str] = []
    of_another = False
    for clause in (_CLAUSES_ZH if in_chinese else _CLAUSES_EN).split(text):
        begins = (_OTHERS_ZH if in_chinese else _OTHERS_EN).match(clause)
        rest = clause[begins.end() :] if begins else clause
        own = "我" in rest if in_chinese else _I.search(_OF_MINE.sub(" ", rest)) is not None
        of_another = not own and (begins is not None or of_another)
        if not of_another:
            kept.append(clause)
            of_another = (_INTRODUCES_ZH if in_chinese else _INTRODUCES_EN).search(clause) is not None
    return (" " if in_chinese else ", ").join(kept)


@dataclass(frozen=True, slots=True)
class Somebody:
    """A relative or an animal of the person's: what it is, and the names that are known."""

    who: str
    names: frozenset[str]


def asked_of(question: str, people: Mapping[str, str]) -> Somebody | None:
    """Whom of the person's a question is about; `people` are the known names, "Leo" as "brother"."""
    who = None
    if match := _ASKED_ZH.search(question):
        who = SAME_PEOPLE.get(match[1], match[1])
    elif match := _ASKED_EN.search(question):
        who = match["who"].lower()
    if who is not None:
        return Somebody(who, frozenset(name for name, of in people.items() if of == who))
    name = next((name for name in people if _holds_name(question, name)), None)
    return Somebody(people[name], frozenset((name,))) if name is not None else None


def _holds_name(text: str, name: str) -> bool:
    if is_chinese(name):
        return name in text
    return re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE) is not None


def speaks_of(text: str, somebody: Somebody) -> bool:
    """Whether a text may speak of somebody: by the word, a related one, the name, or a pronoun."""
    who, told = somebody.who, text_of(text)
    if any(SAME_PEOPLE.get(word, word) == who and word in text for word in (*SAME_PEOPLE, who) if is_chinese(word)):
        return True
    last = stem(who.rsplit(maxsplit=1)[-1])
    if told.holds(last) or any(told.holds(other) for other in RELATED.get(last, ())):
        return True
    return any(_holds_name(text, name) for name in somebody.names) or _THEY.search(text) is not None
