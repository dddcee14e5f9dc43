"""Notices for the model about work outside the conversation. Changes of core memory have their own notices."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.main_context.rendering import escape
from memgpt_cli.ports import Store

DOCUMENTS_LOADED: Final = "documents_loaded"
_NAMED: Final = 10
_LONGEST: Final = 120


def tell_loaded(store: Store, sources: Sequence[str], *, at: datetime) -> None:
    """Add a notice to the end of the queue that lists newly loaded documents; none if `sources` is empty.

    The caller holds the agent's lock, and no turn is running.
    """
    if not sources:
        return
    names = ", ".join(
        escape(source if len(source) <= _LONGEST else f"…{source[-_LONGEST:]}") for source in sources[:_NAMED]
    )
    more = f" and {len(sources) - _NAMED} more documents" if len(sources) > _NAMED else ""
    text = f"Now in archival storage: {names}{more}. archival_memory_search finds what they say."
    with store.transaction():
        store.messages.append(Message(role=Role.SYSTEM, name=DOCUMENTS_LOADED, text=text, created_at=at))
