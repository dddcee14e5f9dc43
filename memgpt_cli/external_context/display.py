"""Select the hits of a ranking that are shown: rules for exact identifiers, for no match, and for small talk.

A rule only narrows a ranking, moves noise to its end, or adds a note about its quality.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from memgpt_cli.domain.kinds import Kind, MemoryItem
from memgpt_cli.domain.search import Hit, Item, SearchResult
from memgpt_cli.text.words import query_words

NEAREST: Final = 3
"""Hits of a page if no word of the query matches."""

_WHOLE: Final = 1_000
"""More than the number of candidates in a ranking."""

_FEW: Final = 4
"""Content words that a message needs to be shown because of its neighbours."""

_SHORT: Final = 200
"""Characters; a longer text has more than a few content words."""

_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CODE: Final = r"(?=(?:[a-z-]*\d){4})(?=[\d-]*[a-z])[a-z\d]+(?:[-_][a-z\d]+)*"
_PHONE: Final = r"\+?\d[\d ()/.-]{5,}\d"
_IDENTIFIER: Final = re.compile(rf"(?<![\w-])(?:{_UUID}|{_CODE}|{_PHONE})(?![\w-])", re.IGNORECASE)
_DATES: Final = re.compile(r"(?:(?:19|20)\d\d(?:[-/. ]\d{1,2}){0,2}[ -]*)+|\d{1,2}(?:[/. -]\d{1,2}){1,2}[/. -]\d{2,4}")
_FEWEST_DIGITS: Final = 7
_LETTER: Final = re.compile("[a-z]", re.IGNORECASE)


def displayed(found: SearchResult[Item], query: str, *, what: str) -> SearchResult[Item]:
    """A ranking, whole or as far as `is_settled` asks for, as it is shown for this query.

    With one exact identifier (UUID, code, phone number), only hits that contain it. If no word of the query matches,
    the result says so and a page has few hits. Short messages without any word of the query come last.
    """
    if not found.ranked:
        return found
    if (holding := _holding_identifier(found, query)) is not None:
        return holding
    if found.hits and not any(hit.why.words for hit in found.hits):
        note = f"none of these {what} holds a word of the query; they are the nearest in meaning"
        return replace(found, notes=(*found.notes, note), page_size=NEAREST)
    noise = {hit.item.id for hit in found.hits if not hit.why.words and _is_small_talk(hit.item)}
    first = tuple(hit for hit in found.hits if hit.item.id not in noise)
    last = tuple(hit for hit in found.hits if hit.item.id in noise)
    return replace(found, hits=first + last)


def is_settled(found: SearchResult[Item], query: str, first: int) -> bool:
    """Whether `displayed` would show the same `first` hits if more of the ranking were fetched."""
    if len(found.hits) >= found.total:
        return True
    if len(identifiers(query)) == 1:
        return False
    kept = sum(bool(hit.why.words) or not _is_small_talk(hit.item) for hit in found.hits)
    return kept >= first and any(hit.why.words for hit in found.hits)


def page_for_people(
    search: Callable[[int, int], SearchResult[Item]], query: str, page: int, size: int
) -> SearchResult[Item]:
    """Return one page for a command: with one exact identifier only hits that contain it, otherwise as ranked.

    `search` takes the number of a page and its size.
    """
    if len(identifiers(query)) == 1:
        held = _holding_identifier(search(0, _WHOLE), query)
        if held is not None:
            shown = held.hits[page * size : (page + 1) * size]
            return replace(held, hits=_attention_shared(shown), page=page, page_size=size)
    return search(page, size)


def _holding_identifier(found: SearchResult[Item], query: str) -> SearchResult[Item] | None:
    """Return the hits that contain the query's one exact identifier; None without one, or if no hit contains it."""
    wanted = identifiers(query)
    if len(wanted) != 1:
        return None
    holding = tuple(hit for hit in found.hits if holds(hit.item.searchable, wanted[0]))
    return replace(found, hits=holding, total=len(holding), weak=False) if holding else None


def _attention_shared(hits: tuple[Hit[Item], ...]) -> tuple[Hit[Item], ...]:
    """Return the hits with their attention scaled to a sum of 1."""
    total = sum(hit.why.attention for hit in hits)
    return tuple(replace(hit, why=replace(hit.why, attention=hit.why.attention / total)) for hit in hits)


def identifiers(query: str) -> list[str]:
    """Return exact identifiers in a query: UUIDs, codes with at least four digits, numbers of seven digits or more."""
    found = [match.group().strip() for match in _IDENTIFIER.finditer(query)]
    return [text for text in dict.fromkeys(found) if _is_exact(text)]


def _is_exact(text: str) -> bool:
    digits = sum(character.isdigit() for character in text)
    if _DATES.fullmatch(text):
        return False
    return _LETTER.search(text) is not None or digits >= _FEWEST_DIGITS


def _squeezed(text: str) -> str:
    """Return letters and digits only, in lower case: phone numbers and codes are grouped in many ways."""
    return "".join(character for character in text.casefold() if character.isalnum())


def holds(text: str, identifier: str) -> bool:
    """Whether a text contains this identifier, whatever separates its groups."""
    return _squeezed(identifier) in _squeezed(text)


def _is_small_talk(item: MemoryItem) -> bool:
    return item.kind is Kind.MESSAGE and len(item.text) < _SHORT and len(query_words(item.text)) < _FEW
