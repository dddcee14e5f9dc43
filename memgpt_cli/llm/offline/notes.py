"""Plan the calls that write the user's statements to core memory, and read their results.

A note is the user's sentence, unchanged, with a date if its time words need one. A few subjects (name, home, work, age,
birthday) replace their line; all others are added.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from memgpt_cli.llm.offline.hearing import ClassifiedMessage, corrects
from memgpt_cli.llm.offline.relevance import RelevanceQuestion
from memgpt_cli.llm.prompt_reading import BlockView, Situation
from memgpt_cli.text import relative_dates
from memgpt_cli.text.words import is_chinese

LABEL: Final = "human"
APPEND: Final = "core_memory_append"
REPLACE: Final = "core_memory_replace"
INSERT: Final = "archival_memory_insert"
NEARLY_FULL: Final = 0.9
"""Share of the block up to which the notes of several named speakers are written."""
MOST_MOVED: Final = 3
"""Maximum number of lines that one note may move to archival storage to make space."""
_MEANT: Final = 0.6
"""The share of the words to forget that a line must contain."""

_ADVERB: Final = r"(?: (?:now|currently|actually|just|recently|still|don['’]?t|do not|no longer|also))*"
_SLOTS: Final = {
    "name": r"my (?:real |full |first )?name(?:['’]?s\b| is\b| isn)"
    r"|i(?:['’]?m| am) called |(?:please )?call me |i go by "
    r"|.*\bnot my (?:real )?name\b"
    r"|(?:我|我们)?(?:现在)?(?:叫(?![你他她了车醒外我])|的名字[是叫不]|姓|改名)|(?:请)?叫我",
    "home": rf"(?:i|we)(?:['’]?(?:m|re|ve)| am| are| have)?{_ADVERB} (?:(?:live|living|based|reside) (?:in|at|near)\b"
    r"|(?:moved|relocated) (?:back )?to (?!the (?-i:[a-z])|a\b|my\b|another\b))|my (?:new |home )?address\b"
    r"|(?:我|我们)(?:现在|已经|刚|目前|都|一直|也)*(?:住(?!院|口)|搬(?:家|到|去|来|进|回))",
    "work": rf"i(?:['’]?m| am|['’]?ve)?{_ADVERB} (?:work|working) (?:as|at|for)\b(?! (?:night|home|fun|least|weekends))"
    rf"|my (?:new )?(?:job|profession|occupation)\b"
    rf"|i{_ADVERB} (?:got|took|started) (?:a |an |my )?(?:new )?(?:job|at|as)\b"
    r"|我(?:现在|目前|已经|还|也)*在(?!家).{1,20}(?:工作|上班|当)|我的(?:职业|工作)是",
    "age": r"i(?:['’]?m| am)(?: now)? \d{1,3}(?=\W*$|[,.;!]| years| now| and\b)|i (?:just )?turned \d{1,3}\b(?! \w+s\b)"
    r"|我(?:今年|现在|已经|都)*[\d一二三四五六七八九十]{1,3}岁",
    "birthday": r"(?:my birthday(?:['’]?s| is| falls)|i was wrong about my birthday)\b.*(?:\d|first|second|third)"
    r"|i was born on|我的?生日(?:是|在)|我(?:是)?[^，,]{0,12}[日号]出生|我生于",
}
_SLOT_PATTERNS: Final = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _SLOTS.items()}
_CLAUSES: Final = re.compile(
    r"(?:,? and |,? but |[,;] )(?=(?:i|my|we)\b)|[，,；;](?=我)|[，,；;](?=(?:现在|今年)?(?:住|在.{1,20}(?:工作"
    r"|上班)))",
    re.IGNORECASE,
)
_BARE: Final = re.compile(r"[^,;:()，；：（]{1,60}")
_MORE_INSIDE: Final = re.compile(r"\b(?:with|and|who|because|since|our|my)\b(?<!^my)|和|跟", re.IGNORECASE)
_FINER: Final = {
    "name": re.compile(r"(?:i['’]?m|i am) (?-i:[A-Z])|我是[\u4e00-\u9fff]{2,3}(?:[，,。]|$)", re.IGNORECASE),
    "home": re.compile(r"(?:i|we)\b.*\b(?:live in|based in)\b|我.*(?:住在|现在住)", re.IGNORECASE),
    "work": re.compile(
        r"(?:i['’]?m|i am) an? |我是.{0,12}(?:师|生|员|家|警察|司机|程序员)|.*\bwork (?:as|at|for|in)\b", re.IGNORECASE
    ),
    "age": re.compile(
        r"(?:i['’]?m|i am) [^.]*\b\d{1,2}\b|我[^有的妈爸儿女哥弟姐妹狗猫]{0,20}?[\d一二三四五六七八九十]{1,3}岁",
        re.IGNORECASE,
    ),
    "birthday": re.compile(r"i was born|我.*出生", re.IGNORECASE),
}
"""Weaker forms of the same: they answer if no line has the plain form, but are not replaced."""
_ASKED_SLOTS: Final = {
    "name": r"\b(?:what(?:['’]?s| is)|know|remember|remind me of|me|what) my (?:\w+ )?name(?: is)?\W*$|\bwho am i\b"
    r"|\bwhat am i called|我(?:的名字)?(?:是)?叫什么|我(?:的)?名字",
    "home": r"\bwhere (?:do|am|are|did) (?:i|we) (?:\w+ )?(?:live|living|based|move)|\bwhere(?: is|['’]?s) my home"
    r"|\bmy address|我(?:现在)?(?:住|家)(?:在)?哪|我搬",
    "work": r"\bwhat (?:do i do|is my (?:job|profession))(?! (?:on|in|at|every|when))|\bwhat['’]?s my job"
    r"|\bwhere do i work|\bwhat (?:work|job) do i|我(?:是)?(?:做|干)什么(?:工作|的)|我在哪.{0,4}(?:工作|上班)"
    r"|我的(?:工作|职业)",
    "age": r"\bhow old am i|\b(?:what(?:['’]?s| is)|know) my age|我(?:今年|现在)?(?:几岁|多大|多少岁)",
    "birthday": r"\bmy birthday|\bwhen was i born|我的?生日|我.{0,6}出生",
}
_ASKED: Final = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _ASKED_SLOTS.items()}
_NO_LONGER: Final = re.compile(r"\b(?:no longer|any ?more)\b|不再|不.{1,12}了", re.IGNORECASE)
_NOT: Final = re.compile(r",? (?:and )?not (?P<en>[\w' -]{1,40})\W*$|不是(?P<zh>[^，,。]{1,12})", re.IGNORECASE)
_LOOSE_DAY: Final = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|周[一二三四五六日天]|星期", re.IGNORECASE
)
_DATE_AFTER: Final = re.compile(r" \(said on [^()]{5,20}\)$|（说于[^（）]{5,12}）$")
_PASSING_LIKING: Final = re.compile(r"(?:i|we) (?:\w+ )?(?:love|like|hate|enjoy|adore)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NoteCall:
    """A function call to make."""

    name: str
    arguments: dict[str, object]


@dataclass(slots=True)
class CallResults:
    """What this turn's calls have done.

    `failed`: notes that were not taken; `refused`: the person said no; `held`: a note waits for their review.
    """

    noted: list[str] = field(default_factory=list)
    replaced: list[tuple[str, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    archived: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    refused: bool = False
    held: bool = False


def slot(text: str) -> str | None:
    """Return the subject of a statement of which only one can be true at a time."""
    return next((name for name, pattern in _SLOT_PATTERNS.items() if pattern.match(text)), None)


def asked_slot(question: str) -> str | None:
    """Return the subject that a question of the user asks for."""
    return next((name for name, pattern in _ASKED.items() if pattern.search(question)), None)


def lines_on(subject: str, lines: Sequence[str]) -> list[str]:
    """Return the latest line about a subject, in its plain form or else in a weaker one."""
    for pattern in (_SLOT_PATTERNS[subject], _FINER[subject]):
        if found := [line for line in lines if any(pattern.match(clause) for clause in _CLAUSES.split(said(line)))]:
            return found[-1:]
    return []


def said(line: str) -> str:
    """Return a line of the block without its speaker's name and its date."""
    return _DATE_AFTER.sub("", re.sub(r"^[^\W\d_][\w .'-]{0,30}: ", "", line))


class Notebook:
    """The block after all calls planned so far."""

    def __init__(self, situation: Situation) -> None:
        self._block: BlockView | None = situation.blocks.get(LABEL)
        self._among_people = situation.among_people
        self._functions = situation.functions
        self.text = self._block.text if self._block is not None else ""
        self.calls: list[NoteCall] = []

    @property
    def lines(self) -> list[str]:
        """Return the non-empty lines."""
        return [line for line in self.text.split("\n") if line.strip()]

    def note(self, text: str, heard: ClassifiedMessage) -> None:
        """Plan what a sentence needs: nothing, a replacement, an addition, or a passage if the block is full."""
        speaker = heard.utterance.speaker
        if self._among_people and _PASSING_LIKING.match(text):
            return
        at = heard.utterance.said_at
        line = (
            f"{speaker}: {dated(text, at.date() if at else None)}"
            if speaker
            else dated(text, at.date() if at else None)
        )
        if self.has(text):
            return
        old = self._replaced_by(text, speaker)
        if (old is not None and self._replaces(old, line)) or self._appends(line):
            return
        if not self._among_people and not (self._makes_room(line) and self._appends(line)):
            self.keep(line)

    def has(self, text: str) -> bool:
        """Whether the block already contains this sentence."""
        bare = _bare(text)
        return any(bare == _bare(said(line)) or bare == _bare(line) for line in self.lines)

    def keep(self, text: str) -> None:
        """Plan a passage."""
        if INSERT in self._functions and text:
            self.calls.append(NoteCall(INSERT, {"content": text}))

    def continue_line(self, line: str, text: str) -> None:
        """Plan a correction that only makes sense after the text that it corrects."""
        if not self._replaces((line, ""), f"{line} {text}"):
            self.keep(text)

    def drop(self, line: str) -> bool:
        """Plan the removal of a line."""
        return self._replaces((line, ""), "")

    def _replaced_by(self, text: str, speaker: str | None) -> tuple[str, str] | None:
        """Return the line that a sentence replaces, with the rest of that line."""
        mine = [
            line for line in self.lines if line.startswith(f"{speaker}: ") or (speaker is None and said(line) in line)
        ]
        subject = slot(text) or next(filter(None, map(slot, _CLAUSES.split(text))), None)
        for line in reversed(mine):
            if subject is not None and (rest := _without(line, subject)) is not None:
                return line, rest
        if (wrong := _NOT.search(text)) and (value := (wrong["en"] or wrong["zh"] or "").strip()):
            about = RelevanceQuestion(text.replace(value, " "))
            for line in reversed(mine):
                if value.lower() in line.lower() and about.covered(line):
                    return line, ""
        if _NO_LONGER.search(text):
            matter = RelevanceQuestion(re.sub(_NO_LONGER, " ", text))
            for line in reversed(mine):
                told = RelevanceQuestion(said(line))
                if told.weights and len(told.covered(text)) == len(told.weights) and matter.covered(line):
                    return line, ""
        return None

    def _writable(self, function: str) -> bool:
        return function in self._functions and self._block is not None and not self._block.read_only

    def _fits(self, text: str) -> bool:
        limit = self._block.limit if self._block is not None else 0
        room = limit * NEARLY_FULL if self._among_people else limit
        ascii_only = sum(character < "\x80" for character in text)
        return len(text) <= room and ascii_only / 4 + (len(text) - ascii_only) * 1.1 <= room / 2

    def _replaces(self, old: tuple[str, str], new: str) -> bool:
        line, rest = old
        part = self._unique(line)
        put = "\n".join(text for text in (rest, new) if text)
        if part is None or not self._writable(REPLACE):
            return False
        instead = part.replace(line, put) if put else part.replace(line, "").strip("\n")
        text = "\n".join(row for row in self.text.replace(part, instead).split("\n") if row.strip())
        if not self._fits(text):
            return False
        self.calls.append(NoteCall(REPLACE, {"label": LABEL, "old_content": part, "new_content": instead}))
        self.text = text
        return True

    def _unique(self, line: str) -> str | None:
        """Return the line, with a neighbouring line if it occurs twice."""
        lines = self.text.split("\n")
        if line not in lines:
            return None
        place = lines.index(line)
        wider = (
            "\n".join(lines[max(0, place - before) : place + after])
            for before, after in ((0, 1), (1, 1), (0, 2), (1, 2))
        )
        return next((part for part in wider if self.text.count(part) == 1), None)

    def _appends(self, line: str) -> bool:
        text = f"{self.text}\n{line}" if self.text else line
        if not self._writable(APPEND) or not self._fits(text):
            return False
        self.calls.append(NoteCall(APPEND, {"label": LABEL, "content": line}))
        self.text = text
        return True

    def _makes_room(self, line: str) -> bool:
        """Plan to move the oldest lines without a subject to archival storage."""
        if not self._writable(REPLACE) or not self._writable(APPEND) or not self._fits(line):
            return False
        movable = [old for old in self.lines if slot(said(old)) is None][:MOST_MOVED]
        room = self.text
        needed: list[str] = []
        for old in movable:
            needed.append(old)
            room = "\n".join(row for row in room.split("\n") if row not in needed)
            if self._fits(f"{room}\n{line}"):
                break
        else:
            return False
        for old in needed:
            self.keep(old)
            self.drop(old)
        return True


def dated(text: str, said_on: date | None) -> str:
    """Return a sentence whose time words are still clear next year."""
    if said_on is None or not (relative_dates.resolve(text, said_on) or _LOOSE_DAY.search(text)):
        return text
    chinese = is_chinese(text)
    day = relative_dates.day_in_words(said_on, chinese=chinese)
    return f"{text}（说于{day}）" if chinese else f"{text} (said on {day})"


def planned(situation: Situation, heard: Sequence[ClassifiedMessage]) -> list[NoteCall]:
    """Return the calls that write the statements."""
    notebook = Notebook(situation)
    for message in heard:
        for content in message.forget:
            for line in lines_meant(content, notebook.lines):
                notebook.drop(line)
        for text in message.notes:
            notebook.note(text, message)
        for text in message.keep:
            notebook.keep(text)
        if not message.notes and corrects(message.utterance.text) and message.told:
            _continue(notebook, situation, message)
    return notebook.calls


def _continue(notebook: Notebook, situation: Situation, message: ClassifiedMessage) -> None:
    """Add "No, it's 15 March" after the line that was noted from the previous message."""
    text = message.utterance.text.strip()
    before = [_bare(utterance.text) for utterance in situation.asked]
    line = next((line for line in reversed(notebook.lines) if any(_bare(said(line)) in told for told in before)), None)
    if line is not None and "\n" not in text and len(text) <= len(line) + 120 and not situation.among_people:
        notebook.continue_line(line, text)


def lines_meant(content: str, lines: Sequence[str]) -> list[str]:
    """Return the lines for "forget that I like coffee" or "forget my address"."""
    sentence = re.sub(r"^(?:that|about|the fact that)\s+", "", content, flags=re.IGNORECASE)
    subject = slot(sentence) or next(
        (name for name in _SLOTS if re.fullmatch(rf"my (?:\w+ )?{name}|我的?.*", sentence.lower())), None
    )
    if subject is not None and (found := lines_on(subject, lines)):
        return found[:1]
    question = RelevanceQuestion(sentence)
    return [line for line in lines if question.weights and question.share(line) >= _MEANT]


def done(situation: Situation) -> CallResults:
    """Return the results of this turn's calls."""
    result = CallResults()
    for call in (call for step in situation.steps for call in step):
        new = str(call.arguments.get("content") or call.arguments.get("new_content") or "")
        if call.held:
            result.held = True
        elif not call.ok and call.name in (APPEND, REPLACE, INSERT):
            result.refused |= "did not allow" in call.text or "consent" in call.text
            result.failed.append(new)
        elif call.name == APPEND:
            result.noted.append(new)
        elif call.name == REPLACE:
            _replaced(str(call.arguments.get("old_content", "")), new, result)
        elif call.name == INSERT:
            result.archived.append(new)
    return result


def _replaced(old: str, new: str, result: CallResults) -> None:
    before, after = old.split("\n"), new.split("\n")
    gone, come = [x for x in before if x not in after], [x for x in after if x not in before and x]
    if not come:
        result.removed += gone
    else:
        result.replaced.append((gone[0] if gone else "", come[-1]))


def second_try(situation: Situation) -> list[NoteCall]:
    """Move notes that did not fit core memory to archival storage, unless the user refused them."""
    result = done(situation)
    if result.refused or situation.among_people or INSERT not in situation.functions:
        return []
    return [NoteCall(INSERT, {"content": text.rsplit("\n", 1)[-1]}) for text in result.failed if text]


def _without(line: str, subject: str) -> str | None:
    """Return the rest of a line without its statement on a subject; None if the line says more than such subjects."""
    text = said(line)
    clauses = [clause for clause in _CLAUSES.split(text) if clause]
    about = [clause for clause in clauses if slot(clause) == subject]
    if not about or any(
        not _BARE.fullmatch(clause.rstrip(".!。！")) or _MORE_INSIDE.search(clause) for clause in about
    ):
        return None
    if any(slot(clause) is None for clause in clauses):
        return None
    head = line[: line.index(text)]
    return "\n".join(f"{head}{clause}" for clause in clauses if clause not in about)


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
