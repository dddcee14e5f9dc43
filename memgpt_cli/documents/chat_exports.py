"""Read one conversation of a ChatGPT or Claude export, as the messages that the user saw.

Both formats keep every generated reply, as a tree; the branch seen last is read. Reasoning, tool calls and tool results
are skipped.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from memgpt_cli.documents.message_fields import (
    Read,
    as_list,
    as_object,
    as_word,
    read_role,
    read_time,
    read_word,
)
from memgpt_cli.domain.conversations import SaidElsewhere, Unreadable
from memgpt_cli.domain.messages import Role, clean

_SHOWN: Final = {"text", "multimodal_text"}
"""ChatGPT's content types that are displayed as text; others are code for tools, their results, and reasoning."""


def from_chatgpt(conversation: Mapping[str, Any], place: str) -> Iterator[Read]:
    """Read a conversation as a `mapping` of nodes, each with its message and its parent."""
    session = _session(conversation, "conversation_id", "id", "title", place=place)
    before = conversation.get("create_time")
    for node in _branch(as_object(conversation["mapping"]), conversation.get("current_node"), parent="parent"):
        message = as_object(node.get("message"))
        role = as_object(message.get("author")).get("role")
        hidden = as_object(message.get("metadata")).get("is_visually_hidden_from_conversation")
        text = _spoken(as_object(message.get("content")))
        to_a_tool = (message.get("recipient") or "all") != "all"
        if role not in ("user", "assistant") or hidden or to_a_tool or not text:
            continue
        before = message.get("create_time") or before
        yield SaidElsewhere(
            role=Role(role),
            text=text,
            created_at=_time(before),
            session=session,
            key=as_word(message.get("id")) or as_word(node.get("id")) or None,
        )


def from_claude(conversation: Mapping[str, Any], place: str, zone: tzinfo) -> Iterator[Read]:
    """Read a conversation as a list of `chat_messages`, which newer exports link to their parents."""
    session = _session(conversation, "uuid", "name", place=place)
    for message, number in _seen_by_claude(conversation):
        here = f"{place}, message {number}"
        if not isinstance(message, dict):
            yield Unreadable(here, "not a JSON object")
        elif text := _written(message):
            try:
                yield SaidElsewhere(
                    role=read_role(message.get("sender")),
                    text=text,
                    created_at=read_time(message.get("created_at"), zone),
                    session=session,
                    key=read_word(message, "uuid"),
                )
            except ValueError as error:
                yield Unreadable(here, str(error))


def _session(conversation: Mapping[str, Any], *keys: str, place: str) -> str:
    return next((word for key in keys if (word := as_word(conversation.get(key)))), place)


def _branch(nodes: Mapping[str, Any], last: object, *, parent: str) -> list[Mapping[str, Any]]:
    """Return the nodes from the root to `last`, or to the newest leaf if no last node is given."""
    if as_word(last) not in nodes:
        leaves = [key for key, node in nodes.items() if not as_list(as_object(node).get("children"))]
        last = leaves[-1] if leaves else None
    found: list[Mapping[str, Any]] = []
    while (node := as_object(nodes.get(as_word(last)))) and len(found) < len(nodes):
        found.append(node)
        last = node.get(parent)
    return found[::-1]


def _spoken(content: Mapping[str, Any]) -> str:
    if content.get("content_type") not in _SHOWN:
        return ""
    texts = []
    for part in as_list(content.get("parts")):
        text = part if isinstance(part, str) else as_object(part).get("text")
        if isinstance(text, str) and text.strip():
            texts.append(text)
        elif kind := as_word(as_object(part).get("content_type")):
            texts.append(f"[{kind}]")
    return clean("\n".join(texts)).strip()


def _time(value: object) -> datetime | None:
    """Return a time; None if it is invalid, because a program wrote it."""
    try:
        return read_time(value, UTC) if isinstance(value, int | float) else None
    except ValueError:
        return None


def _seen_by_claude(conversation: Mapping[str, Any]) -> list[tuple[Any, int]]:
    """Return the messages of the branch seen last, numbered from 1, or all if they are not linked."""
    listed = conversation["chat_messages"]
    numbers = {as_word(as_object(m).get("uuid")): number for number, m in enumerate(listed, 1)}
    nodes = {key: listed[number - 1] for key, number in numbers.items() if key}
    parents = {as_word(node.get("parent_message_uuid")) for node in nodes.values()}
    if len(nodes) < len(listed) or not parents & set(nodes):
        return list(zip(listed, range(1, len(listed) + 1), strict=True))
    leaves = [key for key in nodes if key not in parents]
    named = as_word(conversation.get("current_leaf_message_uuid"))
    last = named if named in nodes else max(leaves, key=lambda key: as_word(nodes[key].get("created_at")), default="")
    return [(m, numbers[as_word(m.get("uuid"))]) for m in _branch(nodes, last, parent="parent_message_uuid")]


def _written(message: Mapping[str, Any]) -> str:
    """Return the text of one of Claude's messages: its text blocks, pasted text, and file names."""
    blocks = [as_object(block) for block in as_list(message.get("content"))]
    texts = [block.get("text") for block in blocks if block.get("type") == "text"]
    said = "\n".join(text for text in texts if isinstance(text, str) and text) or message.get("text")
    parts = [said]
    for file in map(as_object, as_list(message.get("attachments")) + as_list(message.get("files"))):
        name = as_word(file.get("file_name"))
        parts.append(f"[attached: {name}]" if name else file.get("extracted_content"))  # a long paste has no name
    return clean("\n".join(dict.fromkeys(p for p in parts if isinstance(p, str) and p.strip()))).strip()
