"""Measure how much of a question a text covers, and whether it is about the person in the question.

Words are compared by their stems (`memgpt_cli.text`), with a short list of related words.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from memgpt_cli.text.dates import MONTHS, WEEKDAYS
from memgpt_cli.text.people import begins_with_kin, kin_in, named_kin
from memgpt_cli.text.stems import base
from memgpt_cli.text.terms import query_terms, text_terms
from memgpt_cli.text.vocabulary import STOP_WORDS
from memgpt_cli.text.words import is_unspaced

FLOOR: Final = 0.33
"""The share of a question that a quoted text must cover."""
_COMMON_WEIGHT: Final = 0.3
_RELATED_WEIGHT: Final = 0.8

_FILLER: Final = frozenset(
    map(
        base,
        """please tell remember remind recall know summarize summarise summary show list everything anything something
        mention said say idea clue search find look""".split(),  # noqa: SIM905 - a list of words reads better so
    )
)
_FILLER_CHINESE: Final = re.compile("知道|记得|总结|告诉|提醒|关于|名字|叫|几号|几月|几岁|[几天]")
"""Words about asking, removed from a question."""

_COMMON: Final = frozenset(
    map(
        base,
        """get go make take come see want like thing kind lot way day time year week month good great really much many
        people name call new old one two first last back today feel think give put use try let still even well favorite
        favourite should happen type current currently 时候 今天 现在 名字""".split(),  # noqa: SIM905
    )
)
"""Words that say little about the subject."""

_ALIKE: Final = """
work job career profession occupation employer office company; live home move reside address city town based
fly flight plane airport; eat food allergic allergy vegan vegetarian diet meal dish cook; drink beverage coffee tea
birthday born bday; sick ill illness disease health condition diagnosed; vacation holiday trip travel
buy bought purchase; wedding marry married marriage; car drive vehicle; photo picture photograph; film movie
study school university college degree; like love enjoy favorite favourite prefer; hate dislike stand
hobby play paint read hike garden collect; phone telephone number; meet meeting appointment
工作 上班 职业; 过敏 不吃 不能 忌口; 结婚 婚礼; 喜欢 最爱 讨厌; 航班 飞机 起飞
"""
"""Groups of related words that may occur in an answer instead."""

_GROUPS: Final = tuple(group.split() for group in _ALIKE.strip().replace("\n", ";").split(";"))
_RELATED: Final = {base(word): frozenset(base(other) for other in group) for group in _GROUPS for word in group}

_NAME: Final = re.compile(r"\b[A-Z][^\W\d_]+(?:['’](?!s\b)[^\W\d_]+)?")
_PERSONAL: Final = re.compile(r"\b(?:i|i['’]m|me|my|mine|we|our|us)\b|我|咱", re.IGNORECASE)
_GENERIC: Final = re.compile(r"\b(?:how|where) (?:do|can|could|should|would) (?:i|we|you|one)\b", re.IGNORECASE)
_NOT_NAMES: Final = frozenset((*MONTHS, *WEEKDAYS, "please", "summarize", "summarise"))


@dataclass(frozen=True)
class RelevanceQuestion:
    """A question with its search terms. `context` is the text that its pronouns may refer to."""

    text: str
    context: str = ""

    @cached_property
    def weights(self) -> dict[str, float]:
        """Return its terms, each with its weight."""
        asked = _FILLER_CHINESE.sub(" ", f"{self.text} {self.context}")
        terms = [term for term in query_terms(asked) if term not in _FILLER and term not in STOP_WORDS]
        terms = [term for term in terms if len(term) > 1 or not is_unspaced(term)] or terms
        return {term: _COMMON_WEIGHT if term in _COMMON else 1.0 for term in terms}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return names of people and places in it, as they are written."""
        found = [match.group() for match in _NAME.finditer(self.text)]
        return tuple(n for n in found if n.lower() not in STOP_WORDS and n.lower() not in _NOT_NAMES)

    @cached_property
    def kin(self) -> frozenset[int]:
        """Return the relatives, friends and pets that it asks about."""
        return kin_in(self.text)

    @property
    def personal(self) -> bool:
        """Whether it asks about the user: "my", "I", 我的; but not "how do I light the boiler?"."""
        return _PERSONAL.search(_GENERIC.sub(" ", self.text)) is not None

    def related(self) -> list[str]:
        """Return related words that may occur in an answer."""
        words = {word for group in _GROUPS for word in group if base(word) in self._alike}
        return sorted(word for word in words if base(word) not in self.weights)

    @cached_property
    def _alike(self) -> frozenset[str]:
        return frozenset().union(*(_RELATED.get(term, frozenset()) for term in self.weights))

    def share(self, text: str) -> float:
        """Return the share of its words, by weight, that a text covers; a related word counts a little less."""
        found = self.covered(text)
        total = sum(self.weights.values())
        return sum(self.weights[term] * value for term, value in found.items()) / total if total else 0.0

    def covered(self, text: str) -> dict[str, float]:
        """Return the terms that a text covers, and how directly."""
        told = set(text_terms(text))
        found, kin = {}, kin_in(text)
        for term in self.weights:
            if term in told or (is_unspaced(term) and term in text) or kin_in(term) & kin:
                found[term] = 1.0
            elif not told.isdisjoint(_RELATED.get(term, ())):
                found[term] = _RELATED_WEIGHT
        return found


class People:
    """The names of people in the given texts: "my sister Ann", 我女儿叫朵朵."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._names = {named for text in texts for named in named_kin(text)}

    def meant(self, question: RelevanceQuestion, text: str) -> bool:
        """Whether a text mentions a person that the question is about; True if it names none.

        A statement about a relative does not answer a question about the user.
        """
        if not question.kin and not question.names:
            return not (question.personal and begins_with_kin(text))
        names = {name for name, number in self._names if number in question.kin} | set(question.names)
        kin = question.kin | {number for name, number in self._names if name in question.text}
        return bool(kin & kin_in(text)) or any(name.lower() in text.lower() for name in names)
