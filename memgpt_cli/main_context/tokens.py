"""Count the tokens of a request: texts with a counter, framing and schemas by rule plus a stated margin.

The tokenizer is a `TokenCounter`; calibration corrects these counts with the server's.

There are two sets of rules. For a model's own table (`counter.exact`) they are OpenAI's published ones: 3 tokens for
each message, 3 to prime the reply, and for function schemas the constants of its cookbook ("How to count tokens with
tiktoken"). For an estimate, they follow the chat templates of open models: `<|im_start|>role ... <|im_end|>` around a
message, calls and schemas as JSON, and an introduction to the functions. Both sets err on the high side.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from memgpt_cli.domain.chat import ChatRequest, PromptMessage, ToolSchema
from memgpt_cli.ports import TokenCounter

PRIMING = 3
"""Tokens that open the reply."""

SCHEMA_MARGIN = 1.1
"""Applied to every count of schemas: their rendering is published only for flat schemas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """Tokens around a message, around a call besides its name and arguments, and before the first function."""

    message: int
    call: int
    tools: int


PUBLISHED = Framing(message=3, call=6, tools=16)
"""3 and 12 (here 16) around all functions: the published rules. 6: the name of the called function."""

TEMPLATE = Framing(message=5, call=16, tools=180)
"""Counted in the templates of Qwen 2.5 and 3, Llama 3.1 and Hermes, whose introduction takes 100 to 170 tokens."""

_FUNCTION = 10
_PROPERTIES = 3
_PROPERTY = 3
_ENUM_ITEM = 3


def count_message(counter: TokenCounter, message: PromptMessage) -> int:
    """Tokens of one message with its framing.

    A call counts its name twice, because the header of its result repeats it. Opaque fields cost what their server has
    reported, or what their content counts.
    """
    framing = _framing(counter)
    total = framing.message + counter.count(message.role) + counter.count(message.content or "")
    for call in message.calls:
        total += framing.call + 2 * counter.count(call.name) + counter.count(call.arguments or "{}")
    if message.opaque is not None:
        reported = message.opaque.tokens
        total += counter.count(message.opaque.content) if reported is None else reported
    return total


def count_tools(counter: TokenCounter, tools: Iterable[ToolSchema]) -> int:
    """Tokens of the function schemas, margin included; 0 if there are none."""
    tools = tuple(tools)
    if not tools:
        return 0
    if counter.exact:
        total = sum(_count_function(counter, tool) for tool in tools)
    else:
        total = sum(counter.count(json.dumps(tool.to_wire(), ensure_ascii=False)) for tool in tools)
    return math.ceil(SCHEMA_MARGIN * total) + _framing(counter).tools


def count_request(counter: TokenCounter, request: ChatRequest) -> int:
    """Tokens of the whole prompt: its messages, its schemas and the priming of the reply."""
    messages = sum(count_message(counter, message) for message in request.messages)
    return messages + count_tools(counter, request.tools) + PRIMING


def _framing(counter: TokenCounter) -> Framing:
    return PUBLISHED if counter.exact else TEMPLATE


def _count_function(counter: TokenCounter, tool: ToolSchema) -> int:
    return _FUNCTION + counter.count(f"{tool.name}:{tool.description}") + _count_schema(counter, tool.parameters)


def _count_schema(counter: TokenCounter, schema: Mapping[str, Any]) -> int:
    """Apply the published rule to the properties of an object and to nested properties."""
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties") or {}
    total = _PROPERTIES if properties else 0
    for key, value in properties.items():
        total += _PROPERTY + counter.count(f"{key}:{value.get('type', '')}:{value.get('description', '')}")
        total += sum(_ENUM_ITEM + counter.count(str(item)) for item in value.get("enum", ()))
        total += sum(counter.count(f"{word}: {value[word]}") + 1 for word in value if word not in _COUNTED_ELSEWHERE)
        total += _count_schema(counter, value)
    if isinstance(items := schema.get("items"), Mapping):
        total += _PROPERTY + counter.count(json.dumps(items, ensure_ascii=False))
    return total


_COUNTED_ELSEWHERE = frozenset(("type", "description", "enum", "properties", "items", "required"))
