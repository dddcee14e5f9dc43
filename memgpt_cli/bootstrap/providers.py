"""Select the adapter for an endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memgpt_cli.domain.endpoints import Endpoint, Provider

if TYPE_CHECKING:
    from memgpt_cli.domain.settings import ModelSettings
    from memgpt_cli.llm.wire import Wire
    from memgpt_cli.ports import ChatModel, EndpointMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The parameters of a model's client. `max_retries` 0 leaves retries to the caller."""

    model: str
    endpoint: Endpoint
    api_key: str | None
    settings: ModelSettings
    max_retries: int
    memory: EndpointMemory


def connect(connection: Connection) -> ChatModel:
    """Return the client for the endpoint's provider; it sends nothing before the first request. Raises APIKeyError."""
    if connection.endpoint.provider in (Provider.OPENAI_RESPONSES, Provider.ANTHROPIC):
        return _other_api(connection)
    return _chat(connection)


def _chat(connection: Connection) -> ChatModel:
    from memgpt_cli.llm.openai_chat import OpenAIChat

    return OpenAIChat(
        connection.model,
        base_url=connection.endpoint.url,
        api_key=connection.api_key,
        timeout_s=connection.settings.timeout_s,
        max_retries=connection.max_retries,
        reasoning_effort=connection.settings.reasoning_effort,
        provider=connection.endpoint.provider,
        memory=connection.memory,
        extra_body=connection.endpoint.extra_body,
    )


def _other_api(connection: Connection) -> ChatModel:
    from memgpt_cli.llm.anthropic.wire import AnthropicWire
    from memgpt_cli.llm.connection import usable_key
    from memgpt_cli.llm.endpoint_model import EndpointModel
    from memgpt_cli.llm.responses.wire import ResponsesWire
    from memgpt_cli.llm.server_errors import Target
    from memgpt_cli.llm.transport import Transport

    target = Target(model=connection.model, endpoint=connection.endpoint, api_key=usable_key(connection.api_key))
    make = AnthropicWire if connection.endpoint.provider is Provider.ANTHROPIC else ResponsesWire
    wire: Wire = make(target, connection.settings.reasoning_effort)
    transport = Transport(target, timeout_s=connection.settings.timeout_s, max_retries=connection.max_retries)
    return EndpointModel(target, wire, transport, memory=connection.memory)
