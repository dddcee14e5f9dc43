"""Messages and passages for tests of the full-text index, and what a search for them returns."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import LexicalHit, RecallFilters
from memgpt_cli.ports import Store

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def said(text: str, *, minute: int = 0, role: Role = Role.USER, **more: object) -> Message:
    return Message(role=role, text=text, created_at=NOON + timedelta(minutes=minute), in_context=False, **more)  # type: ignore[arg-type]


def tell(store: Store, *texts: str, apart: timedelta = timedelta(minutes=1)) -> list[int]:
    start = store.messages.count()
    with store.transaction():
        messages = [replace(said(text), created_at=NOON + (start + n) * apart) for n, text in enumerate(texts)]
        return [store.messages.append(message).id for message in messages]


def found(store: Store, query: str, filters: RecallFilters | None = None, limit: int = 50) -> list[int]:
    return [hit.id for hit in store.lexical.search_messages(query, filters or RecallFilters(), limit)]


def neighbours(store: Store, ids: Sequence[int]) -> dict[int, list[int]]:
    places = store.lexical.session_places(ids)
    return {item: [near for near, _ in places[item].neighbours] for item in ids}


def own(hits: Sequence[LexicalHit]) -> list[int]:
    """Hits that hold a word themselves."""
    return [hit.id for hit in hits if hit.words]


def shelve(store: Store, text: str, **more: object) -> Passage:
    with store.transaction():
        return store.passages.add(Passage(text=text, created_at=NOON, **more))[0]  # type: ignore[arg-type]
