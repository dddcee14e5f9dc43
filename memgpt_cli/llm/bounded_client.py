"""An HTTP client that limits bodies that it reads completely: lists of models, pages of local servers, errors, vectors.

Streams are limited by `replies.bounds`.
"""

import functools
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import openai

MOST_BYTES: Final = 4 * 2**20
"""Maximum unpacked bytes of such a body."""

RETRY_HEADER: Final = "x-should-retry"
"""With the value `false`, the openai package does not retry the request."""

_PACKED: Final = ("content-encoding", "content-length", "transfer-encoding")


def bounded_client(*, trust_env: bool, most_bytes: int, seconds: float) -> "openai.DefaultHttpxClient":
    """Return a client for the openai package that follows no redirects.

    It unpacks at most `most_bytes` of a body, for at most `seconds`. The rest of an error body is dropped; any other
    body over the limit raises openai.APIResponseValidationError. Both are final.
    """
    client: openai.DefaultHttpxClient = _client_class()(most_bytes, seconds, trust_env=trust_env)
    return client


@functools.cache
def _client_class() -> "type[Any]":
    import openai

    class BoundedClient(openai.DefaultHttpxClient):
        def __init__(self, most_bytes: int, seconds: float, *, trust_env: bool) -> None:
            super().__init__(trust_env=trust_env, follow_redirects=False, headers={"Accept-Encoding": "gzip, identity"})
            self._most_bytes = most_bytes
            self._seconds = seconds

        def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
            response = super().send(request, stream=True, **options)
            if stream and response.is_success:
                return response
            with closing(response):
                body, over = self._read(response)
            whole = type(response)(
                response.status_code,
                headers=[(name, value) for name, value in response.headers.multi_items() if name not in _PACKED],
                content=body,
                request=request,
            )
            if over and response.is_success:
                raise openai.APIResponseValidationError(whole, None, message=f"it has {over}")
            if over:
                whole.headers[RETRY_HEADER] = "false"
            return whole

        def _read(self, response: Any) -> tuple[bytes, str]:
            """Return the unpacked body as far as it was read, and the limit that it exceeds."""
            body, end = bytearray(), time.monotonic() + self._seconds
            for piece in response.iter_bytes():
                body += piece[: self._most_bytes - len(body) + 1]
                if len(body) > self._most_bytes:
                    return bytes(body[: self._most_bytes]), f"over {self._most_bytes:,} bytes"
                if time.monotonic() > end:
                    return bytes(body), f"no end after {self._seconds:g} s"
            return bytes(body), ""

    return BoundedClient
