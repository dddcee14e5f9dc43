"""Anthropic's Messages API for the test server: bodies are checked with the anthropic package's types and the rules."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_type_hints

from anthropic.types import RawMessageStreamEvent
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from pydantic import TypeAdapter, ValidationError
from support.brains import Body, Reply
from support.strict_rules import RefusalError

_BODY: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsStreaming)
_EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
_FIELDS = {
    "text": {"type", "text", "cache_control"},
    "image": {"type", "source", "cache_control"},
    "tool_use": {"type", "id", "name", "input", "cache_control"},
    "tool_result": {"type", "tool_use_id", "content", "is_error", "cache_control"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
}
_ID = re.compile(r"[a-zA-Z0-9_-]+")
_PIECE = 7


class MessagesApi:
    """Checks requests, and writes replies as events.

    With `thinks` each reply begins with a thinking block, which is valid only after the very prompt that it answered.
    `rejects_thinking` refuses all of them. `refused_fields` are fields that this model does not take.
    """

    path = "/messages"

    def __init__(
        self,
        *,
        thinks: bool = True,
        redacts: bool = False,
        rejects_thinking: bool = False,
        refused_fields: tuple[str, ...] = (),
    ) -> None:
        self.thinks = thinks
        self.redacts = redacts
        self.rejects_thinking = rejects_thinking
        self.refused_fields = refused_fields
        self.issued: dict[str, str] = {}  # signature -> what stood before the block
        self.usage = {"input_tokens": 100, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 600}
        self.stop_reason: str | None = None

    def authorise(self, headers: dict[str, str], api_key: str | None) -> None:
        if not headers.get("anthropic-version"):
            raise RefusalError("anthropic-version: header is required")
        if api_key is not None and headers.get("x-api-key") != api_key:
            raise RefusalError("invalid x-api-key", status=401, kind="authentication_error")

    def refusal(self, error: RefusalError) -> dict[str, Any]:
        return {"type": "error", "error": {"type": error.kind, "message": error.message}, "request_id": "req_1"}

    def check(self, body: Any) -> None:
        for key in body:
            _require(key in get_type_hints(MessageCreateParamsStreaming), f"{key}: Extra inputs are not permitted")
            _require(key not in self.refused_fields, f"{key}: this field is not supported on this model")
        try:
            found = _BODY.validate_python(body)
            for key in ("messages", "system", "tools"):
                list(found.get(key, ()))  # pydantic checks an Iterable while it is read
        except ValidationError as error:
            raise RefusalError(f"messages: {error.errors()[0]['msg']}") from None
        text = json.dumps(body)
        _require(text.count('"cache_control"') <= 4, "A maximum of 4 blocks with cache_control may be provided.")
        _require(body["max_tokens"] >= 1, "max_tokens: Input should be greater than or equal to 1")
        _require("tools" in body or "tool_choice" not in body, "tool_choice may only be specified with tools")
        self._check_messages(body)

    def _check_messages(self, body: Body) -> None:
        messages = body["messages"]
        _require(messages, "messages: at least one message is required")
        _require(messages[0]["role"] == "user", 'messages: first message must use the "user" role')
        _require(messages[-1]["role"] == "user", "This model does not support assistant message prefill.")
        waiting: list[str] = []
        before = _flat_head(body)
        for number, message in enumerate(messages):
            where = f"messages.{number}"
            _require(not number or messages[number - 1]["role"] != message["role"], f"{where}: roles must alternate")
            _require(message["content"], f"{where}: content must not be empty")
            _check_blocks(message["content"], where)
            if message["role"] == "user":
                answered = _results_first(message["content"], where)
                if missing := [call_id for call_id in waiting if call_id not in answered]:
                    raise RefusalError(
                        f"{where}: `tool_use` ids were found without `tool_result` blocks after: {missing[0]}"
                    )
                _require(
                    set(answered) <= set(waiting), f"{where}: unexpected `tool_use_id` found in `tool_result` blocks"
                )
                _require(len(answered) == len(set(answered)), f"{where}: each tool_use must have a single result")
            waiting = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
            _require(len(waiting) == len(set(waiting)), f"{where}: `tool_use` ids must be unique")
            self._check_thinking(message["content"], before, where)
            before += _flat(message)

    def _check_thinking(self, blocks: list[Any], before: list[str], where: str) -> None:
        _require(not blocks[-1]["type"].endswith("thinking"), f"{where}: The final block cannot be `thinking`.")
        seen = list(before)
        for block in blocks:
            if block["type"] == "thinking":
                prefix = self.issued.get(block["signature"])
                unchanged = prefix == "\n".join(seen) and not self.rejects_thinking
                _require(
                    unchanged,
                    f"{where}.content.0: Invalid `signature` in `thinking` block. The block is bound to a different "
                    "conversation. Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior` to "
                    '"drop_block".',
                )
            seen.append(_plain("assistant", block))

    def as_chat(self, body: Body) -> Body:
        messages: list[dict[str, Any]] = [{"role": "system", "content": _texts(body.get("system", []))}]
        for message in body["messages"]:
            results = [block for block in message["content"] if block["type"] == "tool_result"]
            calls = [block for block in message["content"] if block["type"] == "tool_use"]
            messages += [{"role": "tool", "content": r["content"], "tool_call_id": r["tool_use_id"]} for r in results]
            text = _texts(message["content"])
            if text or calls:
                messages.append({"role": message["role"], "content": text} | ({"tool_calls": calls} if calls else {}))
        tools = [{"type": "function", "function": tool} for tool in body.get("tools", ())]
        silent = body.get("tool_choice") in ("none", {"type": "none"})
        choice = {"tool_choice": "none"} if silent else {}
        return {"model": body["model"], "messages": messages, "tools": tools} | choice

    def content(self, body: Body, reply: Reply, number: int) -> list[dict[str, Any]]:
        content: list[dict[str, Any]] = []
        if self.thinks:
            signature = f"sig{number}=="
            before = _flat_head(body) + [line for message in body["messages"] for line in _flat(message)]
            self.issued[signature] = "\n".join(before)
            content.append({"type": "thinking", "thinking": reply.reasoning or "", "signature": signature})
        if self.redacts:
            content.append({"type": "redacted_thinking", "data": f"hidden{number}"})
        if reply.text is not None:
            content.append({"type": "text", "text": reply.text})
        if body.get("tool_choice") != {"type": "none"}:
            content += [
                {"type": "tool_use", "id": f"toolu_{number}_{n}", "name": call.name, "input": json.loads(call.raw)}
                for n, call in enumerate(reply.calls)
            ]
        return content

    def whole(self, body: Body, reply: Reply, number: int) -> dict[str, Any]:
        return {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": self.content(body, reply, number),
            "stop_reason": self._stop_reason(reply),
            "stop_sequence": None,
            "usage": self.usage | {"output_tokens": 50},
        }

    def _stop_reason(self, reply: Reply) -> str:
        return self.stop_reason or ("tool_use" if reply.calls else "end_turn")

    def events(self, body: Body, reply: Reply, number: int) -> Iterator[dict[str, Any]]:
        for event in self._events(body, reply, number):
            if event["type"] != "ping":
                _EVENT.validate_python(event)
            yield event

    def _events(self, body: Body, reply: Reply, number: int) -> Iterator[dict[str, Any]]:
        message = self.whole(body, reply, number)
        started = message | {"content": [], "stop_reason": None, "usage": self.usage | {"output_tokens": 1}}
        yield {"type": "message_start", "message": started}
        yield {"type": "ping"}
        for index, block in enumerate(message["content"]):
            place = {"type": "content_block_delta", "index": index}
            empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}}}
            first = block | empty.get(block["type"], {})
            yield {"type": "content_block_start", "index": index, "content_block": first}
            if block["type"] == "thinking":
                for piece in _pieces(block["thinking"]):
                    yield place | {"delta": {"type": "thinking_delta", "thinking": piece}}
                yield place | {"delta": {"type": "signature_delta", "signature": block["signature"]}}
            elif block["type"] == "text":
                for piece in _pieces(block["text"]):
                    yield place | {"delta": {"type": "text_delta", "text": piece}}
            elif block["type"] == "tool_use":
                yield place | {"delta": {"type": "input_json_delta", "partial_json": ""}}
                for piece in _pieces(json.dumps(block["input"])):
                    yield place | {"delta": {"type": "input_json_delta", "partial_json": piece}}
            yield {"type": "content_block_stop", "index": index}
        delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 50}}
        yield {"type": "message_stop"}


def _check_blocks(blocks: list[Any], where: str) -> None:
    for number, block in enumerate(blocks):
        place = f"{where}.content.{number}"
        known = _FIELDS.get(block["type"])
        _require(known is not None, f"{place}: unknown type")
        for key in block:
            _require(key in (known or ()), f"{place}.{key}: Extra inputs are not permitted")
        if block["type"] == "text":
            _require(block["text"].strip(), f"{place}: text content blocks must contain non-whitespace text")
        if block["type"] == "tool_use":
            _require(_ID.fullmatch(block["id"]), f"{place}.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
            _require(isinstance(block["input"], dict), f"{place}.input: Input should be a valid dictionary")


def _results_first(blocks: list[Any], where: str) -> list[str]:
    kinds = [block["type"] == "tool_result" for block in blocks]
    _require(kinds == sorted(kinds, reverse=True), f"{where}: tool_result blocks must come first in the message")
    return [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]


def _flat_head(body: Body) -> list[str]:
    return [_plain("tool", tool) for tool in body.get("tools", ())] + [
        _plain("system", block) for block in body.get("system", ())
    ]


def _flat(message: dict[str, Any]) -> list[str]:
    return [_plain(message["role"], block) for block in message["content"]]


def _plain(role: str, block: dict[str, Any]) -> str:
    """A block as the prefix check sees it: a cache breakpoint is not part of it."""
    return role + json.dumps({key: value for key, value in block.items() if key != "cache_control"}, sort_keys=True)


def _texts(blocks: list[Any]) -> str:
    return "\n".join(block["text"] for block in blocks if block["type"] == "text")


def _pieces(text: str) -> Iterator[str]:
    return (text[n : n + _PIECE] for n in range(0, len(text), _PIECE))


def _require(condition: Any, message: str) -> None:
    if not condition:
        raise RefusalError(message)
