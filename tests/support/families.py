"""What each family of models and servers refuses in a request, in its own words; used by the strict test server.

A family is a function that raises RefusalError for a body that its chat template or its API does not take. The rules
were read in the published chat templates and in the servers' documentation and issue trackers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from support.brains import Body
from support.strict_rules import RefusalError, check

Message = dict[str, Any]


@dataclass(frozen=True)
class Family:
    """`rules` raise for a body. `tools`: whether requests with functions are taken."""

    name: str
    rules: Callable[[Body], None]
    tools: bool = True

    def check(self, body: Body) -> None:
        if body.get("tools") and not self.tools:
            raise RefusalError(f"{body['model']} does not support tools", kind="api_error")
        self.rules(body)
        check(plain(body))


def plain(body: Body) -> Body:
    """The body without opaque fields: what OpenAI's rules apply to."""
    return {**body, "messages": [_plain_message(message) for message in body["messages"]]}


def _plain_message(message: Message) -> Message:
    known = {key: value for key, value in message.items() if key in ("role", "content", "tool_calls", "tool_call_id")}
    if message["role"] == "assistant" and isinstance(message["content"], list):
        texts = [part["text"] for part in message["content"] if part["type"] == "text"]
        known["content"] = "".join(texts) or None
    if "tool_calls" in message:
        known["tool_calls"] = [{key: call[key] for key in ("id", "type", "function")} for call in message["tool_calls"]]
    return known


def _rest(body: Body) -> list[Message]:
    messages: list[Message] = body["messages"]
    return messages[1:] if messages[0]["role"] == "system" else messages


def _refuse(message: str, *, status: int = 400) -> RefusalError:
    return RefusalError(message, status=status, kind="BadRequestError")


_ALTERNATE = "conversation roles must alternate user/assistant/user/assistant/..."


def openai(body: Body) -> None:
    """OpenAI refuses fields that it does not know."""
    check(body)


def mistral(body: Body) -> None:
    """Mistral Nemo, Small, Ministral, Devstral: calls and results are not counted when roles must alternate."""
    counted = [m for m in _rest(body) if m["role"] != "tool" and "tool_calls" not in m]
    for number, message in enumerate(counted):
        if (message["role"] == "user") != (number % 2 == 0):
            raise _refuse(f"After the optional system message, {_ALTERNATE}")
    for message in body["messages"]:
        for call in message.get("tool_calls", ()):
            if not (len(call["id"]) == 9 and call["id"].isalnum()):
                raise _refuse("Tool call IDs should be alphanumeric strings with length 9!")


def pythonic_gemma(body: Body) -> None:
    """vLLM's template for Gemma 3 with functions: a result stands where a user stands."""
    for number, message in enumerate(_rest(body)):
        if (message["role"] in ("user", "tool")) != (number % 2 == 0):
            raise _refuse(f"Conversation {_ALTERNATE.removeprefix('conversation ')}", status=500)


def gemma(body: Body) -> None:
    """Gemma 2: roles alternate strictly, and there is neither a system role nor a result."""
    if body["messages"][0]["role"] == "system":
        raise _refuse("System role not supported")
    for number, message in enumerate(body["messages"]):
        if (message["role"] == "user") != (number % 2 == 0):
            raise _refuse(f"Conversation {_ALTERNATE.removeprefix('conversation ')}")
        if message["role"] not in ("user", "assistant"):
            raise _refuse("Only user and assistant roles are supported!")


def llama(body: Body) -> None:
    """Llama 3.x templates: at most one call in a message."""
    if any(len(message.get("tool_calls", ())) > 1 for message in body["messages"]):
        raise _refuse("This model only supports single tool-calls at once!", status=500)


def _calls(body: Body) -> Iterator[tuple[int, Message]]:
    return ((n, m) for n, m in enumerate(body["messages"]) if m.get("tool_calls"))


def deepseek(body: Body) -> None:
    """DeepSeek in thinking mode."""
    if any(not isinstance(message.get("reasoning_content"), str) for _, message in _calls(body)):
        raise _refuse("The `reasoning_content` in the thinking mode must be passed back to the API.")


def kimi(body: Body) -> None:
    """Kimi in thinking mode."""
    for number, message in _calls(body):
        if not message.get("reasoning_content"):
            raise _refuse(
                f"thinking is enabled but reasoning_content is missing in assistant tool call message at index {number}"
            )


def gemini(body: Body) -> None:
    """Gemini 3: the first call of each message carries a signature."""
    for _, message in _calls(body):
        first = message["tool_calls"][0]
        if not first.get("extra_content", {}).get("google", {}).get("thought_signature"):
            raise _refuse(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to"
                f" work correctly. Additional data, function call `default_api:{first['function']['name']}`."
            )


def reasoner(body: Body) -> None:
    """The first DeepSeek R1: no reasoning in the request."""
    if any("reasoning_content" in message for message in body["messages"]):
        raise _refuse(
            "The reasoning_content is an intermediate result for display purposes only. Please remove the"
            " reasoning_content from your message."
        )


def forbids_extras(body: Body) -> None:
    """Groq, Mistral's API and others that name the unknown property."""
    for number, message in enumerate(body["messages"]):
        for field in set(message) - {"role", "content", "tool_calls", "tool_call_id"}:
            raise _refuse(f"'messages.{number}' : property '{field}' is unsupported", status=422)


FAMILIES = (
    Family("openai", openai),
    Family("mistral", mistral),
    Family("pythonic_gemma", pythonic_gemma),
    Family("gemma", gemma, tools=False),
    Family("llama", llama),
    Family("deepseek", deepseek),
    Family("kimi", kimi),
    Family("gemini", gemini),
    Family("reasoner", reasoner),
    Family("forbids_extras", forbids_extras),
    Family("no_tools", lambda _: None, tools=False),
)
