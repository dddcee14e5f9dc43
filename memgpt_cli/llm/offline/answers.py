"""From search results to an answer: the sentences that hold it, and when and by whom they were said."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from memgpt_cli.llm.offline import dates
from memgpt_cli.llm.offline.asking import is_question
from memgpt_cli.llm.offline.prompt import Hit
from memgpt_cli.llm.offline.relevance import Query, coverage, fits, is_empty_talk, is_personal, text_of, weights
from memgpt_cli.llm.offline.subjects import Somebody, own_part, speaks_of
from memgpt_cli.llm.offline.understanding import is_forget
from memgpt_cli.llm.offline.words import COMMON_STEMS, first_words, in_words, related_words, sentences

MOST_QUOTES: Final = 3
LONGEST_QUOTE: Final = 240
"""Characters of a message that is quoted whole; of a longer one the best sentence and what stands next to it."""
RELEVANT: Final = 0.2
"""The share of a question that a quoted text must speak of."""
NEAR: Final = 0.1
"""The share from which a text may stand alone as the nearest thing, when nothing relevant was found."""
SURE: Final = 0.5
"""The share from which it is taken for the answer and not only for the nearest thing there is."""
NEAR_THE_BEST: Final = 0.65
"""Further quotes must come this close to the score of the first."""

_SENTENCE_WEIGHT: Final = 0.5
_MESSAGE_WEIGHT: Final = 0.25
_BEFORE_WEIGHT: Final = 0.4
_RANK_WEIGHT: Final = 0.5
_KIND_BONUS: Final = 0.12
_WHOSE_BONUS: Final = 0.25
_EMPTY_PENALTY: Final = 0.15
SHORTEST_OF_A_MODEL: Final = 80
"""Characters below which something the assistant said is taken for one of the responder's own replies."""
_OWN_WORDS: Final = re.compile(
    r"language model|core memory|recall storage|archival storage|You told me|said on \d{1,2} \w+ \d{4}|You just said"
    r"|Noted: |I know already|Got it|语言模型|核心记忆|归档记忆|说过：“|记下了"
)
_EXPLAINED_DATE: Final = ("today", "今天")


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


def quotes(query: Query, found: Sequence[Hit], *, asked: Iterable[str], about: Somebody | None = None) -> list[Quote]:
    """The best quotes, best first, at most `MOST_QUOTES`; where none is relevant, the nearest one, if any comes near.

    `asked` are messages of this turn, which are no answer to themselves. `about` is the relative whom the question is
    about: what speaks of others is no answer then.
    """
    said_now = {_squeezed(text) for text in asked}
    hits = [hit for hit in found if _squeezed(hit.text) not in said_now]
    if about is not None:
        hits = [hit for hit in hits if hit.kind == "passage" or speaks_of(hit.text, about)]
    own = query.personal and about is None and not query.names and query.kind != "who"
    rated = sorted(_rated(query, hits, own=own), key=lambda quote: -quote.score)
    relevant = [quote for quote in rated if quote.covered >= RELEVANT]
    if relevant and query.names and _names_somebody(query, relevant[0].hit):
        relevant = [quote for quote in relevant if _names_somebody(query, quote.hit)]
    best: list[Quote] = []
    for quote in relevant or rated[:1]:
        if len(best) == MOST_QUOTES or (best and quote.score < NEAR_THE_BEST * best[0].score):
            break
        if not any(_repeats(quote.text, other.text) for other in best):
            best.append(quote)
    return best


def _rated(query: Query, hits: Sequence[Hit], *, own: bool) -> Iterator[Quote]:
    """The hits that bear on the question at all, each with its score.

    A message is judged by its own words and by the message before it where that was found too: "In 2019." answers the
    question in front of it.
    """
    texts = [text_of(_own_words(hit) if own else hit.text, _frame(hit)) for hit in hits]
    weight = weights(query.terms, texts)
    matter = _matter(query, weight)
    shares = [coverage(weight, text) for text in texts]
    by_ref = {hit.ref: (hit.speaker, share) for hit, share in zip(hits, shares, strict=True)}
    for rank, (hit, text, share) in enumerate(zip(hits, texts, shares, strict=True)):
        before = _share_before(hit, by_ref)
        covered = min(1.0, share + before / 2)
        if covered < NEAR or not (before or coverage(matter, text)) or _is_no_answer(hit):
            continue
        quoted, score = _best_part(query, weight, hit)
        score += _MESSAGE_WEIGHT * share + _BEFORE_WEIGHT * before + _RANK_WEIGHT / (1 + 0.25 * rank)
        yield Quote(hit=hit, text=quoted, covered=covered, score=score + _whose(query, hit))


def _names_somebody(query: Query, hit: Hit) -> bool:
    """Whether it speaks of somebody whose name the question holds; what others than the one user say may always."""
    if hit.speaker != "user":
        return True
    told = text_of(hit.text, _frame(hit))
    return any(told.holds(name) for name in query.names)


def _own_words(hit: Hit) -> str:
    """What the asker has told of themselves in it; a passage and what others say is taken whole."""
    return own_part(hit.text) if hit.kind == "message" and hit.speaker == "user" else hit.text


def _repeats(one: str, other: str) -> bool:
    one, other = _squeezed(one), _squeezed(other)
    return one in other or other in one


def _matter(query: Query, weight: Mapping[str, float]) -> Mapping[str, float]:
    """The words that say what is asked: neither names nor common words, where there are others."""
    unnamed = {term: value for term, value in weight.items() if term not in query.names}
    return {term: value for term, value in unnamed.items() if term not in COMMON_STEMS} or weight


def _share_before(hit: Hit, found: Mapping[str, tuple[str, float]]) -> float:
    """What was said just before it among named people, when that was found too; half for the message before that."""
    if hit.kind != "message":
        return 0.0
    number = int(hit.ref[1:])
    most = 0.0
    for distance in (1, 2):
        speaker, share = found.get(f"m{number - distance}", (hit.speaker, 0.0))
        if speaker != "assistant" and (speaker != hit.speaker or speaker != "user"):
            most = max(most, share / distance)
    return most


def _frame(hit: Hit) -> str:
    """What a message speaks of by who said it and when: questions name speakers and dates too."""
    day = dates.day_in_words(hit.said_at.date(), chinese=False) if hit.said_at is not None else ""
    return f"{hit.speaker} {day}"


def _is_no_answer(hit: Hit) -> bool:
    if hit.speaker == "assistant":
        return len(hit.text) < SHORTEST_OF_A_MODEL or _OWN_WORDS.search(hit.text) is not None
    if hit.kind == "passage":
        return False
    return all(is_question(sentence) or is_forget(sentence) for sentence in sentences(hit.text))


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _best_part(query: Query, weight: Mapping[str, float], hit: Hit) -> tuple[str, float]:
    """What to quote of a hit, and what its best sentence is worth."""
    parts = list(sentences(hit.text.replace(" / ", "\n"))) or [hit.text]
    scores = [_sentence_score(query, weight, part, hit.speaker) for part in parts]
    best = max(range(len(parts)), key=scores.__getitem__)
    return _excerpt(parts, best, hit.text), _SENTENCE_WEIGHT * scores[best]


def _whose(query: Query, hit: Hit) -> float:
    """What it adds that the one who speaks is the one who is asked about."""
    if not hit.speaker:
        return 0.0
    if any(name in text_of(hit.speaker).terms for name in query.names):
        return _WHOSE_BONUS
    return _WHOSE_BONUS if query.personal and hit.speaker == "user" and is_personal(hit.text) else 0.0


def _sentence_score(query: Query, weight: Mapping[str, float], part: str, speaker: str) -> float:
    score = coverage(weight, text_of(part, speaker))
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
    whens = [when for when in quote.whens() if when.start != when.end or when.phrase.lower() not in _EXPLAINED_DATE][:2]
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
    said = in_words(query.text)
    words = [word for term in query.terms for word in (said.get(term, term), *related_words(term)[:4])]
    return " ".join(dict.fromkeys(words))
