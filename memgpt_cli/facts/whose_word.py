"""Whose word a quotation is, by where it stands: a person's own statement, pasted text, or something imagined."""

import re
from enum import StrEnum
from typing import Final

from memgpt_cli.domain.messages import Role
from memgpt_cli.text.runs_of_words import QuoteLocation, locate, sentences_of

_LONGEST_OWN: Final = 2_400
"""Characters of a message (some 600 tokens) over which it is taken as pasted."""
_LONGEST_OWN_CHINESE: Final = 900
_FENCED: Final = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_QUOTED_LINES: Final = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_IMAGINED: Final = re.compile(
    r"\b(if|imagine|imagining|suppose|supposing|hypothetical(ly)?|pretend(ing)?|kidding|joking|a joke"
    r"|would have|had i)\b|如果|假如|假设|要是|倘若|想象一下|开玩笑|开个玩笑|说着玩",
    re.IGNORECASE,
)
_DENIAL: Final = re.compile(
    r"\b(?:have|has|had|['’]ve|['’]s)? ?never\b|\bnever (?:had|was|were|lived|worked|owned|did)\b"
    r"|\b(?:has|have)(?:n['’]t| not) ever\b|从来没|从没|从未|并没有",
    re.IGNORECASE,
)


class Word(StrEnum):
    """Whose word it is. Only a person's own word becomes current; an assistant's and a tool's are dropped."""

    PERSON = "person"
    PASTED = "pasted"
    IMAGINED = "imagined"
    OTHER = "other"


def whose_word(role: Role, text: str, quote: str) -> Word:
    """Whose word a quote in a message of this role is."""
    if role is not Role.USER:
        return Word.OTHER
    if is_pasted(text, quote):
        return Word.PASTED
    return Word.IMAGINED if _IMAGINED.search(sentences_of(quote, text)) else Word.PERSON


def is_pasted(text: str, quote: str) -> bool:
    """Whether a quote stands only in a fence or behind `>`, or in a message as long as a document."""
    if len(text) > (_LONGEST_OWN if text.isascii() else _LONGEST_OWN_CHINESE) and len(text.encode()) > _LONGEST_OWN:
        return True
    own = _QUOTED_LINES.sub("", _FENCED.sub("", text))
    return own != text and not locate(quote, [own])


def is_denial(quote: str) -> bool:
    """Whether a quote denies that something ever was: "I have never ...", 从来没."""
    return _DENIAL.search(quote) is not None


def best_source(located: list[QuoteLocation], roles: list[Role]) -> QuoteLocation:
    """Of the messages that hold a quote the one it rests on: word for word before nearly, a person's before others'."""
    return min(located, key=lambda found: (not found.exact, roles[found.index] is not Role.USER, found.index))
