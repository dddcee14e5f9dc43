"""How the strict test server counts a prompt: its own way, so that ours is checked against something else.

Function schemas are rendered as a TypeScript namespace, the form that OpenAI's models were found to be given; ours goes
by the published constants. Both stand on the same token table.
"""

from functools import cache, lru_cache
from typing import Any

from support.brains import text_of

from memgpt_cli.llm.rank_tables import O200K
from memgpt_cli.llm.token_counters import _encoding

Segment = tuple[int, ...]

_MESSAGE_START, _MESSAGE_BODY, _MESSAGE_END, _CALL, _CALL_BODY, _CALL_END = range(-6, 0)
PRIMING = 3
_PICTURE = 765


def segments(body: dict[str, Any]) -> list[Segment]:
    """The prompt as token ids: one segment for the functions, one for each message. Framing has negative ids."""
    functions = [encode(render_tools(body["tools"]))] if body.get("tools") else []
    return functions + [_message(message) for message in body["messages"]]


def prompt_tokens(parts: list[Segment]) -> int:
    return sum(map(len, parts)) + PRIMING


def common_prefix(before: list[Segment], now: list[Segment]) -> int:
    """Tokens that both begin with."""
    total = 0
    for old, new in zip(before, now, strict=False):
        if old is new or old == new:
            total += len(new)
            continue
        same = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        return total + same
    return total


def render_tools(tools: list[dict[str, Any]]) -> str:
    lines = ["# Tools", "", "## functions", "", "namespace functions {", ""]
    for tool in tools:
        function = tool["function"]
        lines += [f"// {line}" for line in function.get("description", "").splitlines()]
        properties = function.get("parameters", {}).get("properties", {})
        if not properties:
            lines += [f"type {function['name']} = () => any;", ""]
            continue
        lines += [f"type {function['name']} = (_: {{", *_properties(function["parameters"]), "}) => any;", ""]
    return "\n".join([*lines, "} // namespace functions"])


def _properties(schema: dict[str, Any]) -> list[str]:
    lines = []
    required = schema.get("required", ())
    for key, value in schema.get("properties", {}).items():
        lines += [f"// {line}" for line in value.get("description", "").splitlines()]
        default = f" // default: {value['default']}" if "default" in value else ""
        lines.append(f"{key}{'' if key in required else '?'}: {_type(value)},{default}")
    return lines


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(f'"{item}"' for item in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"{_type(schema.get('items', {}))}[]"
    if kind == "object":
        return "\n".join(["{", *_properties(schema), "}"])
    if isinstance(kind, list):
        return " | ".join(kind)
    return "number" if kind == "integer" else str(kind)


def _message(message: dict[str, Any]) -> Segment:
    tokens: list[int] = [_MESSAGE_START, *encode(message["role"])]
    if "name" in message:
        tokens += encode(message["name"])
    tokens += [_MESSAGE_BODY, *encode(text_of(message))]
    if isinstance(message.get("content"), list):
        tokens += [_MESSAGE_BODY] * _PICTURE
    for call in message.get("tool_calls", ()):
        function = call["function"]
        tokens += [_CALL, *encode(function["name"]), _CALL_BODY, *encode(function["arguments"]), _CALL_END]
    return (*tokens, _MESSAGE_END)


@lru_cache(maxsize=20_000)
def encode(text: str) -> Segment:
    # A test server meets no megabyte of blanks in one message that our own counter has not cut before.
    if len(text) <= _PIECE:
        return tuple(_table().encode_ordinary(text))
    return tuple(token for n in range(0, len(text), _PIECE) for token in _table().encode_ordinary(text[n : n + _PIECE]))


_PIECE = 50_000


@cache
def _table() -> Any:
    return _encoding(O200K)
