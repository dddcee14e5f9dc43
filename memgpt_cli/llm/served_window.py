"""Ask a server for the window of a model: a few quick requests to its host and port."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from memgpt_cli.domain.endpoints import Endpoint
from memgpt_cli.llm.connection import client_for, headers_for
from memgpt_cli.vendors import load

PATIENCE_S: Final = 2.0
"""Seconds for each request; after a slow one there are no more."""

OLLAMA_DEFAULT: Final = 4_096
"""Ollama's default in tokens (docs.ollama.com/context-length, machines under 24 GB)."""

_SMALLEST: Final = 256
_LISTED: Final = ("max_model_len", "loaded_context_length", "context_length", "context_window", "max_context_length")
_NUM_CTX: Final = re.compile(r"^num_ctx\s+(\d+)", re.MULTILINE)

Ask = Callable[[str, dict[str, Any] | None], Any]
"""The parsed response to GET, or to POST with a body, of a path below the host; None if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedWindow:
    """A window in tokens, and the response that states it."""

    tokens: int
    source: str


def ask_window(endpoint: Endpoint, model: str, *, api_key: str | None) -> ServedWindow | None:
    """Ask the server for the model's window; None if it does not state one or cannot be reached. Raises nothing.

    Only the endpoint's own host and port are contacted. A provider on the internet is only asked for its list of
    models; a server on this machine or network also for its own pages.
    """
    load("openai")
    import openai

    client = client_for(endpoint, api_key=api_key, timeout_s=PATIENCE_S, max_retries=0)
    parts = urlsplit(endpoint.base_url)
    headers = headers_for(endpoint, api_key=api_key)

    def ask(path: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{parts.scheme}://{parts.netloc}{path}"
        try:
            if body is None:
                return client.get(url, cast_to=object, options={"headers": headers})
            return client.post(url, body=body, cast_to=object, options={"headers": headers})
        except openai.APIConnectionError:
            raise
        except (openai.OpenAIError, ValueError, RecursionError):
            return None

    try:
        return next(_answers(ask, parts.path.rstrip("/"), model, public=endpoint.own_variable is not None), None)
    except openai.APIConnectionError:
        return None
    finally:
        client.close()


def _answers(ask: Ask, base: str, model: str, *, public: bool) -> Iterator[ServedWindow]:
    row = _row(ask(f"{base}/models", None), model)
    n_ctx = _inner(row, "meta", "n_ctx")
    yield from _window(n_ctx, "/models meta.n_ctx")
    if row.get("state") is None:  # for LM Studio this is the model's maximum
        yield from (w for key in _LISTED for w in _window(row.get(key), f"/models {key}"))
    if public:
        return
    props = ask("/props", None)
    yield from _window(_inner(props, "default_generation_settings", "n_ctx"), "llama.cpp /props")
    yield from _lm_studio(ask, model)
    yield from _ollama(ask, model)
    info = ask("/info", None)
    for key in ("max_total_tokens", "max_input_tokens", "max_input_length"):
        yield from _window(_inner(info, key), f"TGI /info {key}")


def _lm_studio(ask: Ask, model: str) -> Iterator[ServedWindow]:
    told = ask(f"/api/v0/models/{quote(model, safe='/')}", None)
    yield from _window(_inner(told, "loaded_context_length"), "LM Studio loaded_context_length")


def _ollama(ask: Ask, model: str) -> Iterator[ServedWindow]:
    """Yield the loaded model's window, else that of its Modelfile, else Ollama's default."""
    running = ask("/api/ps", None)
    rows = running.get("models") if isinstance(running, dict) else None
    if not isinstance(rows, list):
        return
    names = (model, f"{model}:latest")
    loaded = next((r for r in rows if isinstance(r, dict) and (r.get("name") in names or r.get("model") in names)), {})
    yield from _window(loaded.get("context_length"), "Ollama /api/ps")
    shown = ask("/api/show", {"model": model})
    if not isinstance(shown, dict):
        return
    if isinstance(parameters := shown.get("parameters"), str) and (found := _NUM_CTX.search(parameters)):
        yield from _window(int(found[1]), "Ollama /api/show num_ctx")
    yield ServedWindow(tokens=OLLAMA_DEFAULT, source="Ollama's default; the model is not loaded yet")


def _row(listed: Any, model: str) -> dict[str, Any]:
    """Return the model's entry in a list of models; the only entry if there is one, because local servers rename it."""
    rows = listed.get("data") if isinstance(listed, dict) else None
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    named = next((row for row in rows if row.get("id") == model), None)
    return named or (rows[0] if len(rows) == 1 else {})


def _inner(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _window(tokens: Any, source: str) -> Iterator[ServedWindow]:
    if type(tokens) is int and tokens >= _SMALLEST:
        yield ServedWindow(tokens=tokens, source=source)
