"""What clients send to `/v1/chat/completions`, read leniently: unknown fields are ignored, odd content is an error."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from memgpt_cli.domain.messages import clean
from memgpt_cli.domain.pictures import Picture, kind_of
from memgpt_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DATA: Final = re.compile(r"data:image/[\w.+-]+;base64,(.*)", re.DOTALL)
_USER_QUERY: Final = re.compile(r"<user_query>\s*(.*?)\s*</user_query>", re.DOTALL)
_MOST_TOKENS: Final = 100_000
_HEADERS_OF_CHATS: Final = ("x-openwebui-chat-id", "x-memgpt-chat", "x-librechat-conversation-id")
_HEADERS_OF_USERS: Final = ("x-openwebui-user-id", "x-memgpt-user", "x-librechat-user-id")


SaidBy = Literal["system", "user", "assistant"]

_ROLES: Final[Mapping[str, SaidBy]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMessage:
    """One message of a client's history, as text; `picture` is the first one beside it."""

    role: SaidBy
    text: str
    picture: Picture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """A request. `chat` and `user` name the conversation where the client says so, else they are empty.

    `is_retry` says that an SDK repeats a request.
    """

    agent: str
    history: tuple[ClientMessage, ...]
    stream: bool
    include_usage: bool
    max_tokens: int
    chat: str = ""
    user: str = ""
    task: str = ""
    is_retry: bool = False
    key: str = ""

    @property
    def system(self) -> str:
        """The client's own instructions."""
        return "\n\n".join(said.text for said in self.history if said.role == "system" and said.text.strip())

    @property
    def last(self) -> ClientMessage:
        """The message that is to be answered."""
        return next(said for said in reversed(self.history) if said.role == "user")

    @property
    def place(self) -> str:
        """A fingerprint of where in which conversation the last message stands, the same when it is edited.

        It is made of the user, the chat, and the answer before it with the text before that. Clients cut the front of a
        history, so nothing earlier counts. Empty for the first message of a chat that the client does not name.
        """
        spoken = [said for said in self.history if said.role in {"user", "assistant"}]
        while spoken and spoken[-1].role != "user":
            spoken.pop()
        before = [f"{said.role}:{said.text}" for said in spoken[:-1][-2:]]
        if not before and not self.chat:
            return ""
        return fingerprint(self.user, self.chat, *before)


def fingerprint(*parts: str) -> str:
    """A short hash of texts."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_request(body: Any, headers: Mapping[str, str]) -> CompletionRequest:
    """A checked request. Raises UsageError for what cannot be answered."""
    if not isinstance(body, dict):
        raise UsageError("the body is not a JSON object")
    model, messages = body.get("model"), body.get("messages")
    if not isinstance(model, str) or not model.strip():
        raise UsageError("`model` is missing", hint="it is the name of an agent; GET /v1/models lists them")
    if not isinstance(messages, list) or not messages:
        raise UsageError("`messages` is missing or empty")
    history = tuple(said for message in messages if (said := _said(message)) is not None)
    if not any(said.role == "user" and (said.text.strip() or said.picture) for said in history):
        raise UsageError("there is no message of a user to answer")
    options = body.get("stream_options")
    return CompletionRequest(
        agent=clean(model.strip()),
        history=history,
        stream=body.get("stream") is True,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        max_tokens=_count(body.get("max_completion_tokens")) or _count(body.get("max_tokens")) or 1_024,
        chat=_first(headers, _HEADERS_OF_CHATS),
        user=_first(headers, _HEADERS_OF_USERS) or (body["user"] if isinstance(body.get("user"), str) else ""),
        task=headers.get("x-openwebui-task", "")[:80],
        is_retry=headers.get("x-stainless-retry-count", "0") not in {"", "0"},
        key=headers.get("idempotency-key", "")[:200],
    )


def _count(value: Any) -> int:
    """A limit in tokens; 0 where there is none that makes sense."""
    return min(value, _MOST_TOKENS) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _first(headers: Mapping[str, str], names: Sequence[str]) -> str:
    return next((headers[name][:200] for name in names if headers.get(name)), "")


def _said(message: Any) -> ClientMessage | None:
    """A message, or None for one that says nothing to the agent (calls and results of the client's own tools)."""
    if not isinstance(message, dict):
        raise UsageError("a message is not a JSON object")
    role = message.get("role")
    if role in {"tool", "function"}:
        return None
    said_by = _ROLES.get(role) if isinstance(role, str) else None
    if said_by is None:
        raise UsageError(f"{role!r:.80} is not a role of a message")
    text, picture = _content(message.get("content"))
    if said_by == "user" and (asked := _USER_QUERY.search(text)):
        text = asked[1]
    return ClientMessage(role=said_by, text=clean(text), picture=picture)


def _content(content: Any) -> tuple[str, Picture | None]:
    if content is None:
        return "", None
    if isinstance(content, str):
        return content, None
    if not isinstance(content, list):
        raise UsageError("the content of a message is neither text nor a list of parts")
    texts, picture = [], None
    for part in content:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and part.get("type") in {"text", "input_text"}:
            texts.append(str(part.get("text") or ""))
        elif isinstance(part, dict) and part.get("type") == "image_url":
            picture = picture or _picture(part.get("image_url"))
        else:
            kind = part.get("type") if isinstance(part, dict) else type(part).__name__
            raise UsageError(
                f"a part of the type {kind!r:.80} cannot be read", hint="send text, or images as data: URLs"
            )
    return "\n".join(text for text in texts if text), picture


def _picture(source: Any) -> Picture:
    url = source.get("url") if isinstance(source, dict) else source
    match = _DATA.fullmatch(url) if isinstance(url, str) else None
    if match is None:
        raise UsageError("an image is not a data: URL", hint="nothing is fetched; send data:image/png;base64,...")
    try:
        content = base64.b64decode(match[1], validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError("an image is not valid base64") from error
    kind = kind_of(content)
    if kind is None:
        raise UsageError("an image is not PNG, JPEG, GIF or WebP")
    return Picture(name=f"picture.{kind.partition('/')[2]}", kind=kind, content=content)
