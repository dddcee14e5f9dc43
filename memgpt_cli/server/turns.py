"""Which message of an agent a request is: a new one, a repeated delivery, an edited one, or one to be answered again.

Clients send the whole history each time and repeat failed requests by themselves. The id under which a message is
stored says where in which conversation it stands, so this is also known after a restart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.events import UserMessage
from memgpt_cli.server.requests import fingerprint

if TYPE_CHECKING:
    from datetime import datetime

    from memgpt_cli.domain.messages import Message
    from memgpt_cli.server.requests import CompletionRequest
    from memgpt_cli.services.talking import Talk

REPEATED_WITHIN_S: Final = 600
"""An answer that was not delivered is asked for again within so many seconds; SDKs wait seconds, people minutes."""

_MOST_TIMES: Final = 1_000


def message_of(talk: Talk, request: CompletionRequest, delivered: set[str], *, now: datetime) -> UserMessage:
    """The message to handle, with its id. An edited message, or one to be answered again, undoes the last turn first.

    `delivered` holds the ids whose answers reached their client.
    """
    said = request.last
    if request.key:
        return UserMessage(
            text=said.text, picture=said.picture, external_id=f"api:key:{fingerprint(request.user, request.key)}"
        )
    picture = said.picture.content.hex() if said.picture else ""
    stem = f"api:{request.place or '-'}:{fingerprint(request.user, said.text, picture)}"
    known, times = _latest(talk, stem)
    if known is not None:
        if request.is_retry or (f"{stem}:{times}" not in delivered and _age_s(known, now) < REPEATED_WITHIN_S):
            return UserMessage(text=said.text, picture=said.picture, external_id=f"{stem}:{times}")
        if talk.is_last_turn(known):
            talk.undo_last_turn()
        else:
            times += 1
    else:
        times = 1
        newest = talk.newest_message()
        if newest is not None and _stands_at(newest, request.place) and talk.is_last_turn(newest):
            talk.undo_last_turn()
    delivered.discard(f"{stem}:{times}")
    return UserMessage(text=said.text, picture=said.picture, external_id=f"{stem}:{times}")


def _latest(talk: Talk, stem: str) -> tuple[Message | None, int]:
    """The message that was stored last under this stem, and how many times it was said."""
    known, times = None, 0
    while times < _MOST_TIMES and (found := talk.message_with(f"{stem}:{times + 1}")) is not None:
        known, times = found, times + 1
    return known, times


def _stands_at(message: Message, place: str) -> bool:
    return bool(place) and (message.external_id or "").startswith(f"api:{place}:")


def _age_s(message: Message, now: datetime) -> float:
    return (now - message.created_at).total_seconds()
