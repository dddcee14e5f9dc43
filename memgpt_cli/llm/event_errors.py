"""Errors that a server reports inside a stream, after status 200."""

from collections.abc import Mapping
from typing import Any

from memgpt_cli.errors import MemGPTError, ModelError, RateLimitError
from memgpt_cli.llm.length_refusals import context_length
from memgpt_cli.llm.server_errors import Target


def explain_event(body: object, target: Target) -> MemGPTError:
    """Map the error of an event to ours. `body` holds `code` or `type` and `message`, as in an error response."""
    error: Mapping[str, Any] = body if isinstance(body, dict) else {}
    code = str(error.get("code") or error.get("type") or "")
    said = target.redact(str(error.get("message") or code or "no reason given"))
    length = context_length(f"{said} {code}", dict(error))
    if length is not None:
        return length
    if "rate_limit" in code:
        return RateLimitError(
            f"{target.host} is rate limiting requests: {said}", hint="try again in a while; your message is stored"
        )
    if code.startswith("invalid"):
        return ModelError(
            f"{target.host} refused the request: {said}", hint="`memgpt context --prompt` shows the request"
        )
    return ModelError(
        f"{target.host} broke off: {said}", hint="try again in a moment; your message is stored", transient=True
    )
