"""Requests in the form of Anthropic's Messages API.

Adjacent messages of one role become one message with several blocks, so that roles alternate. Thinking blocks are sent
back unchanged, and only while everything before them is unchanged: newer models check that and refuse a block whose
conversation has changed, as after an eviction.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from memgpt_cli.domain.chat import ChatRequest, PromptMessage, ToolSchema, arguments_object
from memgpt_cli.domain.messages import FunctionCall

Block = dict[str, Any]

_LONGEST_REPLY: Final = 4_096
"""`max_tokens` if the request sets no limit; the API requires one."""
_OPENING: Final = "(the conversation goes on)"
"""The first user message of a prompt that begins with a reply: the API requires one."""
_CACHE: Final = {"type": "ephemeral"}


def request_body(request: ChatRequest, effort: str | None) -> dict[str, Any]:
    """Return the body for `POST /v1/messages`, with its cache breakpoints."""
    body = _prompt(request)
    _mark_for_cache(body)
    if request.tools:
        body["tool_choice"] = {"type": "auto" if request.may_call else "none"}
    body["max_tokens"] = request.max_tokens or _LONGEST_REPLY
    if effort == "none":
        body["thinking"] = {"type": "disabled"}
    elif effort is not None:
        body["thinking"] = {"type": "adaptive"}
        body["output_config"] = {"effort": effort}
    body["stream"] = True
    return body


def prompt_digest(request: ChatRequest) -> str:
    """Return a digest of everything before the reply to `request`."""
    body = _prompt(request)
    digest = _Digest(body)
    for message in body["messages"]:
        digest.add(message["role"], message["content"])
    return digest.value


def _prompt(request: ChatRequest) -> dict[str, Any]:
    """Return model, tools, system text and messages, without breakpoints."""
    messages = request.messages
    body: dict[str, Any] = {"model": request.model}
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if messages and messages[0].role == "system":
        if (messages[0].content or "").strip():
            body["system"] = [{"type": "text", "text": messages[0].content}]
        messages = messages[1:]
    body["messages"] = _messages(messages, _Digest(body))
    return body


class _Digest:
    """A running digest of a prompt, block by block, independent of how messages are merged."""

    def __init__(self, head: Mapping[str, Any]) -> None:
        self._hash = hashlib.sha256(_bytes([head.get("model"), head.get("tools"), head.get("system")]))

    def add(self, role: str, blocks: Iterable[Block]) -> None:
        for block in blocks:
            self._hash.update(_bytes([role, block]))

    @property
    def value(self) -> str:
        return self._hash.hexdigest()[:24]


def _bytes(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _tool(tool: ToolSchema) -> Block:
    return {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}


def _messages(messages: Sequence[PromptMessage], digest: _Digest) -> list[Block]:
    found: list[Block] = []
    if messages and messages[0].role == "assistant":
        found.append({"role": "user", "content": [{"type": "text", "text": _OPENING}]})
        digest.add("user", found[0]["content"])
    for message in messages:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = list(_reply(message, digest.value) if role == "assistant" else _said(message))
        digest.add(role, blocks)
        if found and found[-1]["role"] == role:
            found[-1]["content"] += blocks
        elif blocks:
            found.append({"role": role, "content": blocks})
    return found


def _said(message: PromptMessage) -> Iterator[Block]:
    text = message.content or ""
    if message.role == "tool":
        yield {"type": "tool_result", "tool_use_id": message.call_id, "content": text}
        return
    if message.picture is not None:
        data = base64.b64encode(message.picture.content).decode("ascii")
        yield {"type": "image", "source": {"type": "base64", "media_type": message.picture.kind, "data": data}}
    if text.strip():
        yield {"type": "text", "text": text}


def _reply(message: PromptMessage, after: str) -> Iterator[Block]:
    """Return the blocks of one reply in their original order, with its thinking if that is still valid."""
    texts, calls = [message.content or ""], iter(message.calls)
    layout = _layout(message, after)
    if layout is None:
        layout = [{"type": "text"}, *({"type": "tool_use"} for _ in message.calls)]
    else:
        texts = _texts(texts[0], [entry["length"] for entry in layout if entry["type"] == "text"])
    rest, waiting = iter(texts), list[Block]()
    for entry in layout:
        if entry["type"] == "text":
            block = _text(next(rest, ""))
        elif entry["type"] == "tool_use":
            block = _call(next(calls, None))
        else:
            waiting.append(entry)
            continue
        if block is not None:
            yield from (*waiting, block)
            waiting = []


def _layout(message: PromptMessage, after: str) -> list[Block] | None:
    """Return the order of the reply's blocks; None if it is unknown or no longer valid."""
    if message.opaque is None:
        return None
    kept = json.loads(message.opaque.content)
    layout: list[Block] = kept["blocks"]
    calls = sum(entry["type"] == "tool_use" for entry in layout)
    said = any(entry["type"] == "text" for entry in layout)
    unchanged = kept["after"] == after and calls == len(message.calls) and said == bool(message.content)
    return layout if unchanged else None


def _texts(text: str, lengths: Sequence[int]) -> list[str]:
    """Split the reply's text into its original blocks."""
    if sum(lengths) != len(text):
        return [text]
    ends = [sum(lengths[: n + 1]) for n in range(len(lengths))]
    return [text[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def _text(text: str) -> Block | None:
    return {"type": "text", "text": text} if text.strip() else None


def _call(call: FunctionCall | None) -> Block | None:
    if call is None:
        return None
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments_object(call.arguments) or {}}


def _mark_for_cache(body: dict[str, Any]) -> None:
    """Set the cache breakpoints: after the head, after the previous request's prompt, and after the current prompt.

    A lookup goes back at most 20 blocks from a breakpoint. A step with many calls can exceed that, hence the second
    one. The head's breakpoint covers the tools too, because they come before the system text.
    """
    head = body.get("system") or body.get("tools")
    asked = [message["content"] for message in body["messages"] if message["role"] == "user"]
    for blocks in (head, *asked[-2:]):
        if blocks:
            blocks[-1] = {**blocks[-1], "cache_control": _CACHE}
