"""Putting the reply together: greeting, what was noted, answers, and what small talk deserves."""

import re
from collections.abc import Iterator, Sequence

from memgpt_cli.llm.offline import core_answers, dates, memory, phrases
from memgpt_cli.llm.offline.answers import Quote, cited, is_sure
from memgpt_cli.llm.offline.facts import is_turned, known_name, parse_line, replaced_by, says_all
from memgpt_cli.llm.offline.prompt import Situation
from memgpt_cli.llm.offline.questions import Asked, found_for, search_failed
from memgpt_cli.llm.offline.relevance import coverage, text_of
from memgpt_cli.llm.offline.speech import joined, said_back
from memgpt_cli.llm.offline.talk import Talk
from memgpt_cli.llm.offline.understanding import READ_CHARACTERS, Understanding
from memgpt_cli.llm.offline.words import first_words, is_chinese, terms

EXPLAINED = ("Got it. I keep", "好的，我存下来了")
SUPPORT = 0.5
LONGEST_ECHO = 160
LONGEST_MOOD = 400
_SAD = re.compile(
    r"\b(?:sad|awful|terrible|horrible|tired|exhausted|sick|ill|died|passed away|lonely|depressed|worried|anxious"
    r"|lost my|broke up|fired|failed|hurts?|crying|cried|stressed|upset|miserable|bad (?:day|news|week))\b|难过|伤心"
    r"|累|生病|去世|失业|分手|孤独|焦虑|担心|糟糕|失败|哭|压力|烦",
    re.IGNORECASE,
)
_GLAD = re.compile(
    r"\b(?:i['’]?m (?:so |very |really )?(?:happy|glad|excited|thrilled|proud)|great (?:day|news|week)|good news"
    r"|wonderful|won|passed|promoted|finally)\b|开心|高兴|太好了|升职|通过了|好消息|激动",
    re.IGNORECASE,
)


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
    others = set(talk) - {Talk.GREETING}
    told = any(message.facts or message.told or message.questions for message in understood)
    introduced = Talk.WHO in others or Talk.HELP in others or Talk.ABOUT_ME in others
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
        was = parse_line(old).fact
        clauses.append(f"{clause}（替换了“{was}”）" if chinese else f'{clause} (in place of "{was}")')
    if clauses:
        yield f"记下了：{joined(clauses, chinese=True)}。" if chinese else f"Noted: {joined(clauses, chinese=False)}."
    if done.archived:
        listed = "”、“".join(done.archived) if chinese else '", "'.join(done.archived)
        yield f"已存入归档记忆：“{listed}”。" if chinese else f'Kept in archival storage: "{listed}".'
    if done.removed:
        listed = "”、“".join(done.removed) if chinese else '", "'.join(done.removed)
        yield (
            f"已从核心记忆中删去“{listed}”。原话仍在对话记录里，用 `memgpt forget` 可以彻底删除。"
            if chinese
            else f'I took "{listed}" out of core memory. The words themselves stay in recall storage; `memgpt'
            f" forget` purges them."
        )
    elif any(message.forget for message in understood):
        yield (
            "核心记忆里没有这一条。要彻底删除说过的话，请用 `memgpt forget`。"
            if chinese
            else "Core memory holds no such line. `memgpt forget` purges what was said."
        )
    if not clauses and not done.archived:
        yield from _known_already(situation, understood, speaker, chinese=chinese)
    if any(Talk.REMIND in message.talk for message in understood):
        yield (
            "我没有闹钟，不能提醒你，但这句话已经存下来了，可以随时问我。"
            if chinese
            else "I have no alarm and cannot remind you, but I keep what you wrote; ask me about it any time."
        )


def _clause(line: str, speaker: str | None, *, chinese: bool) -> str:
    return said_back(line, to=speaker) or (f"“{line}”" if chinese else f'"{line}"')


def _known_already(
    situation: Situation, understood: Sequence[Understanding], speaker: str | None, *, chinese: bool
) -> Iterator[str]:
    block = situation.blocks.get(memory.LABEL)
    if block is None:
        return
    lines = []
    for message in understood:
        for fact in message.facts:
            line = replaced_by(fact, message.utterance.speaker, block.text)
            if line is not None and says_all(line, fact) and line not in lines:
                lines.append(line)
    if lines:
        clause = joined([_clause(line, speaker, chinese=chinese) for line in lines], chinese=chinese)
        yield f"我已经知道{clause}。" if chinese else f"I know already: {clause}."


def _answer(asked: Asked, situation: Situation) -> str:
    chinese = asked.chinese
    block = situation.blocks.get(memory.LABEL)
    lines = (
        core_answers.lines_for(asked.question, asked.query, block.text, asker=asked.utterance.speaker)
        if block is not None
        else []
    )
    found = found_for(asked, situation)
    if lines:
        support = [quote for quote in found if _supports(quote, lines)][:1]
        told = core_answers.sentence(lines, asker=asked.utterance.speaker, chinese=chinese)
        return (" " if not chinese else "").join([told, *(_cited(quote, asked) for quote in support)])
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
    named = asked.query.personal and set(asked.query.terms) <= core_answers.NAME_TERMS
    return phrases.nothing_found(chinese=chinese, name_asked=named)


def _supports(quote: Quote, lines: Sequence[str]) -> bool:
    """Whether a quote says what the first of the lines says, its last word included."""
    fact = terms(parse_line(lines[0]).fact)
    said = text_of(quote.hit.text)
    if is_turned(lines[0]) != is_turned(quote.hit.text):
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
            yield _echo(situation, chinese=chinese)
        elif kind is Talk.CLOCK:
            yield _clock(situation, chinese=chinese)
        elif text := phrases.small_talk(kind, chinese=chinese):
            yield text


def _echo(situation: Situation, *, chinese: bool) -> str:
    if not situation.asked:
        return (
            "窗口里看不到更早的话；换个问法，我可以去对话记录里找。"
            if chinese
            else ("I do not see an earlier message here. Ask about its subject and I will search for it.")
        )
    said = first_words(situation.asked[-1].text, LONGEST_ECHO)
    return f"你刚才说：“{said}”" if chinese else f'You just said: "{said}"'


def _clock(situation: Situation, *, chinese: bool) -> str:
    at = situation.pending[-1].said_at
    if at is None:
        return "我没有时钟。" if chinese else "I have no clock."
    day = dates.day_in_words(at.date(), chinese=chinese)
    if chinese:
        return f"我没有时钟，但你的消息写于{day} {at:%H:%M}。"
    return f"I have no clock, but your message is stamped {at:%A}, {day}, {at:%H:%M}."


def _acknowledged(situation: Situation, understood: Sequence[Understanding], *, chinese: bool) -> str:
    if not any(message.told or message.facts or message.keep or message.questions for message in understood):
        return phrases.empty_message(chinese=chinese)
    speaker = understood[-1].utterance.speaker
    explain = (
        speaker is None
        and not situation.replied.startswith(EXPLAINED)
        and not situation.replied.startswith(("Got it", "好的"))
    )
    text = understood[-1].utterance.text[:LONGEST_MOOD]
    mood = "sad" if _SAD.search(text) else "glad" if _GLAD.search(text) else ""
    return phrases.acknowledged(speaker, mood=mood, explain=explain, chinese=chinese)
