"""Ids for the calls of a reply, independent of the server's ids."""

import hashlib
from typing import Final

from memgpt_cli.domain.chat import ChatRequest

_LENGTH: Final = 9
_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class CallIds:
    """Ids of nine letters or digits: the same for the same request, and unique within its prompt.

    Server ids are not kept. Some servers send none, some repeat one, and an agent may continue with another server:
    Mistral accepts only ids of nine letters or digits, OpenAI at most forty characters.
    """

    def __init__(self, request: ChatRequest) -> None:
        last = request.messages[-1] if request.messages else None
        self._seed = f"{len(request.messages)}\n{last.content if last else ''}\n{last.call_id if last else ''}"
        self._taken = {call.id for message in request.messages for call in message.calls}

    def new(self) -> str:
        """The next id."""
        attempt = 0
        while True:
            seed = f"{len(self._taken)}\n{attempt}\n{self._seed}".encode("utf-8", "surrogatepass")
            candidate = _letters(hashlib.sha256(seed).digest())
            if candidate not in self._taken:
                self._taken.add(candidate)
                return candidate
            attempt += 1


def _letters(digest: bytes) -> str:
    number = int.from_bytes(digest)
    return "".join(_ALPHABET[number // len(_ALPHABET) ** place % len(_ALPHABET)] for place in range(_LENGTH))
