"""Facts said back to people: a line as a clause, a person's own words turned round, several clauses as one."""

import re
from collections.abc import Iterable
from typing import Final

from memgpt_cli.llm.offline.english_words import SOMEBODY
from memgpt_cli.llm.offline.facts import (
    ABOUT_RELATIVE,
    CHINESE_NAMED,
    LABEL,
    PARTS,
    VERBS,
    Line,
    is_of_chinese_kin,
    parse_line,
)
from memgpt_cli.llm.offline.words import is_chinese

_OWN_WORDS: Final = re.compile(r"(?:i|my|we|our|i['’](?:m|ve|ll|d))\b", re.IGNORECASE)
_NAMED: Final = re.compile(rf"{SOMEBODY}s?|company|band|boat", re.IGNORECASE)
_TO_SECOND: Final = {
    "i": "you",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
    "am": "are",
    "i'm": "you are",
    "i've": "you have",
    "i'll": "you will",
    "i'd": "you would",
    "we": "you",
    "our": "your",
    "us": "you",
}
_WORTH_LEAVING_OUT: Final = 2
_A_PAIR: Final = 2


def said_back(text: str, *, to: str | None = None) -> str | None:
    """A line as a clause: "you live in Lyon", "Caroline's sister Ann works at Airbus"; None for another form.

    `to` is the name of the person who reads it, where there is one.
    """
    line = parse_line(text)
    if line.speaker is not None and to is not None and line.speaker.lower() == to.lower():
        line = Line(None, line.fact)
    if is_chinese(line.fact):
        return _said_back_in_chinese(line)
    clause = _note_said_back(line) or _label_or_relative_said_back(line)
    if clause is None:
        return None
    return re.sub(r"\bmy\b", "their", clause) if line.speaker else to_second_person(clause)


def _note_said_back(line: Line) -> str | None:
    """Notes that leave out "I": "Lives in Lyon", "Allergic to nuts", "No longer vegetarian"."""
    first, _, rest = line.fact.partition(" ")
    who = line.speaker or "you"
    if first in VERBS:
        return f"{who} {first.lower() if line.speaker else VERBS[first]} {rest}"
    if line.fact.startswith("No longer "):
        verb, _, object_ = rest.removeprefix("longer ").partition(" ")
        return _no_longer(who, verb, object_, named=line.speaker is not None)
    if first in PARTS:
        be = ("was", "were") if first == "Born" else ("is", "are")
        return f"{who} {be[0] if line.speaker else be[1]} {first.lower()} {rest}"
    return None


def _label_or_relative_said_back(line: Line) -> str | None:
    """Notes that leave out "my", and those that are still in the person's own words."""
    whose = f"{line.speaker}'s" if line.speaker else "your"
    if line.speaker is None and _OWN_WORDS.match(line.fact):
        return line.fact[0].lower() + line.fact[1:]
    if label := LABEL.fullmatch(line.fact):
        return _label_said_back(whose, label[1], label[2])
    if ABOUT_RELATIVE.match(line.fact):
        return f"{whose} {line.fact[0].lower()}{line.fact[1:]}"
    return None


def _no_longer(who: str, verb: str, object_: str, *, named: bool) -> str:
    if verb.capitalize() in VERBS:
        return f"{who} no longer {verb if named else VERBS[verb.capitalize()]} {object_}"
    return f"{who} {'is' if named else 'are'} no longer {verb} {object_}".rstrip()


def _label_said_back(whose: str, label: str, value: str) -> str:
    lowered = label[0].lower() + label[1:]
    if lowered == "age":
        return f"{'you are' if whose == 'your' else whose.removesuffix(chr(39) + 's') + ' is'} {value} years old"
    head = lowered.rsplit(maxsplit=1)[-1]
    if _NAMED.fullmatch(head) and not lowered.startswith("favorite") and value[:1].isupper():
        return f"{whose} {lowered} {'are' if head.endswith('s') else 'is'} called {value}"
    return f"{whose} {lowered} {'are' if head.endswith('s') and not head.endswith('ss') else 'is'} {value}"


def _said_back_in_chinese(line: Line) -> str:
    who = line.speaker or "你"
    fact = line.fact
    for head, form in (
        ("姓名：", "叫{}"),
        ("昵称：", "希望被称为{}"),
        ("职业：", "是{}"),
        ("姓：", "姓{}"),
        ("年龄：", "今年{}"),
    ):
        if fact.startswith(head):
            return who + form.format(fact.removeprefix(head))
    if (label := LABEL.fullmatch(fact)) and (name := label[3] or label[1]):
        of = "" if name.startswith("最") else "的"
        return f"{who}{of}{name}是{label[4] or label[2]}"
    if "我" in fact:
        return fact.replace("我", who)
    if CHINESE_NAMED.fullmatch(fact) or is_of_chinese_kin(fact):
        return f"{who}的{fact}"
    return who + fact


def to_second_person(text: str) -> str:
    """The person's own words turned round: "my dog" becomes "your dog"."""

    def turned(match: re.Match[str]) -> str:
        return _TO_SECOND.get(match.group().lower().replace("’", "'"), match.group())

    return re.sub(r"\b[A-Za-z]+(?:['’][A-Za-z]+)?\b", turned, text)


def ended(sentence: str) -> str:
    """A sentence with the full stop of its own language: 你住在London。 but: You live in 北京."""
    return f"{sentence}{'。' if is_chinese(sentence[:1]) else '.'}"


def joined(clauses: Iterable[str], *, chinese: bool) -> str:
    """Several clauses as one: commas and "and"; what begins two neighbours alike is said once."""
    parts: list[str] = []
    last: list[str] = []
    for clause in clauses:
        words = clause.split(" ")
        same_words = 0
        while same_words < min(len(words), len(last)) - 1 and words[same_words] == last[same_words]:
            same_words += 1
        whole = chinese or same_words < _WORTH_LEAVING_OUT or words[0] == "your"
        parts.append(clause if whole else " ".join(words[same_words:]))
        last = words
    if chinese:
        return "，".join(parts)
    if len(parts) <= _A_PAIR:
        return " and ".join(parts)
    return ", ".join(parts[:-1]) + ", and " + parts[-1]
