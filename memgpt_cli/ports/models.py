"""What answers, counts and embeds: models as the core needs them."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from memgpt_cli.domain.chat import ChatRequest, Delta
from memgpt_cli.domain.vectors import EmbedderIdentity, Vector


class ChatModel(Protocol):
    """A language model behind some endpoint, or something that answers like one."""

    @property
    def name(self) -> str:
        """What it is called in requests, settings and records."""
        ...

    @property
    def origin(self) -> str:
        """The `origin` of the opaque fields of its replies: API, endpoint and model. It is sent no others'."""
        ...

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """The exact request body that `stream` sends."""
        ...

    def close(self) -> None:
        """Close the connections, if there are any; a later call opens new ones."""
        ...

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as it comes; the last delta is a `Usage` where the server reports one.

        Raises ContextLengthError, APIKeyError or ModelError. Closing the iterator stops the call.
        """
        ...


class TokenCounter(Protocol):
    """Counts the tokens of a text."""

    @property
    def name(self) -> str:
        """The table's name (`o200k_base`), or `estimate`."""
        ...

    @property
    def exact(self) -> bool:
        """Whether the table is the model's own."""
        ...

    def count(self, text: str) -> int:
        """Tokens of `text`; never fewer than an exact table gives, when this is an estimate that holds."""
        ...


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def identity(self) -> EmbedderIdentity:
        """Which vector space this is."""
        ...

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One vector for each text, in order. Raises ModelError or APIKeyError when an endpoint fails."""
        ...
