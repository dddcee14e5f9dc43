"""Render messages of recall storage for the prompt. Deterministic, so that a prompt's prefix survives a restart.

The program's own texts are `user` messages in a fixed envelope, because many local models refuse a system message after
the first. Text from people, models, documents and memories is escaped so that it cannot forge the envelope.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.chat import PromptMessage, arguments_object
from memgpt_cli.domain.messages import FunctionCall, Message, Role
from memgpt_cli.domain.times import for_people
from memgpt_cli.domain.trust import QUOTE

VERSION: Final = 2
"""Part of an epoch's fingerprint: raise it whenever a rendering below changes."""

_ENVELOPE: Final = "memgpt_event"
_FORGED: Final = re.compile(r"<(?=\s*/?\s*(?:memgpt_event|core_memory|block)\b)", re.IGNORECASE)
_UNUSABLE_NAME: Final = re.compile(r"[^a-zA-Z0-9_-]")
_INTERRUPTED: Final = "[the person interrupted this reply here]"


def escape(text: str) -> str:
    """Escape text that looks like the program's own markup."""
    return _FORGED.sub("&lt;", text)


def quoted(message: Message) -> str:
    """A message's text, escaped; one that goes back to an untrusted source as a quotation, under its source."""
    text = escape(message.text)
    if not message.untrusted:
        return text
    name = message.lineage.name if message.lineage is not None else None
    lines = "\n".join(f"{QUOTE}{line}" for line in text.split("\n"))
    return f"(quoted from {message.least}{f' {escape(name)}' if name else ''})\n{lines}"


def envelope(kind: str, text: str, at: datetime | None, zone: tzinfo) -> str:
    """Wrap a text of the program, in the native protocol. Foreign parts of `text` must be escaped already."""
    time = f' time="{for_people(at, zone)}"' if at is not None else ""
    return f'<{_ENVELOPE} type="{kind}"{time}>\n{text}\n</{_ENVELOPE}>'


class Renderer:
    """Renders messages in one protocol and one time zone.

    Opaque fields are kept only if they have the model's `origin`: another server would refuse them.
    """

    def __init__(self, protocol: Protocol, zone: tzinfo, origin: str | None = None) -> None:
        self.protocol = protocol
        self.zone = zone
        self.origin = origin

    def message(self, message: Message) -> PromptMessage:
        """Return the message as the model sees it; `stub` replaces a text that was paged out."""
        if message.role is Role.ASSISTANT:
            return self._assistant(message)
        if message.role is Role.TOOL:
            return PromptMessage(role="tool", content=self._result(message), call_id=message.call_id)
        if message.role is Role.SYSTEM:
            content = self.event(message.name or "notice", message.text, message.created_at)
            return PromptMessage(role="user", content=content)
        return PromptMessage(role="user", content=self._user(message))

    def event(self, kind: str, text: str, at: datetime | None) -> str:
        """Render an event of the program: an envelope, or the paper's alert."""
        if self.protocol is Protocol.PAPER:
            fields = {"type": "system_alert", "kind": kind, "message": text}
            return _json(fields | ({"time": for_people(at, self.zone)} if at is not None else {}))
        return envelope(kind, text, at, self.zone)

    def _user(self, message: Message) -> str:
        text = quoted(message) if message.stub is None else message.stub
        time = for_people(message.created_at, self.zone)
        if self.protocol is Protocol.PAPER:
            name = {"name": message.name} if message.name else {}
            return _json({"type": "user_message", **name, "message": text, "time": time})
        return f"[{time}] {escape(message.name)}: {text}" if message.name else f"[{time}] {text}"

    def _assistant(self, message: Message) -> PromptMessage:
        text = escape(message.text) if message.stub is None else message.stub
        if message.interrupted:
            text = f"{text}\n{_INTERRUPTED}".lstrip()
        calls = tuple(_sendable(call) for call in message.calls)
        opaque = message.opaque if message.opaque is not None and message.opaque.origin == self.origin else None
        return PromptMessage(role="assistant", content=text or (None if calls else ""), calls=calls, opaque=opaque)

    def _result(self, message: Message) -> str:
        text = escape(message.text) if message.stub is None else message.stub
        if self.protocol is Protocol.PAPER:
            status = "OK" if message.ok else "Failed"
            return _json({"status": status, "message": text, "time": for_people(message.created_at, self.zone)})
        return text if message.ok else f"Failed: {text}"


def _sendable(call: FunctionCall) -> FunctionCall:
    """Return a call that a strict server accepts: a plain name, and arguments that are one JSON object.

    Recall storage keeps what the model really wrote.
    """
    name = _UNUSABLE_NAME.sub("_", call.name)[:64] or "unknown"
    arguments = call.arguments
    if arguments_object(arguments) is None:
        arguments = _json({"unreadable": arguments[:400]})
    return FunctionCall(id=call.id, name=name, arguments=arguments or "{}")


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False)
