"""Select and cite quotations: the first relevant search hits, newest first if they differ.

The order of the search is kept. Nothing is paraphrased.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from memgpt_cli.llm.offline.relevance import FLOOR, People, RelevanceQuestion
from memgpt_cli.llm.prompt_reading import PromptHit
from memgpt_cli.text import relative_dates
from memgpt_cli.text.asking import asks
from memgpt_cli.text.sentences import sentences

MOST_QUOTES: Final = 3
MOST_ABOUT: Final = 8
"""Quotations for "what do you know about Nina?"."""
LONGEST_QUOTE: Final = 300

_OF_DOCUMENTS: Final = re.compile(
    r"\b(?:documents?|files?|manuals?|notes|readme|reports?|pdfs?|articles?|pages?|texts?|books?|guides?|papers?"
    r"|contracts?|says?|according|chapters?|sections?)\b|文档|文件|手册|报告|合同|说明书|文章|书里",
    re.IGNORECASE,
)
_OVERVIEW: Final = re.compile(
    r"\b(?:know|remember|said|tell me|summari[sz]e|everything|all|told|mentioned)\b.*\b(?:about|of|on) "
    r"|(?:知道|了解|记得|总结|告诉我|说过).*(?:的|关于)|关于.+(?:什么|哪些|总结)",
    re.IGNORECASE,
)
_OWN_QUOTATION: Final = re.compile(r"\b(?:You told me|You said|Noted|I know that)\b|你在.*说过|你说过|记下了")
_EXPLAINED: Final = frozenset(
    ("today", "tonight", "this morning", "this afternoon", "this evening", "今天", "今早", "今晚")
)
_ROLES: Final = ("user", "assistant")
_SHORTEST_REPLY: Final = 40
"""Minimum characters of an assistant's message that may be an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A quotation from memory that is relevant to a question."""

    hit: PromptHit
    text: str
    share: float


def quotes(
    question: RelevanceQuestion, found: Sequence[PromptHit], *, asked: Iterable[str], lines: Sequence[str] = ()
) -> list[Quote]:
    """Return at most `MOST_QUOTES` quotations; `MOST_ABOUT` for an overview of a person.

    `asked` are messages of this turn, which do not answer themselves; `lines` those of core memory.
    """
    said_now = {_squeezed(text) for text in asked}
    hits = [hit for hit in found if _squeezed(hit.text) not in said_now and not _is_noise(hit)]
    told = {_squeezed(hit.text) for hit in hits if hit.kind == "message"}
    noted = [
        PromptHit(kind="block", ref="", text=line)
        for line in lines
        if not any(_squeezed(line) in text for text in told)
    ]
    most = MOST_ABOUT if is_overview(question) else MOST_QUOTES
    if any(hit.kind == "message" and hit.speaker not in _ROLES for hit in hits):
        return _among_people(question, hits)[:most]
    people = People([*lines, *(hit.text for hit in hits)])
    passing = [quote for hit in (*noted, *hits) if (quote := _judged(question, hit, people)) is not None]
    passing = _of_the_right_kind(question, passing)
    return _newest_first(question, _distinct(passing)[:most])


def is_overview(question: RelevanceQuestion) -> bool:
    """Whether a question asks for everything about a person or a thing."""
    return _OVERVIEW.search(question.text) is not None and bool(question.names or question.kin)


def _among_people(question: RelevanceQuestion, hits: Sequence[PromptHit]) -> list[Quote]:
    """The hits in their order if any of them bears on the question: in a talk of several people a short reply answers.

    Messages that only ask come last.
    """
    rated = [
        Quote(
            hit=hit, text=_excerpt(question, hit.text), share=question.share(f"{hit.speaker} {hit.source} {hit.text}")
        )
        for hit in hits
    ]
    return sorted(rated, key=lambda quote: _only_asks(quote.hit.text)) if any(quote.share for quote in rated) else []


def _judged(question: RelevanceQuestion, hit: PromptHit, people: People) -> Quote | None:
    """Return the quotation of a hit above the threshold; None for others."""
    text = f"{hit.source} {hit.text}".strip()
    share = question.share(text)
    if share < FLOOR or not people.meant(question, text):
        return None
    return Quote(hit=hit, text=_excerpt(question, hit.text), share=share)


def _of_the_right_kind(question: RelevanceQuestion, passing: list[Quote]) -> list[Quote]:
    """Keep documents for questions about documents, but not for "my" or "I"; otherwise the more informative ones."""
    documents = [quote for quote in passing if quote.hit.kind == "passage" and quote.hit.source]
    others = [quote for quote in passing if quote not in documents]
    if _asks_documents(question, documents):
        return documents + others
    if question.personal:
        return others
    best = max((quote.share for quote in others), default=0.0)
    ahead = list(takewhile(lambda quote: quote.share > best, documents))
    return ahead + others + documents[len(ahead) :]


def _asks_documents(question: RelevanceQuestion, documents: Sequence[Quote]) -> bool:
    named = {
        word for quote in documents for word in re.findall(r"[^\W_]{4,}", quote.hit.source.lower().split(" > ")[0])
    }
    asked = set(re.findall(r"[^\W_]{4,}", question.text.lower()))
    return _OF_DOCUMENTS.search(question.text) is not None or not named.isdisjoint(asked)


def _distinct(passing: Sequence[Quote]) -> list[Quote]:
    kept: list[Quote] = []
    for quote in passing:
        text = _squeezed(quote.text)
        if not any(text in _squeezed(other.text) for other in kept):
            kept.append(quote)
    return kept


def _newest_first(question: RelevanceQuestion, chosen: list[Quote]) -> list[Quote]:
    """Return the statements of one speaker about the same subject as the first one, newest first; then the rest."""
    if not chosen or chosen[0].hit.kind != "message":
        return chosen
    first = chosen[0].hit
    alike = [
        quote
        for quote in chosen
        if quote.hit.kind == "message"
        and quote.hit.speaker == first.speaker
        and set(question.covered(quote.hit.text)) == set(question.covered(first.text))
    ]
    newest = sorted(alike, key=lambda quote: int(quote.hit.ref[1:]), reverse=True)
    return newest + [quote for quote in chosen if quote not in alike]


def _is_noise(hit: PromptHit) -> bool:
    """Whether it is a question of the user, or a quotation of the assistant."""
    if hit.speaker == "assistant":
        return len(hit.text) < _SHORTEST_REPLY or _OWN_QUOTATION.search(hit.text) is not None
    return hit.speaker == "user" and _only_asks(hit.text)


def _only_asks(text: str) -> bool:
    return all(asks(part) for part in sentences(text))


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _excerpt(question: RelevanceQuestion, text: str) -> str:
    """Return the whole of a short text; of a long one, the best sentence and the following text."""
    if len(text) <= LONGEST_QUOTE:
        return text.strip()
    parts = list(sentences(text.replace(" / ", "\n"))) or [text]
    best = max(range(len(parts)), key=lambda n: question.share(parts[n]))
    end = best + 1
    while end < len(parts) and sum(map(len, parts[best : end + 1])) + end - best <= LONGEST_QUOTE:
        end += 1
    quoted = " ".join(parts[best:end])
    cut = quoted if len(quoted) <= LONGEST_QUOTE else quoted[: LONGEST_QUOTE - 1].rsplit(" ", 1)[0] + "…"
    return f"{'… ' if best else ''}{cut}{' …' if end < len(parts) and not cut.endswith('…') else ''}"


def cited(quote: Quote, *, asker: str | None, chinese: bool) -> str:
    """Return a quotation with its speaker and date, and the meaning of its time words."""
    hit = quote.hit
    day = relative_dates.day_in_words(hit.said_at.date(), chinese=chinese) if hit.said_at is not None else ""
    if chinese:
        return f"{_lead_in_chinese(hit, day, asker)}“{quote.text}”{_meanings(quote, chinese=True)}"
    if hit.kind == "block":
        lead = "From core memory"
    elif hit.kind == "passage":
        lead = f"From {hit.source}" if hit.source else f"From archival storage{f', {day}' if day else ''}"
    else:
        who = {"user": "You told me", "assistant": "I said", asker or "": "You told me"}
        lead = who.get(hit.speaker, f"{hit.speaker} said") + (f" on {day}" if day else "")
    return f'{lead}: "{quote.text}"{_meanings(quote, chinese=False)}'


def _lead_in_chinese(hit: PromptHit, day: str, asker: str | None) -> str:
    if hit.kind == "block":
        return "核心记忆里写着："
    if hit.kind == "passage":
        return f"{hit.source}：" if hit.source else f"归档记忆{f'，{day}' if day else ''}："
    who = {"user": "你", "assistant": "我", asker or "": "你"}.get(hit.speaker, f"{hit.speaker} ")
    return f"{who}在{day}说过：" if day else f"{who}说过："


def _meanings(quote: Quote, *, chinese: bool) -> str:
    at = quote.hit.said_at
    found = relative_dates.resolve(quote.text, at.date()) if at is not None and quote.hit.kind == "message" else []
    whens = [when for when in found if when.start != when.end or when.phrase.lower() not in _EXPLAINED][:2]
    if not whens:
        return ""
    if chinese:
        return "（" + "，".join(f"“{w.phrase}”指{relative_dates.in_words(w, chinese=True)}" for w in whens) + "）"
    return " (" + ", ".join(f'"{w.phrase}": {relative_dates.in_words(w, chinese=False)}' for w in whens) + ")"


def of_days(found: Sequence[PromptHit], days: relative_dates.When, *, asked: Iterable[str]) -> list[Quote]:
    """Return events of these days: messages with time words for them, then messages of these days without any."""
    said_now = {_squeezed(text) for text in asked}
    told = []
    for hit in found:
        if hit.said_at is None or _squeezed(hit.text) in said_now or _is_noise(hit):
            continue
        said_on = hit.said_at.date()
        whens = relative_dates.resolve(hit.text, said_on)
        meant = any(when.start <= days.end and days.start <= when.end for when in whens)
        if meant or (not whens and days.start <= said_on <= days.end):
            told.append((not meant, hit))
    told.sort(key=lambda pair: pair[0])
    return [Quote(hit=hit, text=hit.text[:LONGEST_QUOTE], share=1.0) for _, hit in told[:MOST_QUOTES]]
