"""Extract the text and codes of an error body of any shape: objects, lists, JSON within JSON, HTML, plain text."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any, Final

_WORDS: Final = ("message", "detail", "details", "msg", "error", "errors", "title", "reason")
_CODES: Final = ("code", "type", "status")
_DEEPEST: Final = 5
_LONGEST: Final = 20_000
"""Maximum characters that are read; the useful part is at the beginning."""
_TITLE: Final = re.compile(r"<(title|h1)[^>]*>(.*?)</", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)


def words_of(body: object, otherwise: str = "") -> str:
    """Return the server's message as text for a person; `otherwise` if there is none.

    Of a list, the first entry with a text is used. A provider's message that a gateway passes on follows the gateway's
    own.
    """
    return _words(body, _DEEPEST) or _plain(otherwise)


def codes_of(body: object) -> str:
    """Return all codes and types in the body, joined by blanks, to distinguish errors."""
    return " ".join(dict.fromkeys(str(code) for code in _codes(body, _DEEPEST)))


def status_of(body: object) -> int | None:
    """Return the HTTP status that an error within a stream has as its code."""
    return next((code for code in _codes(body, _DEEPEST) if type(code) is int and 400 <= code < 600), None)  # noqa: PLR2004


def _words(body: object, depth: int) -> str:
    if depth == 0 or body is None or isinstance(body, bool | int | float):
        return ""
    if isinstance(body, str):
        return _text(body, depth)
    if isinstance(body, list):
        return next((words for item in body if (words := _words(item, depth - 1))), "")
    if not isinstance(body, dict):
        return ""
    own = next((words for key in _WORDS if (words := _words(body.get(key), depth - 1))), "")
    if own and isinstance(place := body.get("loc"), list):  # FastAPI states the field and the error
        own = f"{'.'.join(map(str, place))}: {own}"
    metadata = body.get("metadata")
    passed_on = _words(metadata.get("raw"), depth - 1) if isinstance(metadata, dict) else ""
    return f"{own} {passed_on}".strip() if passed_on != own else own


def _text(text: str, depth: int) -> str:
    """Return a text that may be JSON again, or an HTML page."""
    text = text[:_LONGEST].strip()
    if text[:1] in ("{", "["):
        inner = _parsed(text)
        if inner is not None:
            return _words(inner, depth - 1) or text
    return _plain(text)


def _plain(text: str) -> str:
    text = text[:_LONGEST].strip()
    if not text.startswith("<"):
        return text
    title = _TITLE.search(text)
    said = title[2] if title else text
    return html.unescape(" ".join(_TAG.sub(" ", said).split())) or "a page without words"


def _codes(body: object, depth: int) -> Iterator[Any]:
    if depth == 0:
        return
    if isinstance(body, str) and body[:1] in ("{", "["):
        yield from _codes(_parsed(body[:_LONGEST]), depth - 1)
    elif isinstance(body, list):
        for item in body[:_DEEPEST]:
            yield from _codes(item, depth - 1)
    elif isinstance(body, dict):
        for key in ("error", "metadata", "raw"):
            yield from _codes(body.get(key), depth - 1)
        yield from (body[key] for key in _CODES if isinstance(body.get(key), str | int) and body[key])


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
