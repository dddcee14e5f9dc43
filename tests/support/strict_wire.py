"""How the strict test server puts a reply on the wire: Chat Completions objects, in chunks or whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from support.brains import Body, Call, Reply


@dataclass(frozen=True, kw_only=True)
class Wire:
    """How replies are put on the wire; the defaults are OpenAI's ways.

    `piece` is the number of characters in a delta. `whole_calls` sends a call in one delta (llama.cpp). `ids`: `own`,
    or `none`, `empty`, `same` as careless servers do, `naming` as Kimi K2 does, or `thought` with LiteLLM's signature
    of the first call. `usage` False reports none. `reasoning` names the field.
    `signed` puts a signature on the first call of a reply, as Gemini does.
    """

    piece: int = 12
    whole_calls: bool = False
    ids: Literal["own", "none", "empty", "same", "naming", "thought"] = "own"
    usage: bool = True
    reasoning: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    signed: bool = False


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One answered request, in the server's own tokens (`repeated_tokens`: prefix shared with the request before)."""

    body: Body
    reply: Reply
    prompt_tokens: int
    repeated_tokens: int
    cached_tokens: int
    completion_tokens: int


class Writer:
    """One exchange as Chat Completions objects."""

    def __init__(self, wire: Wire, exchange: Exchange, number: int) -> None:
        self.wire = wire
        self.exchange = exchange
        self.number = number

    def chunks(self) -> Iterator[dict[str, Any] | str]:
        reply = self.exchange.reply
        if reply.chunks is not None:
            yield from reply.chunks
            return
        yield self._delta({"role": "assistant", "content": "" if reply.text is not None else None})
        for piece in _pieces(reply.reasoning or "", self.wire.piece):
            yield self._delta({self.wire.reasoning: piece})
        for piece in _pieces(reply.text or "", self.wire.piece):
            yield self._delta({"content": piece})
        for index, call in enumerate(reply.calls):
            for part in self._call_parts(index, call):
                yield self._delta({"tool_calls": [part]})
        yield self._delta({}, finish_reason=self._finish_reason())
        if self.wire.usage and (self.exchange.body.get("stream_options") or {}).get("include_usage"):
            yield self._envelope("chat.completion.chunk") | {"choices": [], "usage": self._usage()}

    def whole(self) -> dict[str, Any]:
        reply = self.exchange.reply
        message: dict[str, Any] = {"role": "assistant", "content": reply.text}
        if reply.reasoning:
            message[self.wire.reasoning] = reply.reasoning
        if reply.calls:
            message["tool_calls"] = [
                {"type": "function", "function": {"name": call.name, "arguments": call.raw}} | self._id(index, call)
                for index, call in enumerate(reply.calls)
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish_reason()}
        usage = {"usage": self._usage()} if self.wire.usage else {}
        return self._envelope("chat.completion") | {"choices": [choice]} | usage

    def _call_parts(self, index: int, call: Call) -> Iterator[dict[str, Any]]:
        first = call.raw if self.wire.whole_calls else ""
        function = {"name": call.name, "arguments": first}
        signature = {"google": {"thought_signature": f"signature-{self.number}"}}
        extra = {"extra_content": signature} if self.wire.signed and index == 0 else {}
        yield {"index": index} | self._id(index, call) | {"type": "function", "function": function} | extra
        if not self.wire.whole_calls:
            for piece in _pieces(call.raw, self.wire.piece):
                yield {"index": index, "function": {"arguments": piece}}

    def _id(self, index: int, call: Call) -> dict[str, str]:
        own = f"call_{self.number:012d}{index:012d}"
        ids = {"own": own, "empty": "", "same": "call_0", "naming": f"functions.{call.name}:{self.number + index}"}
        ids["thought"] = own if index else f"{own}__thought__{'c2lnbmF0dXJl' * 20}"
        return {} if self.wire.ids == "none" else {"id": ids[self.wire.ids]}

    def _finish_reason(self) -> str:
        reply = self.exchange.reply
        return reply.finish_reason or ("tool_calls" if reply.calls else "stop")

    def _usage(self) -> dict[str, Any]:
        exchange = self.exchange
        return {
            "prompt_tokens": exchange.prompt_tokens,
            "completion_tokens": exchange.completion_tokens,
            "total_tokens": exchange.prompt_tokens + exchange.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": exchange.cached_tokens, "audio_tokens": 0},
        }

    def _delta(self, delta: dict[str, Any], *, finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._envelope("chat.completion.chunk") | {"choices": [choice]}

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.number}",
            "object": kind,
            "created": 1_700_000_000,
            "model": self.exchange.body["model"],
        }


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[n : n + size] for n in range(0, len(text), size))
