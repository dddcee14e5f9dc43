"""Requests for the offline responder, written as the program writes them, without an agent around it."""

import json
from dataclasses import dataclass, field
from typing import Any

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.chat import CallDelta, ChatRequest, PromptMessage, TextDelta, arguments_object
from memgpt_cli.domain.messages import FunctionCall
from memgpt_cli.functions.registry import function_set
from memgpt_cli.llm.offline import OfflineResponder
from memgpt_cli.main_context.rendering import escape

TIME = "2023-05-08 13:56"


@dataclass
class Prompt:
    """A prompt that grows; `human` is the block's text in its snapshot."""

    human: str = ""
    limit: int = 2000
    read_only: bool = False
    protocol: Protocol = Protocol.NATIVE
    messages: list[PromptMessage] = field(default_factory=list)

    def user(self, text: str, *, name: str | None = None) -> "Prompt":
        """A person speaks, in the native form."""
        said = f"{name}: {escape(text)}" if name else escape(text)
        return self.raw(f"[{TIME}] {said}")

    def raw(self, content: str) -> "Prompt":
        """A `user` message as it stands."""
        self.messages.append(PromptMessage(role="user", content=content))
        return self

    def event(self, kind: str, text: str) -> "Prompt":
        """The program speaks."""
        return self.raw(f'<memgpt_event type="{kind}" time="{TIME}">\n{text}\n</memgpt_event>')

    def assistant(self, text: str) -> "Prompt":
        """A reply."""
        self.messages.append(PromptMessage(role="assistant", content=text))
        return self

    def step(self, *calls: tuple[str, dict[str, Any], str]) -> "Prompt":
        """A step with calls and their results, each as (name, arguments, result)."""
        made = tuple(
            FunctionCall(id=f"c{len(self.messages)}{n}", name=name, arguments=json.dumps(arguments, ensure_ascii=False))
            for n, (name, arguments, _) in enumerate(calls)
        )
        self.messages.append(PromptMessage(role="assistant", content=None, calls=made))
        for call, (_, _, result) in zip(made, calls, strict=True):
            self.messages.append(PromptMessage(role="tool", content=result, call_id=call.id))
        return self

    def request(self) -> ChatRequest:
        """The request."""
        attributes = ' read_only="true"' if self.read_only else ""
        block = f'<block label="human" chars="{len(self.human)}/{self.limit}"{attributes}>'
        inside = f"\n{self.human}" if self.human else ""
        system = f"You are a companion.\n\n<core_memory>\n{block}{inside}\n</block>\n</core_memory>\n\nStatistics."
        tools = tuple(spec.schema(self.protocol) for spec in function_set(self.protocol).values())
        head = PromptMessage(role="system", content=system)
        return ChatRequest(model="offline", messages=(head, *self.messages), tools=tools, max_tokens=1024)

    def answer(self) -> "Answer":
        """What the responder does."""
        return answer(self.request())


@dataclass
class Answer:
    """What came back: text, and calls as (name, arguments)."""

    text: str
    calls: list[tuple[str, dict[str, Any]]]


def answer(request: ChatRequest) -> Answer:
    """Put the deltas of a reply together."""
    text, names, arguments = "", {}, {}
    for delta in OfflineResponder().stream(request):
        if isinstance(delta, TextDelta):
            text += delta.text
        elif isinstance(delta, CallDelta):
            names[delta.index] = delta.name or names.get(delta.index, "")
            arguments[delta.index] = arguments.get(delta.index, "") + delta.arguments
    return Answer(text, [(names[n], arguments_object(arguments[n]) or {}) for n in sorted(names)])
