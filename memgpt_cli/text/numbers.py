"""Numbers in a text, in figures or in words, English and Chinese, as figures."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_FIGURES: Final = re.compile(r"\d+(?:[,'’\u202f\u00a0 ]\d{3})+(?!\d)|\d+(?:\.\d+)?")
_SMALL_WORDS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_SMALL: Final = {word: value for value, word in enumerate(_SMALL_WORDS.split())} | {
    "a": 1, "an": 1, "once": 1, "twice": 2, "first": 1, "second": 2, "third": 3, "dozen": 12,
}  # fmt: skip
_TENS_WORDS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS: Final = {word: 10 * value for value, word in enumerate(_TENS_WORDS.split(), 2)}
_SCALES: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_WORD: Final = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
_DIGIT_SIGNS: Final = ("零〇", "一", "二两", "三", "四", "五", "六", "七", "八", "九")
_DIGITS: Final = {sign: value for value, signs in enumerate(_DIGIT_SIGNS) for sign in signs}
_UNITS: Final = {"十": 10, "百": 100, "千": 1_000}
_CHINESE: Final = re.compile(r"[零〇一二两三四五六七八九十百千万亿半]+")


def numbers_in(text: str) -> set[str]:
    """Every number that a text names, as plain figures: `1,200`, `twelve hundred` and 一千二百 are `1200`."""
    text = unicodedata.normalize("NFKC", text)
    found = {_plain(match.group()) for match in _FIGURES.finditer(text)}
    found |= {match.group().lstrip("0") or "0" for match in re.finditer(r"\d+", text)}
    found |= set(_in_words(text.lower()))
    for match in _CHINESE.finditer(text):
        found |= {str(value) for value in _chinese(match.group())}
    return found


def figures_in(text: str) -> list[str]:
    """The numbers that a text writes in figures, in order."""
    return [_plain(match.group()) for match in _FIGURES.finditer(unicodedata.normalize("NFKC", text))]


def _plain(figures: str) -> str:
    whole, point, part = re.sub(r"[,'’\s]", "", figures).partition(".")
    part = part.rstrip("0")
    return (whole.lstrip("0") or "0") + (point + part if part else "")


def _in_words(text: str) -> Iterator[str]:
    total = current = 0
    running = False
    for match in _WORD.finditer(text):
        word = match.group()
        if word in _SMALL or word in _TENS:
            value = _SMALL.get(word, _TENS.get(word, 0))
            yield str(value)
            joins = running and (current == 0 or current % 100 == 0 or (current % 10 == 0 and value < 10))  # noqa: PLR2004
            total, current = (total, current + value) if joins else (0, value)
        elif word in _SCALES and running:
            current *= _SCALES[word]
            total, current = (total + current, 0) if word != "hundred" else (total, current)
        elif word == "k" or word in _SCALES:
            continue
        elif not (word == "and" and running):
            running = False
            total = current = 0
            if word.isdigit():
                running, current = True, int(word[:12])
            continue
        running = True
        yield str(total + current)


def _chinese(text: str) -> Iterator[int]:
    """The number that a run of numerals writes, and its digits read one by one."""
    digits = [_DIGITS.get(sign) for sign in text]
    if None not in digits and digits:
        yield int("".join(map(str, digits)))
    total = section = digit = 0
    last = 1
    for sign in text:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        elif sign in _UNITS:
            last = _UNITS[sign]
            section += (digit or (1 if sign == "十" else 0)) * last
            digit = 0
        elif sign in "万亿":
            last = 10_000 if sign == "万" else 100_000_000
            total, section, digit = (total + section + digit) * last, 0, 0
    ends_short = len(text) > 1 and text[-1] in _DIGITS and text[-2] in "百千万亿"
    if ends_short:  # 三百五 is 350
        yield total + section + digit * last // 10
    yield total + section + digit
