"""What becomes of facts: which calls write them, and what the results of those calls say.

A changed fact takes the place of the old line, a known one is not written again, and what finds no room in the block
goes to archival storage.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from memgpt_cli.llm.offline import chinese, english
from memgpt_cli.llm.offline.corrections import Correction, corrected_line
from memgpt_cli.llm.offline.facts import (
    Fact,
    lines_of,
    parse_line,
    replaced_by,
    says_all,
    slot,
    unique_part,
    with_name,
)
from memgpt_cli.llm.offline.prompt import BlockView, Returned, Situation
from memgpt_cli.llm.offline.relevance import coverage, query_of, text_of
from memgpt_cli.llm.offline.speech import said_back
from memgpt_cli.llm.offline.understanding import Understanding
from memgpt_cli.llm.offline.words import is_chinese

LABEL: Final = "human"
APPEND: Final = "core_memory_append"
REPLACE: Final = "core_memory_replace"
INSERT: Final = "archival_memory_insert"
NEARLY_FULL: Final = 0.9
"""Share of the block up to which facts about several named speakers are written."""

MEANT: Final = 0.6
"""The share of what is to be forgotten that a line must speak of."""

_LASTING: Final = re.compile(
    r"(?:Lives|Works|Comes|Is|Loves|Hates|Has|Age|Birthday|Allergic|Diagnosed|Favorite|Plays|Studies|No longer"
    r"|Cannot)\b|(?:\w+ )?(?:wife|husband|partner|mother|father|mom|dad|brother|sister|son|daughter|children|kids|dog"
    r"|cat)\b|住在|来自|在.+工作|职业|年龄|生日|对.+过敏|最喜欢|有[一两三]",
    re.IGNORECASE,
)


_PASSING_LOVE: Final = re.compile(r"(?:Loves|Hates) (?:the|all|this|that|these|those|how|seeing|your)\b")


@dataclass(frozen=True, slots=True)
class Call:
    """A function call to make."""

    name: str
    arguments: dict[str, object]


@dataclass(slots=True)
class Results:
    """What this turn's calls have done so far. `failed` holds texts that found no place in core memory."""

    noted: list[str] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    archived: list[str] = field(default_factory=list)
    failed: list[Returned] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


class Notebook:
    """The block as it will be when the calls planned so far have run."""

    def __init__(self, block: BlockView | None, functions: frozenset[str], *, among_people: bool = False) -> None:
        self._block = block
        self._among_people = among_people
        self._functions = functions
        self.text = block.text if block is not None else ""
        self.calls: list[Call] = []

    def note(self, fact: Fact, speaker: str | None) -> None:
        """Plan what this fact needs: nothing, an addition, a replacement, or a passage when there is no room."""
        if self._among_people and (not _LASTING.match(fact.line) or _PASSING_LOVE.match(fact.line)):
            return
        fact = with_name(fact, speaker, self.text)
        line = f"{speaker}: {fact.line}" if speaker else fact.line
        old = replaced_by(fact, speaker, self.text)
        if old is not None and (fact.unless_known or says_all(old, fact)):
            return
        if self._replaces(old, line) or self.appends(line):
            return
        if not self._among_people:
            self.keep(line)

    def correct(self, correction: Correction, speaker: str | None) -> str | None:
        """Plan the change of the one line that a correction means; what that line is about, where there is one."""
        meant = corrected_line(correction, self.text, speaker)
        return slot(parse_line(meant[1]).fact) if meant is not None and self._replaces(*meant) else None

    def keep(self, text: str) -> None:
        """Plan a passage."""
        if INSERT in self._functions and text:
            self.calls.append(Call(INSERT, {"content": text}))

    def drop(self, line: str) -> bool:
        """Plan the removal of a line."""
        part = unique_part(self.text, line)
        if part is None or not self._writable(REPLACE):
            return False
        kept = part.removesuffix(line).rstrip("\n")
        self.calls.append(Call(REPLACE, {"label": LABEL, "old_content": part, "new_content": kept}))
        self.text = "\n".join(row for row in self.text.replace(part, kept).split("\n") if row.strip())
        return True

    def _writable(self, function: str) -> bool:
        return function in self._functions and self._block is not None and not self._block.read_only

    def _fits(self, text: str, *, sparing: bool) -> bool:
        limit = self._block.limit if self._block is not None else 0
        room = limit * NEARLY_FULL if sparing else limit
        ascii_only = sum(character < "\x80" for character in text)
        tokens = ascii_only / 4 + (len(text) - ascii_only) * 1.1
        return len(text) <= room and tokens <= room / 2

    def _replaces(self, old: str | None, line: str) -> bool:
        if old is None or not self._writable(REPLACE):
            return False
        part = unique_part(self.text, old)
        if part is None:
            return False
        new = part.removesuffix(old) + line
        text = self.text.replace(part, new)
        if not self._fits(text, sparing=False):
            return False
        self.calls.append(Call(REPLACE, {"label": LABEL, "old_content": part, "new_content": new}))
        self.text = text
        return True

    def appends(self, line: str) -> bool:
        """Plan a new line; False when the block cannot take it."""
        text = f"{self.text}\n{line}" if self.text else line
        if not self._writable(APPEND) or not self._fits(text, sparing=self._among_people):
            return False
        self.calls.append(Call(APPEND, {"label": LABEL, "content": line}))
        self.text = text
        return True


def planned(situation: Situation, understood: Iterable[Understanding]) -> list[Call]:
    """The calls that write what was said."""
    notebook = Notebook(situation.blocks.get(LABEL), situation.functions, among_people=situation.among_people)
    for message in understood:
        for content in message.forget:
            for line in lines_meant(content, notebook.text):
                notebook.drop(line)
        speaker = message.utterance.speaker
        corrected = {notebook.correct(correction, speaker) for correction in message.corrections} - {None}
        for fact in message.facts:
            if slot(fact.line) not in corrected:
                notebook.note(fact, speaker)
        for text in message.keep:
            notebook.keep(text)
    return notebook.calls


def lines_meant(content: str, block: str) -> list[str]:
    """The lines that "forget that I like coffee" or "forget my address" means."""
    sentence = re.sub(r"^(?:that|about|the fact that)\s+", "", content, flags=re.IGNORECASE)
    facts = list(chinese.facts(sentence) if is_chinese(sentence) else english.facts(sentence))
    lines = lines_of(block)
    about = {slot(fact.line) for fact in facts} - {None}
    meant = [line for line in lines if slot(parse_line(line).fact) in about]
    if meant or not lines:
        return meant
    query = query_of(sentence)
    if not query.terms:
        return []
    weight = dict.fromkeys(query.terms, 1.0)
    return [line for line in lines if coverage(weight, text_of(f"{said_back(line) or ''} {line}")) >= MEANT]


def results(situation: Situation) -> Results:
    """What the calls of this turn have done."""
    done = Results()
    for step in situation.steps:
        for call in step:
            text = str(call.arguments.get("content") or call.arguments.get("new_content") or "")
            if call.name == APPEND:
                (done.noted.append(text) if call.ok else done.failed.append(call))
            elif call.name == REPLACE:
                _replaced(call, text, done)
            elif call.name == INSERT:
                (done.archived if call.ok else done.lost).append(text)
    return done


def _replaced(call: Returned, new: str, done: Results) -> None:
    old = str(call.arguments.get("old_content", ""))
    if not call.ok:
        done.failed.append(call)
    elif not new or old.startswith(f"{new}\n"):
        done.removed.append(old[len(new) :].strip("\n"))
    else:
        done.changed.append((_last_line(old), _last_line(new)))


def second_try(situation: Situation, failed: Sequence[Returned]) -> list[Call]:
    """Where facts go whose call failed: a new line when the old one was not found, else archival storage."""
    block = situation.blocks.get(LABEL)
    notebook = Notebook(block, situation.functions)
    for call in failed:
        line = str(call.arguments.get("content") or call.arguments.get("new_content") or "")
        line = _last_line(line)
        if not line or situation.among_people:
            continue
        not_found = call.name == REPLACE and "found" in call.text
        if not (not_found and notebook.appends(line)):
            notebook.keep(line)
    return notebook.calls


def _last_line(text: str) -> str:
    """The line itself of a text that was widened until it was unique."""
    return text.rsplit("\n", 1)[-1]
