"""How much a sentence says: in answer to a question, and by itself. Answers and summaries both stand on this.

Words count by how rare they are among the texts at hand. The constants were set by hand and checked against the
development half of LoCoMo (docs/offline.md).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from memgpt_cli.llm.offline.words import COMMON_STEMS, RELATED, is_han, stem, terms

Kind = Literal["when", "where", "who", "how many", "other"]

APART_SHARE: Final = 0.5
"""What two characters of a Chinese word count that stand apart: 买车 in 买了一辆车."""
HALF: Final = 0.5
RELATED_SHARE: Final = 0.6
"""What a related word ("job" for "work") counts, as a share of the word itself."""

_KINDS: Final[tuple[tuple[re.Pattern[str], Kind], ...]] = (
    (
        re.compile(
            r"\bwhen\b|\b(?:what|which) (?:date|day|month|year|time|week)\b|\bhow long ago\b|什么时候|何时"
            r"|哪一?[天年月]|几[月号点]|多久以?前",
            re.IGNORECASE,
        ),
        "when",
    ),
    (
        re.compile(
            r"\bhow (?:many|much|old|long|often|far|big|tall)\b|几[岁个只次本]|多少|多[大久高远]", re.IGNORECASE
        ),
        "how many",
    ),
    (
        re.compile(
            r"\bwhere\b|\bwhich (?:city|country|place|town)\b|哪里|哪儿|什么地方|哪个(?:城市|国家|地方)|在哪",
            re.IGNORECASE,
        ),
        "where",
    ),
    (re.compile(r"\bwho(?:se|m)?\b|谁", re.IGNORECASE), "who"),
)
_SIGNS: Final[Mapping[Kind, re.Pattern[str]]] = {
    "when": re.compile(
        r"\b(?:yesterday|today|tonight|tomorrow|ago|last|next|since|(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:19"
        r"|20)\d\d|january|february|march|april|may|june|july|august|september|october|november|december|week(?:end)?"
        r"|month|year)\b|\d+(?:st|nd|rd|th)\b|[昨今明前后]天|[上下这]个?(?:周|星期|礼拜|月)|[去今明前]年"
        r"|\d+[年月日号]",
        re.IGNORECASE,
    ),
    "how many": re.compile(
        r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|few|several|once|twice|every)\b"
        r"|[一二两三四五六七八九十百千万]",
        re.IGNORECASE,
    ),
    "where": re.compile(
        r"\b(?:in|at|to|from|near|around) (?:the |my |our )?(?-i:[A-Z])|\b(?:here|there|home|downtown)\b|[在到去从来]",
        re.IGNORECASE,
    ),
    "who": re.compile(
        r"(?<=[a-z,] )[A-Z][a-z]+|\b(?:friend|family|mother|father|sister|brother|husband|wife|son|daughter|mom|dad)\b"
    ),
}
_FIRST_PERSON: Final = re.compile(r"\b(?:i|my|me|we|our|i'm|i've)\b|我", re.IGNORECASE)
_EMPTY_TALK: Final = re.compile(
    r"^(?:hey|hi|hello|wow|thanks|thank you|yeah|yep|sounds|that's|cool|awesome|nice|great|congrats|no problem|sure"
    r"|bye|glad|haha|good to|take care|你好|谢谢|好的|哈哈|再见)\b",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+|\d")


@dataclass(frozen=True, slots=True)
class Text:
    """A text with its terms, taken apart once."""

    text: str
    terms: frozenset[str]

    def holds(self, term: str) -> bool:
        """Whether it speaks of `term`."""
        return term in self.text if is_han(term) else term in self.terms


def text_of(text: str, frame: str = "") -> Text:
    """A text as it is compared; the words of `frame` (who said it, when) count as said in it."""
    return Text(text, frozenset(terms(f"{frame} {text}" if frame else text)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question taken apart. `names` are the capitalised words in it; `personal` says that the asker is meant."""

    text: str
    terms: tuple[str, ...]
    names: frozenset[str]
    kind: Kind
    personal: bool


def query_of(text: str, context: str = "") -> Query:
    """Take a question apart; the terms of `context` (what a pronoun may refer to) count as asked for too."""
    kind: Kind = next((kind for pattern, kind in _KINDS if pattern.search(text)), "other")
    names = {stem(name.lower()) for name in re.findall(r"(?<=[\w,] )(?-i:[A-Z])[\w'’-]+", f"{text} {context}")}
    first = re.match(
        r"[\"'“]?(?:(?:what|where|who|when|how|why|which|did|does|is|was|has|do|are|will|would|can"
        r"|could) )?([A-Z][a-z]+)",
        text,
    )
    if first is not None and first[1].lower() not in (
        "what",
        "where",
        "who",
        "when",
        "how",
        "why",
        "which",
        "did",
        "does",
        "is",
        "do",
        "are",
    ):
        names.add(stem(first[1].lower()))
    found = tuple(dict.fromkeys([*terms(text), *terms(context)]))
    return Query(
        text=text,
        terms=found,
        names=frozenset(name for name in names if name in found),
        kind=kind,
        personal=is_personal(text),
    )


def _share_of(term: str) -> float:
    """Half for common words and for single Chinese characters, which are verbs like 去 more often than not."""
    return HALF if term in COMMON_STEMS or (len(term) == 1 and is_han(term)) else 1.0


def weights(asked: Iterable[str], texts: Sequence[Text]) -> dict[str, float]:
    """How much each term tells: its rarity among the texts; common words half."""
    many = len(texts)
    return {
        term: math.log(1 + (many + 5) / (sum(text.holds(term) for text in texts) + 1)) * _share_of(term)
        for term in asked
    }


def coverage(weight: Mapping[str, float], text: Text, *, related: float = RELATED_SHARE) -> float:
    """The share of the weighted terms, from 0 to 1, that a text speaks of."""
    total = sum(weight.values())
    if not total:
        return 0.0
    got = 0.0
    for term, value in weight.items():
        if text.holds(term):
            got += value
        elif any(text.holds(other) for other in RELATED.get(term, ())):
            got += value * related
        elif is_han(term) and all(character in text.text for character in term):
            got += value * APART_SHARE
    return got / total


def fits(kind: Kind, text: str) -> bool:
    """Whether a sentence holds the kind of thing that is asked for: a time, a place, a person, a number."""
    sign = _SIGNS.get(kind)
    return sign is not None and sign.search(text) is not None


def is_personal(text: str) -> bool:
    """Whether somebody speaks of themselves in it."""
    return _FIRST_PERSON.search(text) is not None


def is_empty_talk(text: str) -> bool:
    """Greetings, thanks, exclamations."""
    return _EMPTY_TALK.match(text) is not None


def informativeness(sentences: Sequence[Text]) -> list[float]:
    """What each sentence says by itself: rarer terms that still belong to the subject, names, numbers, first person.

    Questions and empty talk count little.
    """
    counts = Counter(term for sentence in sentences for term in sentence.terms)
    many = len(sentences)
    scores = []
    for sentence in sentences:
        told = sum(
            math.log(1 + many / counts[term])
            * min(2.0, 0.5 + 0.5 * counts[term])
            * (0.5 if term in COMMON_STEMS else 1.0)
            for term in sentence.terms
        )
        score = told / (len(sentence.terms) + 4)
        score += 0.3 * (_NAME.search(sentence.text) is not None) + 0.3 * (
            _FIRST_PERSON.search(sentence.text) is not None
        )
        if sentence.text.rstrip().endswith(("?", "？")):
            score *= 0.3
        if is_empty_talk(sentence.text):
            score *= 0.5
        scores.append(score)
    return scores
