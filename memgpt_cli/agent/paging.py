"""Page out a message that is too large for the queue: store its text as passages and leave a stub in the queue."""

from collections.abc import Callable
from dataclasses import replace

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.messages import Message, message_ref
from memgpt_cli.domain.passages import Passage
from memgpt_cli.external_context.chunking import chunk
from memgpt_cli.main_context.rendering import escape
from memgpt_cli.main_context.summarizer import pieces_of
from memgpt_cli.ports import Store

_SHOWN_TOKENS = 24


class Pager:
    """Implements main_context.queue_manager.PageOut for one agent; `chunk_tokens` is the size of a passage."""

    def __init__(self, store: Store, *, chunk_tokens: int) -> None:
        self._store = store
        self._chunk_tokens = chunk_tokens

    def __call__(self, message: Message, count: Callable[[str], int]) -> tuple[str, int]:
        """Store the passages in the running transaction; returns the stub and the number of passages."""
        ref = message_ref(message.id)
        provenance = Provenance(author=Author.USER, message_id=message.id, origin=message.lineage)
        passages: set[int] = set()
        for piece in chunk(message.text, max_tokens=self._chunk_tokens, count=count):
            stored, _ = self._store.passages.add(
                Passage(
                    text=piece.text,
                    created_at=message.created_at,
                    tags=(ref,),
                    source=f"message {ref}",
                    location=piece.location,
                    provenance=provenance,
                )
            )
            if ref not in stored.tags:  # an earlier message had the same text: the passage needs the tags of both
                tagged = replace(stored, tags=(*stored.tags, ref))
                self._store.passages.revise(tagged, at=message.created_at, provenance=provenance)
            passages.add(stored.id)
        shown = escape(" ".join(next(pieces_of(message.text[:400], _SHOWN_TOKENS, count), "").split()))
        stub = (
            f'(A message of {len(message.text)} characters, too long for the window. It begins: "{shown}" All of it is'
            f' kept: find its parts with archival_memory_search and tags ["{ref}"].)'
        )
        return stub, len(passages)
