"""Prompts that a client sends for itself: titles, tags, follow-up questions. They never reach an agent's memory."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from memgpt_cli.server.requests import CompletionRequest

_PATTERNS: Final = (
    re.compile(r"### Task:.*<chat_history>", re.DOTALL),
    re.compile(r"\b(?:concise|short),? (?:\d+|five|ten)[- ]word(?:s)?[- ]or[- ]less title", re.IGNORECASE),
    re.compile(r"\btitle within \d+ (?:words|characters)", re.IGNORECASE),
    re.compile(
        r"\b(?:generate|create|write) a (?:concise |short |brief )*title (?:for|of) (?:this|the) (?:chat|conv)",
        re.IGNORECASE,
    ),
)
"""Open WebUI, LibreChat, LobeChat and Cherry Studio, and the general form."""

_WORDS_OF_TITLE: Final = 6
_HISTORY: Final = re.compile(r"<chat_history>\s*(.*?)\s*</chat_history>", re.DOTALL)
_SPEAKER: Final = re.compile(r"^\s*(?:user|human)\s*:\s*", re.IGNORECASE | re.MULTILINE)


def is_task(request: CompletionRequest) -> bool:
    """Whether a request is a client's own, by its header or by a known form of a single message."""
    if request.task:
        return True
    users = [said.text for said in request.history if said.role == "user"]
    texts = [said.text for said in request.history if said.role in {"system", "user"}]
    return len(users) == 1 and any(pattern.search(text) for pattern in _PATTERNS for text in texts)


def offline_answer(request: CompletionRequest) -> str:
    """An answer in the shape that the client asks for, without a model: the first words of the conversation."""
    text = request.last.text
    found = _HISTORY.search(text)
    history = found[1] if found else text
    words = _SPEAKER.sub("", history).split()
    title = " ".join(words[:_WORDS_OF_TITLE]).rstrip(".,;:!?") or "Conversation"
    wanted = (request.task + " " + text).casefold()
    if "follow_up" in wanted or "follow-up" in wanted:
        return json.dumps({"follow_ups": []})
    if '"tags"' in wanted or "tags_generation" in wanted:
        return json.dumps({"tags": ["General"]})
    if '"title"' in wanted or "title_generation" in wanted:
        return json.dumps({"title": title}, ensure_ascii=False)
    return title
