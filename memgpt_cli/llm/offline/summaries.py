"""Summaries by extraction: the sentences of the old summary and of the messages that say most, in their order."""

import re
from typing import Final

from memgpt_cli.domain.chat import ChatRequest
from memgpt_cli.llm.offline.prompt import speaker_and_text
from memgpt_cli.llm.offline.relevance import informativeness, is_empty_talk, text_of
from memgpt_cli.llm.offline.words import first_words, sentences

USUAL_TOKENS: Final = 512
"""The bound when the request gives none."""
LONGEST_SENTENCE: Final = 300
FEWEST_TERMS: Final = 2
FEWEST_TERMS_OF_TALK: Final = 4
OLD_SHARE: Final = 0.5
"""The most of the bound that sentences of the old summary may take when the messages fill the rest."""

_OLD: Final = re.compile(r"^Summary so far:\n(.*?)\n\nMessages that leave the window:\n", re.DOTALL)
_NOT_SAID: Final = re.compile(
    r"^\(\S+ (?:answered|failed): |^\(called |^\(This message is being answered|^\(nothing yet\)$"
)
_SAID: Final = re.compile(r"^\[[^\]]*\] (user|assistant): ")


def tokens_at_most(text: str) -> int:
    """Tokens of a text, rather too many than too few: a third for each ASCII character, half for each other byte."""
    ascii_only = sum(character < "\x80" for character in text)
    return -(-ascii_only // 3) + -(-(len(text.encode("utf-8", "surrogatepass")) - ascii_only) // 2)


def summary(request: ChatRequest) -> str:
    """The summary that the request asks for, within its `max_tokens`."""
    content = next((m.content or "" for m in reversed(request.messages) if m.role == "user"), "")
    bound = request.max_tokens or USUAL_TOKENS
    old, messages = _parts(content)
    kept = [line.strip() for line in old.split("\n") if line.strip() and not _NOT_SAID.match(line)]
    said = list(_said(messages))
    new = _chosen(said, bound - min(sum(tokens_at_most(s) + 1 for s in kept), int(bound * OLD_SHARE)))
    before = _chosen(kept, bound - sum(tokens_at_most(s) + 1 for s in new))
    return "\n".join([*before, *new])


def _parts(content: str) -> tuple[str, str]:
    match = _OLD.match(content)
    return (match[1], content[match.end() :]) if match else ("", content)


def _said(messages: str) -> list[str]:
    """The sentences of the messages, each with the day and the name of whoever said it, but for the assistant's."""
    found = []
    for line in messages.split("\n"):
        if not line.strip() or _NOT_SAID.match(line):
            continue
        role = _SAID.match(line)
        if role is not None and role[1] == "assistant":
            continue
        utterance = speaker_and_text(line)
        day = f"{utterance.said_at:%Y-%m-%d}" if utterance.said_at is not None else ""
        text = utterance.text.removeprefix("user: ")
        lead = " ".join(part for part in (day, utterance.speaker or "") if part)
        for sentence in sentences(text):
            if len(text_of(sentence).terms) >= (FEWEST_TERMS_OF_TALK if is_empty_talk(sentence) else FEWEST_TERMS):
                short = first_words(sentence, LONGEST_SENTENCE)
                found.append(f"{lead}: {short}" if lead else short)
    return found


def _chosen(lines: list[str], bound: int) -> list[str]:
    """The lines that say most, within `bound` tokens, in their order."""
    unique = list(dict.fromkeys(lines))
    scores = informativeness([text_of(re.sub(r"^\d{4}-\d\d-\d\d[^:]*: ", "", line)) for line in unique])
    taken: set[int] = set()
    left = bound
    for index in sorted(range(len(unique)), key=lambda i: (-scores[i], i)):
        cost = tokens_at_most(unique[index]) + 1
        if cost <= left:
            taken.add(index)
            left -= cost
    return [line for index, line in enumerate(unique) if index in taken]
