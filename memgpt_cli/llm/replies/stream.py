"""Convert a streamed reply of any Chat Completions server to deltas: text, reasoning, calls, reason for the end, usage.

`openai_chat` handles the network, `calls` assembles calls, and `text` finds calls and reasoning inside the text.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from memgpt_cli.domain.chat import CallDelta, ChatRequest, CutDelta, Delta, TextDelta, ThoughtDelta, Usage
from memgpt_cli.errors import ModelError, ReplyLengthError
from memgpt_cli.llm.opaque_fields import OpaqueFields, is_opaque
from memgpt_cli.llm.replies.bounds import STALLED
from memgpt_cli.llm.replies.call_ids import CallIds
from memgpt_cli.llm.replies.calls import CallPieces
from memgpt_cli.llm.replies.offered import ReadCall
from memgpt_cli.llm.replies.text import Piece, ReplyText
from memgpt_cli.llm.replies.usage import usage_of

_QUOTED: Final = 200
_THOUGHT_FIELDS: Final = ("reasoning_content", "reasoning", "reasoning_text", "thinking")
_LENGTH: Final = frozenset(
    {"length", "max_tokens", "max_output_tokens", "model_length", "token_limit", "model_context_window_exceeded"}
)
_FILTER: Final = frozenset(
    {"content_filter", "content_filtered", "safety", "sensitive", "recitation", "blocklist", "prohibited_content"}
    | {"spii", "refusal", "guardrail_intervened"}
)
_FAILED: Final = frozenset({"error", "network_error", "insufficient_system_resource", "abort"})


class ReplyStream:
    """Turns chunks, as parsed JSON, into deltas. Call `feed` for each, then `finish` once."""

    def __init__(self, request: ChatRequest, *, origin: str = "") -> None:
        self._request = request
        self._origin = origin
        self._opaque = OpaqueFields()
        self._ids = CallIds(request)
        self._pieces = CallPieces(request.tools)
        self._text = ReplyText(request.tools if request.may_call else ())
        self._calls = 0
        self._usage: Usage | None = None
        self._finish_reason: str | None = None
        self._choice: Any = None
        self._choices = 0
        self._first: Any = None
        self._by_delta = False
        self._characters = 0
        self._modern_calls = False
        self._thought_something = False
        self._said_something = False

    def feed(self, chunk: Any) -> Iterator[Delta]:
        """Yield the deltas of one chunk."""
        self._first = chunk if self._first is None else self._first
        if not isinstance(chunk, dict):
            return
        self._usage = usage_of(chunk.get("usage")) or self._usage
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and self._is_ours(choice):
                yield from self._feed_choice(choice)

    @property
    def characters(self) -> int:
        """Return the characters of text, reasoning and calls so far."""
        return self._characters + self._pieces.characters

    def finish(self, *, complete: bool, cut: str = "") -> Iterator[Delta]:
        """Yield everything held back, the calls, the reason if the reply was cut, and the usage if any was reported.

        `complete`: the server marked the end; a finish reason or the usage do so too. Raises ModelError if the server
        broke off or sent no reply, or the model stopped before any text.
        """
        for piece in self._text.finish(called=bool(self._pieces)):
            yield self._piece(piece)
        if not (self._said_something or self._pieces):
            self._explain_silence(cut)
        if self._finish_reason in _FAILED or not (complete or self._finish_reason or self._usage):
            raise ModelError(
                "The server broke off in the middle of the reply.",
                hint="try again; your message is stored",
                transient=True,
            )
        for call in self._pieces.finished():
            self._opaque.call(self._calls, call.extra)
            yield self._call(call.name, call.arguments)
        if self._must_go_back() and (opaque := self._opaque.finished(self._origin)) is not None:
            yield opaque
        if cut:
            yield CutDelta(cut)
        elif self._finish_reason in _LENGTH:
            yield CutDelta("length")
        elif self._finish_reason in _FILTER:
            yield CutDelta("content_filter")
        if self._usage is not None:
            yield self._usage

    def _must_go_back(self) -> bool:
        """Whether a server may want the opaque fields again: for calls, and for replies after results."""
        last = self._request.messages[-1] if self._request.messages else None
        return bool(self._calls) or (last is not None and last.role == "tool")

    def _is_ours(self, choice: Mapping[str, Any]) -> bool:
        """Whether this is the choice that is read: the first, and those without an index, which continue it."""
        index = choice.get("index")
        if self._choices == 0:
            self._choice = index
        return index is None or index == self._choice

    def _feed_choice(self, choice: Mapping[str, Any]) -> Iterator[Delta]:
        self._choices += 1
        delta, message = choice.get("delta"), choice.get("message")
        if isinstance(delta, dict) and delta:
            self._by_delta = self._by_delta or bool(set(delta) - {"role"})
            yield from self._delta(delta)
        if isinstance(message, dict):
            yield from self._message(message)
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self._finish_reason = reason.lower()

    def _message(self, message: Mapping[str, Any]) -> Iterator[Delta]:
        """Read a whole message. After deltas it repeats them, so only new parts are used."""
        repeated: set[str] = set()
        if self._by_delta and self._said_something:
            repeated |= {"content", "refusal"}
        if self._thought_something:
            repeated |= {name for name in message if is_opaque(name)}
        if self._by_delta and self._pieces:
            repeated |= {"tool_calls", "function_call"}
        yield from self._delta({key: value for key, value in message.items() if key not in repeated})

    def _delta(self, delta: Mapping[str, Any]) -> Iterator[Delta]:
        self._opaque.message(delta)
        thought = next((delta[name] for name in _THOUGHT_FIELDS if delta.get(name)), None)
        if isinstance(thought, str):
            self._thought_something = True
            self._characters += len(thought)
            self._text.note_thought(thought)
            yield ThoughtDelta(thought)
        content = delta.get("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        for part in parts:
            yield from self._content(part)
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            self._said_something = True
            yield TextDelta(refusal)
        self._take_calls(delta)

    def _take_calls(self, delta: Mapping[str, Any]) -> None:
        calls, legacy = delta.get("tool_calls"), delta.get("function_call")
        calls = [calls] if isinstance(calls, dict) else calls
        if isinstance(calls, list) and calls:
            for call in calls:
                if isinstance(call, dict):
                    self._pieces.add(call)
                    self._modern_calls = True
        elif isinstance(legacy, dict) and not self._modern_calls:
            self._pieces.add({"function": legacy})

    def _content(self, part: Any) -> Iterator[Delta]:
        """Read a text, or Mistral's list of thinking and text."""
        if not isinstance(part, dict):
            return
        if part.get("type") == "thinking":
            inner = part.get("thinking")
            inner = inner if isinstance(inner, list) else [{"text": inner}]
            texts = [item.get("text") for item in inner if isinstance(item, dict)]
            yield from (ThoughtDelta(text) for text in texts if isinstance(text, str) and text)
        elif isinstance(text := part.get("text"), str) and text:
            self._characters += len(text)
            for piece in self._text.feed(text):
                yield self._piece(piece)

    def _piece(self, piece: Piece) -> Delta:
        if isinstance(piece, ThoughtDelta):
            return piece
        if isinstance(piece, ReadCall):
            return self._call(piece.name, piece.arguments)
        self._said_something = isinstance(piece, TextDelta) or self._calls > 0
        return piece

    def _call(self, name: str, arguments: str) -> CallDelta:
        self._said_something = True
        index, self._calls = self._calls, self._calls + 1
        return CallDelta(index=index, id=self._ids.new(), name=name, arguments=arguments)

    def _explain_silence(self, cut: str) -> None:
        if cut:
            stalled = cut == STALLED
            what = "nothing of a reply in time" if stalled else "more than a reply can be, and no text"
            raise ModelError(f"The server sent {what}.", hint="try again, or see the server's log", transient=stalled)
        if not self._choices:
            sent = "" if self._first is None else f": {json.dumps(self._first, ensure_ascii=False)[:_QUOTED]}"
            raise ModelError(
                f"The server answered without a reply{sent}", hint="check --base-url; it must speak Chat Completions"
            )
        if self._finish_reason in _LENGTH:
            raise ReplyLengthError(
                f"The model used up its {self._request.max_tokens or 'allowed'} tokens before it said anything.",
                hint="leave it more room: memgpt config set window.reserve TOKENS",
            )
        if self._finish_reason in _FILTER:
            raise ModelError("The provider's content filter stopped the reply.", hint="rephrase the message")
