"""OpenAI's Responses API for the test server. It checks bodies with the openai package's types and the API's rules."""

import base64
import json
from collections.abc import Iterator
from typing import Any, get_type_hints

from openai.types.responses import (
    EasyInputMessageParam,
    FunctionToolParam,
    ResponseFunctionToolCallParam,
    ResponseOutputMessageParam,
    ResponseReasoningItemParam,
    ResponseStreamEvent,
)
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from openai.types.responses.response_input_item_param import FunctionCallOutput
from pydantic import TypeAdapter, ValidationError
from support.brains import Body, Reply
from support.strict_rules import RefusalError

_ITEMS: dict[str, Any] = {
    "reasoning": ResponseReasoningItemParam,
    "function_call": ResponseFunctionToolCallParam,
    "function_call_output": FunctionCallOutput,
}
_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_PIECE = 7


class ResponsesApi:
    """Checks requests, and writes replies as events.

    With `reasons` each reply is preceded by a reasoning item, whose content it knows again. `refused_fields` are fields
    that this model does not take. `window` bounds the characters of a body, for refusals by length.
    """

    path = "/responses"

    def __init__(
        self,
        *,
        reasons: bool = True,
        refused_fields: tuple[str, ...] = (),
        window: int = 10**9,
        phase: str | None = None,
    ) -> None:
        self.reasons = reasons
        self.refused_fields = refused_fields
        self.window = window
        self.phase = phase
        self.issued: dict[str, str] = {}  # item id -> the id of the reasoning item before it
        self.contents: dict[str, str] = {}  # reasoning id -> encrypted content

    def authorise(self, headers: dict[str, str], api_key: str | None) -> None:
        given = headers.get("authorization", "").removeprefix("Bearer ") or headers.get("api-key", "")
        if api_key is not None and given != api_key:
            raise RefusalError(f"Incorrect API key provided: {given}.", status=401, code="invalid_api_key")

    def refusal(self, error: RefusalError) -> dict[str, Any]:
        return error.body()

    def check(self, body: Any) -> None:
        for key in body:
            if key not in get_type_hints(ResponseCreateParamsStreaming):
                raise RefusalError(f"Unknown parameter: '{key}'.", code="unknown_parameter", param=key)
            if key in self.refused_fields:
                raise RefusalError(
                    f"Unsupported parameter: '{key}' is not supported with this model.",
                    code="unsupported_parameter",
                    param=key,
                )
        if len(json.dumps(body)) > self.window:
            raise RefusalError(
                "Your input exceeds the context window of this model. Please adjust your input and try again.",
                code="context_length_exceeded",
                param="input",
            )
        if body.get("max_output_tokens", 16) < 16:
            raise RefusalError("Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16.")
        for number, tool in enumerate(body.get("tools", ())):
            _fits(FunctionToolParam, tool, f"tools[{number}]")
        self._check_input(body["input"])

    def _check_input(self, items: list[Any]) -> None:
        calls: dict[str, bool] = {}
        for number, item in enumerate(items):
            where = f"input[{number}]"
            kind = item.get("type")
            message = ResponseOutputMessageParam if "id" in item else EasyInputMessageParam
            _fits(_ITEMS.get(kind, message), item, where)
            if kind == "function_call_output":
                if item["call_id"] not in calls:
                    raise RefusalError(f"No tool call found for function call output with call_id {item['call_id']}.")
                calls[item["call_id"]] = True
            elif kind == "function_call":
                if item["call_id"] in calls:
                    raise RefusalError(f"Duplicate function call id {item['call_id']}.")
                calls[item["call_id"]] = False
            elif kind == "reasoning":
                self._check_reasoning(item, items[number + 1 :])
            before = items[number - 1] if number else {}
            reasoned = self.issued.get(item.get("id", ""))
            if kind != "reasoning" and reasoned and before.get("id") != reasoned:
                raise RefusalError(
                    f"Item '{item['id']}' of type '{kind}' was provided without its required 'reasoning' item: "
                    f"'{reasoned}'."
                )
        if waiting := [call_id for call_id, answered in calls.items() if not answered]:
            raise RefusalError(f"No tool output found for function call {waiting[0]}.")

    def _check_reasoning(self, item: dict[str, Any], after: list[Any]) -> None:
        if not item.get("encrypted_content"):
            raise RefusalError(
                f"Item with id '{item['id']}' not found. Items are not persisted when `store` is set to false. Try "
                "again with `store` set to true, or remove this item from your input.",
                status=404,
            )
        if self.contents.get(item["id"]) != item["encrypted_content"]:
            raise RefusalError(f"The encrypted content for item {item['id']} could not be verified.")
        follower = next((key for key, reasoning in self.issued.items() if reasoning == item["id"]), None)
        if not after or after[0].get("id") != follower:
            raise RefusalError(
                f"Item '{item['id']}' of type 'reasoning' was provided without its required following item."
            )

    def as_chat(self, body: Body) -> Body:
        messages: list[dict[str, Any]] = [{"role": "system", "content": body.get("instructions", "")}]
        for item in body["input"]:
            kind = item["type"]
            if kind == "message":
                content = item["content"]
                text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
                messages.append({"role": item["role"], "content": text})
            elif kind == "function_call_output":
                messages.append({"role": "tool", "content": item["output"], "tool_call_id": item["call_id"]})
            elif kind == "function_call":
                messages.append({"role": "assistant", "content": None, "tool_calls": [item]})
        tools = [{"type": "function", "function": tool} for tool in body.get("tools", ())]
        silent = body.get("tool_choice") in ("none", {"type": "none"})
        choice = {"tool_choice": "none"} if silent else {}
        return {"model": body["model"], "messages": messages, "tools": tools} | choice

    def events(self, body: Body, reply: Reply, number: int) -> Iterator[dict[str, Any]]:
        yield from _numbered(self._events(body, reply, number))

    def _events(self, body: Body, reply: Reply, number: int) -> Iterator[dict[str, Any]]:
        if reply.chunks is not None:
            yield from (chunk for chunk in reply.chunks if isinstance(chunk, dict))
            return
        response = self.response(body, reply, number)
        started = response | {"status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
        yield {"type": "response.created", "response": started}
        for at, item in enumerate(response["output"]):
            place = {"output_index": at, "item_id": item["id"]}
            hidden = {"content": [], "arguments": "", "encrypted_content": None}
            added = {key: hidden.get(key, value) for key, value in item.items()} | {"status": "in_progress"}
            yield {"type": "response.output_item.added", "output_index": at, "item": added}
            if item["type"] == "message":
                yield from _text_events(item, place | {"content_index": 0})
            elif item["type"] == "function_call":
                for piece in _pieces(item["arguments"]):
                    yield {"type": "response.function_call_arguments.delta", "delta": piece} | place
                whole = {"arguments": item["arguments"], "name": item["name"]}
                yield {"type": "response.function_call_arguments.done"} | whole | place
            elif item["type"] == "reasoning":
                for piece in _pieces(reply.reasoning or ""):
                    summary = {"summary_index": 0, "delta": piece}
                    yield {"type": "response.reasoning_summary_text.delta"} | summary | place
            yield {"type": "response.output_item.done", "output_index": at, "item": item}
        yield {"type": f"response.{response['status']}", "response": response}

    def response(self, body: Body, reply: Reply, number: int) -> dict[str, Any]:
        output: list[dict[str, Any]] = []
        if reply.text is not None:
            text = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
            message = {"id": f"msg_{number}", "type": "message", "role": "assistant", "status": "completed"}
            phase = {"phase": self.phase} if self.phase else {}
            output += [*self._reasoning(number, 0, message["id"]), message | phase | {"content": [text]}]
        for at, call in enumerate(reply.calls if body.get("tool_choice") != "none" else ()):
            ids = {"id": f"fc_{number}_{at}", "call_id": f"call_{number}_{at}"}
            item = {"type": "function_call", "name": call.name, "arguments": call.raw, "status": "completed"}
            reasoning = self._reasoning(number, at + 1, ids["id"]) if at == 0 else []
            output += [*reasoning, item | ids]
        cut = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(reply.finish_reason or "")
        return {
            "id": f"resp_{number}",
            "object": "response",
            "created_at": 1_700_000_000,
            "model": body["model"],
            "status": "incomplete" if cut else "completed",
            "incomplete_details": {"reason": cut} if cut else None,
            "output": output,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": {
                "input_tokens": 1000 + len(body["input"]),
                "input_tokens_details": {"cached_tokens": 512, "cache_write_tokens": 0},
                "output_tokens": 50,
                "output_tokens_details": {"reasoning_tokens": 20},
                "total_tokens": 1050 + len(body["input"]),
            },
        }

    def _reasoning(self, number: int, at: int, follower: str) -> list[dict[str, Any]]:
        if not self.reasons:
            return []
        item_id = f"rs_{number}_{at}"
        content = base64.b64encode(f"thought {item_id}".encode()).decode()
        self.contents[item_id], self.issued[follower] = content, item_id
        return [{"id": item_id, "type": "reasoning", "summary": [], "encrypted_content": content}]


def _text_events(item: dict[str, Any], place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    text = item["content"][0]["text"]
    empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    yield {"type": "response.content_part.added", "part": empty} | place
    for piece in _pieces(text):
        yield {"type": "response.output_text.delta", "delta": piece, "logprobs": []} | place
    yield {"type": "response.output_text.done", "text": text, "logprobs": []} | place


def _numbered(events: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each event with its sequence number, checked with the package's own type."""
    for number, event in enumerate(events):
        event = event | {"sequence_number": number}  # noqa: PLW2901
        _EVENT.validate_python(event)
        yield event


def _fits(kind: Any, value: dict[str, Any], where: str) -> None:
    known = get_type_hints(kind)
    for key in value:
        if key not in known and key != "async":
            raise RefusalError(f"Unknown parameter: '{where}.{key}'.", code="unknown_parameter", param=f"{where}.{key}")
    try:
        found = TypeAdapter(kind).validate_python(value, strict=True)
        for part in found.values():
            if not isinstance(part, (str, dict, list, bool, int, type(None))):
                list(part)  # pydantic checks an Iterable while it is read
    except ValidationError as error:
        raise RefusalError(f"Invalid type for '{where}': {error.errors()[0]['msg']}", code="invalid_type") from None


def _pieces(text: str) -> Iterator[str]:
    return (text[n : n + _PIECE] for n in range(0, len(text), _PIECE))
