"""Relative time words, resolved against the day of the message. English and Chinese.

Only words relative to that day ("yesterday", "last week", "three years ago", "上周六") are resolved; written-out dates
need no resolving. Vague words ("recently", "the other day") are left alone.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from memgpt_cli.text.dates import MONTHS, WEEKDAYS

Precision = Literal["day", "weekend", "week", "month", "year"]

_NUMBERS: Final = {
    word: value
    for value, words in enumerate(("", "a an one 一", "two couple 二 两", "three 三", "four 四", "five 五", "six 六"))
    for word in words.split()
} | {"seven": 7, "eight": 8, "nine": 9, "ten": 10, "七": 7, "八": 8, "九": 9, "十": 10}

_ENGLISH: Final = re.compile(
    r"\b(?:(?P<day>(?:the )?day before yesterday|(?:the )?day after tomorrow|yesterday|today|tonight|tomorrow"
    r"|last night|this (?:morning|afternoon|evening))|(?P<which>last|this past|past|this|next|this coming"
    r"|coming)\s+(?P<unit>week(?:end)?|month|year|mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?"
    r"|fri(?:day)?|sat(?:urday)?|sun(?:day)?|spring|summer|autumn|fall|winter)|(?P<count>an?|one|two|a couple of"
    r"|three|four|five|six|seven|eight|nine|ten|\d{1,3})\s+(?P<many>day|week|weekend|month|year)s?\s+(?P<side>ago"
    r"|back|earlier|from now)|on\s+(?P<on>monday|tuesday|wednesday|thursday|friday|saturday|sunday))\b",
    re.IGNORECASE,
)
_CHINESE: Final = re.compile(
    r"(?P<day>大前天|前天|昨天|昨晚|今天|今早|今晚|明天|明晚|后天|大后天)|(?P<which>上上|上|这|本|下下"
    r"|下)(?:个)?(?P<unit>周末|(?:周|星期|礼拜)[一二三四五六日天]|周|星期|礼拜|月)|(?P<year>前年|去年|今年|明年|后年)"
    r"|(?P<count>[一二两三四五六七八九十]|\d{1,3})(?:个)?(?P<many>天|星期|周|礼拜|月|年)(?P<side>以?前|之前|以?后"
    r"|之后)"
)
_DAYS: Final = {
    "the day before yesterday": -2,
    "day before yesterday": -2,
    "yesterday": -1,
    "last night": -1,
    "tomorrow": 1,
    "day after tomorrow": 2,
    "the day after tomorrow": 2,
    "大前天": -3,
    "前天": -2,
    "昨天": -1,
    "昨晚": -1,
    "明天": 1,
    "明晚": 1,
    "后天": 2,
    "大后天": 3,
}
_SEASONS: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_CHINESE_WEEKDAYS: Final = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A time word and the range of days it means; `about` if the word itself is approximate."""

    phrase: str
    start: date
    end: date
    precision: Precision
    about: bool = False


def resolve(text: str, said_on: date) -> list[When]:
    """Return the time words of a text in order, at most one entry for each wording."""
    found: dict[str, When] = {}
    for pattern, meaning in ((_ENGLISH, _english), (_CHINESE, _chinese)):
        for match in pattern.finditer(text):
            try:
                when = meaning(match, said_on)
            except (OverflowError, ValueError):
                continue  # the year is outside the range of `date`
            if when is not None:
                found.setdefault(when.phrase.lower(), when)
    return list(found.values())


def in_words(when: When, *, chinese: bool) -> str:
    """Return a written date: `7 May 2023`, `the week of 1 May 2023`, `April 2023`, `2022`; or 2023年5月7日."""
    start = when.start
    if chinese:
        text = {
            "day": f"{start.year}年{start.month}月{start.day}日",
            "weekend": f"{start.year}年{start.month}月{start.day}日那个周末",
            "week": f"{start.year}年{start.month}月{start.day}日那一周",
            "month": f"{start.year}年{start.month}月",
            "year": f"{start.year}年",
        }[when.precision]
        return f"大约{text}" if when.about else text
    text = {
        "day": day_in_words(start, chinese=False),
        "weekend": f"the weekend of {day_in_words(start, chinese=False)}",
        "week": f"the week of {day_in_words(start, chinese=False)}",
        "month": f"{MONTHS[start.month - 1].title()} {start.year}",
        "year": str(start.year),
    }[when.precision]
    return f"around {text}" if when.about else text


def day_in_words(day: date, *, chinese: bool) -> str:
    """Return `8 May 2023` or 2023年5月8日."""
    if chinese:
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {MONTHS[day.month - 1].title()} {day.year}"


def _english(match: re.Match[str], said_on: date) -> When | None:
    phrase = match.group()
    if match["day"]:
        return _day(phrase, said_on + timedelta(days=_DAYS.get(match["day"].lower(), 0)))
    if match["on"]:
        return None  # "on Friday" may be before or after; a guess is worse than no date
    if match["count"]:
        word = (
            match["count"].lower().removeprefix("a ").removesuffix(" of") if " " in match["count"] else match["count"]
        )
        number = int(word) if word.isdigit() else _NUMBERS[word.lower()]
        return _counted(
            phrase, said_on, -number if match["side"].lower() != "from now" else number, match["many"].lower()
        )
    which, unit = match["which"].lower(), match["unit"].lower()
    step = -1 if which in ("last", "past", "this past") else 1 if which in ("next", "coming", "this coming") else 0
    if unit in _SEASONS:
        return None
    if unit in ("week", "weekend", "month", "year"):
        return _period(phrase, said_on, step, unit)
    weekday = next(i for i, name in enumerate(WEEKDAYS) if name.startswith(unit))
    return _day(phrase, _weekday(said_on, weekday, step))


def _chinese(match: re.Match[str], said_on: date) -> When | None:
    phrase = match.group()
    if match["day"]:
        return _day(phrase, said_on + timedelta(days=_DAYS.get(match["day"], 0)))
    if match["year"]:
        step = {"前年": -2, "去年": -1, "今年": 0, "明年": 1, "后年": 2}[match["year"]]
        return _period(phrase, said_on, step, "year")
    if match["count"]:
        word = match["count"]
        number = int(word) if word.isdigit() else _NUMBERS[word]
        unit = {"天": "day", "月": "month", "年": "year"}.get(match["many"], "week")
        return _counted(phrase, said_on, -number if "前" in match["side"] else number, unit)
    step = {"上上": -2, "上": -1, "这": 0, "本": 0, "下": 1, "下下": 2}[match["which"]]
    weekday = _CHINESE_WEEKDAYS.get(match["unit"][-1])
    if weekday is not None:
        monday = said_on - timedelta(days=said_on.weekday()) + timedelta(weeks=step)
        return _day(phrase, monday + timedelta(days=weekday))
    return _period(phrase, said_on, step, {"月": "month", "周末": "weekend"}.get(match["unit"], "week"))


def _day(phrase: str, day: date) -> When:
    return When(phrase=phrase, start=day, end=day, precision="day")


def _weekday(said_on: date, weekday: int, step: int) -> date:
    """Return the nearest such day before (`step` -1) or after said_on; with 0 the one in the same week."""
    if step == 0:
        return said_on + timedelta(days=weekday - said_on.weekday())
    distance = (said_on.weekday() - weekday) % 7 or 7
    return (
        said_on - timedelta(days=distance)
        if step < 0
        else said_on + timedelta(days=(weekday - said_on.weekday()) % 7 or 7)
    )


def _month(said_on: date, step: int) -> date:
    months = said_on.year * 12 + said_on.month - 1 + step
    return date(months // 12, months % 12 + 1, 1)


def _period(phrase: str, said_on: date, step: int, unit: str) -> When:
    if unit == "year":
        start, end = date(said_on.year + step, 1, 1), date(said_on.year + step, 12, 31)
        return When(phrase=phrase, start=start, end=end, precision="year")
    if unit == "month":
        start = _month(said_on, step)
        return When(phrase=phrase, start=start, end=_month(said_on, step + 1) - timedelta(days=1), precision="month")
    monday = said_on - timedelta(days=said_on.weekday()) + timedelta(weeks=step)
    if unit == "weekend":
        saturday = monday + timedelta(days=5)
        return When(phrase=phrase, start=saturday, end=saturday + timedelta(days=1), precision="weekend")
    return When(phrase=phrase, start=monday, end=monday + timedelta(days=6), precision="week")


def _counted(phrase: str, said_on: date, number: int, unit: str) -> When:
    if unit == "day":
        return _day(phrase, said_on + timedelta(days=number))
    if unit in ("week", "weekend"):
        day = said_on + timedelta(weeks=number)
        monday = day - timedelta(days=day.weekday())
        return When(phrase=phrase, start=monday, end=monday + timedelta(days=6), precision="week", about=True)
    if unit == "month":
        start = _month(said_on, number)
        end = _month(said_on, number + 1) - timedelta(days=1)
        return When(phrase=phrase, start=start, end=end, precision="month", about=True)
    start = date(said_on.year + number, 1, 1)
    return When(phrase=phrase, start=start, end=start.replace(month=12, day=31), precision="year", about=number < -1)
