"""The answers of the endpoint in the form of OpenAI's: whole, or as chunks of a stream; and its errors."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.domain.events import Happening, ReplyDelta, StepCommitted, TurnEnded
from memgpt_cli.errors import (
    AgentBusyError,
    APIKeyError,
    LimitError,
    MemGPTError,
    ModelError,
    NotFoundError,
    RateLimitError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DONE: Final = "data: [DONE]\n\n"
RETRY_AFTER_S: Final = 5


@dataclass(slots=True)
class TurnReply:
    """What a turn says to the client, gathered while it runs.

    Text is passed on as it comes, also what a model says before it calls a function; in the paper's protocol only what
    it sends to the person is passed on.
    """

    agent: str
    created: int
    ident: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    streams_thoughts: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    turn: int = 0
    reply: str = ""
    _step: str = ""
    _said: list[str] = field(default_factory=list)

    def take(self, happening: Happening) -> Iterator[str]:
        """The pieces of text that a happening adds to the stream."""
        if isinstance(happening, ReplyDelta) and not self.streams_thoughts:
            if not self._step and self._said:
                yield "\n\n"
            self._step += happening.text
            self._said.append(happening.text)
            yield happening.text
        elif isinstance(happening, StepCommitted):
            usage = happening.record.usage
            self.prompt_tokens += usage.prompt_tokens
            self.completion_tokens += usage.completion_tokens
            self.cached_tokens += usage.cached_tokens
            if not happening.final:
                self._step = ""
        elif isinstance(happening, TurnEnded):
            self.turn, self.reply = happening.turn, happening.reply
            if happening.reply.strip() and happening.reply.strip() not in "".join(self._said):
                yield ("\n\n" if self._said else "") + happening.reply

    @property
    def usage(self) -> dict[str, Any]:
        """Tokens of all calls of the turn, as the servers reported them."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
        }

    def whole(self) -> dict[str, Any]:
        """The answer in one piece."""
        message = {"role": "assistant", "content": self.reply}
        return {
            **self._head("chat.completion"),
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": self.usage,
        }

    def first(self) -> str:
        """The first chunk."""
        return self._chunk({"role": "assistant", "content": ""})

    def piece(self, text: str) -> str:
        """A chunk of text; an empty one keeps the connection open."""
        return self._chunk({"content": text})

    def last(self, *, include_usage: bool) -> str:
        """The last chunks: the end, the usage where it was asked for, and the mark."""
        end = self._chunk({}, reason="stop")
        counted = _event({**self._head("chat.completion.chunk"), "choices": [], "usage": self.usage})
        return end + (counted if include_usage else "") + DONE

    def _chunk(self, delta: Mapping[str, Any], *, reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return _event({**self._head("chat.completion.chunk"), "choices": [choice]})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.ident, "object": kind, "created": self.created, "model": self.agent}


def error_body(error: MemGPTError) -> dict[str, Any]:
    """An error in OpenAI's form, with its hint."""
    message = f"{error.message}. {error.hint}" if error.hint else error.message
    return {"error": {"message": message, "type": error.code, "code": error.code, "param": None}}


def error_event(error: MemGPTError) -> str:
    """An error in the middle of a stream, and its end."""
    return _event(error_body(error)) + DONE


def status_of(error: MemGPTError) -> tuple[int, dict[str, str]]:
    """The status of an error and the headers that tell SDKs whether to repeat the request."""
    if isinstance(error, (RateLimitError, AgentBusyError)):
        return 429, {"retry-after": str(RETRY_AFTER_S)}
    permanent = {"x-should-retry": "false"}
    if isinstance(error, NotFoundError):
        return 404, permanent
    if isinstance(error, (UsageError, LimitError)):
        return 400, permanent
    if isinstance(error, APIKeyError):
        return 500, permanent
    return (502, {}) if isinstance(error, ModelError) else (500, permanent)


def _event(body: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def refused(scope: str) -> dict[str, Any]:
    """The error for a key that does not allow a request."""
    message = f"this key does not allow to {scope} here"
    return {"error": {"message": message, "type": "refused", "code": None, "param": None}}
