"""Anthropic's Messages API as a `llm.wire.Wire`."""

from typing import Any

from memgpt_cli.domain.chat import ChatRequest
from memgpt_cli.llm.anthropic.events import MessageReader
from memgpt_cli.llm.anthropic.request import prompt_digest, request_body
from memgpt_cli.llm.server_errors import Target


class AnthropicWire:
    """The Messages API.

    `effort` is "none" to turn thinking off, or a level that is sent unchanged; None leaves the choice to the model.
    """

    name = "anthropic"
    path = "/messages"
    optional_fields = ("thinking", "output_config")

    def __init__(self, target: Target, effort: str | None = None) -> None:
        self._target = target
        self._effort = effort

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """The body for `POST /v1/messages`."""
        return request_body(request, self._effort)

    def reader(self, request: ChatRequest, origin: str) -> MessageReader:
        """A reader of one reply."""
        return MessageReader(self._target, origin, after=prompt_digest(request), max_tokens=request.max_tokens)
