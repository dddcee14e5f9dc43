"""Questions: what they ask of which memory, and the searches made for them.

A question is searched as it was asked; a second search, when the first finds little, uses other words. What a pronoun
refers to is taken from the last exchange.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from memgpt_cli.llm.offline import dates
from memgpt_cli.llm.offline.answers import LONGEST_QUOTE, MOST_QUOTES, Quote, is_sure, keywords, quotes
from memgpt_cli.llm.offline.asking import is_question
from memgpt_cli.llm.offline.core_answers import reworded
from memgpt_cli.llm.offline.facts import people_of
from memgpt_cli.llm.offline.memory import LABEL, Call
from memgpt_cli.llm.offline.prompt import SEARCHES, Hit, Situation, Utterance, hits
from memgpt_cli.llm.offline.relevance import Query, query_of
from memgpt_cli.llm.offline.subjects import Somebody, asked_of
from memgpt_cli.llm.offline.understanding import Understanding
from memgpt_cli.llm.offline.words import COMMON_STEMS, first_words, sentences, terms, word_set

MOST_QUESTIONS: Final = 3
"""Questions of one turn that are searched for; the last ones."""
FULL_QUESTION: Final = 2
"""Content words beyond which a question needs no context."""
CONTEXT_TERMS: Final = 8
LONGEST_QUERY: Final = 300

_PRONOUN: Final = re.compile(
    r"\b(?:he|she|they|him|her|his|hers|its|them|their|those|these)\b|\b(?:it|that|this)\b(?=\W*$| (?:happen|was|is"
    r"|again|time|place|day|in|on|at|for|start|end|go|cost)\b)|(?<!is )(?<!are )(?<!was )(?<!were )\bthere\b|[他她它]"
    r"|那[个里时天次]?|这[个里时天次]?",
    re.IGNORECASE,
)
_OF_ASSISTANT: Final = re.compile(
    r"\b(?:did|have|had|were) you (?:\w+ )?(?:say|said|tell|told|mention|suggest|recommend|advise|answer|reply"
    r"|replied|write)|\byour (?:last )?(?:answer|reply|advice|suggestion|recommendation)|你(?:刚才|之前|上次)?(?:说"
    r"|建议|推荐|回答)(?:过|了)?(?:什么|的)",
    re.IGNORECASE,
)
_BARE_WHY: Final = re.compile(
    r"\W*(?:but |and )?(?:why|how(?: come| so)?)(?: not| is that| was that)?\W*|\W*(?:但是?)?为什么(?:呢)?\W*"
    r"|\W*怎么(?:会|说)?\W*",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(r"[\"“]([^\"”]{4,})[\"”]")
_DID_WHAT: Final = re.compile(
    r"\b(?:what|anything|something)\b.*\b(?:do|did|done|doing|happen|happened|say|said|tell|told|talk|talked|discuss"
    r"|discussed|write|wrote|up to)\b|(?:做|干|说|聊|讲|发生)了?(?:些)?什么|什么事",
    re.IGNORECASE,
)
_TELLING: Final = re.compile(
    r"\b(?:say|said|tell|told|talk|talked|discuss|discussed|write|wrote|mention(?:ed)?)\b|[说聊讲]|告诉", re.IGNORECASE
)
_EMPTY_DOING: Final = word_set("happen discuss write say tell talk 做 干 说 聊 讲 发生 事")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question with what it is searched by. `days` bounds the search for questions about a stretch of time."""

    question: str
    utterance: Utterance
    chinese: bool
    query: Query
    search: str
    days: dates.When | None = None
    of_assistant: bool = False
    about: Somebody | None = None


def asked_in(understood: Sequence[Understanding], situation: Situation) -> list[Asked]:
    """The questions of the turn, at most `MOST_QUESTIONS`."""
    found = [_asked(question, message, situation) for message in understood for question in message.questions]
    return found[-MOST_QUESTIONS:]


def _asked(question: str, message: Understanding, situation: Situation) -> Asked:
    # "What do I do?" has no word to search by; "what is my job" has
    asking = question if terms(question) else reworded(question)
    context = _context(asking, message, situation)
    said_at = message.utterance.said_at
    block = situation.blocks.get(LABEL)
    people = people_of(block.text, message.utterance.speaker) if block is not None else {}
    about = asked_of(asking, people)
    query = query_of(asking, context)
    named = {term for name in (about.names if about else ()) for term in terms(name) if term in query.terms}
    return Asked(
        question=question,
        utterance=message.utterance,
        chinese=message.chinese,
        query=replace(query, names=query.names | named),
        search=f"{asking} {context}".strip()[:LONGEST_QUERY],
        days=_days(question, said_at.date()) if said_at is not None else None,
        about=about,
        of_assistant=_OF_ASSISTANT.search(question) is not None,
    )


def _context(question: str, message: Understanding, situation: Situation) -> str:
    """What "she" or "that" may refer to: content words of the last exchange, or of the message before the question."""
    asked = terms(question)
    if _BARE_WHY.fullmatch(question):
        return ""
    matter = [term for term in asked if term not in COMMON_STEMS]
    if len(matter) > FULL_QUESTION or (asked and _PRONOUN.search(question) is None):
        return ""
    before = message.utterance.text.partition(question)[0]
    quoted = _QUOTED.search(situation.replied)
    sources = [before, *(u.text for u in reversed(situation.asked)), quoted[1] if quoted else ""]
    words: list[str] = []
    for source in sources:
        for word in re.findall(r"[\u3400-\u9fff]+|[^\W_]+(?:['’][^\W_]+)?", source[:400]):
            if word not in words and terms(word):
                words.append(word)
    return " ".join(words[:CONTEXT_TERMS])


def _days(question: str, today: date) -> dates.When | None:
    """The stretch that "what did I do yesterday?" asks about; None when the question has other words to search by."""
    whens = dates.resolve(question, today)
    if not whens or _DID_WHAT.search(question) is None:
        return None
    rest = question
    for when in whens:
        rest = rest.replace(when.phrase, " ")
    matter = [term for term in terms(rest) if term not in COMMON_STEMS and term not in _EMPTY_DOING]
    return whens[0] if not matter else None


def searches(asked: Sequence[Asked], situation: Situation) -> list[Call]:
    """The first searches, recall and archival storage in one step; for a stretch of time also what was said then."""
    calls: list[Call] = []
    for question in asked:
        if not question.query.terms and question.days is None:
            continue
        role = {} if question.of_assistant else {"role": "user"}
        calls.append(Call(SEARCHES[0], {"query": question.search, **role}))
        if question.days is not None:
            calls.append(Call(SEARCHES[0], _told_in(question.days)))
        calls.append(Call(SEARCHES[1], {"query": question.search}))
    return [call for call in calls if call.name in situation.functions]


def second_searches(asked: Sequence[Asked], situation: Situation) -> list[Call]:
    """Another search, in other words and among all speakers, for each question to which no sure answer was found."""
    calls = []
    for question in asked:
        found = found_for(question, situation)
        if SEARCHES[0] not in situation.functions or not question.query.terms:
            continue
        if question.days is not None and not found:
            calls += [Call(SEARCHES[0], _told_in(question.days) | {"page": page}) for page in (1, 2)]
        elif question.days is None and not is_sure(found) and (words := keywords(question.query)):
            calls.append(Call(SEARCHES[0], {"query": words}))
    return calls


def _told_in(days: dates.When) -> dict[str, object]:
    """The arguments that list what the person said on these days, newest first: a list has no words to search by."""
    return {"query": "", "start_date": days.start.isoformat(), "end_date": days.end.isoformat(), "role": "user"}


def found_for(asked: Asked, situation: Situation) -> list[Quote]:
    """The quotes that this turn's searches have brought for a question."""
    queries = {asked.search, keywords(asked.query)}
    found: dict[str, Hit] = {}
    for step in situation.steps:
        for call in step:
            if call.name not in SEARCHES or not call.ok:
                continue
            dated = asked.days is not None and call.arguments.get("start_date") == asked.days.start.isoformat()
            if dated or call.arguments.get("query") in queries:
                for hit in hits(call.text):
                    found.setdefault(hit.ref, hit)
    own = [utterance.text for utterance in situation.pending]
    if asked.days is not None:
        telling = _TELLING.search(asked.question) is not None
        return _of_days(list(found.values()), asked.days, own, telling=telling)
    return quotes(asked.query, list(found.values()), asked=own, about=asked.about)


def _of_days(found: Sequence[Hit], days: dates.When, own: Sequence[str], *, telling: bool) -> list[Quote]:
    """What happened in a stretch of time: messages whose time words mean it, and messages of then without any.

    With `telling` the question is what was said then, whatever it was about.
    """
    told = []
    asked = {text.strip() for text in own}
    for hit in found:
        if hit.said_at is None or hit.text.strip() in asked or not _tells(hit.text):
            continue
        said_on = hit.said_at.date()
        whens = dates.resolve(hit.text, said_on)
        meant = any(when.start <= days.end and days.start <= when.end for when in whens)
        if meant or ((telling or not whens) and days.start <= said_on <= days.end):
            told.append((not meant, hit))
    told.sort(key=lambda pair: pair[0])
    return [
        Quote(hit=hit, text=first_words(hit.text, LONGEST_QUOTE), covered=1.0, score=1.0)
        for _, hit in told[:MOST_QUOTES]
    ]


def _tells(text: str) -> bool:
    return len(terms(text)) > 1 and not all(is_question(part) for part in sentences(text))


def search_failed(situation: Situation) -> bool:
    """Whether a search of this turn failed and none succeeded."""
    outcomes = [call.ok for step in situation.steps for call in step if call.name in SEARCHES]
    return bool(outcomes) and not any(outcomes)
