"""Facts about a person as lines of a memory block: what a line is about, and which old line it replaces.

A line is a note without a subject, "Lives in Lyon", "Name: Ada", "Sister Ann works at Airbus"; with several speakers it
carries a name in front, "Caroline: Lives in Boston". Lines of any other form, written by a person or another model, are
left alone and said back in quotation marks (`speech`).
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from memgpt_cli.llm.offline.chinese_words import SAME_PEOPLE
from memgpt_cli.llm.offline.chinese_words import SOMEBODY as SOMEBODY_ZH
from memgpt_cli.llm.offline.english_words import AGE, PROPER_NAME, SOMEBODY
from memgpt_cli.llm.offline.words import is_chinese, terms, word_set

MANY: Final = word_set(
    "brother sister sibling son daughter child kid friend cousin uncle aunt nephew niece colleague coworker neighbor"
    " neighbour roommate cat dog pet kitten puppy rabbit hamster parrot horse grandson granddaughter baby twin hobby"
    " goal 哥哥 弟弟 姐姐 妹妹 儿子 女儿 孩子 朋友 同事 猫 狗 宠物 兔子 爱好"
)
"""Labels of which a person may have several: a second value stands beside the first unless it is a correction."""

VERBS: Final = {
    "Lives": "live",
    "Works": "work",
    "Comes": "come",
    "Likes": "like",
    "Loves": "love",
    "Enjoys": "enjoy",
    "Prefers": "prefer",
    "Dislikes": "dislike",
    "Hates": "hate",
    "Speaks": "speak",
    "Plays": "play",
    "Studies": "study",
    "Goes": "go",
    "Has": "have",
    "Is": "are",
    "Was": "were",
    "Owns": "own",
    "Drives": "drive",
    "Wants": "want",
    "Cannot": "cannot",
    "Eats": "eat",
    "Drinks": "drink",
    "Grew": "grew",
}
PARTS: Final = ("Allergic", "Not", "No", "Learning", "Training", "Born", "Diagnosed")
LABEL: Final = re.compile(r"([A-Z][\w' -]{0,40}|[\u3400-\u9fff]{1,10}): ?(.+)|([\u3400-\u9fff]{1,10})：(.+)")
_SPEAKER: Final = re.compile(r"([^\W\d_][\w.'’ -]{0,40}): (.+)")
TASTES: Final = word_set("like likes love loves hate hates")
ABOUT_RELATIVE: Final = re.compile(
    r"[A-Z][\w-]*(?: \w+){0,3}? (?:is|works?|lives?|has|likes|loves|studies|plays|speaks|owns|teaches|hates"
    r"|grew|was|comes|are|have)\b(?: (?:at"
    r"|in|as|for))?"
)
CHINESE_NAMED: Final = re.compile(r"((?!有)[\u3400-\u9fff]{1,6}?)(?:名叫|叫)(.{1,12})")
_SLOTS: Final = (
    (re.compile(r"Name: |姓名：|名字："), "name"),
    (re.compile(r"Goes by |昵称："), "called"),
    (re.compile(r"(?:No longer l|L)ives (?:in|at|near) |(?:不再)?住在"), "home"),
    (re.compile(r"Comes from |来自|老家"), "origin"),
    (re.compile(r"(?:No longer w|W)orks as\b|职业："), "work as"),
    (re.compile(r"(?:No longer w|W)orks (?:at|for|in)\b|(?:不再)?在.+(?:工作|上班)"), "work at"),
    (re.compile(r"Age: |年龄："), "age"),
    (re.compile(r"Birthday: |生日："), "birthday"),
    (re.compile(r"Born in "), "born"),
    (re.compile(r"Grew up in "), "grown"),
    (re.compile(r"(?:Is|Not|No longer) (?:\w+ )?(?:vegetarian|vegan|pescatarian)\b|(?:不再)?吃素"), "diet"),
    (
        re.compile(
            r"(?:Is|Not|No longer) (?:happily )?(?:married|single|divorced|engaged|widowed|separated)\b"
            r"|已婚|未婚|单身|离婚|不再单身"
        ),
        "marital",
    ),
    (re.compile(r"(?:Is|Not|No longer) (?:retired|unemployed|a student)\b|退休"), "occupation"),
    (re.compile(r"(?:A|Not a|No longer a)llergic to (.+)"), "allergic"),
    (re.compile(r"不?对(.+?)过敏"), "allergic"),
    (re.compile(r"(?:Likes|Loves|Enjoys|Prefers|Dislikes|Hates) (?:to )?(.+)"), "taste"),
    (re.compile(r"(?:喜欢|热爱|爱|讨厌|不讨厌|不喜欢|不爱|怕)(?:吃|喝|看|听|玩)?(.+)"), "taste"),
    (re.compile(r"([A-Z][\w' -]{0,40}|[\u3400-\u9fff]{1,10})(?:: ?|：).+"), "label"),
    (re.compile(r"([\u3400-\u9fff]{1,6}?)(?:名叫|叫).{1,12}"), "label"),
)
"""What each form of line is about; the group is the thing or the person of which there is one line each."""

_CHINESE_KIN: Final = re.compile(rf"{SOMEBODY_ZH}|[猫狗鱼鸟兔]|公司|学校|电话|手机|邮箱|地址|车子")
_TURNED: Final = re.compile(r"\b(?:no longer|not|never|dislikes?|hates?)\b|n['’]t\b|不|没|讨厌", re.IGNORECASE)
_OF_SOMEBODY: Final = re.compile(rf"(?i:{SOMEBODY})s?\b(?:['’]s \w+)?(?::| (?P<name>{PROPER_NAME}))?")
_TOLD_OF: Final = re.compile(
    rf"(?P<who>(?i:{SOMEBODY}))(?: (?P<name>{PROPER_NAME}))?(?P<attribute> lives (?:in|at|near)\b| is (?={AGE}$)"
    rf"| works as\b| works (?:at|for|in)\b| is an?\b| (?:likes?|loves?|hates?) .+)"
)
_TOLD_OF_CHINESE: Final = re.compile(
    r"(?P<who>[\u3400-\u9fff]{1,4}?)(?P<attribute>(?:今年)?(?=[\d一二三四五六七八九十两]{1,3}岁)|住在|在(?=.+(?:工作|上班)$)|的?生日是)"
)
_NAMES_ZH: Final = re.compile(rf"(?P<who>{SOMEBODY_ZH}|[猫狗])(?:名叫|叫)(?P<name>[^和、]{{1,8}})")
_NAMES: Final = re.compile(rf"(?:Has an? )?(?P<who>(?i:{SOMEBODY}))(?::| called| named|) (?P<name>{PROPER_NAME})")


@dataclass(frozen=True, slots=True)
class Fact:
    """A line for the block; `correction` when the person said that it replaces what was said before.

    `unless_known`: said in passing, "hi, it's Ada": written only where nothing about it is known.
    """

    line: str
    correction: bool = False
    unless_known: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a block taken apart: whose fact it is (None: the one user's) and the fact without that name."""

    speaker: str | None
    fact: str


_MANY_KEYS: Final = frozenset(" ".join(terms(label)) or label for label in MANY)


def parse_line(text: str) -> Line:
    """Tell `Caroline: Lives in Boston` from `Name: Ada`: after a speaker's name stands a fact of a known form."""
    text = text.strip().removeprefix("- ")
    match = _SPEAKER.fullmatch(text)
    if match is not None and match[1] not in ("Name", "Age", "Birthday") and _is_fact(match[2]):
        return Line(match[1], match[2])
    return Line(None, text)


def _is_fact(text: str) -> bool:
    first = text.split(" ", 1)[0]
    return first in VERBS or first in PARTS or slot(text) is not None


def slot(fact: str) -> str | None:
    """What a fact is about, when a person can have only one of it; None for facts that stand beside each other."""
    if told := told_of(fact):
        return told.slot
    for pattern, name in _SLOTS:
        if match := pattern.match(fact):
            return f"{name} {_key(match[1])}" if pattern.groups else name
    return None


def _key(text: str) -> str:
    text = SAME_PEOPLE.get(text, text)
    return " ".join(terms(text)) or text.lower()


@dataclass(frozen=True, slots=True)
class ToldOf:
    """A line about somebody taken apart: who ("brother"), the name where it stands in the line, and what it tells."""

    who: str
    name: str | None
    slot: str


def told_of(fact: str) -> ToldOf | None:
    """Who a line is about, when it tells something of which a person has one at a time: a home, an age, a job."""
    match = _TOLD_OF.match(fact) or _TOLD_OF_CHINESE.match(fact)
    if match is None or (is_chinese(fact) and not is_of_chinese_kin(fact)):
        return None
    who, found = match["who"].lower(), match.groupdict()
    who = SAME_PEOPLE.get(who, who)
    attribute = match["attribute"].strip().removeprefix("今年")
    verb = attribute.split(" ", 1)[0]
    what = f"taste {_key(attribute)}" if verb in TASTES else attribute or "age"
    return ToldOf(who, found.get("name"), f"{what} of {who}")


def names_of(block: str, speaker: str | None = None) -> list[tuple[str, str]]:
    """The people and animals whose names a block holds: ("brother", "Leo")."""
    found = []
    for text in lines_of(block):
        line = parse_line(text)
        if line.speaker == speaker and (match := _NAMES.match(line.fact) or _NAMES_ZH.fullmatch(line.fact)):
            found.append((match["who"].lower(), match["name"]))
    return list(dict.fromkeys(found))


def people_of(block: str, speaker: str | None = None) -> dict[str, str]:
    """Who each known name is, "Leo": "brother"; without names that two bear."""
    names = names_of(block, speaker)
    bearers = Counter(name for _, name in names)
    return {name: who for who, name in names if bearers[name] == 1}


def with_name(fact: Fact, speaker: str | None, block: str) -> Fact:
    """A fact about "brother" as one about "brother Leo", where the block knows one brother and his name."""
    told = told_of(fact.line)
    if told is None or told.name is not None or is_chinese(fact.line):
        return fact
    names = [name for who, name in names_of(block, speaker) if who == told.who]
    if len(names) != 1:
        return fact
    line = f"{fact.line[: len(told.who)]} {names[0]}{fact.line[len(told.who) :]}"
    return Fact(line, fact.correction, fact.unless_known)


def replaced_by(fact: Fact, speaker: str | None, block: str) -> str | None:
    """The line of the block that this fact takes the place of: itself when it stands there already."""
    about = slot(fact.line)
    told = told_of(fact.line)
    several = about is not None and about.removeprefix("label ") in _MANY_KEYS and not fact.correction
    old = [text for text in reversed(block.split("\n")) if parse_line(text).speaker == speaker]
    for text in old:
        if same(parse_line(text).fact, fact.line):
            return text
    if about is None or several:
        return None
    alike = [text for text in old if slot(parse_line(text).fact) == about]
    if told is None:
        return alike[0] if alike else None
    named = [text for text in alike if _may_be_one(told, told_of(parse_line(text).fact))]
    return named[0] if len(named) == 1 else None


def _may_be_one(one: ToldOf, other: ToldOf | None) -> bool:
    return other is not None and (one.name is None or other.name is None or one.name == other.name)


def is_of_somebody(fact: str, *, named: bool = False) -> bool:
    """Whether a fact is about a relative, a friend or a pet; `named`: and tells the name."""
    if is_chinese(fact):
        return CHINESE_NAMED.fullmatch(fact) is not None or (not named and is_of_chinese_kin(fact))
    match = _OF_SOMEBODY.match(fact)
    return match is not None and (not named or match["name"] is not None)


def is_of_chinese_kin(fact: str) -> bool:
    """Whether a Chinese fact begins with a relative or a pet."""
    return _CHINESE_KIN.match(fact) is not None


def same(one: str, other: str) -> bool:
    """Whether two facts say the same in the same words."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).strip().lower()


def says_all(old: str, fact: Fact) -> bool:
    """Whether a line in the block already holds everything that the fact says: "9 December 1986" holds "December 9"."""
    was = parse_line(old).fact
    if same(was, fact.line):
        return True
    if fact.correction or slot(was) != slot(fact.line) or is_turned(was) != is_turned(fact.line):
        return False
    said = set(terms(fact.line))
    return bool(said) and said <= set(terms(was))


def is_turned(text: str) -> bool:
    """Whether a fact or a sentence denies something."""
    return _TURNED.search(text) is not None


def unique_part(block: str, line: str) -> str | None:
    """A text that stands in the block exactly once and ends with this line; None when there is none."""
    if block.count(line) == 1:
        return line
    lines = block.split("\n")
    if lines.count(line) != 1:
        return None
    at = lines.index(line)
    for start in range(at - 1, -1, -1):
        text = "\n".join(lines[start : at + 1])
        if block.count(text) == 1:
            return text
    return None


def known_name(block: str) -> str | None:
    """What to call the one user, if the block says so."""
    name = None
    for text in block.split("\n"):
        line = parse_line(text)
        if line.speaker is not None:
            continue
        for head in ("Goes by ", "昵称：", "Name: ", "姓名："):
            if line.fact.startswith(head):
                value = line.fact.removeprefix(head).strip()
                if head in ("Goes by ", "昵称：") or name is None:
                    name = value
    return name


def lines_of(block: str) -> list[str]:
    """The lines of a block that say something."""
    return [line.strip() for line in block.split("\n") if line.strip()]
