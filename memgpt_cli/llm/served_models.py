"""List the models of an endpoint, with the same request for every API."""

from dataclasses import dataclass
from typing import Any

from memgpt_cli.domain.endpoints import Provider
from memgpt_cli.llm.server_errors import Target
from memgpt_cli.llm.transport import Transport

_PAGE = 1000
"""Models in one response of Anthropic, which lists 20 by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """A model that an endpoint lists; `window` in tokens if the server states it."""

    name: str
    window: int | None = None


def served_models(target: Target, *, timeout_s: float) -> list[ServedModel]:
    """Return the models that the endpoint lists, by name. Raises APIKeyError or ModelError.

    Empty for the address of an Azure deployment, which is a single model.
    """
    if "/openai/deployments/" in target.base_url:
        return []
    query = {"limit": _PAGE} if target.endpoint.provider is Provider.ANTHROPIC else {}
    transport = Transport(target, timeout_s=timeout_s, max_retries=0)
    try:
        listed = transport.get("/models", query)
    finally:
        transport.close()
    rows = listed.get("data") if isinstance(listed, dict) else None
    found = [row for row in rows or () if isinstance(row, dict) and isinstance(row.get("id"), str)]
    return sorted((ServedModel(name=row["id"], window=_window(row)) for row in found), key=lambda m: m.name)


def _window(row: dict[str, Any]) -> int | None:
    """Return a model's window, which vLLM, OpenRouter, LM Studio and Anthropic state under different names."""
    for key in ("max_model_len", "context_length", "max_context_length", "context_window", "max_input_tokens"):
        if isinstance(row.get(key), int):
            return int(row[key])
    return None
