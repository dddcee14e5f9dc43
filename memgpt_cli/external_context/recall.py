"""Recall storage as something to be asked: every message ever, found by words, meaning, session, speaker and time.

Nothing here writes; messages enter through `ports.MessageStore`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from itertools import islice
from typing import Final

from memgpt_cli.domain.messages import SPOKEN, Message, Role
from memgpt_cli.domain.search import Hit, LexicalHit, RecallFilters, SearchResult
from memgpt_cli.domain.settings import SearchSettings
from memgpt_cli.domain.vectors import Collection, Vector
from memgpt_cli.external_context.meaning import FILTERED, WORDS_ONLY, indexed_so_far, vector_of
from memgpt_cli.external_context.questions import Question, nearness, read_question
from memgpt_cli.external_context.ranking import best_shares, is_weak, page_of, rank, terms_of
from memgpt_cli.ports import Embedder, Store, VectorIndex
from memgpt_cli.text.asking import asking_share, has_name, has_time, of_oneself

_LENT: Final = 60
"""A neighbour lends the meaning of at most so many words, as in the lexical leg."""

Neighbours = Mapping[int, Sequence[tuple[int, int]]]
"""For each message those around it, with their lengths in words."""


class RecallStorage:
    """Searches the messages of one agent. `zone` is where the dates of a question are meant."""

    def __init__(
        self, store: Store, index: VectorIndex, embedder: Embedder, *, settings: SearchSettings, zone: tzinfo
    ) -> None:
        self._store = store
        self._index = index
        self._embedder = embedder
        self._settings = settings
        self._zone = zone

    def embed_query(self, text: str) -> Vector | None:
        """The query's vector; None when there is nothing to embed or the embedder cannot be reached.

        May talk to a network, so it is called outside of any transaction.
        """
        return vector_of(self._read(text).meaning, self._embedder) if text.strip() else None

    def search(
        self,
        query: str,
        filters: RecallFilters | None = None,
        *,
        page: int = 0,
        page_size: int | None = None,
        query_vector: Vector | None = None,
    ) -> SearchResult[Message]:
        """One page of answers: ranked for a query, newest first for filters alone. Reads only the record.

        Without `query_vector` a query is answered by words only, and the result says so.
        """
        filters = filters or RecallFilters()
        size = page_size or self._settings.page_size
        if not query.strip():
            return self._newest(filters, page, size)
        both = query_vector is not None and self._store.lexical.spoken() <= self._settings.nearest_messages
        candidates = self._settings.candidates * (1 if both else 2)
        question = self._read(query)
        lexical = self._words(question.words, filters, candidates)
        asides = [self._words(clause, filters, candidates) for clause in question.clauses]
        found = self._nearest(query_vector, filters) if query_vector is not None and both else []
        ids = list(dict.fromkeys([*(hit.id for hits in (lexical, *asides) for hit in hits), *found]))
        messages = {m.id: m for m in self._store.messages.get(ids) if passes(m, filters)}
        neighbours = self._store.lexical.neighbours(list(messages))
        asking = {item: asking_share(message.text) for item, message in messages.items()}
        passing = [hit for hit in lexical if hit.id in messages]
        cosines = self._cosines(query_vector, list(messages), neighbours)[:candidates]
        ranked = rank(
            passing,
            cosines,
            settings=self._settings,
            sessions=self._store.lexical.sessions(list(messages)),
            priors=self._priors(question, messages, filters, asides, asking),
            asked=_asked(messages, neighbours, asking),
        )
        terms = terms_of(query, lexical)
        return page_of(
            ranked,
            messages,
            page=page,
            page_size=size,
            notes=self._notes(query_vector),
            terms=terms,
            weak=is_weak(passing, cosines, items=self._store.lexical.spoken),
        )

    def _words(self, text: str, filters: RecallFilters, limit: int) -> list[LexicalHit]:
        return self._store.lexical.search_messages(text, filters, limit, context=self._settings.context_weight)

    def message(self, message_id: int) -> Message | None:
        """One message of any role."""
        return next(iter(self._store.messages.get([message_id])), None)

    def oldest(self, filters: RecallFilters, limit: int) -> SearchResult[Message]:
        """The first `limit` messages that match, oldest first."""
        found = islice(self._store.messages.oldest_first(filters), limit)
        return SearchResult(
            hits=tuple(Hit(item=message, score=0.0) for message in found),
            total=self._store.messages.count(filters),
            ranked=False,
            page_size=limit,
        )

    def around(
        self, message: Message, filters: RecallFilters, most: int
    ) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
        """At most `most` messages before and after one, each oldest first, by (time, id)."""
        place = (message.created_at, message.id)
        before = self._store.messages.page(filters, limit=most, before=place)
        later = self._store.messages.oldest_first(replace(filters, start=message.created_at))
        after = islice((m for m in later if (m.created_at, m.id) > place), most)
        return tuple(reversed(before)), tuple(after)

    def _newest(self, filters: RecallFilters, page: int, size: int) -> SearchResult[Message]:
        found = self._store.messages.page(filters, limit=size, offset=page * size)
        return SearchResult(
            hits=tuple(Hit(item=message, score=0.0) for message in found),
            total=self._store.lexical.spoken() if filters == RecallFilters() else self._store.messages.count(filters),
            ranked=False,
            page=page,
            page_size=size,
        )

    def _read(self, text: str) -> Question:
        return read_question(text, participants=self._store.messages.speakers(), zone=self._zone)

    def _nearest(self, vector: Vector, filters: RecallFilters) -> list[int]:
        """The messages nearest to a query, best first; more where filters will leave out most of them."""
        plain = filters == RecallFilters(in_context=filters.in_context, not_turn=filters.not_turn)
        limit = self._settings.candidates * (1 if plain else FILTERED)
        return [item for item, _ in self._index.search(Collection.MESSAGES, vector, limit)]

    def _cosines(self, vector: Vector | None, ids: Sequence[int], neighbours: Neighbours) -> list[tuple[int, float]]:
        """The mean cosine of each message and, by `context_weight`, its neighbours; best first."""
        if vector is None:
            return []
        wanted = {*ids, *(item for around in neighbours.values() for item, _ in around)}
        cosines = self._index.similarities(Collection.MESSAGES, vector, sorted(wanted))
        means = []
        for item in ids:
            if item in cosines:
                total, weights = cosines[item], 1.0
                for neighbour, length in neighbours.get(item, ()):
                    if neighbour in cosines:
                        weight = self._settings.context_weight * min(1.0, _LENT / max(1, length))
                        total += weight * cosines[neighbour]
                        weights += weight
                means.append((item, total / weights))
        return sorted(means, key=lambda pair: (-pair[1], -pair[0]))

    def _priors(
        self,
        question: Question,
        messages: Mapping[int, Message],
        filters: RecallFilters,
        asides: Sequence[Sequence[LexicalHit]],
        asking: Mapping[int, float],
    ) -> dict[int, dict[str, float]]:
        """What speaks for and against messages besides words and meaning, where the question calls for it.

        `asking` is the share of each message that only asks.
        """
        held_back = filters.roles == SPOKEN and not question.asks_assistant
        clauses = best_shares(asides)
        return {
            item: {
                **self._prior(question, message),
                "asking": -self._settings.asking_weight * asking[item],
                "assistant": -self._settings.assistant_weight * (held_back and message.role is Role.ASSISTANT),
                "clause": self._settings.clause_weight * clauses.get(item, 0.0),
            }
            for item, message in messages.items()
        }

    def _prior(self, question: Question, message: Message) -> dict[str, float]:
        weights = self._settings
        text = message.text
        about = question.speaker is not None and (message.name or "").casefold() == question.speaker.casefold()
        return {
            "speaker": weights.speaker_weight * about,
            "self": weights.self_weight * (about and of_oneself(text)),
            "when": weights.when_weight * (question.asks_when and has_time(text)),
            "name": weights.name_weight * (question.asks_name and has_name(text, known=question.known)),
            "date": weights.date_weight * nearness(message.created_at, question.dates, self._zone),
        }

    def _notes(self, vector: Vector | None) -> tuple[str, ...]:
        if vector is None:
            return (WORDS_ONLY,)
        pending = self._index.pending(Collection.MESSAGES)
        return (indexed_so_far(pending, self._store.lexical.spoken(), what="messages"),) if pending else ()


def _asked(
    messages: Mapping[int, Message], neighbours: Neighbours, asking: Mapping[int, float]
) -> dict[int, tuple[int, float]]:
    """For each message that follows on another of these: that one, and which share of it is a question."""
    found = {}
    for item in messages:
        before = max((near for near, _ in neighbours.get(item, ()) if near < item), default=None)
        if before in messages and before is not None:
            found[item] = (before, asking[before])
    return found


def passes(message: Message, filters: RecallFilters) -> bool:
    """Whether a message passes the filters."""
    return (
        message.role in filters.roles
        and (filters.start is None or message.created_at >= filters.start)
        and (filters.end is None or message.created_at < filters.end)
        and (filters.name is None or (message.name or "").casefold() == filters.name.casefold())
        and (filters.in_context is None or message.in_context == filters.in_context)
        and (filters.not_turn is None or message.turn != filters.not_turn)
        and bool(message.text or set(filters.roles) - set(SPOKEN))
    )
