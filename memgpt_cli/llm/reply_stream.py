"""A streamed reply, from whatever shape a server gives it to deltas of one shape.

Calls come in pieces by index, or whole; with ids, without, or with the same one twice; usage comes at the end, in every
chunk, or never; reasoning has two names; some servers answer in one piece though asked to stream. Not here: the network
(`openai_chat`), and the text that turns out to be a call (`written_calls`).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from memgpt_cli.domain.chat import CallDelta, ChatRequest, CutDelta, Delta, TextDelta, ThoughtDelta, Usage
from memgpt_cli.errors import ModelError
from memgpt_cli.llm.written_calls import Piece, WrittenCall, WrittenCalls

_ID_LENGTH: Final = 9
_QUOTED: Final = 200
_CUT: Final = ("length", "content_filter")
"""Finish reasons of a reply that is not whole."""


class CallIds:
    """Ids for the calls of one reply: nine letters or digits, the same for the same request, new within its prompt.

    Servers' own ids are not kept: some send none, or the same one twice, and an agent may go on with another server,
    of which Mistral takes exactly such ids and OpenAI at most forty characters.
    """

    def __init__(self, request: ChatRequest) -> None:
        last = request.messages[-1] if request.messages else None
        self._seed = f"{len(request.messages)}\n{last.content if last else ''}\n{last.call_id if last else ''}"
        self._taken = {call.id for message in request.messages for call in message.calls}

    def new(self) -> str:
        """The next id."""
        attempt = 0
        while True:
            seed = f"{len(self._taken)}\n{attempt}\n{self._seed}".encode("utf-8", "surrogatepass")
            candidate = _letters(hashlib.sha256(seed).digest())
            if candidate not in self._taken:
                self._taken.add(candidate)
                return candidate
            attempt += 1


_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _letters(digest: bytes) -> str:
    number = int.from_bytes(digest)
    return "".join(_ALPHABET[number // len(_ALPHABET) ** place % len(_ALPHABET)] for place in range(_ID_LENGTH))


class _Slot:
    """A call under way: the server's index and id, and what still waits for the name."""

    def __init__(self, index: int, server_id: str | None) -> None:
        self.index = index
        self.server_id = server_id
        self.named = False
        self.waiting = ""


class ReplyStream:
    """Turns Chat Completions chunks, as parsed JSON, into deltas. `feed` each, then `finish`."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._ids = CallIds(request)
        self._known = {tool.name for tool in request.tools}
        self._written = WrittenCalls(self._known if request.may_call else ())
        self._slots: list[_Slot] = []
        self._by_server_index: dict[Any, _Slot] = {}
        self._calls = 0
        self._usage: Usage | None = None
        self._finish_reason: str | None = None
        self._choices = 0
        self._first: Any = None
        self._said_something = False

    def feed(self, chunk: Any) -> Iterator[Delta]:
        """The deltas of one chunk."""
        self._first = chunk if self._first is None else self._first
        if not isinstance(chunk, dict):
            return
        self._note_usage(chunk.get("usage"))
        choices = chunk.get("choices")
        if not (isinstance(choices, list) and choices and isinstance(choices[0], dict)):
            return
        choice = choices[0]
        self._choices += 1
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            yield from self._delta(delta)
        self._finish_reason = choice.get("finish_reason") or self._finish_reason

    def finish(self, *, complete: bool) -> Iterator[Delta]:
        """What was held back, why the reply ends where it does if not by itself, and the usage, if any was reported.

        `complete` tells that the server said that it is done, as it also does by a finish reason or the usage. Raises
        ModelError when the server broke off, sent nothing of a reply, or let the model stop before it said anything.
        """
        for piece in self._written.finish():
            yield self._piece(piece)
        if not self._said_something:
            self._explain_silence()
        if not (complete or self._finish_reason or self._usage):
            raise ModelError(
                "The server broke off in the middle of the reply.",
                hint="try again; what was said is kept",
                transient=True,
            )
        if self._finish_reason in _CUT:
            yield CutDelta(self._finish_reason)
        if self._usage is not None:
            yield self._usage

    def _delta(self, delta: Mapping[str, Any]) -> Iterator[Delta]:
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(thought, str):
            yield ThoughtDelta(thought)
        content = delta.get("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        for part in parts:
            yield from self._content(part)
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            self._said_something = True
            yield TextDelta(refusal)
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                yield from self._call(call)

    def _content(self, part: Any) -> Iterator[Delta]:
        """A text, or Mistral's list of thinking and text."""
        if not isinstance(part, dict):
            return
        if part.get("type") == "thinking":
            inner = part.get("thinking")
            texts = [inner] if isinstance(inner, str) else [p.get("text") for p in inner or () if isinstance(p, dict)]
            yield from (ThoughtDelta(text) for text in texts if text)
        elif isinstance(text := part.get("text"), str) and text:
            for piece in self._written.feed(text):
                yield self._piece(piece)

    def _piece(self, piece: Piece) -> Delta:
        if isinstance(piece, ThoughtDelta):
            return piece
        self._said_something = True
        if isinstance(piece, WrittenCall):
            index, self._calls = self._calls, self._calls + 1
            return CallDelta(index=index, id=self._ids.new(), name=piece.name, arguments=piece.arguments)
        return piece

    def _call(self, call: Mapping[str, Any]) -> Iterator[Delta]:
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        name, arguments = function.get("name"), function.get("arguments")
        name = name if isinstance(name, str) else None
        if arguments is not None and not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        slot = self._slot(call, named=bool(name))
        slot.waiting += arguments or ""
        if not slot.named and name:
            slot.named = self._said_something = True
            yield CallDelta(index=slot.index, id=self._ids.new(), name=self._plain(name), arguments=slot.waiting)
        elif slot.named and slot.waiting:
            yield CallDelta(index=slot.index, arguments=slot.waiting)
        else:
            return
        slot.waiting = ""

    def _slot(self, call: Mapping[str, Any], *, named: bool) -> _Slot:
        """The call that a piece belongs to.

        Some servers give every whole call the index 0, and some give none; another id together with a name is another
        call whatever the index says.
        """
        server_index = call["index"] if isinstance(call.get("index"), int) else None
        server_id = call.get("id") or None
        slot = self._by_server_index.get(server_index)
        if slot is None and server_index is None and self._slots and not named:
            slot = self._slots[-1]
        other_id = slot is not None and server_id is not None and slot.server_id not in (None, server_id)
        no_index = server_index is None and server_id is None
        if slot is None or (named and slot.named and (other_id or no_index)):
            slot = _Slot(self._calls, server_id)
            self._calls += 1
            self._slots.append(slot)
            self._by_server_index[server_index] = slot
        return slot

    def _plain(self, name: str) -> str:
        """The name without the prefix that some models were taught to put before it."""
        plain = name.removeprefix("functions.")
        return plain if plain in self._known else name

    def _note_usage(self, usage: Any) -> None:
        if not isinstance(usage, dict) or not _count(usage, "prompt_tokens"):
            return
        details = usage.get("prompt_tokens_details")
        cached = _count(details, "cached_tokens") if isinstance(details, dict) else 0
        self._usage = Usage(
            prompt_tokens=_count(usage, "prompt_tokens"),
            completion_tokens=_count(usage, "completion_tokens"),
            cached_tokens=cached or _count(usage, "prompt_cache_hit_tokens"),
        )

    def _explain_silence(self) -> None:
        if not self._choices:
            sent = "" if self._first is None else f": {json.dumps(self._first, ensure_ascii=False)[:_QUOTED]}"
            raise ModelError(
                f"The server answered without a reply{sent}", hint="check --base-url; it must speak Chat Completions"
            )
        if self._finish_reason == "length":
            raise ModelError(
                f"The model used up its {self._request.max_tokens or 'allowed'} tokens before it said anything.",
                hint="leave it more room: memgpt config set window.reserve TOKENS",
            )
        if self._finish_reason == "content_filter":
            raise ModelError("The provider's content filter stopped the reply.", hint="say it in other words")


def _count(usage: Mapping[str, Any], key: str) -> int:
    value = usage.get(key)
    return int(value) if isinstance(value, int | float) and value > 0 else 0
