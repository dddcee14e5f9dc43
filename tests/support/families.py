"""What each family of models and servers refuses in a request, in its own words; used by the strict test server.

A family is a function that raises RefusalError for a body that its chat template or its API does not take. Each kind of
rule is here once; each function says where it was read. Templates that refuse nothing have no function: DeepSeek V3.1
and V3.2, GLM 4.6, Granite, Phi 4, LFM2.5, Command R7B and Gemma 4 print any roles in any order.
"""

import re
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
    """The body without opaque fields, also those within ids: what OpenAI's rules apply to."""
    return {**body, "messages": [_plain_message(message) for message in body["messages"]]}


def _plain_id(given: str) -> str:
    return given.partition(_THOUGHT)[0]


def _plain_message(message: Message) -> Message:
    known = {key: value for key, value in message.items() if key in ("role", "content", "tool_calls", "tool_call_id")}
    if message["role"] == "assistant" and isinstance(message["content"], list):
        texts = [part["text"] for part in message["content"] if part["type"] == "text"]
        known["content"] = "".join(texts) or None
    if "tool_call_id" in message:
        known["tool_call_id"] = _plain_id(message["tool_call_id"])
    if "tool_calls" in message:
        known["tool_calls"] = [
            {"id": _plain_id(call["id"]), "type": call["type"], "function": call["function"]}
            for call in message["tool_calls"]
        ]
    return known


def _rest(body: Body) -> list[Message]:
    messages: list[Message] = body["messages"]
    return messages[1:] if messages[0]["role"] == "system" else messages


def _refuse(message: str, *, status: int = 400) -> RefusalError:
    return RefusalError(message, status=status, kind="BadRequestError")


_ALTERNATE = "Conversation roles must alternate user/assistant/user/assistant/..."
_THOUGHT = "__thought__"
"""What stands between the id of a call and its signature in LiteLLM's ids."""


def openai(body: Body) -> None:
    """OpenAI refuses fields that it does not know."""
    check(body)


def _alternate(messages: list[Message], said: str) -> None:
    """Users at even places, replies at odd ones."""
    for number, message in enumerate(messages):
        if (message["role"] == "user") != (number % 2 == 0):
            raise _refuse(said)


def mistral(body: Body) -> None:
    """Mistral Small 3.1 (templates of llama.cpp and vLLM): roles alternate where calls and results are not counted.

    Its ids have nine characters or more; Mistral's API wants nine letters and digits.
    """
    counted = [m for m in _rest(body) if m["role"] != "tool" and not m.get("tool_calls")]
    _alternate(
        counted,
        "After the optional system message, conversation roles must alternate user/assistant/user/assistant/...",
    )
    for message in body["messages"]:
        for call in message.get("tool_calls", ()):
            if not (len(call["id"]) == 9 and call["id"].isalnum()):
                raise _refuse("Tool call IDs should be alphanumeric strings with length 9!")


def ministral(body: Body) -> None:
    """Ministral 3, Devstral 2 (their own templates): the same in other words, and no empty reply.

    A server with llama.cpp answers 500 when a template raises.
    """
    counted = [m for m in _rest(body) if m["role"] == "user" or (m["role"] == "assistant" and not m.get("tool_calls"))]
    said = "conversation roles must alternate user and assistant roles except for tool calls and results."
    try:
        _alternate(counted, f"After the optional system message, {said}")
        for message in _rest(body):
            if message["role"] == "assistant" and not (message["content"] or message.get("tool_calls")):
                raise _refuse("Assistant message must have a string or a list of chunks in content or tool calls.")
    except RefusalError as error:
        raise _refuse(f"Error: Jinja Exception: {error.message}", status=500) from None


def pythonic_gemma(body: Body) -> None:
    """vLLM's template for Gemma 3 with functions: as with Mistral, and each message needs a content."""
    _alternate([m for m in _rest(body) if m["role"] != "tool" and "tool_calls" not in m], _ALTERNATE)
    if any(message["content"] is None for message in body["messages"]):
        raise _refuse("Invalid content type")


def llama4(body: Body) -> None:
    """vLLM's template for Llama 4, on a server that does not fill in a content: a null cannot be iterated over."""
    if any(message["content"] is None for message in body["messages"]):
        raise _refuse("'NoneType' object is not iterable", status=500)


def gemma3(body: Body) -> None:
    """Gemma 3's own template, Command R and Aya (as in the GGUF files): roles alternate, and results are counted."""
    _alternate(_rest(body), _ALTERNATE)


def gemma(body: Body) -> None:
    """Gemma 2: roles alternate strictly, and there is neither a system role nor a result."""
    if body["messages"][0]["role"] == "system":
        raise _refuse("System role not supported")
    _alternate(body["messages"], _ALTERNATE)


def qwen(body: Body) -> None:
    """Qwen 3.5 and later: a person asks something, and a system message stands first."""
    asked = [m for m in body["messages"] if m["role"] == "user" and not _only_a_result(m)]
    if not asked:
        raise _refuse("No user query found in messages.", status=500)
    if any(message["role"] == "system" for message in body["messages"][1:]):
        raise _refuse("System message must be at the beginning.", status=500)


def _only_a_result(message: Message) -> bool:
    text = message["content"].strip() if isinstance(message["content"], str) else ""
    return text.startswith("<tool_response>") and text.endswith("</tool_response>")


def minimax(body: Body) -> None:
    """MiniMax M2, gpt-oss: each result stands after a call."""
    called = False
    for message in body["messages"]:
        if message["role"] == "tool" and not called:
            raise _refuse("Message has tool role, but there was no previous assistant message with a tool call!")
        if message["role"] == "assistant":
            called = bool(message.get("tool_calls"))


def gpt_oss(body: Body) -> None:
    """gpt-oss, where reasoning is given to its template as `thinking`; llama.cpp did so for a time."""
    minimax(body)
    for message in body["messages"]:
        thinking = message.get("reasoning_content") or message.get("reasoning")
        if message.get("tool_calls") and message["content"] and thinking:
            raise _refuse(
                "Cannot pass both content and thinking in an assistant message with tool calls! Put the analysis"
                " message in one or the other, but not both.",
                status=500,
            )
        if message["role"] == "assistant" and re.search(r"<\|channel\|>(analysis|final)", message["content"] or ""):
            raise _refuse("You have passed a message containing <|channel|> tags in the content field.", status=500)


def llama(body: Body) -> None:
    """Llama 3.1 and 3.2 (vLLM's JSON templates): at most one call in a message."""
    if any(len(message.get("tool_calls", ())) > 1 for message in body["messages"]):
        raise _refuse("This model only supports single tool-calls at once!", status=500)


def _calls(body: Body) -> Iterator[tuple[int, Message]]:
    return ((n, m) for n, m in enumerate(body["messages"]) if m.get("tool_calls"))


def deepseek(body: Body) -> None:
    """DeepSeek's API in thinking mode."""
    if any(not isinstance(message.get("reasoning_content"), str) for _, message in _calls(body)):
        raise _refuse("The `reasoning_content` in the thinking mode must be passed back to the API.")


def kimi(body: Body) -> None:
    """Kimi's API in thinking mode."""
    for number, message in _calls(body):
        if not message.get("reasoning_content"):
            raise _refuse(
                f"thinking is enabled but reasoning_content is missing in assistant tool call message at index {number}"
            )


def kimi_ids(body: Body) -> None:
    """Kimi K2's templates print the id of a call in place of its name, so another id hides which function it was.

    No server refuses this; the test does.
    """
    for _, message in _calls(body):
        for call in message["tool_calls"]:
            if not re.fullmatch(rf"functions\.{call['function']['name']}:\d+", call["id"]):
                raise _refuse(f"the id {call['id']} does not name its function")


def litellm(body: Body) -> None:
    """Gemini 3 behind LiteLLM, which carries the signature in the id of the first call."""
    for _, message in _calls(body):
        if _THOUGHT not in message["tool_calls"][0]["id"]:
            raise _refuse("Function call is missing a thought_signature in functionCall parts.")


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
    Family("ministral", ministral),
    Family("pythonic_gemma", pythonic_gemma),
    Family("gemma3", gemma3),
    Family("gemma", gemma, tools=False),
    Family("llama", llama),
    Family("llama4", llama4),
    Family("qwen", qwen),
    Family("minimax", minimax),
    Family("gpt_oss", gpt_oss),
    Family("deepseek", deepseek),
    Family("kimi", kimi),
    Family("kimi_ids", kimi_ids),
    Family("gemini", gemini),
    Family("litellm", litellm),
    Family("reasoner", reasoner),
    Family("forbids_extras", forbids_extras),
    Family("no_tools", lambda _: None, tools=False),
)
