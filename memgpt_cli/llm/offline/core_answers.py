"""Answers from core memory: the lines of a block that a question about a person asks for."""

import re
from collections.abc import Mapping
from typing import Final

from memgpt_cli.llm.offline.chinese_words import SOMEBODY
from memgpt_cli.llm.offline.english_words import AGE
from memgpt_cli.llm.offline.facts import Line, is_of_somebody, known_name, lines_of, parse_line, people_of, slot
from memgpt_cli.llm.offline.relevance import Query, Text, coverage, query_of, text_of
from memgpt_cli.llm.offline.speech import ended, joined, said_back
from memgpt_cli.llm.offline.words import COMMON_STEMS, is_chinese, stem, terms, word_set

ENOUGH: Final = 0.6
"""The share of a question that a line must speak of."""
MOST_LINES: Final = 6
_RELATED_SHARE: Final = 0.9
_SPREAD: Final = 0.12
_ALL_BUT_ROUNDING: Final = 0.99

_HINTS: Final[Mapping[str, str]] = {
    "name": "name 名字 姓名 叫",
    "called": "name nickname 名字 昵称 叫",
    "home": "live home city town place 住 城市",
    "origin": "origin hometown country 来自 老家 家乡 人",
    "work as": "work job 工作 职业 做 上班",
    "work at": "work job company office 工作 上班 公司 单位",
    "age": "age 年龄 岁",
    "birthday": "birthday born 生日 出生",
    "born": "birthday born year origin",
    "grown": "grow origin hometown",
    "diet": "diet eat food 吃",
    "marital": "married single relationship 结婚 婚姻",
}
_FORM_HINTS: Final = (
    (re.compile(r"(?:[A-Z]\w*(?: [A-Z]\w*)? (?:is an?|works)|Is an?|Teaches) |职业"), "work job 工作"),
    (
        re.compile(r"(?:Not a|A)llergic |Cannot eat|Does not eat|.*过敏|不吃"),
        "allergic allergy health 过敏 吃",
    ),
    (
        re.compile(
            r"Diagnosed |Has (?:asthma|diabetes|epilepsy|migraine|arthritis|adhd|depression|anxiety|high blood|cancer"
            r"|insomnia)",
            re.IGNORECASE,
        ),
        "health sick",
    ),
    (re.compile(rf"[A-Z]\w*.* (?:is|are) {AGE}$"), "age"),
    (re.compile(r".*[\d一二三四五六七八九十两]{1,3}岁"), "年龄"),
    (re.compile(rf"{SOMEBODY}.{{0,4}}?(?:是|在.+(?:工作|上班))"), "工作 职业"),
    (re.compile(r"Learning |Studies "), "study learn"),
    (re.compile(r"有.*(?:猫|狗|兔|鸟|鱼)|(?:猫|狗).*叫"), "宠物"),
)
NAME_TERMS: Final = frozenset((stem("name"), stem("call"), "叫", "名字", "姓名"))
"""The terms of a question for a name."""
_SUBJECT: Final = re.compile(
    r"[A-Z][\w-]*(?: [A-Z]\w*| friend)*(?:: .*)?|[\u3400-\u9fff]+?(?:叫.*|(?=[是在住有喜爱会对学今]))"
)
_REWORDED: Final = (
    (re.compile(r" (?:now|currently|nowadays|these days|at the moment)$"), ""),
    (re.compile(r"\bfor a living\b"), "work"),
    (re.compile(r"\b(?:what|which) do i do\b(?! (?:on|in|at|every|when|with))"), "what is my job"),
    (re.compile(r"\bwhat does (my \w+|[\w'-]+) do\b(?! (?:on|in|at|every|when|with))"), r"what is \1's job"),
    (re.compile(r"\bhow old\b"), "what age"),
    (re.compile(r"\bwhere (?:am|do) i (?:originally )?(?:come )?from\b"), "what is my origin"),
    (re.compile(r"\bwhat am i called\b|\bwho am i\b"), "what is my name"),
    (re.compile(r"\b(?:don't|do not|do i not|doesn't|never) (?:i )?(?:like|love|enjoy)\b"), "dislike"),
    (re.compile(r"\bnot (?:like|love|enjoy)\b"), "dislike"),
    (re.compile(r"几岁|多大"), "年龄"),
    (re.compile(r"我(?:是|来自)哪里?的?人?$|我(?:是)?哪里?人|我老家"), "我来自"),
    (re.compile(r"(?:做|干)什么(?:工作|的)?$|什么工作"), "工作"),
    (re.compile(r"(喜欢|爱)(?:吃|喝|看|听|玩|做)"), r"\1"),
    (re.compile(r"的?名字(?:是|叫)?(?:什么)?$"), "叫什么"),
    (re.compile(r"叫什么名字"), "叫什么"),
)
_PAST: Final = re.compile(
    r"\b(?:used to|i said|before|previous(?:ly)?|formerly|first time|last time|in the past|earlier|why|how"
    r" (?:do|did|come"
    r"|can|was|is))\b|以前|之前|曾经|为什么|上次",
    re.IGNORECASE,
)
_OPEN: Final = re.compile(r"什么|哪些|啥|谁")
_NO_MORE: Final = re.compile(r"No longer |不再")
"""What is no longer so is an answer only where nothing is."""
_LIKED_TO: Final = re.compile(r"(?:不?喜欢|讨厌|不?爱)([吃喝看听玩])")
_NEGATIVE: Final = re.compile(r"不|讨厌|怕")


def is_of_the_past(text: str) -> bool:
    """Whether a question asks, or a sentence tells, how it was before; core memory holds what is true now."""
    return _PAST.search(text) is not None


def reworded(question: str) -> str:
    """A question in the words in which facts are noted."""
    text = question.lower().replace("’", "'").rstrip(" ?？。.!！")
    for pattern, words in _REWORDED:
        text = pattern.sub(words, text)
    return text


def lines_for(question: str, query: Query, block: str, *, asker: str | None) -> list[str]:
    """The lines that answer the question, in the block's order; empty when none does."""
    if not block or is_of_the_past(question):
        return []
    if is_chinese(question) and (named := _by_kin(question, block, asker)) != question:
        question, query = named, query_of(named)
    asked = query_of(reworded(question)).terms
    weight = {term: 0.5 if term in COMMON_STEMS and len(asked) > 1 else 1.0 for term in asked}
    rated = []
    for text in lines_of(block) if weight else ():
        line = parse_line(text)
        if _is_of_the_right_kind(line.fact, question, query):
            share = _share(text, line.fact, weight)
            if share >= ENOUGH and _is_of_the_right_person(line, share, question, query, asker):
                rated.append((share, text))
    if any(not _NO_MORE.match(parse_line(text).fact) for _, text in rated):
        rated = [(share, text) for share, text in rated if not _NO_MORE.match(parse_line(text).fact)]
    best = max((share for share, _ in rated), default=0.0)
    return [text for share, text in rated if share > best - _SPREAD][:MOST_LINES]


def _by_kin(question: str, block: str, asker: str | None) -> str:
    """乐乐几岁 as 我儿子几岁, since a Chinese line says who it is about by that word."""
    for name, who in people_of(block, asker).items():
        if who not in question:
            question = question.replace(name, f"我{who}")
    return question


def _share(text: str, fact: str, weight: Mapping[str, float]) -> float:
    """How much of the question a line speaks of; nothing when it is about somebody whom the question does not mean."""
    about = slot(fact) or ""
    hints = " ".join([_HINTS.get(about, ""), *(words for form, words in _FORM_HINTS if form.match(fact))])
    told = f"{said_back(text) or text} {hints}"
    seen = Text(told, frozenset(terms(told)) | word_set(hints))
    matter = {term: value for term, value in weight.items() if term not in NAME_TERMS}
    if not matter and about not in ("name", "called"):
        return 0.0
    asks_name = len(matter) < len(weight)
    if asks_name and not any(seen.holds(term) for term in NAME_TERMS) and not is_of_somebody(fact, named=True):
        return 0.0
    if is_of_somebody(fact) and not _is_about(fact, matter):
        return 0.0
    return coverage(weight, seen, related=_RELATED_SHARE)


def _is_about(fact: str, matter: Mapping[str, float]) -> bool:
    """Whether a line about somebody is about one whom the question means, by who it is or by name."""
    subject = _SUBJECT.match(fact)
    who, _, name = (subject.group() if subject is not None else "").partition(": ")
    return coverage(matter, text_of(who)) > 0 or any(text_of(name).holds(term) for term in matter)


def _is_of_the_right_kind(fact: str, question: str, query: Query) -> bool:
    """A date where a date is asked, and no dislike where a liking is asked."""
    if query.kind == "when" and slot(fact) not in ("birthday", "born") and not re.search(r"\d", fact):
        return False
    if not _is_done_alike(fact, question):
        return False
    open_question = is_chinese(question) and _OPEN.search(question) is not None and _NEGATIVE.search(question) is None
    return not (open_question and _NEGATIVE.match(fact))


def _is_done_alike(fact: str, question: str) -> bool:
    """What one likes to drink where that is asked, and not a favourite colour."""
    asked, told = _LIKED_TO.search(question), _LIKED_TO.match(fact)
    if asked is None:
        return True
    return asked[1] == told[1] if told is not None else not fact.startswith("最喜欢的")


def _is_of_the_right_person(line: Line, share: float, question: str, query: Query, asker: str | None) -> bool:
    """The asker's own line for "where do I live", a named speaker's for "where does Caroline live"."""
    if line.speaker is not None:
        own = query.personal and asker is not None and asker.lower() == line.speaker.lower()
        return own or line.speaker.split(maxsplit=1)[0].lower() in question.lower()
    return (query.personal and asker is None) or (share > _ALL_BUT_ROUNDING and bool(query.names))


def sentence(lines: list[str], *, asker: str | None, chinese: bool) -> str:
    """The lines as one sentence to the person."""
    clauses = [said_back(line, to=asker) or (f"“{line}”" if chinese else f'I noted "{line}"') for line in lines]
    text = joined(clauses, chinese=chinese)
    return ended(f"{text[:1].upper()}{text[1:]}")


def overview(block: str, *, chinese: bool) -> str:
    """All that core memory holds about the person."""
    lines = lines_of(block)
    if not lines:
        return (
            "我的核心记忆里还没有关于你的内容。告诉我一些吧，比如“我叫小明”。"
            if chinese
            else 'My core memory holds nothing about you yet. Tell me something, for instance "My name is Ada".'
        )
    listed = "\n".join(f"- {line}" for line in lines)
    name = known_name(block)
    if chinese:
        head = f"{f'你是{name}。' if name else ''}关于你，我的核心记忆里有："
    else:
        head = f"{f'You are {name}. ' if name else ''}This is what core memory holds about you:"
    tail = (
        "其余说过的话都在对话记录里，问我就能找到。"
        if chinese
        else "Everything else you said is in recall storage: ask me about it."
    )
    return f"{head}\n\n{listed}\n\n{tail}"
