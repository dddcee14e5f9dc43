"""The Responses API as a `llm.wire.Wire`."""

from typing import Any, Final

from memgpt_cli.domain.chat import ChatRequest
from memgpt_cli.llm.responses.events import ResponseReader
from memgpt_cli.llm.responses.request import request_body
from memgpt_cli.llm.server_errors import Target

_OPTIONAL: Final = ("reasoning", "include", "parallel_tool_calls", "max_output_tokens")


class ResponsesWire:
    """OpenAI's Responses API. `reasoning_effort` is sent unchanged."""

    name = "responses"
    path = "/responses"
    optional_fields = _OPTIONAL

    def __init__(self, target: Target, reasoning_effort: str | None = None) -> None:
        self._target = target
        self._reasoning_effort = reasoning_effort

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """The body for `POST /responses`."""
        return request_body(request, self._reasoning_effort)

    def reader(self, request: ChatRequest, origin: str) -> ResponseReader:
        """A reader of one reply."""
        return ResponseReader(self._target, origin, request.max_tokens)
