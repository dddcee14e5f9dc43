"""Predicates that have several values at a time, so that a new value does not replace an old one."""

import re
from typing import Final

from memgpt_cli.domain.facts import FactKind

_MANY: Final = re.compile(
    r"\b(hobb(y|ies)|interests?|pets?|cats?|dogs?|friends?|child(ren)?|kids?|sons?|daughters?|siblings?|brothers?|sisters?"
    r"|cousins?|languages?|allerg(y|ies|ic)|likes?|dislikes?|loves?|hates?|enjoys?|skills?|plays|visited|has been to"
    r"|owns?|knows?|met|members?|read|watched|speaks|colleagues?|aliases|alias|nicknames?)\b"
    r"|爱好|兴趣|宠物|朋友|孩子|儿子|女儿|兄弟|姐妹|语言|过敏|喜欢|讨厌|技能|去过|认识|会说",
    re.IGNORECASE,
)


def has_one_value(predicate: str, kind: FactKind) -> bool:
    """Whether a statement of this kind has one value at a time: a home, a job, a rent."""
    return bool(predicate) and kind in {FactKind.ATTRIBUTE, FactKind.RELATION} and _MANY.search(predicate) is None
