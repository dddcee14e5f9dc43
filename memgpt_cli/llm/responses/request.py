"""Requests in the form of the Responses API.

Nothing is stored on the server (`store: false`): each request contains the whole prompt, with the encrypted reasoning
of earlier replies directly before the message or call that followed it. Items are only added at the end of `input`, so
within an epoch each request extends the previous one.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from memgpt_cli.domain.chat import ChatRequest, PromptMessage, ToolSchema

_FEWEST_TOKENS: Final = 16
"""The smallest valid `max_output_tokens`."""

Item = dict[str, Any]


def request_body(request: ChatRequest, reasoning_effort: str | None) -> dict[str, Any]:
    """The body for `POST /responses`."""
    messages = request.messages
    body: dict[str, Any] = {"model": request.model}
    if messages and messages[0].role == "system":
        body["instructions"] = messages[0].content or ""
        messages = messages[1:]
    body["input"] = list(_items(messages))
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
        body["tool_choice"] = "auto" if request.may_call else "none"
        body["parallel_tool_calls"] = True
    if request.max_tokens is not None:
        body["max_output_tokens"] = max(_FEWEST_TOKENS, request.max_tokens)
    if reasoning_effort is not None:
        body["reasoning"] = {"effort": reasoning_effort}
    body["include"] = ["reasoning.encrypted_content"]
    body["store"] = False
    body["stream"] = True
    return body


def _tool(tool: ToolSchema) -> Item:
    """Set `strict`, which is on by default in this API and would refuse schemas with optional arguments."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
        "strict": False,
    }


def _items(messages: Sequence[PromptMessage]) -> Iterator[Item]:
    server_ids: dict[str, str] = {}
    for message in messages:
        if message.role == "tool":
            call_id = message.call_id or ""
            output = message.content or ""
            yield {"type": "function_call_output", "call_id": server_ids.get(call_id, call_id), "output": output}
        elif message.role == "assistant":
            yield from _reply(message, server_ids)
        else:
            role = "developer" if message.role == "system" else message.role
            yield {"type": "message", "role": role, "content": _content(message)}


def _content(message: PromptMessage) -> str | list[Item]:
    if message.picture is None:
        return message.content or ""
    data = base64.b64encode(message.picture.content).decode("ascii")
    image = {"type": "input_image", "detail": "auto", "image_url": f"data:{message.picture.kind};base64,{data}"}
    return [image, {"type": "input_text", "text": message.content or ""}]


def _reply(message: PromptMessage, server_ids: dict[str, str]) -> Iterator[Item]:
    """Return the items of one reply in their original order, with their reasoning if it is known."""
    layout = _layout(message)
    if layout is None:
        if message.content:
            yield {"type": "message", "role": "assistant", "content": message.content}
        yield from (_call(call.id, call.name, call.arguments) for call in message.calls)
        return
    texts, calls = iter(_texts(message, layout)), iter(message.calls)
    reasoning: list[Item] = []
    for entry in layout:
        if entry["type"] == "reasoning":
            reasoning.append(entry)
            continue
        item = _said(entry, next(texts, "")) if entry["type"] == "message" else None
        if entry["type"] == "function_call" and (call := next(calls, None)) is not None:
            server_ids[call.id] = entry["call_id"]
            item = _call(entry["call_id"], call.name, call.arguments) | _id(entry)
        if item is not None:
            yield from (*reasoning, item)
        reasoning = []


def _layout(message: PromptMessage) -> list[Item] | None:
    if message.opaque is None:
        return None
    layout: list[Item] = json.loads(message.opaque.content)
    said = sum(entry["type"] == "message" for entry in layout)
    calls = sum(entry["type"] == "function_call" for entry in layout)
    fits = bool(said) == bool(message.content) and calls >= len(message.calls)
    return layout if fits else None


def _texts(message: PromptMessage, layout: Sequence[Item]) -> list[str]:
    """Split the reply's text into its original messages."""
    lengths = [entry["length"] for entry in layout if entry["type"] == "message"]
    text = message.content or ""
    if sum(lengths) != len(text):
        return [text]
    ends = [sum(lengths[: n + 1]) for n in range(len(lengths))]
    return [text[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def _said(entry: Item, text: str) -> Item | None:
    if not text:
        return None
    phase = {"phase": entry["phase"]} if entry.get("phase") else {}
    if not entry.get("id"):
        return {"type": "message", "role": "assistant", "content": text} | phase
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "role": "assistant", "content": content, "status": "completed"} | _id(entry) | phase


def _id(entry: Item) -> Item:
    return {"id": entry["id"]} if entry.get("id") else {}


def _call(call_id: str, name: str, arguments: str) -> Item:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
