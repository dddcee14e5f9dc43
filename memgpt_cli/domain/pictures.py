"""A picture that the user shows: its bytes, and the media type that its first bytes indicate."""

from dataclasses import dataclass
from typing import Final

_KINDS: Final = (
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """`kind` is its media type, such as `image/png`; `name` is its file name without folders."""

    name: str
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPicture:
    """A stored picture with its message; `passage` holds its description, None before there is one."""

    picture: Picture
    message_id: int
    passage: int | None = None


def kind_of(content: bytes) -> str | None:
    """Return the media type of a picture that models accept (PNG, JPEG, GIF, WebP); None for other content."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for beginning, kind in _KINDS if content.startswith(beginning)), None)
