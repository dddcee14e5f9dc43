"""The read-only tools: search, fetch, core memory, the newest messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.domain.messages import SPOKEN, Message, message_ref
from memgpt_cli.domain.parameters import Parameter
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.domain.times import to_text
from memgpt_cli.domain.trust import UNTRUSTED
from memgpt_cli.errors import UsageError
from memgpt_cli.mcp.resources import address
from memgpt_cli.mcp.spec import ShownItems, Tool, ToolCall
from memgpt_cli.services.facts import STANDING, fact_shape

if TYPE_CHECKING:
    from memgpt_cli.domain.facts import Fact
    from memgpt_cli.domain.kinds import MemoryItem
    from memgpt_cli.services.searching import MemoryHit

MOST_TEXT: Final = 20_000
"""Maximum characters of one text: clients cut results at 25,000 tokens, and a Chinese character may be one or two."""

_MOST_HITS: Final = 50
_MOST_MESSAGES: Final = 100
_SHORT: Final = 1_000
"""Characters of each message in a list."""

_TITLE: Final = 60
_AROUND: Final = 3

_ID: Final = re.compile(r"[mpf]?\d{1,18}", re.IGNORECASE)

_TEXT: Final = {"type": "string"}
_SEARCH_OUTPUT: Final = {
    "type": "object",
    "properties": {
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"id": _TEXT, "title": _TEXT, "url": _TEXT, "text": _TEXT},
                "required": ["id", "title", "url", "text"],
            },
        }
    },
    "required": ["results"],
}
_FETCH_OUTPUT: Final = {
    "type": "object",
    "properties": {"id": _TEXT, "title": _TEXT, "text": _TEXT, "url": _TEXT, "metadata": {"type": "object"}},
    "required": ["id", "title", "text", "url"],
}


def _search(call: ToolCall) -> dict[str, Any]:
    memory, arguments = call.memory, call.arguments
    found = memory.search.everything(
        arguments["query"],
        limit=arguments.get("limit", 10),
        since=arguments.get("since") or None,
        until=arguments.get("until") or None,
    )
    return {
        "results": [_hit(hit, call.shown) for hit in found.hits],
        "only_weak_matches": found.weak,
        "more": found.more,
        "notes": list(found.notes),
    }


def _hit(found: MemoryHit, shown: ShownItems) -> dict[str, Any]:
    if found.line is not None:
        line = found.line
        return {
            "id": line.label,
            "title": f"core memory, block {line.label}",
            "url": address("core", line.label),
            "text": line.text,
            "kind": "core",
        }
    assert found.hit is not None  # noqa: S101 - a hit has a line or an item
    return {**_item(found.hit.item, shown), "text": found.excerpt}


def _item(item: MemoryItem, shown: ShownItems) -> dict[str, Any]:
    """Return id, title, address and origin of an item. `untrusted` names the source of text that is a quotation."""
    shown.note(item)
    shape: dict[str, Any] = {
        "id": item.ref,
        "title": f"{item.origin or item.kind.value}, {item.created_at:%a %Y-%m-%d}: {_one_line(item.text)}",
        "url": address(item.kind.value, item.ref),
        "kind": item.kind.value,
        "from": item.origin,
        "created_at": to_text(item.created_at),
    }
    if item.tags:
        shape["tags"] = list(item.tags)
    if item.least in UNTRUSTED:
        shape["untrusted"] = item.least.value
    return shape


def _fetch(call: ToolCall) -> dict[str, Any]:
    memory, arguments = call.memory, call.arguments
    ref, part = arguments["id"].strip().rpartition("/")[2], arguments.get("part", 1)
    if not _ID.fullmatch(ref):
        block = memory.blocks.get(ref)
        shape = {"id": ref, "title": f"core memory, block {ref}", "url": address("core", ref)}
        return {**shape, **_part(block.value, part), "metadata": {"kind": "core", "version": block.version}}
    found = memory.fetch(ref, around=_AROUND)
    shape = _item(found.item, call.shown)
    told = {name: shape.pop(name) for name in ("id", "title", "url")}
    if isinstance(found.item, Message):
        shape |= {"before": _listed(found.before, call.shown), "after": _listed(found.after, call.shown)}
    return {**told, **_part(found.item.text, part), "metadata": shape}


def _part(text: str, part: int) -> dict[str, Any]:
    """Return one part of a text, and the number of parts. Raises UsageError for a part that does not exist."""
    parts = max(1, -(-len(text) // MOST_TEXT))
    if part > parts:
        raise UsageError(f"there is no part {part}; the text has {parts}")
    shown = {"text": text[(part - 1) * MOST_TEXT : part * MOST_TEXT]}
    return {**shown, "part": part, "parts": parts} if parts > 1 else shown


def _view(call: ToolCall) -> dict[str, Any]:
    memory, arguments = call.memory, call.arguments
    label = arguments.get("label")
    blocks = [memory.blocks.get(label)] if label else memory.blocks.all()
    return {
        "blocks": [
            {
                "label": block.label,
                "value": block.value,
                "description": block.description,
                "characters": len(block.value),
                "limit": block.limit,
                "read_only": block.read_only,
            }
            for block in blocks
        ]
    }


def _recent(call: ToolCall) -> dict[str, Any]:
    memory, arguments = call.memory, call.arguments
    limit, page = arguments.get("limit", 20), arguments.get("page", 0)
    found = memory.messages.recent(RecallFilters(roles=SPOKEN), limit=limit, page=page)
    return {"messages": _listed(found.messages, call.shown), "more": found.more}


def _listed(messages: tuple[Message, ...], shown: ShownItems) -> list[dict[str, Any]]:
    for message in messages:
        shown.note(message)
    return [
        {
            "id": message_ref(message.id),
            "from": message.name or message.role.value,
            "created_at": to_text(message.created_at),
            "text": message.text if len(message.text) <= _SHORT else message.text[:_SHORT] + "…",
        }
        for message in messages
    ]


def _facts(call: ToolCall) -> dict[str, Any]:
    facts, arguments = call.memory.facts, call.arguments
    about, query = arguments.get("about", "").strip(), arguments.get("query", "").strip()
    filters = facts.filters(
        states=() if arguments.get("superseded") else STANDING,
        entity=about or None,
        as_of=arguments.get("as_of") or None,
    )
    limit = arguments.get("limit", 20)
    if query:
        found = [hit.item for hit in facts.search(query, filters, limit=limit).hits]
    else:
        found, _ = facts.recent(filters, limit=limit)
    for fact in found:
        call.shown.note(fact)
    return {"facts": [_fact(fact) for fact in found]}


def _fact(fact: Fact) -> dict[str, Any]:
    shape = fact_shape(fact)
    return {name: value for name, value in shape.items() if value not in (None, "", []) and name != "entities"}


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TITLE else line[: _TITLE - 1] + "…"


SEARCH = Tool(
    name="search",
    description=(
        "Search everything remembered (core memory, past messages, notes, documents) by words and meaning. Results are"
        " excerpts; fetch reads one whole."
    ),
    parameters=(
        Parameter(name="query", type="string"),
        Parameter(name="limit", type="integer", required=False, minimum=1, maximum=_MOST_HITS),
        Parameter(name="since", type="string", description="2026-03-31 or 2026-03.", required=False),
        Parameter(name="until", type="string", description="Inclusive.", required=False),
    ),
    run=_search,
    output=_SEARCH_OUTPUT,
)

FETCH = Tool(
    name="fetch",
    description="Read one result whole: a message (m12) with what was said around it, a passage (p7), or a block.",
    parameters=(
        Parameter(name="id", type="string"),
        Parameter(name="part", type="integer", description="Of a long text.", required=False, minimum=1),
    ),
    run=_fetch,
    output=_FETCH_OUTPUT,
)

FACTS = Tool(
    name="facts",
    description="List or search facts: statements with their period of validity and sources, current ones by default.",
    parameters=(
        Parameter(name="query", type="string", required=False),
        Parameter(name="about", type="string", description="A person, place or thing.", required=False),
        Parameter(name="as_of", type="string", description="True then: 2021, 2021-03.", required=False),
        Parameter(name="superseded", type="boolean", description="Old values too.", required=False),
        Parameter(name="limit", type="integer", required=False, minimum=1, maximum=_MOST_MESSAGES),
    ),
    run=_facts,
)

CORE_MEMORY_VIEW = Tool(
    name="core_memory_view",
    description="Read core memory: short labelled blocks of the most important facts.",
    parameters=(Parameter(name="label", type="string", description="One block; default all.", required=False),),
    run=_view,
)

LIST_RECENT = Tool(
    name="list_recent",
    description="List the newest messages, newest first.",
    parameters=(
        Parameter(name="limit", type="integer", required=False, minimum=1, maximum=_MOST_MESSAGES),
        Parameter(name="page", type="integer", description="0-based.", required=False, minimum=0, maximum=1_000_000),
    ),
    run=_recent,
)
