"""What an API's own form consists of, for `endpoint_model.EndpointModel`, and the texts that no JSON body can carry."""

from collections.abc import Iterator
from typing import Any, Protocol

from memgpt_cli.domain.chat import ChatRequest, Delta


class ReplyReader(Protocol):
    """Turns the events of one reply into deltas."""

    def feed(self, event: Any) -> Iterator[Delta]:
        """The deltas of one event, which is parsed JSON of any shape. Raises ModelError if it reports an error."""
        ...

    def finish(self) -> Iterator[Delta]:
        """The deltas that end the reply. Raises ModelError when it is incomplete or empty."""
        ...


class Wire(Protocol):
    """One API: the form of its requests and of its replies."""

    @property
    def name(self) -> str:
        """The API's name, for the origin of opaque fields."""
        ...

    @property
    def path(self) -> str:
        """The path below the base URL that requests are posted to."""
        ...

    @property
    def optional_fields(self) -> tuple[str, ...]:
        """Fields of a body that are left out once a server refuses them."""
        ...

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """The body of a request."""
        ...

    def reader(self, request: ChatRequest, origin: str) -> ReplyReader:
        """A reader of the reply to `request`; opaque fields in it get this origin."""
        ...


def sendable(value: Any) -> Any:
    """The same value with lone surrogates replaced: JSON for the network cannot carry them."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {key: sendable(item) for key, item in value.items()}
    return [sendable(item) for item in value] if isinstance(value, list) else value
