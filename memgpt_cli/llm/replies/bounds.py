"""Limits on a reply: bytes, characters, and seconds without content.

They stop a server that ignores `max_tokens`, repeats itself endlessly, sends only keep-alives, or unpacks a small body
to a huge one. The limits are generous multiples of the requested tokens.
"""

import time
from collections.abc import Iterator
from typing import Final

TOO_LONG: Final = "too_long"
STALLED: Final = "stalled"

_USUAL_TOKENS: Final = 32_768
"""Used if the request has no limit."""

MOST_BYTES: Final = 64 * 2**20
"""Unpacked bytes of the longest reply. The events of 128,000 tokens, one each, take half of that."""

_BYTES: Final = (8 * 2**20, 4096)
_CHARACTERS: Final = (65_536, 32)


class ReplyBoundError(Exception):
    """A reply exceeds one of its limits; `reason` is the reason of a `CutDelta`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ReplyBounds:
    """The limits of one reply of at most `max_tokens`; `idle_s` without content end it too."""

    def __init__(self, max_tokens: int | None, *, idle_s: float) -> None:
        tokens = max_tokens or _USUAL_TOKENS
        self._bytes_left = min(MOST_BYTES, _BYTES[0] + _BYTES[1] * tokens)
        self._characters_left = _CHARACTERS[0] + _CHARACTERS[1] * tokens
        self._idle_s = idle_s
        self._last_content = time.monotonic()

    def wire(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the unpacked bytes of a body. The wait for content begins here. Raises ReplyBoundError."""
        self._last_content = time.monotonic()
        for piece in pieces:
            self._bytes_left -= len(piece)
            if self._bytes_left < 0:
                raise ReplyBoundError(TOO_LONG)
            if time.monotonic() - self._last_content > self._idle_s:
                raise ReplyBoundError(STALLED)
            yield piece

    def content(self, characters: int) -> None:
        """Count the content of a chunk. Raises ReplyBoundError."""
        if characters:
            self._last_content = time.monotonic()
        self._characters_left -= characters
        if self._characters_left < 0:
            raise ReplyBoundError(TOO_LONG)
