"""Which hits of a ranking a reader is shown: rules for exact identifiers, for no match, and for small talk.

Nothing is ranked here; a rule only narrows a ranking, moves noise to its end, or says how good it is.
"""

import re
from dataclasses import replace
from typing import Final

from memgpt_cli.domain.messages import Message
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import Item, SearchResult
from memgpt_cli.text.words import query_words

NEAREST: Final = 3
"""Hits of a page where no word of the query matches."""

_FEW: Final = 4
"""Content words that a message needs to be shown for its neighbours' sake."""

_SHORT: Final = 200
"""Characters; what is longer has more than a few content words."""

_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CODE: Final = r"(?=(?:[a-z-]*\d){4})(?=[\d-]*[a-z])[a-z\d]+(?:[-_][a-z\d]+)*"
_PHONE: Final = r"\+?\d[\d ()/.-]{5,}\d"
_IDENTIFIER: Final = re.compile(rf"(?<![\w-])(?:{_UUID}|{_CODE}|{_PHONE})(?![\w-])", re.IGNORECASE)
_DATES: Final = re.compile(r"(?:(?:19|20)\d\d(?:[-/. ]\d{1,2}){0,2}[ -]*)+|\d{1,2}(?:[/. -]\d{1,2}){1,2}[/. -]\d{2,4}")
_FEWEST_DIGITS: Final = 7
_LETTER: Final = re.compile("[a-z]", re.IGNORECASE)


def displayed(found: SearchResult[Item], query: str, *, what: str) -> SearchResult[Item]:
    """A whole ranking as it is shown for this query.

    With one exact identifier (UUID, code, phone number): only what holds it. Where no word of the query matches: the
    note says so, and a page has few hits. Messages of few words that hold none of the query's come last.
    """
    if not found.ranked:
        return found
    wanted = identifiers(query)
    if len(wanted) == 1:
        holding = tuple(hit for hit in found.hits if _squeezed(wanted[0]) in _squeezed(_text_of(hit.item)))
        if holding:
            return replace(found, hits=holding, total=len(holding))
    if found.hits and not any(hit.why.words for hit in found.hits):
        note = f"none of these {what} holds a word of the query; they are the nearest in meaning"
        return replace(found, notes=(*found.notes, note), page_size=NEAREST)
    noise = {hit.item.id for hit in found.hits if not hit.why.words and _is_small_talk(hit.item)}
    first = tuple(hit for hit in found.hits if hit.item.id not in noise)
    last = tuple(hit for hit in found.hits if hit.item.id in noise)
    return replace(found, hits=first + last)


def identifiers(query: str) -> list[str]:
    """The exact identifiers in a query: UUIDs, codes with at least four digits, numbers of seven digits or more."""
    found = [match.group().strip() for match in _IDENTIFIER.finditer(query)]
    return [text for text in dict.fromkeys(found) if _is_exact(text)]


def _is_exact(text: str) -> bool:
    digits = sum(character.isdigit() for character in text)
    if _DATES.fullmatch(text):
        return False
    return _LETTER.search(text) is not None or digits >= _FEWEST_DIGITS


def _squeezed(text: str) -> str:
    """Letters and digits alone, in lower case: phone numbers and codes are grouped in many ways."""
    return "".join(character for character in text.casefold() if character.isalnum())


def _text_of(item: Message | Passage) -> str:
    if isinstance(item, Message):
        return item.text
    return " ".join([item.text, item.source or "", item.location or "", *item.tags])


def _is_small_talk(item: Message | Passage) -> bool:
    return isinstance(item, Message) and len(item.text) < _SHORT and len(query_words(item.text)) < _FEW
