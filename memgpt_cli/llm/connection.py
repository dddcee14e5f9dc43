"""Configure the openai package's client to contact only the chosen endpoint, and to send no other data.

No description of this machine is sent, and OpenAI's organisation header goes to OpenAI only. Servers on this machine
are contacted without a proxy. Redirects are not followed.
"""

from typing import TYPE_CHECKING, Any, Final

from memgpt_cli import __version__
from memgpt_cli.domain.endpoints import Endpoint, Provider
from memgpt_cli.errors import APIKeyError
from memgpt_cli.llm.bounded_client import MOST_BYTES, bounded_client
from memgpt_cli.vendors import load

if TYPE_CHECKING:
    import openai

_CONNECT_S: Final = 10.0
_ANTHROPIC_VERSION: Final = "2023-06-01"
"""The version of Anthropic's API that requests use."""
_STAINLESS: Final = (
    *("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async"),
    *("Retry-Count", "Read-Timeout", "Raw-Response"),
)


def client_for(
    endpoint: Endpoint, *, api_key: str | None, timeout_s: float, max_retries: int, most_bytes: int = MOST_BYTES
) -> "openai.OpenAI":
    """Return a client for this endpoint.

    `timeout_s` limits the wait for the next bytes of a stream and the whole of any other body. `most_bytes` limits
    bodies other than streams.
    """
    load("openai")
    import openai

    return openai.OpenAI(
        api_key=api_key or "none",
        base_url=endpoint.base_url,
        default_query=dict(endpoint.query),
        timeout=openai.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s)),
        max_retries=max_retries,
        http_client=bounded_client(
            trust_env=not endpoint.is_loopback, most_bytes=most_bytes, seconds=max(_CONNECT_S, timeout_s)
        ),
    )


def headers_for(endpoint: Endpoint, *, api_key: str | None) -> dict[str, Any]:
    """Return headers that replace those of the openai package. Azure and Anthropic have their own headers for the key.

    Other servers with Anthropic's API read either header; Anthropic itself gets one.
    """
    import openai

    omit = openai.Omit()
    headers: dict[str, Any] = {f"X-Stainless-{name}": omit for name in _STAINLESS}
    headers["User-Agent"] = f"memgpt/{__version__}"
    if not endpoint.is_openai:
        headers |= {"OpenAI-Organization": omit, "OpenAI-Project": omit}
    if api_key is None or endpoint.key_in_api_key_header:
        headers["Authorization"] = omit
    if api_key is not None and endpoint.key_in_api_key_header:
        headers["api-key"] = api_key
    if endpoint.provider is Provider.ANTHROPIC:
        headers["anthropic-version"] = _ANTHROPIC_VERSION
        headers["x-api-key"] = omit if api_key is None else api_key
        if endpoint.key_name == "anthropic":
            headers["Authorization"] = omit
    return headers


def usable_key(api_key: str | None) -> str | None:
    """Return the key without surrounding blanks; None if it is empty.

    Raises APIKeyError if it is not valid in a header.
    """
    key = (api_key or "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise APIKeyError(
            "The API key contains characters that no key has.", hint="copy it again: memgpt keys set openai"
        )
    return key or None
