"""A model behind an endpoint that speaks another API than Chat Completions."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.chat import ChatRequest, Delta
from memgpt_cli.domain.endpoint_traits import EndpointTraits
from memgpt_cli.llm.endpoint_memory import ProcessEndpointMemory
from memgpt_cli.llm.server_errors import Target, explain, is_about
from memgpt_cli.llm.transport import Transport
from memgpt_cli.llm.wire import Wire, sendable
from memgpt_cli.ports import EndpointMemory
from memgpt_cli.vendors import load

if TYPE_CHECKING:
    import openai


class EndpointModel:
    """ports.ChatModel over HTTP in the form of `wire`.

    `extra_body` is added to each request as it stands. Optional fields that the server refuses are left out from then
    on, and kept in `memory`. Several threads may use one instance.
    """

    def __init__(
        self,
        target: Target,
        wire: Wire,
        transport: Transport,
        *,
        extra_body: Mapping[str, Any] | None = None,
        memory: EndpointMemory | None = None,
    ) -> None:
        self._target = target
        self._wire = wire
        self._transport = transport
        self._extra_body = dict(extra_body or {})
        self._memory = memory or ProcessEndpointMemory()

    @property
    def name(self) -> str:
        """The model's name, as the server knows it."""
        return self._target.model

    @property
    def origin(self) -> str:
        """The API, the base URL and the model."""
        return f"{self._wire.name} {self._target.base_url} {self._target.model}"

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """The exact body that `stream` sends, without the fields that this server was found to refuse."""
        refused = self._memory.traits(self._target.base_url, self._target.model).refused_fields
        body = {field: value for field, value in self._wire.body(request).items() if field not in refused}
        return {field: sendable(value) for field, value in (body | self._extra_body).items()}

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as it comes, then its opaque fields, then its usage.

        Closing the iterator, or an interrupt in it, closes the connection. Raises ContextLengthError, RateLimitError,
        APIKeyError or ModelError; after a part of the reply has come too.
        """
        reader = self._wire.reader(request, self.origin)
        for event in self._transport.read(self._open(request)):
            yield from reader.feed(event)
        yield from reader.finish()

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._transport.close()

    def _open(self, request: ChatRequest) -> "openai.Stream[object]":
        """Send the request; where the server refuses an optional field, once more without that."""
        load("openai")
        import openai

        while True:
            body = self.body(request)
            try:
                return self._transport.open(self._wire.path, body)
            except openai.APIStatusError as error:
                if not self._learn(error, body):
                    raise explain(error, self._target) from None

    def _learn(self, error: "openai.APIStatusError", body: Mapping[str, Any]) -> bool:
        """Learn from a refusal which fields this server takes; False when there is nothing to learn."""
        fields = (field for field in self._wire.optional_fields if field in body and field not in self._extra_body)
        refused = next((field for field in fields if is_about(error, field)), None)
        if refused is None or error.status_code not in (400, 422):
            return False
        known = self._memory.traits(self._target.base_url, self._target.model).refused_fields
        self._memory.learn(self._target.base_url, self._target.model, EndpointTraits(refused_fields=known | {refused}))
        return True
