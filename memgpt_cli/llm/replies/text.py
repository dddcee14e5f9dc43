"""The text of a reply without calls, reasoning, and marks of the chat template that models write into it.

Everything else is text and passes immediately: a piece is held back only while it may become one of these. A call
counts if it names an offered function. Calls and marks in quotation marks, backticks, code and the middle of a sentence
are only mentioned and stay in the text.

`mark_search` finds marks, `thought_calls` calls inside reasoning, `formats` reads the families' calls, and `calls`
those that the server reports.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from memgpt_cli.domain.chat import RetractDelta, TextDelta, ThoughtDelta, ToolSchema
from memgpt_cli.llm.replies import surroundings
from memgpt_cli.llm.replies.fences import Fence, read_fence
from memgpt_cli.llm.replies.formats.harmony import ENDS, Channel, read_channel
from memgpt_cli.llm.replies.formats.marked import BARE, MARKS, read_marked
from memgpt_cli.llm.replies.formats.reading import NO, Found, Reading, first_found, skip_blank
from memgpt_cli.llm.replies.mark_search import (
    BEGIN_NEXT,
    EVENT,
    FENCE,
    MARK_SET,
    NO_MEANING,
    ONLY_MARKS,
    STRUCTURE,
    beginning_at_end,
    is_beginning,
    partial_end,
    past_strays,
)
from memgpt_cli.llm.replies.marks import (
    ACTIONS,
    CALL_CLOSERS,
    CHANNELS,
    OTHERS_TURN,
    STRIPPED_CALLS,
    STRIPPED_REASONING,
)
from memgpt_cli.llm.replies.offered import Offered, ReadCall
from memgpt_cli.llm.replies.reasoning import BY_CLOSING, BY_OPENING, ReasoningBlock
from memgpt_cli.llm.replies.thought_calls import calls_in_thought
from memgpt_cli.llm.replies.whole_calls import read_whole_call

Piece = TextDelta | ThoughtDelta | RetractDelta | ReadCall

_SHORT: Final = 64
"""Characters that are checked again with every piece; longer texts after they have grown by a sixteenth."""
_LONGEST_LINE: Final = 500
"""Characters of the current line that are kept."""
_MOST_THOUGHT: Final = 400_000
"""Characters of reasoning that are searched for calls."""


class ReplyText:
    """A filter over streamed text: `feed` it the pieces, then `finish`; it yields text, thoughts and calls in order."""

    def __init__(self, tools: Sequence[ToolSchema]) -> None:
        self._offered = Offered(tools)
        self._held = ""
        self._look_again_at = 0
        self._after_marks = 0  # characters after the last row of marks
        self._lead = ""  # blanks at the very beginning: part of the text, if it begins with text
        self._line = ""  # the text of the current line
        self._said = False  # whether there was text since the beginning, the last call or the last thought
        self._begun = False  # whether anything has arrived
        self._thinking: tuple[str, ...] = ()  # the marks that end the current reasoning
        self._first = ""  # the first letters of the text
        self._in_code = False
        self._over = False
        self._kept_opener = False  # a mark that opens a call was left in the text
        self._kept_block = False  # a mark that opens reasoning was left in the text
        self._called = False
        self._thought: list[str] = []
        self._thought_size = 0

    def feed(self, text: str) -> Iterator[Piece]:
        """Add the next piece and yield everything that is certain now."""
        self._held += text
        if len(self._held) >= self._look_again_at:
            yield from self._scan(final=False)

    def finish(self, *, called: bool = False) -> Iterator[Piece]:
        """Yield the rest at the end of the reply. `called`: the server reported calls."""
        yield from self._scan(final=True)
        if self._lead:
            yield TextDelta(self._lead)
        if not (self._called or called):
            yield from calls_in_thought("".join(self._thought), self._offered)

    def note_thought(self, text: str) -> None:
        """Add reasoning that the server reported separately: some models call inside of it."""
        if self._thought_size < _MOST_THOUGHT:
            self._thought.append(text)
            self._thought_size += len(text)

    def _scan(self, *, final: bool) -> Iterator[Piece]:
        self._look_again_at = 0
        self._after_marks = len(self._held)
        while self._held and not self._over:
            before = len(self._held), self._thinking, self._in_code, self._lead
            yield from self._step(final=final)
            if before == (len(self._held), self._thinking, self._in_code, self._lead):
                self._look_again_at = 0 if len(self._held) < _SHORT else len(self._held) * 17 // 16
                return
        self._held = "" if self._over else self._held

    def _step(self, *, final: bool) -> Iterator[Piece]:
        """Handle the beginning of the held text; no change means that more must arrive first."""
        if self._thinking:
            yield from self._think(final=final)
        elif self._in_code:
            yield from self._code(final=final)
        elif self._begun and not self._said and self._separators(final=final):
            return
        elif self._said or self._called or (reading := read_whole_call(self._held, self._offered, final=final)) is NO:
            yield from self._next_event(final=final)
        elif isinstance(reading, Found):
            yield from self._accept(reading, doubtful=False, final=final)

    def _next_event(self, *, final: bool) -> Iterator[Piece]:
        match = self._event()
        end = match.start() if match else len(self._held) - (0 if final else self._unfinished())
        if not self._begun and self._held[:end].isspace() and (match or not final):
            self._lead, self._held = self._lead + self._held[:end], self._held[end:]
            end = 0
        if match is None or end:
            yield from self._emit(end)
            return
        at = skip_blank(self._held, 0)
        if not final and is_beginning(self._held, at):
            return
        yield from self._at_mark(match[0], final=final)

    def _event(self) -> re.Match[str] | None:
        """Return the next position where something other than text may begin."""
        for match in EVENT.finditer(self._held):
            bare = match[0] not in MARK_SET
            at_line_start = bool(match.start()) or not self._line.strip()
            if match[0] == ">>>" and not self._is_line_start(match.start()):
                continue
            if bare and (marked := EVENT.match(self._held, match.end() - 1)) and marked[0] in MARK_SET:
                return marked
            if not bare or (at_line_start and self._offered):
                return match
        return None

    def _is_line_start(self, at: int) -> bool:
        start = self._held.rfind("\n", 0, at) + 1
        return skip_blank(self._held, start) >= at and (start > 0 or not self._line.strip())

    def _unfinished(self) -> int:
        """Return how many characters at the end may be the beginning of something."""
        held = self._held
        blank = len(held) - len(held.rstrip(" \t"))
        if blank and (held[-blank - 1 : -blank] == "\n" or (blank == len(held) and not self._line.strip())):
            return blank
        return beginning_at_end(held)

    def _emit(self, length: int) -> Iterator[Piece]:
        if not length:
            return
        text, self._held = self._held[:length], self._held[length:]
        if self._begun and not self._said:  # blanks around calls and thoughts belong to them
            text = text.lstrip()
        text, self._lead = self._lead + text, ""
        if text:
            self._begun = self._said = True
            self._first = (self._first + text)[: len(STRIPPED_REASONING)]
            self._line = (self._line + text).rpartition("\n")[2][-_LONGEST_LINE:]
            yield TextDelta(text)

    def _at_mark(self, mark: str, *, final: bool) -> Iterator[Piece]:
        if mark not in MARK_SET:
            yield from self._bare(final=final)
        elif surroundings.is_quoted(self._line):
            yield from self._keep(mark)
        elif mark == FENCE or mark in ACTIONS:
            yield from self._fence(len(mark) - len(FENCE), final=final)
        elif mark in BY_OPENING:
            yield from self._opening(BY_OPENING[mark], final=final)
        elif mark in BY_CLOSING:
            yield from self._lone_closing(mark, final=final)
        elif mark in CHANNELS:
            yield from self._channel(mark, final=final)
        elif mark in OTHERS_TURN and not surroundings.is_mid_sentence(self._line):
            self._over = True
        elif mark in NO_MEANING:
            yield from self._stray(final=final)
        else:
            yield from self._marked(mark, final=final)

    def _keep(self, mark: str) -> Iterator[Piece]:
        """Leave a mark in the text."""
        self._kept_opener = self._kept_opener or mark in MARKS
        self._kept_block = self._kept_block or mark in BY_OPENING
        yield from self._emit(len(mark))

    # Calls

    def _bare(self, *, final: bool) -> Iterator[Piece]:
        at = skip_blank(self._held, 0)
        reading = first_found(BARE, self._held, at, self._offered, final=final)
        if isinstance(reading, Found):
            yield from self._accept(reading, doubtful=True, final=final)
        elif reading is NO:
            yield from self._emit(at + 1)

    def _marked(self, mark: str, *, final: bool) -> Iterator[Piece]:
        reading = read_marked(self._held, 0, mark, self._offered, final=final)
        if isinstance(reading, Found):
            reasoned = mark in STRIPPED_CALLS and self._first == STRIPPED_REASONING
            if reasoned and self._said and not self._called:
                yield RetractDelta()
            doubtful = not reasoned and surroundings.is_mid_sentence(self._line)
            yield from self._accept(reading, doubtful=doubtful, final=final)
        elif reading is NO:
            rest = self._past_marks(len(mark)) if mark in STRUCTURE else self._held
            if not rest or (is_beginning(rest) and not final):
                self._held = "" if final else self._held  # only marks follow it: a stray mark
            else:
                yield from self._keep(mark)

    def _past_marks(self, at: int) -> str:
        """Return the text after the marks in a row from `at` on. They are skipped once for all of them."""
        if len(self._held) - at <= self._after_marks:
            match = ONLY_MARKS.match(self._held, at)
            self._after_marks = len(self._held) - (match.end() if match else at)
        return self._held[len(self._held) - self._after_marks :].lstrip()

    def _accept(self, found: Found, *, doubtful: bool, final: bool) -> Iterator[Piece]:
        """Yield calls, unless a sentence continues after them: then they are examples."""
        if doubtful:
            after = past_strays(self._held, found.end, final=final)
            rest = self._held[after:]
            same_line = "\n" not in self._held[found.end : after]
            if same_line and not final and (surroundings.is_undecided(rest) or is_beginning(rest.lstrip(" \t"))):
                return
            if same_line and surroundings.continues_sentence(rest) and not surroundings.continues_list(rest):
                self._kept_opener = True
                yield from self._emit(found.end)
                return
        self._held = self._held[found.end :]
        self._settle()
        self._called = True
        yield from found.calls

    def _settle(self) -> None:
        """A call or a thought has ended: reset the state."""
        self._begun, self._said, self._line, self._lead = True, False, "", ""

    def _separators(self, *, final: bool) -> bool:
        """Drop blanks, and a comma or semicolon between two calls, after a call; True while more must arrive first."""
        self._held = self._held.lstrip()
        if not self._held:
            return True
        if self._held[0] not in ",;":
            return False
        following = skip_blank(self._held, 1)
        if following >= len(self._held):
            self._held = "" if final else self._held
            return True
        if self._held[following] in "{[<":
            self._held = self._held[following:]
        return False

    # Code

    def _fence(self, at: int, *, final: bool) -> Iterator[Piece]:
        """Handle a fence at `at`; the text before it announces calls."""
        reading: Reading | Fence = read_fence(self._held[at:], self._offered, opens_reply=not self._begun, final=final)
        if isinstance(reading, Found):
            yield from self._accept(Found(reading.calls, at + reading.end), doubtful=False, final=final)
        elif isinstance(reading, Fence):
            yield from self._emit(at + reading.length)
            self._in_code = True

    def _code(self, *, final: bool) -> Iterator[Piece]:
        end = self._held.find(FENCE)
        if end >= 0:
            yield from self._emit(end + len(FENCE))
            self._in_code = False
            self._line = ""
            return
        ticks = 0 if final else len(self._held) - len(self._held.rstrip("`"))
        yield from self._emit(len(self._held) - ticks)

    # Reasoning

    def _think(self, *, final: bool) -> Iterator[Piece]:
        ends = [(at, mark) for mark in self._thinking if (at := self._held.find(mark)) >= 0]
        if ends:
            at, mark = min(ends)
            thought, self._held = self._held[:at], self._held[at + (0 if mark in BEGIN_NEXT else len(mark)) :]
            self._thinking = ()
            self._settle()
        else:
            kept = 0 if final else partial_end(self._held, self._thinking)
            thought, self._held = self._held[: len(self._held) - kept], self._held[len(self._held) - kept :]
        if thought:
            self.note_thought(thought)
            yield ThoughtDelta(thought)

    def _open(self, length: int, ends: tuple[str, ...]) -> None:
        self._held = self._held[length:]
        self._thinking = ends
        self._settle()

    def _opening(self, block: ReasoningBlock, *, final: bool) -> Iterator[Piece]:
        rest = self._held[len(block.opening) :]
        if self._said and surroundings.is_mid_sentence(self._line):
            yield from self._keep(block.opening)
        elif not block.in_words:
            self._open(len(block.opening), block.ends)
        elif surroundings.is_undecided(rest) and not final:
            return
        elif self._said or surroundings.continues_sentence(rest) or block.closing not in BY_CLOSING:
            yield from self._closed_block(block, final=final)
        else:
            self._open(len(block.opening), block.ends)

    def _closed_block(self, block: ReasoningBlock, *, final: bool) -> Iterator[Piece]:
        """Handle a block that may be text about such blocks: it counts if it closes outside of a sentence."""
        start = len(block.opening)
        end = self._held.find(block.closing, start)
        after = end + len(block.closing)
        if (end < 0 or surroundings.is_undecided(self._held[after:])) and not final:
            return
        if end < 0:
            alone = self._held[start:].startswith(("\n", "\r\n")) and block.closing in BY_CLOSING
            if alone:
                self._open(start, block.ends)
            else:
                yield from self._keep(block.opening)
            return
        line = (self._line + self._held[:end]).rpartition("\n")[2]
        if surroundings.is_mid_sentence(line) and surroundings.continues_sentence(self._held[after:]):
            yield from self._keep(block.opening)
        else:
            self._open(start, block.ends)

    def _lone_closing(self, mark: str, *, final: bool) -> Iterator[Piece]:
        """Handle the end of reasoning that the chat template had opened in the prompt."""
        rest = self._held[len(mark) :]
        if surroundings.is_undecided(rest) and not final:
            return
        in_sentence = surroundings.continues_sentence(rest)
        if self._kept_block or (in_sentence and (surroundings.is_mid_sentence(self._line) or not self._begun)):
            yield from self._keep(mark)
            return
        retracts = self._said
        self._held = rest
        self._settle()
        if retracts:
            yield RetractDelta()

    def _channel(self, mark: str, *, final: bool) -> Iterator[Piece]:
        reading = read_channel(self._held, 0, self._offered, final=final)
        if isinstance(reading, Found):
            yield from self._accept(reading, doubtful=surroundings.is_mid_sentence(self._line), final=final)
        elif isinstance(reading, Channel) and reading.name == "analysis":
            self._open(reading.start, ENDS)
        elif isinstance(reading, Channel):
            self._held = self._held[reading.start :]
            if self._said:
                yield TextDelta("\n\n")
            self._settle()
        elif reading is NO:
            yield from self._stray(final=final, first=len(mark))

    # Stray marks

    def _stray(self, *, final: bool, first: int = 0) -> Iterator[Piece]:
        """Handle marks without meaning: dropped at the edges of a reply, a call and a line, kept inside sentences."""
        end = past_strays(self._held, first, final=final)
        following = skip_blank(self._held, end)
        if not final and (following >= len(self._held) or is_beginning(self._held, following)):
            return
        gap, rest = self._held[end:following], self._held[following:]
        if self._is_stray(self._held[:end], gap, rest):
            self._held = (gap if self._said and rest else "") + rest
        else:
            yield from self._keep(self._held[:end])

    def _is_stray(self, marks: str, gap: str, rest: str) -> bool:
        if self._kept_opener and any(mark in marks for mark in CALL_CLOSERS):
            return False
        if "</s>" in marks and "<s>" in self._line:
            return False
        event = EVENT.match(rest)
        if not rest or (event is not None and event[0] in STRUCTURE):
            return True
        if not self._said:
            return self._begun or not surroundings.continues_sentence(gap + rest)
        return "\n" in gap and not surroundings.is_mid_sentence(self._line)
