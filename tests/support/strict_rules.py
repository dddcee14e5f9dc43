"""What the strict test server refuses: the union of what real Chat Completions servers refuse.

OpenAI's own rules, and on top of them those of stricter ones that people use: arguments sent back must be one JSON
object (vLLM, Ollama), a system message stands only at the beginning and a message is never empty (many chat templates),
the last message is not the assistant's (Mistral, Anthropic), results come in the order of their calls.
"""

import base64
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

FIELDS = frozenset(
    (
        *("model", "messages", "tools", "tool_choice", "parallel_tool_calls", "max_tokens", "max_completion_tokens"),
        *("stream", "stream_options", "temperature", "top_p", "n", "stop", "seed", "user", "metadata", "store"),
        *("frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs", "response_format"),
        *("reasoning_effort", "verbosity", "service_tier", "prompt_cache_key", "safety_identifier", "prediction"),
        *("modalities", "audio", "web_search_options"),
    )
)
_MESSAGE_FIELDS = {
    "system": {"role", "content", "name"},
    "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "tool_calls", "refusal"},
    "tool": {"role", "content", "tool_call_id"},
}
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DATA_URL = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,([A-Za-z0-9+/=]+)")
_MAX_TOOLS = 128
_MAX_DESCRIPTION = 1024
_MAX_ID = 40


@dataclass(eq=False)
class RefusalError(Exception):
    """A request that breaks a rule; the fields are those of OpenAI's error object."""

    message: str
    status: int = 400
    code: str | None = None
    param: str | None = None
    kind: str = "invalid_request_error"

    def body(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


def check(body: Any, *, refused_fields: Collection[str] = ()) -> None:
    """Raise RefusalError for the first rule that `body` breaks."""
    _require(isinstance(body, dict), "We could not parse the JSON body of your request.")
    for field in body:
        _require(field in FIELDS, f"Unrecognized request argument supplied: {field}", code="unknown_parameter")
        if field in refused_fields:
            raise RefusalError(_unsupported(field), code="unsupported_parameter", param=field)
    _require(isinstance(body.get("model"), str) and body["model"], "you must provide a model parameter")
    _check_options(body)
    if "tools" in body:
        _check_tools(body["tools"])
    _check_messages(body.get("messages"))
    _check_surrogates(body)


def _unsupported(field: str) -> str:
    other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}.get(field)
    use = f" Use '{other}' instead." if other else ""
    return f"Unsupported parameter: '{field}' is not supported with this model.{use}"


def _require(condition: Any, message: str, *, code: str | None = None, param: str | None = None) -> None:
    if not condition:
        raise RefusalError(message, code=code, param=param)


def _check_options(body: dict[str, Any]) -> None:
    limits = [body[field] for field in ("max_tokens", "max_completion_tokens") if field in body]
    _require(len(limits) < 2, "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
    for limit in limits:
        _require(type(limit) is int and limit > 0, f"Invalid max_tokens value: {limit!r}, a positive integer is needed")
    _require(type(body.get("stream", False)) is bool, "Invalid type for 'stream': expected a boolean")
    if "stream_options" in body:
        _require(body.get("stream"), "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
        options = body["stream_options"]
        _require(isinstance(options, dict) and set(options) <= {"include_usage"}, "Unknown parameter in stream_options")
    for field in ("tool_choice", "parallel_tool_calls"):
        _require(field not in body or "tools" in body, f"'{field}' is only allowed when 'tools' are specified.")
    choice = body.get("tool_choice", "auto")
    _require(isinstance(choice, dict) or choice in ("none", "auto", "required"), f"Invalid 'tool_choice': {choice!r}")


def _check_tools(tools: Any) -> None:
    _require(isinstance(tools, list) and tools, "[] is too short - 'tools'")
    _require(len(tools) <= _MAX_TOOLS, "Invalid 'tools': array too long.")
    names = []
    for position, tool in enumerate(tools):
        where = f"tools[{position}]"
        _require(isinstance(tool, dict) and set(tool) == {"type", "function"}, f"Unknown or missing field in {where}")
        _require(tool["type"] == "function", f"Invalid value for {where}.type")
        function = tool["function"]
        known = {"name", "description", "parameters", "strict"}
        _require(isinstance(function, dict) and set(function) <= known, f"Unknown field in {where}.function")
        name = function.get("name")
        _require(isinstance(name, str) and _NAME.fullmatch(name), f"Invalid '{where}.function.name': {name!r}")
        names.append(name)
        description = function.get("description", "")
        _require(isinstance(description, str), f"Invalid type for '{where}.function.description'")
        _require(len(description) <= _MAX_DESCRIPTION, f"Invalid '{where}.function.description': string too long.")
        _check_schema(name, function.get("parameters", {"type": "object", "properties": {}}))
    _require(len(set(names)) == len(names), "Tool names must be unique.")


def _check_schema(name: str, schema: Any) -> None:
    start = f"Invalid schema for function '{name}': "
    _require(isinstance(schema, dict), start + "schema must be an object", code="invalid_function_parameters")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise RefusalError(start + error.message, code="invalid_function_parameters") from None
    _require(schema.get("type") == "object", start + 'schema must be of type "object"')
    properties = schema.get("properties", {})
    for key in schema.get("required", ()):
        _require(key in properties, start + f"required property {key!r} is not described")
    for key, value in properties.items():
        array_without_items = isinstance(value, dict) and value.get("type") == "array" and "items" not in value
        _require(not array_without_items, start + f"In {key!r}: array schema missing items.")


def _check_messages(messages: Any) -> None:
    _require(isinstance(messages, list) and messages, "[] is too short - 'messages'")
    waiting: list[str] = []
    seen: set[str] = set()
    for position, message in enumerate(messages):
        where = f"messages[{position}]"
        role = _check_role(message, where)
        if role == "tool":
            _check_answer(message, waiting, where)
            continue
        _require(
            not waiting,
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}",
        )
        if role in ("system", "developer"):
            _require(position == 0, f"Invalid {where}: a system message must be at the beginning.")
        waiting = _check_calls(message, where, seen)
        _check_content(message, where, optional=bool(waiting))
    _require(not waiting, f"The following tool_call_ids did not have response messages: {', '.join(waiting)}")
    _require(messages[-1]["role"] != "assistant", "Expected last role to be user or tool, not assistant.")


def _check_role(message: Any, where: str) -> str:
    _require(isinstance(message, dict), f"Invalid type for '{where}': expected an object")
    role = message.get("role")
    known = _MESSAGE_FIELDS.get(role) if isinstance(role, str) else None
    if known is None:
        raise RefusalError(f"Invalid value: {role!r}. Supported values are: {', '.join(_MESSAGE_FIELDS)}.")
    _require(set(message) <= known, f"Unknown field in {where}: {', '.join(sorted(set(message) - known))}")
    if "name" in message:
        name = message["name"]
        fits = isinstance(name, str) and _NAME.fullmatch(name)
        _require(fits, f"Invalid '{where}.name': string does not match pattern.")
    return str(role)


def _check_content(message: dict[str, Any], where: str, *, optional: bool) -> None:
    content = message.get("content")
    if content is None:
        _require(optional, f"Invalid value for 'content': expected a string, got null. ({where})")
        return
    if message["role"] == "user" and isinstance(content, list):
        for number, part in enumerate(content):
            _check_part(part, f"{where}.content[{number}]")
        return
    _require(isinstance(content, str), f"Invalid type for '{where}.content': expected a string")
    _require(optional or content.strip(), f"Invalid '{where}.content': the message is empty.")


def _check_part(part: Any, where: str) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text":
        _require(set(part) == {"type", "text"} and isinstance(part["text"], str), f"Invalid {where}.text")
        return
    _require(kind == "image_url" and set(part["image_url"]) <= {"url", "detail"}, f"Invalid {where}.type: {kind!r}")
    match = _DATA_URL.fullmatch(part["image_url"]["url"])
    _require(match, f"Invalid {where}.image_url.url: expected a data URL of a picture")
    try:
        base64.b64decode(match[1] if match else "", validate=True)
    except ValueError:
        raise RefusalError(f"Invalid {where}.image_url.url: not base64") from None


def _check_calls(message: dict[str, Any], where: str, seen: set[str]) -> list[str]:
    """The ids of the calls of an assistant message, which now wait for their results."""
    if "tool_calls" not in message:
        return []
    calls = message["tool_calls"]
    _require(isinstance(calls, list) and calls, f"Invalid '{where}.tool_calls': empty array.")
    ids = []
    for number, call in enumerate(calls):
        place = f"{where}.tool_calls[{number}]"
        _require(isinstance(call, dict) and set(call) == {"id", "type", "function"}, f"Unknown field in {place}")
        _require(
            isinstance(call["id"], str) and 0 < len(call["id"]) <= _MAX_ID, f"Invalid '{place}.id': {call['id']!r}"
        )
        _require(call["id"] not in seen, f"Duplicate value for 'tool_call_id': {call['id']!r} ({place})")
        _require(call["type"] == "function", f"Invalid value for {place}.type")
        function = call["function"]
        complete = isinstance(function, dict) and set(function) == {"name", "arguments"}
        _require(complete, f"Unknown or missing field in {place}.function")
        name = function["name"]
        _require(isinstance(name, str) and _NAME.fullmatch(name), f"Invalid '{place}.function.name': {name!r}")
        _require(_is_object(function["arguments"]), f"Invalid '{place}.function.arguments': not a JSON object")
        seen.add(call["id"])
        ids.append(call["id"])
    return ids


def _check_answer(message: dict[str, Any], waiting: list[str], where: str) -> None:
    _require(isinstance(message.get("content"), str), f"Invalid type for '{where}.content': expected a string")
    answered = message.get("tool_call_id")
    _require(
        answered in waiting,
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'. "
        f"({where}, {answered!r})",
    )
    _require(answered == waiting[0], f"Invalid {where}: {answered!r} answered before {waiting[0]!r}.")
    waiting.pop(0)


def _check_surrogates(body: dict[str, Any]) -> None:
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise RefusalError("The body holds a lone surrogate, which is not text.") from None


def _is_object(text: Any) -> bool:
    try:
        return isinstance(text, str) and isinstance(json.loads(text), dict)
    except ValueError:
        return False
