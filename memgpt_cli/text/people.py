"""Words for relatives, friends and pets, and the names that a text gives them. English and Chinese."""

import re
from collections.abc import Iterator
from typing import Final

_KIN: Final = """
mother|mom|mum|mommy 妈|母亲; father|dad|daddy 爸|父亲; sister|sis 姐|妹; brother|bro 哥|弟
wife|spouse|partner 妻子|老婆|太太|媳妇|爱人; husband|spouse|partner 丈夫|老公|先生|爱人
girlfriend|gf|partner|fianc[eé]e 女朋友|未婚妻; boyfriend|bf|partner|fianc[eé] 男朋友|未婚夫
son|child|kid 儿子|孩子; daughter|child|kid 女儿|孩子; children|kid|son|daughter|child|twin 孩子|儿子|女儿
uncle 叔|舅|伯; aunt 姨|姑; niece 侄女; nephew 侄子; cousin 表[哥姐弟妹]|堂[哥姐弟妹]
grandmother|grandma|granny 奶奶|外婆; grandfather|grandpa 爷爷|外公; boss|manager|supervisor 老板|上司|领导
colleague|coworker 同事; neighbour|neighbor 邻居; roommate|flatmate 室友; friend 朋友; dog|puppy|pet 狗|宠物
cat|kitten|pet 猫|宠物
"""
"""People and animals that users talk about, in English and Chinese."""

_PAIRS: Final = tuple(pair.split() for pair in _KIN.strip().replace("\n", ";").split(";"))
_PATTERNS: Final = tuple(re.compile(rf"\b(?:{en})(?:e?s)?\b|{zh}", re.IGNORECASE) for en, zh in _PAIRS)
_ANY: Final = "|".join(en for en, _ in _PAIRS)
_BEGINS: Final = re.compile(
    rf"(?:my|our) (?:\w+ )?(?:{_ANY})(?:e?s)?\b(?! and i\b)"
    rf"|我的?(?:{'|'.join(zh for _, zh in _PAIRS)})",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    rf"\b(?:{_ANY})(?:['’]s name is| is called| is named| is|,| called| named|:)? (?P<name>(?-i:[A-Z][^\W\d_]+))"
    rf"|(?-i:(?P<first>[A-Z][^\W\d_]+)),? (?:is )?(?:my|our) (?:\w+ )?(?:{_ANY})\b"
    rf"|(?:{'|'.join(zh for _, zh in _PAIRS)})[妈爸哥弟姐妹]?[，,]?(?:的名字)?(?:名叫|叫"
    rf"|是)(?P<called>[\u4e00-\u9fff]{{2,3}}?)"
    r"(?=[，,。！!\s今是在住]|$)",
    re.IGNORECASE,
)


_ROLES: Final = re.compile(
    r"(?:(?:my|the|our|user|user's|[\w-]+['’]s) )?(?:old |new |current |former )?"
    r"(?:boss|manager|supervisor|neighbou?r|roommate|flatmate|landlord|landlady|doctor|dentist|teacher|therapist|coach"
    r"|trainer|tutor|assistant|secretary|girlfriend|boyfriend|partner|colleague|coworker|team ?lead(?:er)?|cleaner"
    r"|nanny)"
    r"|(?:我的?|用户的?)?(?:老板|上司|领导|经理|邻居|室友|房东|医生|牙医|老师|教练|助理|秘书|女朋友|男朋友|同事|保姆)",
    re.IGNORECASE,
)
"""Roles that change their holder."""


def is_role(name: str) -> bool:
    """Whether a name is only a role that different people hold in turn: "my boss", 房东."""
    return _ROLES.fullmatch(name.strip()) is not None


def kin_in(text: str) -> frozenset[int]:
    """Return which of them a text mentions, as positions in the table."""
    return frozenset(number for number, pattern in enumerate(_PATTERNS) if pattern.search(text))


def begins_with_kin(text: str) -> bool:
    """Whether a sentence is about one of them: "my sister lives in Oslo", but not "my sister and I live in Oslo"."""
    return _BEGINS.match(text) is not None


def named_kin(text: str) -> Iterator[tuple[str, int]]:
    """Yield names with positions in the table: "my sister Ann", "Ann is my sister", 我女儿叫朵朵."""
    for match in _NAMED.finditer(text):
        for number in kin_in(match.group()):
            yield match["name"] or match["first"] or match["called"], number
