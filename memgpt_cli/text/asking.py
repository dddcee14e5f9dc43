"""Detect what a question asks for, and whether a text can answer it: patterns over English and Chinese words.

Japanese and Korean are covered in simple cases. Without a match, the ranking does not change.
"""

import re
from typing import Final

from memgpt_cli.text.dates import MONTH, WEEKDAY
from memgpt_cli.text.sentences import is_question, sentences
from memgpt_cli.text.words import is_chinese

_WHEN: Final = re.compile(
    r"\bwhen\b|\b(what|which) (date|day|month|year|time|week)\b|\bhow long ago\b"
    r"|什么时候|什麼時候|何时|几月|哪年|いつ|언제",
    re.IGNORECASE,
)
_NAME_WANTED: Final = re.compile(
    r"\b(where|who|whom|whose|which)\b"
    r"|\bwhat (\w+ )?(artist|author|band|book|cit(y|ie)|compan(y|ie)|countr(y|ie)|game|movie|name|place|song|state"
    r"|team)s?\b",
    re.IGNORECASE,
)
_SAID: Final = (
    "recommend|suggest|advise|propose|explain|mention|say|tell|give|list|describe|provide|show|write|answer|reply"
)
_SAID_PAST: Final = (
    "recommended|suggested|advised|proposed|explained|mentioned|said|told|gave|given|listed|described|provided|showed"
    "|shown|wrote|written|answered|replied"
)
_ASSISTANT: Final = re.compile(
    rf"\b(did|do) you (\w+ )?({_SAID})\b|\b(you|you've|you’ve|you had|you have) ({_SAID_PAST})\b"
    rf"|\b(have|had) you ({_SAID_PAST})\b|\bassistant\b"
    r"|\byour (\w+ )?"
    r"(advice|suggestions?|recommendations?|answers?|repl(y|ies)|responses?|explanations?|proposals?|tips?)\b"
    r"|[你您](刚才|刚刚|之前|以前|上次|当时|曾经?)?(都)?(给我)?(建议|推荐|说|告诉|提到|提议|解释|列出|回答|回复)(过|了|的|我)"
    r"|[你您]的(建议|推荐|回答|回复|答复|解释|说法)",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"(?<=[^.!?\"\s] )[A-Z][a-z]+")
_ONESELF: Final = re.compile(
    r"\b(I|my|me|mine|myself|we|our|us|My|We|Our)\b|[我俺]|(私|僕|俺)|(나는|내가|제가|저는|우리)"
)
_WORDS_OF_TIME: Final = frozenset(
    ["yesterday", "today", "tonight", "tomorrow", "ago", "recently", "lately", *WEEKDAY.split("|"), *MONTH.split("|")]
    + [str(year) for year in range(1900, 2100)]
)
_SPAN: Final = (
    "night|morning|evening|afternoon|day|week|weekend|month|year|spring|summer|fall|autumn|winter|mon|tue|tues|wed|thu"
    "|thur|thurs|fri|sat|sun"
)
_SPANS: Final = frozenset(span + end for span in _SPAN.split("|") for end in ("", "s"))
_SPAN_OF_TIME: Final = re.compile(
    rf"\b((last|next|this|past|coming|following|previous) (\w+ )?({_SPAN})s?"
    r"|(\d+|a|an|one|two|three|few|couple of) (day|week|month|year)s?)\b",
    re.IGNORECASE,
)
_TIME_UNSPACED: Final = re.compile(
    "昨天|今天|明天|上周|下周|上个月|下个月|去年|明年|今年|昨日|今日|先週|来週|先月|来月|어제|오늘|내일|지난|다음"
)
_WORD: Final = re.compile(r"\w+")
_ABOUT_SEARCH: Final = re.compile(
    r"\b(conversations?|chats?|discuss(ed|ions?|ing)?|mention(ed|s|ing)?|talk(ed|ing)? about|lists?|order|sequence"
    r"|summar(y|ies|i[sz]e|i[sz]ed)|overview|comprehensive|chronological(ly)?|brought up|walk me through"
    r"|aspects?|items?)\b"
    r"|我们的?(对话|聊天|谈话)|对话中|聊天中|提到过?|讨论过?|谈到过?|总结|概括|按顺序|列出",
    re.IGNORECASE,
)
_AUXILIARY: Final = (
    r"(?:is|are|am|was|were|do|does|did|can|could|will|would|should|have|has|had|(?:is|are|do|does)n['’]t)"
)
_ASKING: Final = re.compile(
    rf"(?:so |and |ok |but |please |hey )*(?:(?:what|who|whom|where|how|why|when)(?:['’]?(?:s|re|d|ll)\b"
    rf"| {_AUXILIARY}\b)"
    rf"|(?:what|which|whose|how) (?:\w+ ){{1,3}}{_AUXILIARY} |how (?:many|much|old|long|often|far|big|tall)\b"
    r"|(?:when|where|who|why|how|what)\W*$"
    rf"|{_AUXILIARY} (?:i|you|he|she|it|we|they|my|your|his|her|our|their|the|there|this|that|anyone|someone)\b"
    r"|(?:can you |could you |would you |please )*(?:tell me|remind me(?! to\b)|show me|summari[sz]e|list|recap) "
    r"(?!an? |another )(?:\S+ )*?\S"
    r"|(?:please )?(?:search|look up|look for|find|recall)(?: for)? (?:me )?(?!out\b)\w|(?:what|how) about "
    r"|(?:any|got any) (?:idea|clue)\b)",
    re.IGNORECASE,
)
_ASKING_CHINESE: Final = re.compile(
    r"[吗么呢]\W*$|什么(?!都)|哪(?![怕有])|是谁|谁[是在叫说的]|^谁|几[岁个点号月年次]|多少|多大|多久|怎么样|怎样"
    r"|为什么|何时|是不是|有没有|记不记得|知不知道"
    r"|^(?:请|你?[能可]以?|麻烦)*告诉我(?!.{0,4}的?是)|总结|提醒我.*(?:什么|哪)"
)
_TELLING_CHINESE: Final = re.compile(r"我(?:不知道|知道|忘了|记得|明白)")

_CLAUSE_ENDS: Final = re.compile(
    r"(?<=[?？])|[，,。;；]?\s*(?:另外|还有|此外|以及想问)[，,]?"
    r"|[,;]?\s+and\s+(?=(?:what|when|where|who|whom|whose|which|why|how)\b)",
    re.IGNORECASE,
)


def asks(sentence: str) -> bool:
    """Whether a sentence asks, with or without a question mark: "where do I live", 我住哪里."""
    if is_question(sentence):
        return True
    if is_chinese(sentence):
        return _ASKING_CHINESE.search(sentence) is not None and _TELLING_CHINESE.search(sentence) is None
    return _ASKING.match(sentence) is not None


def asks_when(question: str) -> bool:
    """Whether a question asks for a time."""
    return bool(_WHEN.search(question))


def asks_name(question: str) -> bool:
    """Whether a question asks who, where or which."""
    return bool(_NAME_WANTED.search(question))


def asks_assistant(question: str) -> bool:
    """Whether a question asks what the assistant said: "what did you recommend", but not "would you suggest"."""
    return bool(_ASSISTANT.search(question))


def without_search_words(question: str) -> str:
    """Remove the words about the search itself from a question: "list the order in which we discussed ..."."""
    return _ABOUT_SEARCH.sub(" ", question)


def clauses(question: str) -> list[str]:
    """Split a text into its questions: two question marks, 另外, "and what ..."; one for a plain question."""
    parts = [part.strip() for part in _CLAUSE_ENDS.split(question)]
    return [part for part in parts if re.search(r"\w", part)]


def has_time(text: str) -> bool:
    """Whether a text mentions a time."""
    found = set(_WORD.findall(text.lower()))  # looking up words is ten times quicker than one pattern for all
    if not _WORDS_OF_TIME.isdisjoint(found):
        return True
    if not _SPANS.isdisjoint(found) and _SPAN_OF_TIME.search(text):
        return True
    return not text.isascii() and bool(_TIME_UNSPACED.search(text))


def has_name(text: str, *, known: frozenset[str]) -> bool:
    """Whether a text contains a capitalised word within a sentence that is not among the `known` (in lower case)."""
    return any(match.group().casefold() not in known for match in _NAME.finditer(text))


def of_oneself(text: str) -> bool:
    """Whether a text is about its speaker."""
    return bool(_ONESELF.search(text))


def asking_share(text: str) -> float:
    """Return the share of a text's characters in questions that say nothing about the speaker.

    "I'm working on X, can you help?" is information: a question in the first person does not count.
    """
    if "?" not in text and "？" not in text:
        return 0.0
    asked = total = 0
    for sentence in sentences(text):
        total += len(sentence)
        asked += len(sentence) if is_question(sentence) and not of_oneself(sentence) else 0
    return asked / max(1, total)
