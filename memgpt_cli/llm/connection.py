"""How the openai package is let onto the network: to the endpoint that is set, nowhere else, and silently.

No description of this machine goes out, no organisation named for OpenAI to anyone else; no proxy stands between this
program and a server on the same machine; nobody is followed who sends a request on to another address.
"""

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from memgpt_cli import __version__

if TYPE_CHECKING:
    import openai

OPENAI_URL: Final = "https://api.openai.com/v1"

_CONNECT_S: Final = 10.0
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 - as a destination, not to listen on
_STAINLESS: Final = (
    *("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async"),
    *("Retry-Count", "Read-Timeout", "Raw-Response"),
)


def is_openai(base_url: str | None) -> bool:
    """Whether this is OpenAI itself; None is."""
    return base_url is None or urlsplit(base_url).netloc.rpartition("@")[2] == urlsplit(OPENAI_URL).netloc


def client_for(base_url: str | None, *, api_key: str | None, timeout_s: float, max_retries: int) -> "openai.OpenAI":
    """A client of this endpoint. `timeout_s` bounds the wait for the next bytes."""
    import openai

    url = base_url or OPENAI_URL
    local = (urlsplit(url).hostname or "") in _LOOPBACK
    return openai.OpenAI(
        api_key=api_key or "none",
        base_url=url,
        timeout=openai.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s)),
        max_retries=max_retries,
        http_client=openai.DefaultHttpxClient(trust_env=not local, follow_redirects=False),
    )


def headers_for(base_url: str | None, *, api_key: str | None) -> dict[str, Any]:
    """Headers that replace those of the openai package."""
    import openai

    omit = openai.Omit()
    headers: dict[str, Any] = {f"X-Stainless-{name}": omit for name in _STAINLESS}
    headers["User-Agent"] = f"memgpt/{__version__}"
    if not is_openai(base_url):
        headers |= {"OpenAI-Organization": omit, "OpenAI-Project": omit}
    if api_key is None:
        headers["Authorization"] = omit
    return headers
