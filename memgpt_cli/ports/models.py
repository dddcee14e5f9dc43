"""Interfaces to models: chat, token counting and embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memgpt_cli.domain.chat import ChatRequest, Delta
    from memgpt_cli.domain.vectors import EmbedderIdentity, Vector


class ChatModel(Protocol):
    """A language model at an endpoint, or a built-in responder."""

    @property
    def name(self) -> str:
        """Return its name in requests, settings and records."""
        ...

    @property
    def origin(self) -> str:
        """Return the `origin` of its replies' opaque fields: API, endpoint and model. It is sent no others."""
        ...

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """Return the exact request body that `stream` sends."""
        ...

    def close(self) -> None:
        """Close open connections; a later call opens new ones."""
        ...

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as it arrives; the last delta is a `Usage` if the server reports one.

        Raises ContextLengthError, APIKeyError or ModelError. Closing the iterator stops the call.
        """
        ...


class TokenCounter(Protocol):
    """Counts the tokens of a text."""

    @property
    def name(self) -> str:
        """Return the table's name (`o200k_base`), or `estimate`."""
        ...

    @property
    def exact(self) -> bool:
        """Whether the table is the model's own."""
        ...

    def count(self, text: str) -> int:
        """Return the tokens of `text`. An estimate is never lower than the exact count, as far as it holds."""
        ...


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def identity(self) -> EmbedderIdentity:
        """Return the identity of its vector space."""
        ...

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector for each text, in order. Raises ModelError or APIKeyError if an endpoint fails."""
        ...
