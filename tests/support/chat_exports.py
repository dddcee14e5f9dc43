"""Export files as ChatGPT and Claude make them: the same keys and the same oddities, with made-up contents."""

import json
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = "00000000-0000-4000-8000-000000000000"
"""Claude's parent of a first message."""


def made_id(name: str) -> str:
    """The same UUID for the same name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def chatgpt_message(name: str, role: str, *parts: object, at: float | None, **other: Any) -> dict[str, Any]:
    """One message of ChatGPT's; `kind` is its content type."""
    kind = other.pop("kind", "text")
    content = {"content_type": kind, "text": parts[0]} if kind == "code" else {"content_type": kind, "parts": [*parts]}
    return {
        "id": made_id(name),
        "author": {"role": role, "name": None, "metadata": {}},
        "create_time": at,
        "update_time": None,
        "content": content,
        "status": "finished_successfully",
        "end_turn": True if role == "assistant" else None,
        "weight": 1.0,
        "metadata": {},
        "recipient": "all",
        "channel": None,
        **other,
    }


def chatgpt_conversation(
    name: str, links: Sequence[tuple[Mapping[str, Any] | None, str | None]], *, last: str | None
) -> dict[str, Any]:
    """A conversation of messages, each with the name of its parent; None is the root, which has no message."""
    nodes: dict[str, dict[str, Any]] = {}
    for message, parent in links:
        key = made_id("root of " + name) if message is None else message["id"]
        above = made_id("root of " + name) if parent == "root" else None if parent is None else made_id(parent)
        nodes[key] = {"id": key, "message": message, "parent": above, "children": []}
        if above is not None:
            nodes[above]["children"].append(key)
    return {
        "title": name,
        "create_time": 1715000000.5,
        "update_time": 1715000900.25,
        "mapping": nodes,
        "moderation_results": [],
        "current_node": None if last is None else made_id(last),
        "plugin_ids": None,
        "conversation_id": made_id(name),
        "conversation_template_id": None,
        "gizmo_id": None,
        "is_archived": False,
        "safe_urls": [],
        "default_model_slug": "gpt-4o",
        "id": made_id(name),
    }


def chatgpt_talk(name: str = "Puppy names") -> dict[str, Any]:
    """A conversation with what real ones hold: a hidden preamble, an answer generated again, a picture, tools."""
    hidden = {"is_visually_hidden_from_conversation": True}
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-1", "width": 640}
    links: list[tuple[dict[str, Any] | None, str | None]] = [
        (None, None),
        (chatgpt_message("sys", "system", "", at=None, weight=0.0, metadata=hidden), "root"),
        (chatgpt_message("q1", "user", "What shall I call my puppy?", at=1715000001.25), "sys"),
        (chatgpt_message("bad", "assistant", "Rex.", at=1715000002.0), "q1"),
        (chatgpt_message("a1", "assistant", "Call her Mochi.", at=1715000003.0), "q1"),
        (chatgpt_message("q2", "user", picture, "Does it suit her?", at=None, kind="multimodal_text"), "a1"),
        (chatgpt_message("tool", "assistant", "search('mochi')", at=1715000005.0, kind="code", recipient="web"), "q2"),
        (chatgpt_message("found", "tool", "rice cake", at=1715000006.0), "tool"),
        (chatgpt_message("a2", "assistant", "Perfectly! \N{DOG FACE}", at=1715000007.0), "found"),
    ]
    return chatgpt_conversation(name, links, last="a2")


def claude_message(name: str, sender: str, text: str, *, at: str, parent: str | None = None, **other: Any) -> Any:
    """One message of Claude's; newer exports name the `parent`."""
    linked = {} if parent is None else {"parent_message_uuid": ROOT if parent == "root" else made_id(parent)}
    return {
        "uuid": made_id(name),
        "text": text,
        "content": [
            {"start_timestamp": at, "stop_timestamp": at, "flags": None, "type": "text", "text": text, "citations": []}
        ],
        "sender": sender,
        "created_at": at,
        "updated_at": at,
        "attachments": [],
        "files": [],
        **linked,
        **other,
    }


def claude_conversation(name: str, *messages: Any, **other: Any) -> dict[str, Any]:
    """A conversation of these messages."""
    return {
        "uuid": made_id(name),
        "name": name,
        "summary": "",
        "created_at": "2024-06-01T09:00:00.000000Z",
        "updated_at": "2024-06-01T09:30:00.000000Z",
        "account": {"uuid": made_id("account")},
        "chat_messages": [*messages],
        **other,
    }


def claude_talk(name: str = "Bread") -> dict[str, Any]:
    """A conversation with what real ones hold: thinking, a tool, a pasted text without a name, a file."""
    asked = claude_message(
        "c1",
        "human",
        "Why is my bread flat?",
        at="2024-06-01T09:00:00.123456Z",
        attachments=[
            {"file_name": "", "file_size": 40, "file_type": "txt", "extracted_content": "500 g flour, no yeast"},
            {"file_name": "recipe.pdf", "file_size": 9000, "file_type": "pdf", "extracted_content": "Bread\n1."},
        ],
        files=[{"file_name": "loaf.jpg"}, {"file_name": "recipe.pdf"}],
    )
    answered = claude_message("c2", "assistant", "It needs yeast.", at="2024-06-01T09:00:09.5Z")
    answered["content"] = [
        {"type": "thinking", "thinking": "flat, so no yeast"},
        {"type": "tool_use", "name": "search", "input": {"query": "yeast"}},
        {"type": "tool_result", "name": "search", "content": [{"type": "text", "text": "found"}]},
        *answered["content"],
    ]
    return claude_conversation(name, asked, answered)


def write_json(path: Path, value: object) -> Path:
    """A file of JSON, as exports write it: characters beyond ASCII escaped."""
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def write_archive(path: Path, files: Mapping[str, object]) -> Path:
    """An archive of JSON files, as exports come."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in files.items():
            archive.writestr(name, value if isinstance(value, str | bytes) else json.dumps(value))
    return path
