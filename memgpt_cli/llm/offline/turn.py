"""One step of a turn: from a situation to the calls that note and search, or to the reply that quotes the hits."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from memgpt_cli.llm.offline import notes, phrases
from memgpt_cli.llm.offline.answers import Quote, cited, is_overview, of_days, quotes
from memgpt_cli.llm.offline.hearing import ClassifiedMessage, Phatic, hear
from memgpt_cli.llm.offline.notes import LABEL, NoteCall
from memgpt_cli.llm.offline.relevance import RelevanceQuestion
from memgpt_cli.llm.prompt_reading import SEARCHES, PromptHit, Situation, Utterance, hits
from memgpt_cli.text import relative_dates
from memgpt_cli.text.asking import asks_assistant
from memgpt_cli.text.words import is_chinese

STEPS_WITH_CALLS: Final = 2
"""Maximum steps with calls in a turn; the next one replies."""
MOST_QUESTIONS: Final = 3
LONGEST_QUERY: Final = 300
_FULL: Final = 2.0
"""Weight of a question's words above which it needs no context."""

_PRONOUN: Final = re.compile(
    r"\b(?:he|she|they|him|her|his|hers|it|its|that|them|their|there)\b|[他她它那]", re.IGNORECASE
)
_DID_WHAT: Final = re.compile(
    r"\b(?:what|anything)\b.*\b(?:do|did|done|doing|happen|happened|say|said|tell|told|talk|talked|up to)\b"
    r"|(?:做|干|说|聊|讲|发生)了?(?:些)?什么|什么事",
    re.IGNORECASE,
)
_EMPTY_DOING: Final = re.compile(
    r"\b(?:do|did|done|doing|happen\w*|say|said|tell|told|talk\w*|up to)\b|[做干说聊讲事]|发生", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQuestion:
    """One question with its search terms. `days` limits the search for "what did I do yesterday?"."""

    question: RelevanceQuestion
    utterance: Utterance
    days: relative_dates.When | None = None

    @property
    def query(self) -> str:
        """Return the query of the first search."""
        return f"{self.question.text} {self.question.context}".strip()[:LONGEST_QUERY]

    @property
    def second_query(self) -> str:
        """Return the query of the second search: words that may occur in an answer instead."""
        return " ".join([*self.question.weights, *self.question.related()])[:LONGEST_QUERY]


def respond(situation: Situation) -> str | list[NoteCall]:
    """Return calls, or the reply that ends the turn."""
    block = situation.blocks.get(LABEL)
    known = block.text if block is not None else ""
    spoken = [u for u in situation.pending if not u.paged_out and not u.quoted]
    heard = [hear(u, among_people=situation.among_people, known=known) for u in spoken]
    asked = [_asked(text, message, situation) for message in heard for text in message.questions][-MOST_QUESTIONS:]
    if not situation.lost and len(situation.steps) < STEPS_WITH_CALLS:
        calls = [*notes.second_try(situation), *_second(asked, situation)]
        if not situation.steps:
            calls = [*notes.planned(situation, heard), *_searches(asked)]
        if calls := [call for call in calls if call.name in situation.functions]:
            return calls
    return _reply(situation, heard, asked)


def _asked(text: str, message: ClassifiedMessage, situation: Situation) -> AskedQuestion:
    question = RelevanceQuestion(text)
    if sum(question.weights.values()) < _FULL and (_PRONOUN.search(text) or not question.weights):
        before = [message.utterance.text.partition(text)[0], *(u.text for u in reversed(situation.asked))]
        question = RelevanceQuestion(text, next((told.strip()[:200] for told in before if told.strip()), ""))
    at = message.utterance.said_at
    whens = relative_dates.resolve(text, at.date()) if at is not None and _DID_WHAT.search(text) else []
    rest = _EMPTY_DOING.sub(" ", text)
    for when in whens:
        rest = rest.replace(when.phrase, " ")
    return AskedQuestion(
        question=question,
        utterance=message.utterance,
        days=whens[0] if whens and not RelevanceQuestion(rest).weights else None,
    )


def _searches(asked: Sequence[AskedQuestion]) -> Iterator[NoteCall]:
    for question in asked:
        if question.days is not None:
            days = question.days
            bounds = {"start_date": days.start.isoformat(), "end_date": days.end.isoformat()}
            yield NoteCall(SEARCHES[0], {"query": "", **bounds, "role": "user"})
        role = {} if asks_assistant(question.question.text) else {"role": "user"}
        if question.question.weights:
            yield NoteCall(SEARCHES[0], {"query": question.query, **role})
            yield NoteCall(SEARCHES[1], {"query": question.query})


def _second(asked: Sequence[AskedQuestion], situation: Situation) -> Iterator[NoteCall]:
    for question in asked:
        told = any(quote.hit.kind == "message" for quote in _answers(question, situation))
        if question.days is None and question.question.related() and not told:
            yield NoteCall(SEARCHES[0], {"query": question.second_query, "role": "user"})


def _found(asked: AskedQuestion, situation: Situation) -> list[PromptHit]:
    queries = {asked.query, asked.second_query, "" if asked.days is not None else asked.query}
    found: dict[str, PromptHit] = {}
    for call in (call for step in situation.steps for call in step):
        if call.name in SEARCHES and call.ok and call.arguments.get("query") in queries:
            for hit in hits(call.text):
                found.setdefault(hit.ref, hit)
    return list(found.values())


def _answers(asked: AskedQuestion, situation: Situation) -> list[Quote]:
    """Return the quotations: the line of core memory with the answer, or the best hits."""
    block = situation.blocks.get(LABEL)
    lines = [line for line in (block.text if block is not None else "").split("\n") if line.strip()]
    found = _found(asked, situation)
    own = [utterance.text for utterance in situation.pending]
    question = asked.question
    if asked.days is not None:
        return of_days(found, asked.days, asked=own)
    subject = None if question.kin or is_overview(question) else notes.asked_slot(question.text)
    if subject is None:
        return quotes(question, found, asked=own, lines=lines)
    speaker = asked.utterance.speaker
    mine = [line for line in lines if speaker is None or line.startswith(f"{speaker}: ")]
    told = [hit for hit in found if hit.kind == "message" and hit.speaker in ("user", speaker) and hit.text not in own]
    told.sort(key=lambda hit: int(hit.ref[1:]))
    for line in notes.lines_on(subject, mine):
        source = next((hit for hit in reversed(told) if notes.said(line) in hit.text), None)
        return [Quote(hit=source or PromptHit(kind="block", ref="", text=line), text=notes.said(line), share=1.0)]
    texts = {part: hit for hit in told for part in hear(Utterance(text=hit.text)).notes}
    return [Quote(hit=texts[part], text=part, share=1.0) for part in notes.lines_on(subject, list(texts))]


def _reply(situation: Situation, heard: Sequence[ClassifiedMessage], asked: Sequence[AskedQuestion]) -> str:
    """Return the reply to all pending messages; never empty."""
    texts = [*(u.text for u in situation.asked), *(m.utterance.text for m in heard)]
    spoken = [text for text in texts if any(character.isalpha() for character in text)]
    say = phrases.CHINESE if spoken and is_chinese(spoken[-1][:4000]) else phrases.ENGLISH
    if not situation.pending:
        return say["nothing_to_answer"]
    talk = list(dict.fromkeys(kind for message in heard for kind in message.talk))
    parts = [say["paged_out"]] if any(utterance.paged_out for utterance in situation.pending) else []
    parts += [say["quoted"]] if any(u.quoted for u in situation.pending) and not heard else []
    if Phatic.GREETING in talk:
        parts.append(say["hello"] if situation.replied or asked or heard[-1].notes else say["first_hello"])
    parts += _written(situation, heard, say)
    parts += [_answer(question, situation, say) for question in asked]
    parts += _small_talk(situation, talk, say)
    if not parts:
        parts.append(_acknowledged(situation, heard, say))
    return ("\n\n" if asked and len(parts) > 1 else say["space"]).join(dict.fromkeys(parts))


def _written(situation: Situation, heard: Sequence[ClassifiedMessage], say: phrases.Phrases) -> Iterator[str]:
    """Yield the results of the writes, in the user's own words."""
    done = notes.done(situation)
    if done.noted:
        yield say["noted"].format(say.quoted(done.noted))
    for old, new in done.replaced:
        yield (say["replaced"] if old else say["noted"]).format(say.quoted([new]), say.quoted([old]))
    if done.archived:
        yield say["archived"].format(say.quoted(done.archived))
    if done.held:
        yield say["held"]
    if done.refused:
        yield say["refused"]
    if done.removed:
        yield say["removed"].format(say.quoted(done.removed))
    elif any(message.forget for message in heard):
        yield say["nothing_to_remove"]
    if not situation.steps or not (done.noted or done.replaced or done.archived or done.failed):
        notebook = notes.Notebook(situation)
        known = [text for message in heard for text in message.notes if notebook.has(text)]
        if known and not situation.among_people:
            yield say["known"].format(say.quoted(known))


def _answer(asked: AskedQuestion, situation: Situation, say: phrases.Phrases) -> str:
    if quoted := _answers(asked, situation):
        return "\n".join(cited(quote, asker=asked.utterance.speaker, chinese=say.chinese) for quote in quoted)
    outcomes = [call.ok for step in situation.steps for call in step if call.name in SEARCHES]
    if outcomes and not any(outcomes):
        return say["search_failed"]
    if situation.lost:
        return say["no_room"]
    return say["not_told"] if asked.question.weights or asked.days else say["cannot"]


def _small_talk(situation: Situation, talk: Sequence[Phatic], say: phrases.Phrases) -> Iterator[str]:
    block = situation.blocks.get(LABEL)
    for kind in talk:
        if kind is Phatic.ABOUT_ME:
            text = block.text.strip() if block is not None else ""
            yield say["overview"].format(text) if text else say["nothing_known"]
        elif kind is Phatic.ECHO:
            yield say["echo"].format(situation.asked[-1].text[:200]) if situation.asked else say["not_told"]
        elif kind is Phatic.CLOCK:
            at = situation.pending[-1].said_at
            day = relative_dates.day_in_words(at.date(), chinese=say.chinese) if at is not None else ""
            yield say["clock"].format(f"{day} {at:%H:%M}") if at is not None else say["no_clock"]
        elif kind in say:
            yield say[kind]


def _acknowledged(situation: Situation, heard: Sequence[ClassifiedMessage], say: phrases.Phrases) -> str:
    if not any(message.told or message.notes or message.keep for message in heard):
        return say["empty"]
    if name := heard[-1].utterance.speaker:
        return say["got_it_from"].format(name)
    return (
        say["got_it"]
        if situation.replied.startswith(say["got_it"])
        else f"{say['got_it']}{say['space']}{say['ask_me']}"
    )
