"""What a question says besides its words: whom it names, what kind of answer it wants, which date it means.

And whether a message holds such an answer: a time, a name; whether it speaks of its own speaker, or asks.
Rules for English, with the plain cases of Chinese, Japanese and Korean; where they see nothing, nothing is weighted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from unicodedata import east_asian_width

_MONTHS: Final = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_MONTH: Final = "|".join([*_MONTHS, "jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec"])
_WEEKDAY: Final = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"

_ASKS_WHEN: Final = re.compile(
    r"\bwhen\b|\b(what|which) (date|day|month|year|time|week)\b|\bhow long ago\b"
    r"|什么时候|什麼時候|何时|几月|哪年|いつ|언제",
    re.IGNORECASE,
)
_ASKS_NAME: Final = re.compile(
    r"\b(where|who|whom|whose|which)\b"
    r"|\bwhat (\w+ )?(artist|author|band|book|cit(y|ie)|compan(y|ie)|countr(y|ie)|game|movie|name|place|song|state"
    r"|team)s?\b",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"(?<=[^.!?\"\s] )[A-Z][a-z]+")
_SELF: Final = re.compile(r"\b(I|my|me|mine|myself|we|our|us|My|We|Our)\b|[我俺]|(私|僕|俺)|(나는|내가|제가|저는|우리)")
_SENTENCE: Final = re.compile(r"[^.!?。！？]+[.!?。！？]*")
_TIME_CUE: Final = re.compile(
    rf"\b(yesterday|today|tonight|tomorrow|ago|recently|lately|{_WEEKDAY}|{_MONTH}|(19|20)\d\d"
    r"|(last|next|this|past|coming|following|previous) (\w+ )?(night|morning|evening|afternoon|day|week|weekend|month"
    r"|year|spring|summer|fall|autumn|winter|mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun)s?"
    r"|(\d+|a|an|one|two|three|few|couple of) (day|week|month|year)s?)\b"
    r"|昨天|今天|明天|上周|下周|上个月|下个月|去年|明年|今年|昨日|今日|先週|来週|先月|来月|어제|오늘|내일|지난|다음",
    re.IGNORECASE,
)
_DATE: Final = re.compile(
    rf"(?P<iso>\b(?:19|20)\d\d-\d\d?-\d\d?\b)"
    r"|(?P<east>(?:19|20)\d\d ?[年년](?: ?\d\d? ?[月월](?: ?\d\d? ?[日号號일])?)?)"
    rf"|\b(?:(?P<day1>\d\d?)(?:st|nd|rd|th)?(?: of)? )?(?P<month>{_MONTH})\b\.?"
    r"(?: (?P<day2>\d\d?)(?:st|nd|rd|th)?\b(?!\d))?(?:,? (?:of )?(?P<year>(?:19|20)\d\d)\b)?"
    r"|\b(?P<only_year>(?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_THE_MONTH_MAY: Final = re.compile(
    r"\b(in|of|on|by|since|until|during|last|next|this|early|late|mid|\d\w*) may\b|\bmay \d", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time named in a question; `start` is None for a month of no year, which `month` then tells."""

    start: datetime | None
    end: datetime | None
    month: int | None = None
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A query as read. `meaning` is the text to embed: without the participants' names, which pull every vector alike.

    `speaker` is the participant it is about, when it names exactly one; the `asks_` tell what its answer will hold.
    """

    text: str
    meaning: str
    speaker: str | None
    asks_when: bool
    asks_name: bool
    dates: tuple[Span, ...]
    participants: tuple[str, ...]


def read_question(text: str, *, participants: Sequence[str], zone: tzinfo) -> Question:
    """What `text` asks, among people of these names."""
    named = [name for name in participants if _name_pattern(name).search(text)]
    meaning = text
    for name in named:
        meaning = _name_pattern(name).sub(" ", meaning)
    meaning = " ".join(meaning.split())
    return Question(
        text=text,
        meaning=meaning if re.search(r"\w", meaning) else text,
        speaker=named[0] if len(named) == 1 else None,
        asks_when=bool(_ASKS_WHEN.search(text)),
        asks_name=bool(_ASKS_NAME.search(text)),
        dates=tuple(_dates(text, zone)),
        participants=tuple(participants),
    )


def has_time_cue(text: str) -> bool:
    """Whether a message speaks of a time."""
    return bool(_TIME_CUE.search(text))


def has_name(text: str, *, participants: Sequence[str]) -> bool:
    """Whether a message holds a capitalised word within a sentence that names none of the participants."""
    known = {word.casefold() for name in participants for word in name.split()}
    return any(match.group().casefold() not in known for match in _NAME.finditer(text))


def of_oneself(text: str) -> bool:
    """Whether a message speaks of the one who speaks."""
    return bool(_SELF.search(text))


def asking_share(text: str) -> float:
    """The share of a message's words that stand in questions."""
    if "?" not in text and "？" not in text:
        return 0.0
    asked = total = 0
    for match in _SENTENCE.finditer(text):
        words = len(match.group().split())
        total += words
        asked += words if match.group().rstrip().endswith(("?", "？")) else 0
    return asked / max(1, total)


def nearness(moment: datetime, dates: Sequence[Span], zone: tzinfo) -> float:
    """How near a moment is to the nearest of these dates: 1 within it, falling by e each week outside."""
    return max((_nearness(moment, span, zone) for span in dates), default=0.0)


def _nearness(moment: datetime, span: Span, zone: tzinfo) -> float:
    if span.start is None or span.end is None:
        local = moment.astimezone(zone)
        best = 0.0
        for year in (local.year - 1, local.year, local.year + 1):
            dated = _stretch(year, span.month, span.day, zone=zone)
            best = max(best, 0.0 if dated is None else _nearness(moment, dated, zone))
        return best
    gap = max(span.start - moment, moment - span.end, timedelta(0))
    return float(2.718281828 ** -(gap / timedelta(days=7)))


def _name_pattern(name: str) -> re.Pattern[str]:
    """The name as a word of its own; in scripts without spaces it stands among other letters."""
    if len(name) > 1 and all(east_asian_width(letter) == "W" for letter in name):
        return re.compile(re.escape(name))
    return re.compile(rf"(?<!\w){re.escape(name)}(?:'s|’s)?(?!\w)", re.IGNORECASE)


def _dates(text: str, zone: tzinfo) -> list[Span]:
    spans = []
    for match in _DATE.finditer(text):
        if match["month"] and match["month"].lower() == "may" and not _THE_MONTH_MAY.search(text):
            continue
        if match["iso"] or match["east"]:
            numbers = [int(number) for number in re.findall(r"\d+", match.group())]
            year, month, day = (*numbers, None, None)[:3]
            span = _stretch(year or 1, month, day, zone=zone)
        elif match["only_year"]:
            span = _stretch(int(match["only_year"]), None, None, zone=zone)
        else:
            month = next(i for i, name in enumerate(_MONTHS, 1) if name.startswith(match["month"].lower()[:3]))
            number = match["day1"] or match["day2"]
            day = int(number) if number else None
            span = (
                _stretch(int(match["year"]), month, day, zone=zone) if match["year"] else Span(None, None, month, day)
            )
        if span is not None:
            spans.append(span)
    return spans


def _stretch(year: int, month: int | None, day: int | None, *, zone: tzinfo) -> Span | None:
    """A year, a month or a day, in UTC; None for a date that does not exist."""
    try:
        start = datetime(year, month or 1, day or 1, tzinfo=zone)
    except ValueError:
        return None
    if day is not None:
        end = start + timedelta(days=1)
    elif month is not None:
        end = start.replace(year=year + month // 12, month=month % 12 + 1)
    else:
        end = start.replace(year=year + 1)
    return Span(start.astimezone(UTC), end.astimezone(UTC), month, day)
