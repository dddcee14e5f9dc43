"""Putting the reply together: greeting, what was noted, answers, and what small talk deserves."""

from collections.abc import Iterator, Sequence
from typing import Final

from memgpt_cli.llm.offline import core_answers, memory, phrases
from memgpt_cli.llm.offline.answers import Quote, cited, is_sure
from memgpt_cli.llm.offline.facts import is_turned, known_name, parse_line, replaced_by, says_all, slot
from memgpt_cli.llm.offline.prompt import Situation, Utterance
from memgpt_cli.llm.offline.questions import Asked, found_for, search_failed
from memgpt_cli.llm.offline.relevance import coverage, text_of
from memgpt_cli.llm.offline.speech import joined, said_back
from memgpt_cli.llm.offline.talk import Talk, mood_of
from memgpt_cli.llm.offline.understanding import READ_CHARACTERS, Understanding, understand
from memgpt_cli.llm.offline.words import first_words, is_chinese, terms

SUPPORT: Final = 0.5
"""The share of a core memory line that a quotation must say to be shown beside it."""
LONGEST_ECHO: Final = 160
LONGEST_MOOD: Final = 400
_INTRODUCE: Final = frozenset((Talk.WHO, Talk.HELP, Talk.ABOUT_ME))


def compose(situation: Situation, understood: Sequence[Understanding], asked: Sequence[Asked]) -> str:
    """The reply to everything that is pending; never empty."""
    chinese = _in_chinese(situation, understood)
    if not situation.pending:
        return phrases.nothing_to_answer()
    parts: list[str] = []
    if any(utterance.paged_out for utterance in situation.pending):
        parts.append(phrases.paged_out(chinese=chinese))
    talk = list(dict.fromkeys(kind for message in understood for kind in message.talk))
    parts += _greeting(situation, understood, talk, chinese=chinese)
    parts += _memory(situation, understood, chinese=chinese)
    parts += [_answer(question, situation) for question in asked]
    parts += _small_talk(situation, talk, chinese=chinese)
    if not parts:
        parts.append(_acknowledged(situation, understood, chinese=chinese))
    separator = "\n\n" if asked and len(parts) > 1 else "" if chinese else " "
    return separator.join(dict.fromkeys(parts))


def _in_chinese(situation: Situation, understood: Sequence[Understanding]) -> bool:
    """The language of the last message; of the one before it when that has no letter."""
    texts = [*(u.text for u in situation.asked), *(message.utterance.text for message in understood)]
    spoken = [text for text in texts if any(character.isalpha() for character in text[:READ_CHARACTERS])]
    return bool(spoken) and is_chinese(spoken[-1][:READ_CHARACTERS])


def _greeting(
    situation: Situation, understood: Sequence[Understanding], talk: Sequence[Talk], *, chinese: bool
) -> Iterator[str]:
    if Talk.GREETING not in talk:
        return
    block = situation.blocks.get(memory.LABEL)
    text = block.text if block is not None else ""
    speaker = understood[-1].utterance.speaker
    told = any(message.facts or message.told or message.questions for message in understood)
    introduced = not _INTRODUCE.isdisjoint(talk)
    yield phrases.greeting(
        speaker or known_name(text),
        known=bool(text or told or introduced or situation.replied or speaker),
        chinese=chinese,
    )


def _memory(situation: Situation, understood: Sequence[Understanding], *, chinese: bool) -> Iterator[str]:
    done = memory.results(situation)
    speaker = understood[-1].utterance.speaker if understood and not situation.among_people else None
    clauses = [_clause(line, speaker, chinese=chinese) for line in done.noted]
    for old, new in done.changed:
        clause = _clause(new, speaker, chinese=chinese)
        clauses.append(phrases.replaced(clause, parse_line(old).fact, chinese=chinese))
    if clauses:
        yield phrases.noted(joined(clauses, chinese=chinese), chinese=chinese)
    if done.archived:
        yield phrases.archived(done.archived, chinese=chinese)
    if done.removed:
        yield phrases.removed(done.removed, chinese=chinese)
    elif any(message.forget for message in understood):
        yield phrases.nothing_to_remove(chinese=chinese)
    known = [] if clauses or done.archived else _known_already(situation, understood)
    if known:
        told = [_clause(line, speaker, chinese=chinese) for line in known]
        yield phrases.known(joined(told, chinese=chinese), chinese=chinese)


def _clause(line: str, speaker: str | None, *, chinese: bool) -> str:
    return said_back(line, to=speaker) or phrases.quoted([line], chinese=chinese)


def _known_already(situation: Situation, understood: Sequence[Understanding]) -> list[str]:
    block = situation.blocks.get(memory.LABEL)
    text = block.text if block is not None else ""
    lines: list[str] = []
    for message in understood:
        for fact in message.facts:
            line = replaced_by(fact, message.utterance.speaker, text)
            if line is not None and says_all(line, fact) and line not in lines:
                lines.append(line)
    return lines


def _answer(asked: Asked, situation: Situation) -> str:
    chinese = asked.chinese
    block = situation.blocks.get(memory.LABEL)
    text = block.text if block is not None else ""
    lines = core_answers.lines_for(asked.question, asked.query, text, asker=asked.utterance.speaker)
    found = found_for(asked, situation)
    if lines:
        support = [quote for quote in found if _supports(quote, lines)][:1]
        told = core_answers.sentence(lines, asker=asked.utterance.speaker, chinese=chinese)
        return (" " if not chinese else "").join([told, *(_cited(quote, asked) for quote in support)])
    if _asks_own_name(asked):
        found = [quote for quote in found if _tells_name(quote)]
    if not found:
        return _no_answer(asked, situation)
    listed = [_cited(quote, asked) for quote in found]
    return "\n".join(listed if is_sure(found) else [phrases.nearest(chinese=chinese), *listed])


def _no_answer(asked: Asked, situation: Situation) -> str:
    chinese = asked.chinese
    if search_failed(situation):
        return phrases.search_failed(chinese=chinese)
    if not asked.query.terms and asked.days is None:
        return phrases.cannot_reason(chinese=chinese)
    if situation.lost:
        return phrases.no_room(chinese=chinese)
    return phrases.nothing_found(chinese=chinese, name_asked=_asks_own_name(asked))


def _asks_own_name(asked: Asked) -> bool:
    return asked.query.personal and set(asked.query.terms) <= core_answers.NAME_TERMS


def _tells_name(quote: Quote) -> bool:
    """Whether somebody says in it what they are called, and not what their dog is called."""
    told = understand(Utterance(text=quote.hit.text)).facts
    return any(slot(fact.line) in ("name", "called") for fact in told)


def _supports(quote: Quote, lines: Sequence[str]) -> bool:
    """Whether a quote says what the first of the lines says, its last word included."""
    fact = terms(parse_line(lines[0]).fact)
    said = text_of(quote.hit.text)
    if is_turned(lines[0]) != is_turned(quote.hit.text) or core_answers.is_of_the_past(quote.text):
        return False
    return bool(fact) and said.holds(fact[-1]) and coverage(dict.fromkeys(fact, 1.0), said) >= SUPPORT


def _cited(quote: Quote, asked: Asked) -> str:
    return cited(quote, asker=asked.utterance.speaker, chinese=asked.chinese)


def _small_talk(situation: Situation, talk: Sequence[Talk], *, chinese: bool) -> Iterator[str]:
    block = situation.blocks.get(memory.LABEL)
    for kind in talk:
        if kind is Talk.ABOUT_ME:
            yield core_answers.overview(block.text if block is not None else "", chinese=chinese)
        elif kind is Talk.ECHO:
            said = situation.asked[-1].text if situation.asked else ""
            yield phrases.echo(first_words(said, LONGEST_ECHO), chinese=chinese)
        elif kind is Talk.CLOCK:
            yield phrases.clock(situation.pending[-1].said_at, chinese=chinese)
        elif text := phrases.small_talk(kind, chinese=chinese):
            yield text


def _acknowledged(situation: Situation, understood: Sequence[Understanding], *, chinese: bool) -> str:
    if not any(message.told or message.facts or message.keep or message.questions for message in understood):
        return phrases.empty_message(chinese=chinese)
    said = understood[-1].utterance
    explain = said.speaker is None and not phrases.is_acknowledgement(situation.replied)
    return phrases.acknowledged(said.speaker, mood=mood_of(said.text[:LONGEST_MOOD]), explain=explain, chinese=chinese)
