"""The origin of something in memory, as text for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.messages import Message, message_ref
from memgpt_cli.services.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memgpt_cli.ports import Store

AUTHORS: Final = {
    Author.USER: "you",
    Author.AGENT: "the agent",
    Author.DOCUMENT: "a document",
    Author.IMPORT: "an import",
    Author.TOOL: "a program",
    Author.SYSTEM: "memgpt",
}


class Causes:
    """The messages that provenances name, including deleted ones, read once."""

    def __init__(self, store: Store, provenances: Sequence[Provenance]) -> None:
        ids = sorted({p.message_id for p in provenances if p.message_id is not None})
        self._messages = {message.id: message for message in store.messages.get(ids)}
        for message_id in ids:
            tombstone = None if message_id in self._messages else store.tombstones.get(message_id)
            if tombstone is not None and tombstone.message is not None:
                self._messages[message_id] = tombstone.message

    def message(self, provenance: Provenance) -> Message | None:
        """Return the message that caused it, if there is one and it was not forgotten."""
        return self._messages.get(provenance.message_id or 0)

    def described(self, provenance: Provenance) -> str:
        """`the agent, after m12 "I moved to Lisbon"`, or `you, with memgpt memory set`."""
        if provenance.author is Author.TOOL and provenance.command:
            return provenance.command
        who = AUTHORS[provenance.author]
        if provenance.message_id is not None:
            message = self.message(provenance)
            quoted = f' "{one_line(message.text)}"' if message else ""
            return f"{who}, after {message_ref(provenance.message_id)}{quoted}"
        if provenance.author is Author.SYSTEM or provenance.command is None:
            return f"memgpt {provenance.command or ''}".strip() if provenance.author is Author.SYSTEM else who
        return f"{who}, with memgpt {provenance.command}"

    def shape(self, provenance: Provenance) -> dict[str, Any]:
        """Return the JSON fields that every change has."""
        message = self.message(provenance)
        return {
            "author": provenance.author.value,
            "message": None if provenance.message_id is None else message_ref(provenance.message_id),
            "message_text": None if message is None else message.text,
            "command": provenance.command,
        }
