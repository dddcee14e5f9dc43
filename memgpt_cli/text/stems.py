"""Stems of English words: Porter's algorithm (M. F. Porter 1980, "An algorithm for suffix stripping").

The full-text index uses the same algorithm, so comparisons here agree with its matches.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Final

from memgpt_cli.text.vocabulary import IRREGULAR

_SHORTEST: Final = 3
"""Shorter words are their own stems."""

_LONGEST: Final = 64

_FORM: Final = re.compile(r"[a-z]+")

_STEP_2: Final = (
    "ational ate;tional tion;enci ence;anci ance;izer ize;logi log;bli ble;alli al;entli ent;eli e;ousli ous;"
    "ization ize;ation ate;ator ate;alism al;iveness ive;fulness ful;ousness ous;aliti al;iviti ive;biliti ble"
)
_STEP_3: Final = "icate ic;ative ;alize al;iciti ic;ical ic;ful ;ness "
_STEP_4: Final = (
    "al;ance;ence;er;ic;able;ible;ant;ement;ment;ent;ou;ism;ate;iti;ous;ive;ize;sion;tion"  # "ion" keeps its s or t
)


def _table(rules: str) -> list[tuple[str, str]]:
    """Suffixes with their replacements, longest first."""
    split = [tuple(rule.split(" ")) if " " in rule else (rule, "") for rule in rules.split(";")]
    return sorted(((rule[0], rule[1]) for rule in split), key=lambda rule: -len(rule[0]))


_ENDINGS_2: Final = _table(_STEP_2)
_ENDINGS_3: Final = _table(_STEP_3)
_ENDINGS_4: Final = [(end, end[0] if end in {"sion", "tion"} else "") for end, _ in _table(_STEP_4)]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return the stem of a lower-case word; words with other than English letters are their own stem."""
    if not _SHORTEST <= len(word) <= _LONGEST or not _FORM.fullmatch(word):
        return word
    word = _without_plural(word)
    word = _without_past(word)
    if word.endswith("y") and _has_vowel(word[:-1]):
        word = word[:-1] + "i"
    word = _replaced(word, _ENDINGS_2, lambda start, _: _measure(start) > 0)
    word = _replaced(word, _ENDINGS_3, lambda start, _: _measure(start) > 0)
    word = _replaced(word, _ENDINGS_4, lambda start, kept: _measure(start + kept) > 1)
    return _tidied(word)


def base(word: str) -> str:
    """Return the stem of a word, the same one for all its irregular forms."""
    group = _irregular().get(stemmed := stem(word))
    return group[0] if group else stemmed


def forms_of(term: str) -> tuple[str, ...]:
    """Return the stems of all irregular forms of a word; none for a regular one."""
    return _irregular().get(term, ())


@lru_cache(maxsize=1)
def _irregular() -> dict[str, tuple[str, ...]]:
    groups = [tuple(dict.fromkeys(stem(form) for form in group)) for group in IRREGULAR]
    return {form: group for group in groups for form in group}


def _consonant(word: str, place: int) -> bool:
    letter = word[place]
    if letter == "y":
        return place == 0 or not _consonant(word, place - 1)
    return letter not in "aeiou"


def _measure(word: str) -> int:
    """Count how often a vowel is followed by a consonant: Porter's m."""
    kinds = [_consonant(word, place) for place in range(len(word))]
    return sum(1 for before, here in pairwise(kinds) if here and not before)


def _has_vowel(word: str) -> bool:
    return any(not _consonant(word, place) for place in range(len(word)))


def _ends_doubled(word: str) -> bool:
    return len(word) > 1 and word[-1] == word[-2] and _consonant(word, len(word) - 1)


def _ends_short(word: str) -> bool:
    """Whether it ends in consonant, vowel, consonant other than w, x and y: Porter's *o."""
    last = len(word) - 1
    return (
        last > 1
        and _consonant(word, last)
        and not _consonant(word, last - 1)
        and _consonant(word, last - 2)
        and word[-1] not in "wxy"
    )


def _without_plural(word: str) -> str:
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _without_past(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for ending in ("ed", "ing"):
        start = word.removesuffix(ending)
        if start != word:
            return _restored(start) if _has_vowel(start) else word
    return word


def _restored(word: str) -> str:
    """Restore the final e of a word that lost -ed or -ing."""
    if word.endswith(("at", "bl", "iz")):
        return word + "e"
    if _ends_doubled(word) and word[-1] not in "lsz":
        return word[:-1]
    return word + "e" if _measure(word) == 1 and _ends_short(word) else word


def _replaced(word: str, endings: list[tuple[str, str]], condition: Callable[[str, str], bool]) -> str:
    """Replace the longest matching ending if the condition holds for the part before it."""
    for ending, instead in endings:
        if word.endswith(ending):
            start = word[: -len(ending)]
            return start + instead if condition(start, instead) else word
    return word


def _tidied(word: str) -> str:
    if word.endswith("e"):
        measure = _measure(word[:-1])
        if measure > 1 or (measure == 1 and not _ends_short(word[:-1])):
            word = word[:-1]
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word
