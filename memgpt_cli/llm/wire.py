"""The interface of an API's own form for `endpoint_model.EndpointModel`, and texts that are invalid in JSON bodies."""

from collections.abc import Iterator
from typing import Any, Protocol

from memgpt_cli.domain.chat import ChatRequest, Delta


class ReplyReader(Protocol):
    """Turns the events of one reply into deltas."""

    def feed(self, event: Any) -> Iterator[Delta]:
        """Yield the deltas of one event, parsed JSON of any shape. Raises ModelError if it reports an error."""
        ...

    def finish(self) -> Iterator[Delta]:
        """Yield the deltas that end the reply. Raises ModelError if it is incomplete or empty."""
        ...


class Wire(Protocol):
    """One API: the form of its requests and of its replies."""

    @property
    def name(self) -> str:
        """Return the API's name, for the origin of opaque fields."""
        ...

    @property
    def path(self) -> str:
        """Return the path below the base URL for requests."""
        ...

    @property
    def optional_fields(self) -> tuple[str, ...]:
        """Return fields of a body that are left out after the server refused them."""
        ...

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """Return the body of a request."""
        ...

    def reader(self, request: ChatRequest, origin: str) -> ReplyReader:
        """Return a reader of the reply to `request`; opaque fields in it get this origin."""
        ...


def sendable(value: Any) -> Any:
    """Return the value with lone surrogates replaced, because they are invalid in JSON for the network."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {key: sendable(item) for key, item in value.items()}
    return [sendable(item) for item in value] if isinstance(value, list) else value
