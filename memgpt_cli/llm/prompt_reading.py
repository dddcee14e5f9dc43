"""Read a request: messages with their speakers, unanswered ones, core memory, the results of this turn's calls.

This module contains all rules about the format of prompts (headers, envelopes, snapshots, result lines, both
protocols). Missing or malformed parts are read as plain text; no request raises an error.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from memgpt_cli.domain.chat import ChatRequest, PromptMessage, arguments_object
from memgpt_cli.domain.messages import FunctionCall

SEND_MESSAGE: Final = "send_message"
SEARCHES: Final = ("conversation_search", "archival_memory_search")
LOST: Final = "results_moved"
EDITED: Final = "core_memory_edited"
LONGEST_NAME: Final = 4
FAR_BACK: Final = 40
"""Messages before the current turn that are searched for the previous exchange."""

_TIME: Final = r"(?:[A-Z][a-z]{2} )?\d{4}-\d\d-\d\d \d\d:\d\d"
_WEEKDAY: Final = re.compile(r"^[A-Z][a-z]{2} ")
_WHOLE: Final = re.compile(r' \(\d+ tokens; whole: \w+\(id="[mp]\d+"\)\)$')
_HEADER: Final = re.compile(rf"\[({_TIME})\] ")
_NAMED: Final = re.compile(r"([^\W_][^\n:]{0,40}): ")
_NOT_A_NAME: Final = frozenset(
    """note notes remember reminder todo question ps fyi update edit re subject http https warning error info example
    answer q a me my user assistant system fact btw correction summary hint tip important name the i this 记住 注意
    备注 问题 提醒 更正 补充 请记住""".split()  # noqa: SIM905 - a list of words reads better so
)
_EVENT: Final = re.compile(r'<memgpt_event\b[^>]*?type="([\w-]*)"')
_ESCAPED: Final = re.compile(r"&lt;(?=\s*/?\s*(?:memgpt_event|core_memory|block)\b)", re.IGNORECASE)
_INTERRUPTED: Final = re.compile(r"\n?\[the person interrupted this reply here\]$")
_CORE_MEMORY: Final = re.compile(r"^<core_memory>\n(.*?)^</core_memory>", re.DOTALL | re.MULTILINE)
_BLOCK: Final = re.compile(
    r'^<block label="([^"]*)" chars="\d+/(\d+)"([^\n]*)>\n(.*?)\n?</block>', re.DOTALL | re.MULTILINE
)
_BLOCK_NOW: Final = re.compile(r"Block (\S+) is now \((\d+)/(\d+) characters\):\n")
_EDITED: Final = re.compile(r"(?:Added to|Replaced in|Removed from|Rewrote) block (\S+) \((\d+)/\d+\)\.")
_MESSAGE_HIT: Final = re.compile(rf"\[(m\d+)(?: ({_TIME}))?(?: \w+)?\] ([^:]{{1,60}}): (?:> )?(.*)")
_PASSAGE_HIT: Final = re.compile(rf"\[(p\d+)(?: ({_TIME}))?(?: ([^\]]*))?\] (?:> )?(.*)")
_QUOTED: Final = re.compile(r"\(quoted from \w+[^\n]*\)\n>")
_HELD: Final = "Not written yet: "
_STUB: Final = re.compile(r"\(A message of \d+ characters, too long for the window\.")
_FAILED: Final = re.compile(r"\s*(?:failed|error)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """What a person said. `said_at` is in the person's own zone; `speaker` only when the prompt gives a name.

    `quoted`: the person showed a text that is not theirs, which `text` leaves out.
    """

    text: str
    said_at: datetime | None = None
    speaker: str | None = None
    paged_out: bool = False
    quoted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockView:
    """A core memory block at the end of the prompt. `limit` is in characters."""

    text: str
    limit: int
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """One call of this turn with its result; `held` if the change waits for the person's review."""

    name: str
    arguments: Mapping[str, Any]
    ok: bool
    text: str

    @property
    def held(self) -> bool:
        """Whether it waits for the person."""
        return self.text.startswith(_HELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptHit:
    """One line of a search result. `speaker` is a name, `user` or `assistant`; a passage has `source` instead."""

    kind: Literal["message", "passage", "block"]
    ref: str
    text: str
    said_at: datetime | None = None
    speaker: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The state of the conversation.

    `steps` are this turn's calls so far; `lost`: some of their results left the window. `asked` and `replied` are the
    previous exchange. `among_people`: several named people talk to each other rather than to the assistant.
    """

    paper: bool
    functions: frozenset[str]
    blocks: Mapping[str, BlockView] = field(default_factory=dict)
    pending: tuple[Utterance, ...] = ()
    steps: tuple[tuple[Returned, ...], ...] = ()
    asked: tuple[Utterance, ...] = ()
    replied: str = ""
    lost: bool = False
    among_people: bool = False


def read(request: ChatRequest) -> Situation:
    """Return the situation that a request describes."""
    functions = frozenset(tool.name for tool in request.tools)
    paper = SEND_MESSAGE in functions
    messages = request.messages
    start = _turn_start(messages, paper=paper)
    turn, before = messages[start:], messages[max(0, start - FAR_BACK) : start]
    replied, asked = _last_exchange(before, paper=paper)
    pending = tuple(_utterances(turn))
    speakers = {utterance.speaker for utterance in (*pending, *_utterances(before)) if utterance.speaker}
    return Situation(
        paper=paper,
        functions=functions,
        blocks=_blocks(messages),
        pending=pending,
        steps=tuple(_steps(turn)),
        asked=asked,
        replied=replied,
        lost=any(_event_kind(m.content or "") == LOST for m in turn if m.role == "user"),
        among_people=len(speakers) > 1,
    )


def hits(text: str) -> list[PromptHit]:
    """Return the hits of a search result, best first."""
    found = []
    for written in text.split("\n"):
        line = _WHOLE.sub("", written)
        if message := _MESSAGE_HIT.match(line):
            ref, at, speaker, said = message.groups()
            found.append(PromptHit(kind="message", ref=ref, text=said, said_at=_moment(at), speaker=speaker.strip()))
        elif passage := _PASSAGE_HIT.match(line):
            ref, at, source, said = passage.groups()
            named = re.sub(r"(?:^|\s)#\S+", "", source or "").strip()
            found.append(PromptHit(kind="passage", ref=ref, text=said, said_at=_moment(at), source=named))
    return found


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(_WEEKDAY.sub("", text)) if text else None
    except ValueError:
        return None


def _turn_start(messages: Sequence[PromptMessage], *, paper: bool) -> int:
    """Return the index after the last message that ended a turn."""
    results: dict[str, str] = {}
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if message.role == "tool" and message.call_id is not None:
            results[message.call_id] = message.content or ""
        elif message.role == "system" or (message.role == "assistant" and _ends_turn(message, results, paper=paper)):
            return index + 1
    return 0


def _ends_turn(message: PromptMessage, results: Mapping[str, str], *, paper: bool) -> bool:
    if not message.calls:
        return True
    sent = [call for call in message.calls if call.name == SEND_MESSAGE] if paper else []
    return any(_result(results.get(call.id, ""))[0] for call in sent)


def _utterances(messages: Iterable[PromptMessage]) -> Iterable[Utterance]:
    for message in messages:
        if message.role == "user" and (utterance := _utterance(message.content or "")) is not None:
            yield utterance


def _event_kind(content: str) -> str | None:
    """Return the kind of event in a `user` message; None if it is a person's."""
    if content.startswith("<memgpt_event"):
        event = _EVENT.match(content)
        return event[1] if event is not None else ""
    if content.startswith('{"type": "system_alert"'):
        fields = arguments_object(content)
        return None if fields is None else str(fields.get("kind", ""))
    return None


def _utterance(content: str) -> Utterance | None:
    """Return a person's text in a `user` message; None if it is an event."""
    if content.startswith("<memgpt_event"):
        return None
    if content.startswith("{"):
        fields = arguments_object(content)
        if fields is not None and isinstance(fields.get("type"), str):
            if fields["type"] != "user_message":
                return None
            name = fields.get("name")
            return _finished(
                str(fields.get("message", "")),
                _moment_of(fields.get("time")),
                name if isinstance(name, str) and name else None,
            )
    return _native_utterance(content)


def _moment_of(value: Any) -> datetime | None:
    return _moment(value) if isinstance(value, str) else None


def _native_utterance(content: str) -> Utterance:
    header = _HEADER.match(content)
    if header is None:
        return _finished(content, None, None)
    text = content[header.end() :]
    named = _NAMED.match(text)
    speaker = named[1] if named is not None and _is_name(named[1]) else None
    if named is not None and speaker is not None:
        text = text[named.end() :]
    return _finished(text, _moment(header[1]), speaker)


def _finished(text: str, at: datetime | None, speaker: str | None) -> Utterance:
    if _STUB.match(text):
        return Utterance(text="", said_at=at, speaker=speaker, paged_out=True)
    if _QUOTED.match(text):
        return Utterance(text="", said_at=at, speaker=speaker, quoted=True)
    return Utterance(text=_ESCAPED.sub("<", text), said_at=at, speaker=speaker)


def _is_name(text: str) -> bool:
    words = text.split()
    if not 1 <= len(words) <= LONGEST_NAME or any(word.lower().strip(".,!") in _NOT_A_NAME for word in words):
        return False
    if not text.isascii() and re.search(r"[我你的是了，。！？]", text):
        return False
    if re.search(r"[,.!?;(\[\"“]", text.replace(". ", " ")):
        return False
    return len(words) == 1 or all(not word[0].islower() for word in words)


def _steps(messages: Sequence[PromptMessage]) -> Iterable[tuple[Returned, ...]]:
    results = {m.call_id: m.content or "" for m in messages if m.role == "tool" and m.call_id is not None}
    for message in messages:
        if message.role == "assistant" and message.calls:
            yield tuple(_returned(call, results.get(call.id)) for call in message.calls)


def _returned(call: FunctionCall, content: str | None) -> Returned:
    ok, text = (False, "") if content is None else _result(content)
    return Returned(name=call.name, arguments=arguments_object(call.arguments) or {}, ok=ok, text=text)


def _result(content: str) -> tuple[bool, str]:
    """Return whether a function result is a success, and its text without the paper's wrapping."""
    if content.startswith("{"):
        fields = arguments_object(content)
        if fields is not None and "status" in fields:
            return fields["status"] == "OK", str(fields.get("message", ""))
    return _FAILED.match(content) is None, content


def _blocks(messages: Sequence[PromptMessage]) -> dict[str, BlockView]:
    """Return the blocks of the snapshot, with the changes of later results and notices."""
    blocks: dict[str, BlockView] = {}
    if messages and messages[0].role == "system":
        section = _CORE_MEMORY.search(messages[0].content or "")
        for label, limit, rest, text in _BLOCK.findall(section[1] if section else ""):
            plain = _ESCAPED.sub("<", text)
            blocks[label] = BlockView(text=plain, limit=int(limit), read_only='read_only="true"' in rest)
    edits: dict[str | None, FunctionCall] = {}
    for message in messages[1:]:
        edits |= {call.id: call for call in message.calls if call.name.startswith("core_memory")}
        content = message.content or ""
        if message.role == "user" and " is now (" in content and _event_kind(content) == EDITED:
            _update(blocks, _program_text(content))
        elif message.role == "tool" and message.call_id in edits:
            text = _program_text(content)
            if not _update(blocks, text):
                _apply(blocks, edits[message.call_id], text)
    return blocks


def _update(blocks: dict[str, BlockView], text: str) -> bool:
    """Apply the block in a result or a notice; text about other blocks in its value is ignored."""
    now = _BLOCK_NOW.search(text)
    if now is not None:
        label, length, limit = now[1], int(now[2]), int(now[3])
        known = blocks.get(label)
        value = text[now.end() : now.end() + length]
        blocks[label] = BlockView(text=value, limit=limit, read_only=known is not None and known.read_only)
    return now is not None


def _apply(blocks: dict[str, BlockView], call: FunctionCall, text: str) -> None:
    """Apply the change that a result reports, if the length matches the result."""
    done = _EDITED.match(text)
    block = blocks.get(done[1]) if done is not None else None
    if done is None or block is None:
        return
    given = {key: str(value) for key, value in (arguments_object(call.arguments) or {}).items()}
    for value in _edited(block.text, given):
        if len(value) == int(done[2]):
            blocks[done[1]] = replace(block, text=value)
            return


def _edited(old: str, given: Mapping[str, str]) -> Iterable[str]:
    """Yield what a block may contain after a call with these arguments: an append, a replacement, or a new text."""
    if "old_content" in given:
        before, _, after = old.partition(given["old_content"])
        yield (before + given.get("new_content", "") + after).strip("\n")
        yield (before + after.removeprefix("\n")).strip("\n")
        return
    content = given.get("content", "").strip("\n")
    yield f"{old}\n{content}".strip("\n")
    yield content


def _program_text(content: str) -> str:
    if content.startswith("{"):
        fields = arguments_object(content)
        if fields is None or fields.get("status", "OK") != "OK":
            return ""
        content = str(fields.get("message", ""))
    elif _FAILED.match(content):
        return ""
    return _ESCAPED.sub("<", content)


def _last_exchange(messages: Sequence[PromptMessage], *, paper: bool) -> tuple[str, tuple[Utterance, ...]]:
    """Return the last reply and the messages that it answered."""
    if not messages or messages[-1].role == "system":
        return "", ()
    end = max((i for i, m in enumerate(messages) if m.role == "assistant"), default=0)
    start = _turn_start(messages[:end], paper=paper)
    return _reply_text(messages[end]), tuple(_utterances(messages[start:end]))


def _reply_text(message: PromptMessage) -> str:
    sent = [arguments_object(call.arguments) or {} for call in message.calls if call.name == SEND_MESSAGE]
    if sent:
        return "\n".join(str(arguments.get("message", "")) for arguments in sent)
    return _INTERRUPTED.sub("", message.content or "")
