"""Whose words a text is made of: the words that carry it, compared with the words of other texts."""

import re
from collections.abc import Iterable
from typing import Final

from memgpt_cli.text.asking import asks
from memgpt_cli.text.sentences import sentences
from memgpt_cli.text.stems import base
from memgpt_cli.text.terms import query_terms, text_terms
from memgpt_cli.text.words import is_unspaced

_NEGATIONS: Final = frozenset("not no never without none".split())  # noqa: SIM905 - a list of words reads better so
_NOT: Final = re.compile(r"n['’]t\b", re.IGNORECASE)
_CHINESE_NEGATION: Final = re.compile("[不没無无未别勿]")
_FRAME: Final = frozenset(
    base(word)
    for word in """name named called live lives living work works working job like likes prefer prefers user person
    home family note notes fact facts date since current currently age aged born wants want
    用户 姓名 名字 喜欢 住在 工作 家人 居住 年龄 名叫""".split()  # noqa: SIM905 - see above
)
"""Words with which a note frames what was said: "Name: Ada", "Lives in Lisbon"."""

_REQUEST: Final = re.compile(
    r"\b(remember|note|store|save|keep|write|put|add|append|record|memori[sz]e|forget|remove|delete|update|change"
    r"|correct|replace)\b|[记記](住|得|下|录|錄)|存|保存|写(下|进|入)|更新|改成|删|忘(记|掉)",
    re.IGNORECASE,
)


def every_term(text: str) -> frozenset[str]:
    """All terms of a text, stop words and negations too."""
    found = {*text_terms(text), *_negations(text)}
    return frozenset(found)


def carrying_terms(text: str) -> frozenset[str]:
    """The terms that carry what a text says: without stop words and frame words, with negations.

    A text of nothing else is carried by all of its terms.
    """
    chosen = {*query_terms(text), *_negations(text)} - _FRAME
    return frozenset(chosen) or every_term(text)


def told_terms(text: str) -> frozenset[str]:
    """The terms of what a text tells or asks to be noted; its other questions tell nothing."""
    telling = (s for s in sentences(text) if not asks(s) or _REQUEST.search(s))
    return every_term("\n".join(telling))


def not_in(wanted: Iterable[str], said: frozenset[str], *, elsewhere: frozenset[str] = frozenset()) -> frozenset[str]:
    """The wanted terms that are not among those that were said.

    A pair of unspaced characters counts as said when both characters were and the pair stands in no text `elsewhere`:
    where words meet, other pairs come about.
    """
    characters = {character for term in said if is_unspaced(term) for character in term}
    return frozenset(
        term
        for term in wanted
        if term not in said
        and not (is_unspaced(term) and set(term) <= characters and (len(term) == 1 or term not in elsewhere))
    )


def _negations(text: str) -> set[str]:
    lowered = set(text.lower().split())
    found = {word for word in _NEGATIONS if word in lowered}
    return found | ({"not"} if _NOT.search(text) else set()) | set(_CHINESE_NEGATION.findall(text))
