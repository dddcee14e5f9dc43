"""From search results to an answer: the sentences that hold it, and when and by whom they were said."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from memgpt_cli.llm.offline import dates
from memgpt_cli.llm.offline.prompt import Hit
from memgpt_cli.llm.offline.relevance import Query, Text, coverage, fits, is_empty_talk, text_of, weights
from memgpt_cli.llm.offline.words import first_words, is_chinese, sentences

MOST_QUOTES: Final = 3
LONGEST_QUOTE: Final = 240
"""Characters of a message that is quoted whole; of a longer one the best sentence and what stands next to it."""
RELEVANT: Final = 0.3
"""The share of a question that a quoted text must speak of."""
SURE: Final = 0.5
"""The share from which it is taken for the answer and not only for the nearest thing there is."""
NEAR_THE_BEST: Final = 0.72
"""Further quotes must come this close to the score of the first."""

_RANK_WEIGHT: Final = 0.5
_SENTENCE_WEIGHT: Final = 0.5
_MESSAGE_WEIGHT: Final = 0.35
_KIND_BONUS: Final = 0.12
_NAMED_BONUS: Final = 0.12
_EMPTY_PENALTY: Final = 0.15
_OWN_WORDS: Final = re.compile(
    r"^(?:You told me|You just said|I found nothing|Noted|I am the offline responder|Here is what I know|The nearest)|said on \d{1,2} \w+ \d{4}: [\"“]"
    r"|^(?:你在\d+年|我没有找到|记下了|我是离线)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Words from memory that bear on a question. `covered` is the share of the question that they speak of."""

    hit: Hit
    text: str
    covered: float
    score: float

    def whens(self) -> list[dates.When]:
        """The time words in it that lean on the day it was said."""
        return dates.resolve(self.text, self.hit.said_at.date()) if self.hit.said_at is not None else []


def quotes(query: Query, found: Sequence[Hit], *, asked: Iterable[str]) -> list[Quote]:
    """The best quotes, best first, at most `MOST_QUOTES`. `asked` are messages of this turn, which are no answer to themselves."""
    own = {_squeezed(text) for text in asked}
    hits = [hit for hit in found if not _is_no_answer(hit, own)]
    texts = [text_of(hit.text, hit.speaker) for hit in hits]
    weight = weights(query.terms, texts)
    scored = [_quote(query, weight, hit, text, rank) for rank, (hit, text) in enumerate(zip(hits, texts, strict=True))]
    relevant = [quote for quote in scored if quote.covered >= RELEVANT and _speaks_of_the_matter(query, quote)]
    relevant.sort(key=lambda quote: -quote.score)
    best: list[Quote] = []
    for quote in relevant:
        if len(best) == MOST_QUOTES or (best and quote.score < NEAR_THE_BEST * best[0].score):
            break
        if all(_squeezed(quote.text) != _squeezed(other.text) for other in best):
            best.append(quote)
    return best


def _is_no_answer(hit: Hit, own: set[str]) -> bool:
    if _squeezed(hit.text) in own:
        return True
    if hit.speaker == "assistant":
        return _OWN_WORDS.search(hit.text) is not None
    if hit.kind == "passage":
        return False
    return all(sentence.rstrip().endswith(("?", "？")) for sentence in sentences(hit.text))


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _quote(query: Query, weight: dict[str, float], hit: Hit, text: Text, rank: int) -> Quote:
    parts = list(sentences(hit.text.replace(" / ", "\n"))) or [hit.text]
    rated = [(_sentence_score(query, weight, part, hit.speaker), part) for part in parts]
    best = max(range(len(rated)), key=lambda i: rated[i][0])
    whole = coverage(query, weight, text)
    score = _SENTENCE_WEIGHT * rated[best][0] + _MESSAGE_WEIGHT * whole + _RANK_WEIGHT / (1 + 0.25 * rank)
    if hit.speaker and any(name in text_of(hit.speaker).terms for name in query.names):
        score += _NAMED_BONUS
    if (
        query.personal
        and hit.speaker == "user"
        and re.search(r"\b(?:i|my|me|i'm|i've|we|our)\b|我", hit.text, re.IGNORECASE)
    ):
        score += _NAMED_BONUS
    return Quote(hit=hit, text=_excerpt(parts, best, hit.text), covered=whole, score=score)


def _sentence_score(query: Query, weight: dict[str, float], part: str, speaker: str) -> float:
    score = coverage(query, weight, text_of(part, speaker))
    if fits(query.kind, part):
        score += _KIND_BONUS
    if part.rstrip().endswith(("?", "？")) or is_empty_talk(part):
        score -= _EMPTY_PENALTY
    return score


def _excerpt(parts: Sequence[str], best: int, whole: str) -> str:
    if len(whole) <= LONGEST_QUOTE:
        return whole.strip()
    first = last = best
    length = len(parts[best])
    while True:
        grown = False
        for edge, step in ((last + 1, 1), (first - 1, -1)):
            if 0 <= edge < len(parts) and length + len(parts[edge]) + 1 <= LONGEST_QUOTE:
                length += len(parts[edge]) + 1
                first, last = min(first, edge), max(last, edge)
                grown = True
                if step == 1:
                    break
        if not grown:
            break
    text = first_words(" ".join(parts[first : last + 1]), LONGEST_QUOTE)
    return f"{'… ' if first else ''}{text}{' …' if last < len(parts) - 1 and not text.endswith('…') else ''}"


def _speaks_of_the_matter(query: Query, quote: Quote) -> bool:
    """Whether more is shared than the name of a person."""
    matter = [term for term in query.terms if term not in query.names]
    if not matter:
        return True
    text = text_of(quote.hit.text)
    return coverage(query, dict.fromkeys(matter, 1.0), text) > 0


def cited(quote: Quote, *, asker: str | None, chinese: bool) -> str:
    """A quote with who said it and when, and what its time words mean."""
    hit = quote.hit
    day = dates.day_in_words(hit.said_at.date(), chinese=chinese) if hit.said_at is not None else ""
    body = f"“{quote.text}”" if chinese else f'"{quote.text}"'
    if hit.kind == "passage":
        source = hit.source or ("归档记忆" if chinese else "archival storage")
        on = f"，{day}" if chinese and day and not hit.source else f", {day}" if day and not hit.source else ""
        lead = f"{source}{on}：" if chinese else f"From {source}{on}: "
    elif chinese:
        who = {"user": "你", "assistant": "我", asker or "": "你"}.get(hit.speaker, f"{hit.speaker} ")
        lead = f"{who}在{day}说过：" if day else f"{who}说过："
    else:
        who = {"user": "You told me", "assistant": "I said", asker or "": "You told me"}.get(
            hit.speaker, f"{hit.speaker} said"
        )
        lead = f"{who} on {day}: " if day else f"{who}: "
    return f"{lead}{body}{_meanings(quote, chinese=chinese)}"


def _meanings(quote: Quote, *, chinese: bool) -> str:
    whens = [when for when in quote.whens() if when.start != when.end or when.phrase.lower() not in ("today", "今天")][
        :2
    ]
    if not whens:
        return ""
    if chinese:
        return "（" + "，".join(f"“{w.phrase}”指{dates.in_words(w, chinese=True)}" for w in whens) + "）"
    return " (" + ", ".join(f'"{w.phrase}": {dates.in_words(w, chinese=False)}' for w in whens) + ")"


def is_sure(found: Sequence[Quote]) -> bool:
    """Whether the first quote may be taken for the answer."""
    return bool(found) and found[0].covered >= SURE


def keywords(query: Query) -> str:
    """Another wording of the question for a second search: its content words and, where there are any, related ones."""
    from memgpt_cli.llm.offline.words import RELATED  # noqa: PLC0415

    if is_chinese(query.text):
        return " ".join(query.terms)
    words = [word for term in query.terms for word in (term, *sorted(RELATED.get(term, ()))[:4])]
    return " ".join(dict.fromkeys(words))
