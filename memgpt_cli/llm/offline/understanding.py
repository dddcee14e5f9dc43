"""What a message is: which sentences tell something about the person, which ask, which are small talk.

Decides by the form of a sentence only; whether memory can answer a question shows in the search.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from memgpt_cli.llm.offline import chinese, dates, english, talk
from memgpt_cli.llm.offline.asking import asks, matter, of_the_listener, plain, told_before
from memgpt_cli.llm.offline.corrections import Correction, plain_form
from memgpt_cli.llm.offline.facts import Fact
from memgpt_cli.llm.offline.prompt import Utterance
from memgpt_cli.llm.offline.talk import Language, Talk
from memgpt_cli.llm.offline.words import is_chinese, sentences, terms

READ_CHARACTERS: Final = 4_000
"""How much of the beginning of a message is read closely; of a longer one also the last part of the next size."""
READ_AT_END: Final = 600
SHORT_ENOUGH_FOR_CORE: Final = 120
"""Characters of a "remember that" which may stand in core memory; longer ones go to archival storage."""
_MORE_THAN_TALK: Final = 3
"""Content words from which on a greeting or a thank-you also tells something."""
_MAY_BEGIN: Final = frozenset((Talk.GREETING, Talk.THANKS, Talk.AGREE, Talk.FAREWELL, Talk.HOW_ARE_YOU))
_TO_THE_ASSISTANT: Final = frozenset((Talk.HELP, Talk.CONNECT, Talk.ABOUT_ME, Talk.ECHO, Talk.CLOCK, Talk.CALCULATE))
_LOOSE_DAY: Final = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|周[一二三四五六日天]|星期", re.IGNORECASE
)
_OWNED_EN: Final = re.compile(
    r"my (?P<what>[\w' -]{2,40}?) (?:is|are) (?P<value>(?!(?:not|\w+ing)\b).{1,80})", re.IGNORECASE
)
_OWNED_ZH: Final = re.compile(r"我的(?P<what>[^是的]{1,12})是(?P<value>.{1,30})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """One message, understood. `told` says that it also holds statements which stay in recall storage."""

    utterance: Utterance
    chinese: bool = False
    facts: tuple[Fact, ...] = ()
    corrections: tuple[Correction, ...] = ()
    keep: tuple[str, ...] = ()
    forget: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    talk: tuple[Talk, ...] = ()
    told: bool = False


@dataclass(slots=True)
class _Gathered:
    facts: list[Fact] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)
    forget: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    talk: list[Talk] = field(default_factory=list)
    told: bool = False
    said_on: date | None = None
    people: Mapping[str, str] = field(default_factory=dict)


def understand(
    utterance: Utterance, *, among_people: bool = False, people: Mapping[str, str] | None = None
) -> Understanding:
    """Read a message. Bounded in work for texts of any length. `people`: names that are known, "Leo" as "brother".

    People who speak among each other greet, thank and ask each other: only a message that is nothing but a question is
    taken for one to the assistant.
    """
    text = utterance.text
    read = text if len(text) <= READ_CHARACTERS + READ_AT_END else f"{text[:READ_CHARACTERS]}\n{text[-READ_AT_END:]}"
    gathered = _Gathered(
        people=people or {}, said_on=utterance.said_at.date() if utterance.said_at is not None else None
    )
    parts = list(_parts(read))
    quoting = False
    for sentence in parts:
        _sort(sentence, gathered, aside=among_people and len(parts) > 1, quoting=quoting)
        quoting = _is_left_open(sentence, quoting=quoting)
    if among_people:
        gathered.talk = [kind for kind in gathered.talk if kind in _TO_THE_ASSISTANT and len(parts) == 1]
        gathered.told = True
    return Understanding(
        utterance=utterance,
        chinese=is_chinese(read[:READ_CHARACTERS]),
        facts=tuple(dict.fromkeys(gathered.facts)),
        corrections=tuple(gathered.corrections),
        keep=tuple(gathered.keep),
        forget=tuple(gathered.forget),
        questions=tuple(dict.fromkeys(gathered.questions)),
        talk=tuple(dict.fromkeys(gathered.talk)),
        told=gathered.told,
    )


def _parts(text: str) -> Iterator[str]:
    """Sentences, without those that hold no letter or digit; "Remember: ..." stays with what follows it."""
    for sentence in sentences(text):
        if re.search(r"\w", sentence):
            yield sentence


def _is_left_open(sentence: str, *, quoting: bool) -> bool:
    """Whether a quotation goes on after this sentence: what is said in it is somebody else's."""
    if sentence.count('"') % 2:
        return not quoting
    opened, closed = (sum(sentence.count(mark) for mark in marks) for marks in ("“「『", "”」』"))
    return quoting if opened == closed else opened > closed


def _sort(sentence: str, gathered: _Gathered, *, aside: bool, quoting: bool) -> None:
    in_chinese = is_chinese(sentence)
    if quoting:
        gathered.told = True
        return
    sentence = _after_hello(sentence, gathered, in_chinese=in_chinese)
    text = plain(sentence, in_chinese=in_chinese)
    kind = next((kind for pattern, kind in _language(in_chinese=in_chinese).talk if pattern.search(text)), None)
    if kind is not Talk.FORGET_ALL and _ordered(sentence, gathered, in_chinese=in_chinese):
        return
    if kind is not None:
        gathered.talk.append(kind)
        if kind not in _MAY_BEGIN:
            return
    if asks(sentence, text, in_chinese=in_chinese):
        if kind is None and of_the_listener(text, in_chinese=in_chinese):
            gathered.talk.append(Talk.OPINION)
        elif kind is None and not aside:
            told, asked = told_before(sentence, in_chinese=in_chinese)
            gathered.facts.extend(_facts(told, gathered, in_chinese=in_chinese))
            gathered.questions.append(matter(asked))
        return
    found = _facts(sentence, gathered, in_chinese=in_chinese)
    gathered.facts.extend(found)
    if not found and (kind is None or len(terms(sentence)) > _MORE_THAN_TALK):
        gathered.told = True


def _after_hello(sentence: str, gathered: _Gathered, *, in_chinese: bool) -> str:
    """Take the greeting, and the name in "hi, it's Ada", from the beginning of a sentence."""
    hello = _language(in_chinese=in_chinese).hello.match(sentence)
    if hello is None:
        return sentence
    if hello["name"]:
        gathered.facts.append(Fact(f"Name: {hello['name']}", unless_known=True))
    if re.search(r"\w", sentence[hello.end() :]) is None:
        return sentence
    gathered.talk.append(Talk.GREETING)
    return sentence[hello.end() :]


def _facts(sentence: str, gathered: _Gathered, *, in_chinese: bool) -> list[Fact]:
    """The facts of a sentence; of a correction those that are right, and what they take the place of."""
    plain_sentence, correction = plain_form(sentence)
    if correction is not None:
        gathered.corrections.append(correction)
    read = chinese.facts if in_chinese else english.facts
    found = list(read(plain_sentence, gathered.people))
    return found if plain_sentence == sentence else [Fact(fact.line, correction=True) for fact in found]


def _ordered(sentence: str, gathered: _Gathered, *, in_chinese: bool) -> bool:
    """Take "remember that" and "forget that"; False for anything else."""
    language = _language(in_chinese=in_chinese)
    if command := language.keep.match(sentence):
        content = sentence[command.end() :].strip(" ,:，：")
        if content and not language.question.search(content):
            _keep(content, gathered, in_chinese=in_chinese)
            return True
    if (command := language.forget.match(sentence)) and not sentence.rstrip().endswith(("?", "？")):
        gathered.forget.append(sentence[command.end() :].strip(" ,.:!，。：！"))
        return True
    return False


def _keep(content: str, gathered: _Gathered, *, in_chinese: bool) -> None:
    found = list(chinese.facts(content) if in_chinese else english.facts(content))
    if found:
        gathered.facts.extend(found)
        return
    owned = (_OWNED_ZH if in_chinese else _OWNED_EN).fullmatch(content.rstrip(" .!。！"))
    if owned is not None:
        label = owned["what"][0].upper() + owned["what"][1:]
        line = f"{label}：{owned['value']}" if in_chinese else f"{label}: {owned['value']}"
        gathered.facts.append(Fact(_dated(line, gathered.said_on, in_chinese=in_chinese)))
        return
    personal = re.search(r"我" if in_chinese else r"\b(?:i|i['’]m|i['’]ve|my|me|mine|we|our)\b", content, re.IGNORECASE)
    if personal and len(content) <= SHORT_ENOUGH_FOR_CORE:
        gathered.facts.append(Fact(_dated(content.rstrip(" .!。！"), gathered.said_on, in_chinese=in_chinese)))
    else:
        gathered.keep.append(content)


def _dated(note: str, said_on: date | None, *, in_chinese: bool) -> str:
    """A note whose time words will still mean something next year."""
    if said_on is None:
        return note
    if whens := dates.resolve(note, said_on):
        return f"{note} ({', '.join(dates.in_words(when, chinese=in_chinese) for when in whens)})"
    if _LOOSE_DAY.search(note):
        day = dates.day_in_words(said_on, chinese=in_chinese)
        return f"{note}（记于{day}）" if in_chinese else f"{note} (noted on {day})"
    return note


def is_forget(sentence: str) -> bool:
    """Whether a sentence asks to forget something."""
    return _language(in_chinese=is_chinese(sentence)).forget.match(sentence) is not None


def _language(*, in_chinese: bool) -> Language:
    return talk.chinese() if in_chinese else talk.english()
