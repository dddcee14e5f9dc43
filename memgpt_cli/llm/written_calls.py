"""Calls that a model wrote into its text, because its server or its training knows no better.

Understood, when they name a function that was offered: a JSON object (or a list of them) on a line of its own or in a
code fence; `<tool_call>…</tool_call>` (Hermes, Qwen); `<function=name>…</function>` with JSON or `<parameter=…>` inside
(Llama 3.1, Qwen Coder); `[TOOL_CALLS]…` (Mistral); `<|python_tag|>…` (Llama 3). A `<think>…</think>` that opens the
reply is reasoning. Everything else is text and passes at once: text is held back only while it may still become a call.

Not here: calls that the server reports as calls (`reply_stream`), and judging arguments (the executor does).
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from memgpt_cli.domain.chat import TextDelta, ThoughtDelta


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCall:
    """A call found in text. `arguments` is JSON, or what the model wrote in its place."""

    name: str
    arguments: str


Piece = TextDelta | ThoughtDelta | WrittenCall


@dataclass(frozen=True, slots=True)
class _Found:
    """Calls that took up the first `length` characters."""

    calls: tuple[WrittenCall, ...]
    length: int


@dataclass(frozen=True, slots=True)
class _Text:
    """The first `length` characters begin no call."""

    length: int


_Verdict = _Found | _Text | None
"""None: cannot be told before more has come."""

_MARKS: Final = ("```", "<tool_call>", "<function=", "<|python_tag|>", "[TOOL_CALLS]")
_THINK, _THOUGHT = "<think>", "</think>"
_OPENING: Final = re.compile("|".join((*map(re.escape, _MARKS), r"^[ \t]*[{\[]")), re.MULTILINE)
_FENCE: Final = re.compile(r"```[\w+-]*[ \t]*\r?\n?\s*")
_NAME_KEYS: Final = ("name", "function", "tool", "tool_name")
_ARGUMENT_KEYS: Final = ("arguments", "parameters", "args", "input", "params")
_FIRST_KEYS: Final = (*_NAME_KEYS, *_ARGUMENT_KEYS, "type", "id", "tool_calls")
_FIRST_KEY: Final = re.compile(r'[\[{]\s*(?:\{\s*)?"([^"\\]*)(")?')
_KEY_TO_COME: Final = re.compile(r"[\[{]\s*(?:\{\s*)?")
_NAMED: Final = re.compile(r'"(?:name|function|tool|tool_name)"\s*:\s*"([^"\\]*)"')
_RAW_ARGUMENTS: Final = re.compile(r'"(?:arguments|parameters|args|input|params)"\s*:\s*(.*)', re.DOTALL)
_FUNCTION_TAG: Final = re.compile(r"<function=([^>\n]*)>")
_PARAMETER: Final = re.compile(
    r"<parameter=([^>\n]+)>\n?(.*?)\n?(?=</parameter>|<parameter=|</function>|\Z)", re.DOTALL
)
_MISTRAL: Final = re.compile(r"\s*([\w.-]+)\s*(?:\[CALL_ID\]\w*\s*)?(?:\[ARGS\])?\s*(?=\{)")
_DECODER: Final = json.JSONDecoder(strict=False)  # weak models put raw line ends into strings


class WrittenCalls:
    """A filter over streamed text: `feed` it the pieces, then `finish`; it yields text, thoughts and calls in order."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = frozenset(known)
        self._held = ""
        self._at_line_start = True
        self._after_call = False
        self._thinking: bool | None = None

    def feed(self, text: str) -> Iterator[Piece]:
        """Take the next piece of the reply and give what is certain by now."""
        self._held += text
        if self._settle_thinking(final=False):
            yield from self._think(final=False)
        if self._thinking is False:
            yield from self._scan(final=False)

    def finish(self) -> Iterator[Piece]:
        """The reply is over: give the rest."""
        if self._settle_thinking(final=True):
            yield from self._think(final=True)
        yield from self._scan(final=True)

    def _settle_thinking(self, *, final: bool) -> bool:
        """Whether the text is inside the reasoning that opened the reply."""
        if self._thinking is None:
            start = self._held.lstrip()
            if start.startswith(_THINK):
                self._thinking, self._held = True, start.removeprefix(_THINK)
            elif final or not _THINK.startswith(start):
                self._thinking = False
        return bool(self._thinking)

    def _think(self, *, final: bool) -> Iterator[Piece]:
        thought, closed, rest = self._held.partition(_THOUGHT)
        if closed:
            self._thinking, self._held, self._after_call = False, rest, True
        else:
            kept = 0 if final else _unfinished(thought, (_THOUGHT,))
            thought, self._held = thought[: len(thought) - kept], thought[len(thought) - kept :]
        if thought:
            yield ThoughtDelta(thought)

    def _scan(self, *, final: bool) -> Iterator[Piece]:
        while self._held:
            opening = self._opening()
            if opening is None:
                kept = 0 if final else self._may_open()
                yield from self._emit(len(self._held) - kept)
                return
            yield from self._emit(opening)
            verdict = self._read(final=final)
            if verdict is None:
                return
            if isinstance(verdict, _Text):
                yield from self._emit(verdict.length)
            else:
                self._held = self._held[verdict.length :]
                self._after_call = True
                yield from verdict.calls

    def _opening(self) -> int | None:
        """Where a call may begin in what is held."""
        if not self._known:
            return None
        for match in _OPENING.finditer(self._held):
            bare = match[0][-1] in "[{" and match[0] not in _MARKS
            if match.start() or self._at_line_start or not bare:
                return match.start()
        return None

    def _may_open(self) -> int:
        """How many characters at the end may be the beginning of an opening."""
        if not self._known:
            return 0
        blank = len(self._held) - len(self._held.rstrip(" \t"))
        if blank and (self._held[-blank - 1 : -blank] == "\n" or (blank == len(self._held) and self._at_line_start)):
            return blank
        return _unfinished(self._held, _MARKS)

    def _emit(self, length: int) -> Iterator[Piece]:
        text, self._held = self._held[:length], self._held[length:]
        if text:
            self._at_line_start = text.endswith("\n") or (self._at_line_start and text.isspace())
        if self._after_call:  # the blank lines around a call belong to it
            text = text.lstrip()
        if text:
            self._after_call = False
            yield TextDelta(text)

    def _read(self, *, final: bool) -> _Verdict:
        """Judge what is held, which begins with an opening."""
        readers = {
            "```": self._read_fence,
            "<tool_call>": self._read_tagged,
            "<function=": self._read_function,
            "<|python_tag|>": self._read_python_tag,
            "[TOOL_CALLS]": self._read_mistral,
        }
        for mark, read in readers.items():
            if self._held.startswith(mark):
                return read(final=final)
        begin = _after_blank(self._held, 0)
        if not final and "[TOOL_CALLS]".startswith(self._held[begin:]):
            return None
        return self._read_json(begin, "", final=final)

    def _read_python_tag(self, *, final: bool) -> _Verdict:
        start = _after_blank(self._held, len("<|python_tag|>"))
        if start == len(self._held):
            return _Text(start) if final else None
        return self._read_json(start, "", final=final)

    def _read_fence(self, *, final: bool) -> _Verdict:
        header = _FENCE.match(self._held)
        start = header.end() if header else 3
        if start == len(self._held):
            return _Text(start) if final else None
        if self._held[start] not in "[{":
            return _Text(start)
        verdict = self._read_json(start, "```", final=final)
        return _Text(start) if isinstance(verdict, _Text) else verdict

    def _read_tagged(self, *, final: bool) -> _Verdict:
        start = _after_blank(self._held, len("<tool_call>"))
        if start == len(self._held):
            return _Text(start) if final else None
        if self._held.startswith("<function=", start):
            verdict = self._read_function(start, final=final)
            return _with_closing(self._held, verdict, "</tool_call>", final=final)
        if not final and "<function=".startswith(self._held[start:]):
            return None
        if self._held[start] not in "[{":
            return _Text(start)
        return self._read_json(start, "</tool_call>", final=final)

    def _read_function(self, start: int = 0, *, final: bool) -> _Verdict:
        tag = _FUNCTION_TAG.match(self._held, start)
        if tag is None:
            complete = final or ">" in self._held[start:] or "\n" in self._held[start:]
            return _Text(start + len("<function=")) if complete else None
        name = self._known_name(tag[1].strip().strip("\"'"))
        if name is None:
            return _Text(tag.end())
        end = self._held.find("</function>", tag.end())
        if end < 0:
            if not final:
                return None
            end = len(self._held)
        body = self._held[tag.end() : end].strip()
        length = min(end + len("</function>"), len(self._held))
        return _Found((WrittenCall(name=name, arguments=_function_arguments(body)),), length)

    def _read_mistral(self, *, final: bool) -> _Verdict:
        start = len("[TOOL_CALLS]")
        named = _MISTRAL.match(self._held, start)
        if named is None:
            begin = _after_blank(self._held, start)
            if begin < len(self._held) and self._held[begin] in "[{":
                return self._read_json(begin, "", final=final)
            return _Text(start) if final or len(self._held) - start > _LONGEST_NAME else None
        name = self._known_name(named[1])
        if name is None:
            return _Text(start)
        decoded = _decode(self._held, named.end())
        if decoded is None:
            raw = self._held[named.end() :].strip()
            return _Found((WrittenCall(name=name, arguments=raw),), len(self._held)) if final else None
        return _Found((WrittenCall(name=name, arguments=_as_json(decoded[0])),), decoded[1])

    def _read_json(self, start: int, closing: str, *, final: bool) -> _Verdict:
        """JSON from `start`, which may be followed by more of it and by `closing`."""
        if not self._may_be_call(start, final=final):
            return _Text(start + 1)
        calls: list[WrittenCall] = []
        end = start
        while (decoded := _decode(self._held, end)) is not None:
            found = self._calls_in(decoded[0])
            if found is None:
                break
            calls += found
            end = decoded[1]
            following = _after_blank(self._held, end)
            if not closing or self._held[following : following + 1] not in ("{", "[", ",", ";"):
                break
            end = following + (self._held[following] in ",;")
        if decoded is None and not final and _find_closing(self._held, closing, end) < 0:
            return None
        if calls:
            return _with_closing(self._held, _Found(tuple(calls), end), closing, final=final)
        return _Text(start + 1) if decoded is not None else self._read_broken(start, closing, final=final)

    def _read_broken(self, start: int, closing: str, *, final: bool) -> _Verdict:
        """JSON that does not parse: not yet, or never."""
        end = _find_closing(self._held, closing, start)
        if end < 0:
            if not final:
                return None
            end = len(self._held)
        body = self._held[start:end]
        named, raw = _NAMED.search(body), _RAW_ARGUMENTS.search(body)
        name = self._known_name(named[1]) if named else None
        if name is None or raw is None:
            return _Text(start + 1)
        call = WrittenCall(name=name, arguments=raw[1].strip())
        return _Found((call,), min(end + len(closing), len(self._held)))

    def _may_be_call(self, start: int, *, final: bool) -> bool:
        """Whether the JSON from `start` begins as a call does, as far as it has come."""
        first = _FIRST_KEY.match(self._held, start)
        if first is None:
            opened = _KEY_TO_COME.match(self._held, start)
            return not final and opened is not None and opened.end() == len(self._held)
        keys = (*_FIRST_KEYS, *self._known)
        if first[1] not in keys if first[2] else not any(key.startswith(first[1]) for key in keys):
            return False
        named = _NAMED.search(self._held, start) if first[1] in _NAME_KEYS else None
        return named is None or self._known_name(named[1]) is not None

    def _calls_in(self, value: Any) -> list[WrittenCall] | None:
        """The calls that a JSON value stands for; None when it is something else."""
        if isinstance(value, dict) and isinstance(value.get("tool_calls"), list):
            value = value["tool_calls"]
        found = [self._call_in(item) for item in (value if isinstance(value, list) else [value])]
        return [call for call in found if call] if found and all(found) else None

    def _call_in(self, value: Any) -> WrittenCall | None:
        if not isinstance(value, dict):
            return None
        if isinstance(value.get("function"), dict):
            value = value["function"]
        if len(value) == 1:  # {"conversation_search": {"query": ...}}
            only, inner = next(iter(value.items()))
            if only in self._known and isinstance(inner, dict):
                return WrittenCall(name=only, arguments=_as_json(inner))
        key = next((key for key in _NAME_KEYS if isinstance(value.get(key), str)), None)
        name = self._known_name(value[key]) if key else None
        if name is None or _is_schema(value):
            return None
        given = next((value[word] for word in _ARGUMENT_KEYS if word in value), None)
        if given is None:
            given = {word: item for word, item in value.items() if word not in (key, "type", "id")}
        return WrittenCall(name=name, arguments=_as_json(given))

    def _known_name(self, name: str) -> str | None:
        name = name.removeprefix("functions.")
        return name if name in self._known else None


_LONGEST_NAME: Final = 80


def _unfinished(text: str, marks: Collection[str]) -> int:
    """How many characters at the end of `text` begin one of `marks` without finishing it."""
    longest = min(len(text), max(map(len, marks)) - 1)
    return next((n for n in range(longest, 0, -1) if any(mark.startswith(text[-n:]) for mark in marks)), 0)


def _after_blank(text: str, start: int) -> int:
    while start < len(text) and text[start].isspace():
        start += 1
    return start


def _decode(text: str, start: int) -> tuple[Any, int] | None:
    start = _after_blank(text, start)
    if text[start : start + 1] not in ("{", "["):
        return None
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return value, end


def _find_closing(text: str, closing: str, start: int) -> int:
    """Where `closing` stands, or -1. A fence closes on a line of its own: arguments may hold fences."""
    if not closing:
        return -1
    if closing != "```":
        return text.find(closing, start)
    at = text.find("\n```", start)
    return at + 1 if at >= 0 else -1


def _with_closing(text: str, verdict: _Verdict, closing: str, *, final: bool) -> _Verdict:
    """Let found calls take their closing mark with them; wait for it while it may still come."""
    if not isinstance(verdict, _Found) or not closing:
        return verdict
    end = _after_blank(text, verdict.length)
    if text.startswith(closing, end):
        return _Found(verdict.calls, end + len(closing))
    return None if not final and closing.startswith(text[end:]) else verdict


def _function_arguments(body: str) -> str:
    if not body:
        return "{}"
    if body.startswith(("{", "[")):
        return body
    return _as_json({match[1].strip(): _parameter(match[2]) for match in _PARAMETER.finditer(body)} or body)


def _parameter(text: str) -> Any:
    """A parameter between tags: a list, object, number or truth value as JSON, all else as the string it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, str) or value is None else value


def _as_json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_schema(value: dict[str, Any]) -> bool:
    """The model recites a function's description instead of calling it."""
    parameters = value.get("parameters")
    return "description" in value or (isinstance(parameters, dict) and {"type", "properties"} <= set(parameters))
