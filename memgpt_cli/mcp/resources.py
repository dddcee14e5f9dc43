"""Resources, `memgpt://core/human` and `memgpt://message/m12`, and the prompt that asks for a search first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import NotFoundError

if TYPE_CHECKING:
    from memgpt_cli.services.memory import AgentMemory

PROMPT: Final = "recall_before_answering"
_SCHEME: Final = "memgpt://"

TEMPLATES: Final = (
    (f"{_SCHEME}core/{{label}}", "core memory block", "A block of core memory"),
    (f"{_SCHEME}message/{{id}}", "message", "A message of recall storage, such as m12"),
    (f"{_SCHEME}passage/{{id}}", "passage", "A passage of archival storage, such as p7"),
)


def address(kind: str, ident: str) -> str:
    """Return the address of a resource: `memgpt://message/m12`."""
    return f"{_SCHEME}{kind}/{ident}"


def listed(memory: AgentMemory) -> list[tuple[str, str, str]]:
    """Return address, name and description of each block; messages and passages are too many to list."""
    return [(address("core", block.label), block.label, block.description) for block in memory.blocks.all()]


def read(memory: AgentMemory, uri: str) -> str:
    """Return the text of a resource. Raises NotFoundError, and UsageError for an invalid id."""
    kind, _, ident = uri.removeprefix(_SCHEME).partition("/")
    if uri.startswith(_SCHEME) and kind == "core":
        return memory.blocks.get(ident).value
    if uri.startswith(_SCHEME) and kind == "passage":
        return memory.passages.get(ident).text
    if uri.startswith(_SCHEME) and kind == "message":
        message = memory.messages.get(ident)
        return f"{message.name or message.role} ({to_text(message.created_at)}): {message.text}"
    raise NotFoundError(f"there is no resource {uri[:200]}", hint="memgpt://core/human, memgpt://message/m12")


def prompt_text(question: str) -> str:
    """Return the text of the prompt."""
    return (
        "Answer the question below. First search memory with the tool `search`, with two or three different wordings,"
        " and read what is promising with `fetch`. Say which messages or passages the answer rests on. If memory has"
        f" nothing about it, say so.\n\nQuestion: {question}"
    )
