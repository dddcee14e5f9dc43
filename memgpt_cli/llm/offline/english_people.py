"""What an English clause tells about a relative, a friend or an animal of the person, as notes that begin with who.

"My father is called Tom and lives in Tianjin" becomes `Father: Tom` and `Father Tom lives in Tianjin`: each line holds
one thing and names its subject, so that no predicate can be taken for one of the person's own.
"""

import re
from collections.abc import Iterator
from typing import Final

from memgpt_cli.llm.offline.english_words import (
    AGE,
    COUNTED,
    KIND_OF_ONE,
    NAMED_CALLED,
    PASSING,
    PROPER_NAME,
    SOMEBODY,
)

LONGEST: Final = 14
"""Words of a note."""
_VERB: Final = (
    r"(?:is|are|['’]s|works?|lives?|has|have|likes?|loves?|hates?|studies|study|plays?|speaks?|owns?|teaches|teach"
    r"|grew up|was born|comes? from|moved to)"
)
_SUBJECT: Final = re.compile(
    rf"(?:my|our|the) (?P<who>{SOMEBODY})(?P<name>,? {PROPER_NAME}(?=,? {_VERB}\b),?)? (?P<rest>{_VERB} .+)",
    re.IGNORECASE,
)
_IS_MINE: Final = re.compile(
    rf"(?P<name>{PROPER_NAME}) is (?:my|our) (?P<who>{SOMEBODY})(?:,? and (?:he|she|it) (?P<rest>{_VERB} .+))?",
    re.IGNORECASE,
)
_ITS_NAME: Final = re.compile(r",? (?:and )?(?:his|her|its|their) names? (?:is|are)\b", re.IGNORECASE)
_HIS: Final = re.compile(
    rf"(?:my|our) (?P<who>{SOMEBODY})(?: (?P<name>{PROPER_NAME}))?(?:['’]s|s['’]?)? (?P<what>(?:first )?name"
    rf"|birthday|job"
    r"|phone(?: number)?|email|age)(?: (?:is|are)|['’]s)(?: spelled| actually| now| on)? (?P<value>.+)",
    re.IGNORECASE,
)
_PREDICATES: Final = re.compile(
    rf",? (?:and|but) (?:(?:he|she|it|they)(?= ))?\s?(?={_VERB} )|, (?:(?:who|he|she|it|they) )?(?={_VERB} )"
    rf"|,? who (?={_VERB} )|,? (?:and |but )?(?:he|she|it)(?=['’]s )",
    re.IGNORECASE,
)
_CALLED: Final = re.compile(rf"(?:is|are|['’]s) {NAMED_CALLED} (.+)", re.IGNORECASE)
_IS_NAME: Final = re.compile(rf"(?:is|['’]s) ({PROPER_NAME})", re.IGNORECASE)
_IS_AGED: Final = re.compile(rf"(?:is|['’]s) (?:now )?({AGE})", re.IGNORECASE)
_MOVED: Final = re.compile(
    r"moved to ((?-i:[A-Z])[\w'’-]*(?:,? (?-i:[A-Z])[\w'’-]*)*)(?: (?:last|this|in|recently|two|a|for"
    r"|with)\b.*| yesterday)?",
    re.IGNORECASE,
)
_ANY_NAME: Final = re.compile(r"[^\W\d_][\w'’-]*(?: (?:and )?[A-Z][\w'’-]*){0,3}")
_CHANGEABLE: Final = re.compile(
    r"(?:is|are|['’]s) (?!(?:living|working|studying|teaching|training)\b)(?:\w+ing\b|so\b|here\b|such\b|there\b"
    r"|very\b|really\b|too\b|not\b|on\b|at\b|in\b|back\b|home\b|sick\b|ill\b|ok\b|fine\b|great\b|tired\b|late\b|happy\b)"
    r"|(?:has|have) (?:\w+ed|been|got|gone|to|just|never|always|not|a (?:cold|fever|headache|party|meeting|day))\b"
    r"|(?:loves?|likes?|hates?) (?:it|that|this|me|you|them|him|her|us)\b",
    re.IGNORECASE,
)
_OF_ANOTHER: Final = re.compile(
    rf"(?:has|have|likes?|loves?|hates?|plays?|teach(?:es)?|owns?)\b.*\b(?:(?i:{SOMEBODY})s?\b|{PROPER_NAME})"
)
_OF_TWO: Final = re.compile(r"\b(?:i|me|my|our|us|you|your|he|she|they|that|because|when|if)\b", re.IGNORECASE)
_ITEM: Final = (
    rf"(?!{COUNTED})(?-i:[A-Z])[\w'’-]*(?:(?: is|,| who is|,? aged)? {AGE}| ?\((?:aged? )?{AGE}\)|, {AGE}(?=,))?"
)
_OWN: Final = re.compile(
    rf"(?:i|we)(?:['’]ve)?(?: also| just)? (?:have|got|own|adopted)(?: got)? (?P<head>(?:{COUNTED})?"
    rf"(?:[\w-]+ )??(?P<who>{SOMEBODY})(?:s|es)?)(?::| {NAMED_CALLED}| whose names? (?:is|are)|,(?: {NAMED_CALLED})?)"
    rf" (?P<items>{_ITEM}(?:(?:,| and|, and) {_ITEM})*)(?P<rest>,? (?:who|and (?:he|she|it)) .+)?",
    re.IGNORECASE,
)
_MORE: Final = re.compile(rf",? and (?={COUNTED})", re.IGNORECASE)


def lines(clause: str) -> Iterator[str]:
    """The notes of one clause about somebody; none when it tells nothing lasting or it is not plain about whom."""
    if owned := _OWN.match(clause):
        yield from _owned(clause, owned)
    elif his := _HIS.fullmatch(clause):
        yield from _attribute(his)
    elif (mine := _IS_MINE.fullmatch(clause)) and _proper(mine["name"]):
        yield f"{_capital(mine['who'])}: {mine['name']}"
        yield from _predicates(mine["who"], mine["name"], mine["rest"]) if mine["rest"] else ()
    elif subject := _SUBJECT.fullmatch(_ITS_NAME.sub(" and is called", clause)):
        name = _proper(subject["name"])
        yield from _predicates(subject["who"], name, subject["rest"])


def _owned(clause: str, owned: re.Match[str]) -> Iterator[str]:
    """I have two kids: Elsa is 7 and Nils is 4; I have a brother called Leo who lives in Oslo."""
    after = clause[owned.end() :]
    if after and not _MORE.match(after):
        return
    people = [
        (found[1], found[2]) for found in re.finditer(rf"((?-i:[A-Z])[\w'’-]*)(?:\W[^A-Z]*?({AGE}))?", owned["items"])
    ]
    who = _singular(owned["who"])
    if len(people) == 1:
        name, _ = people[0]
        yield f"{_capital(who)}: {name}"
    else:
        yield f"Has {owned['head']}: {_listed([name for name, _ in people])}"
    for name, age in people:
        if age:
            yield f"{_capital(who)} {name} is {age}"
    if owned["rest"] and len(people) == 1:
        rest = re.sub(r"^,? (?:who|and (?:he|she|it)) ", "", owned["rest"])
        yield from _predicates(who, people[0][0], rest)
    if more := _MORE.match(after):
        thing = after[more.end() :]
        named = _OWN.fullmatch(f"i have {thing}")
        yield from _owned(f"i have {thing}", named) if named else ()


def _attribute(his: re.Match[str]) -> Iterator[str]:
    """My wife's birthday is on 2 June; my son's name is Jonas."""
    who, value = _capital(his["who"]), his["value"].strip(" ,.!\"'“”")
    if PASSING.search(value) or _OF_TWO.search(value) or len(value.split()) > LONGEST:
        return
    if his["what"].lower().endswith("name"):
        if _ANY_NAME.fullmatch(value):
            yield f"{who}: {_cased(value)}"
    else:
        name = re.sub(r"['’]s$", "", _proper(his["name"]) or "")
        subject = f"{who} {name}" if name else who
        yield f"{subject}'s {his['what'].lower()}: {value}"


def _predicates(who: str, name: str | None, rest: str) -> Iterator[str]:
    plural = who.lower().endswith("s") and not who.lower().endswith("boss")
    for predicate in _PREDICATES.split(rest):
        said = re.sub(r"^['’]s ", "is ", predicate.strip(" ,"))
        if called := _CALLED.fullmatch(said):
            if not _ANY_NAME.fullmatch(called[1]):
                return
            name = _cased(called[1])
            yield f"{_capital(who)}: {name}"
        elif (is_name := _IS_NAME.fullmatch(said)) and _proper(is_name[1]) and not KIND_OF_ONE.match(is_name[1]):
            name = is_name[1]
            yield f"{_capital(who)}: {name}"
        else:
            subject = f"{_capital(who)} {name}" if name and not plural else _capital(who)
            if moved := _MOVED.fullmatch(said):
                said = f"lives in {moved[1]}"
            if not _tells_lasting(said):
                return
            yield f"{subject} {said}"
            if _OF_ANOTHER.match(said):
                return  # my brother has a daughter, she is 5


def _tells_lasting(predicate: str) -> bool:
    if PASSING.search(predicate) or _CHANGEABLE.match(predicate) or len(predicate.split()) > LONGEST:
        return False
    return _OF_TWO.search(predicate) is None


def _proper(name: str | None) -> str | None:
    name = (name or "").strip(" ,")
    return name if name[:1].isupper() else None


def _singular(who: str) -> str:
    lowered = who.lower()
    if lowered in ("children", "kids"):
        return "child"
    return who[:-1] if lowered.endswith("s") and not lowered.endswith("ss") else who


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _cased(name: str) -> str:
    return " ".join(word if word != word.lower() or word == "and" else word.capitalize() for word in name.split())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
