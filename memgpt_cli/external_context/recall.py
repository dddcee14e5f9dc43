"""Recall storage: all messages, searched by words, meaning, session, speaker and time.

Read-only; messages are written through `ports.MessageStore`.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from itertools import islice
from typing import Final

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.messages import SPOKEN, Message, Role
from memgpt_cli.domain.search import CandidateMessage, Hit, LexicalHit, RecallFilters, SearchResult, SessionPlace
from memgpt_cli.domain.settings import SearchSettings
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.external_context.meaning import FILTERED, meaning_of, vector_of
from memgpt_cli.external_context.questions import Question, nearness, read_question
from memgpt_cli.external_context.ranking import Texts, TextSignals, best_shares, is_weak, page_of, rank, terms_of
from memgpt_cli.ports import Embedder, Store, VectorIndex
from memgpt_cli.text.asking import asking_share, has_name, has_time, of_oneself

_LENT: Final = 60
"""Maximum words of a neighbour whose meaning counts, as in the lexical leg."""


class RecallStorage:
    """Searches the messages of one agent. Dates in a question are in `zone`."""

    def __init__(
        self, store: Store, index: VectorIndex, embedder: Embedder, *, settings: SearchSettings, zone: tzinfo
    ) -> None:
        self._store = store
        self._index = index
        self._embedder = embedder
        self._settings = settings
        self._zone = zone

    def embed_query(self, text: str) -> Vector | None:
        """Return the query's vector; None if there is nothing to embed or the embedder cannot be reached.

        It may use the network, so call it outside of any transaction.
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
        """Return one page of hits: ranked for a query, newest first for filters alone. Read-only.

        Without `query_vector` a query is answered by words only, and the result says so.
        """
        filters = filters or RecallFilters()
        size = page_size or self._settings.page_size
        if not query.strip():
            return self._newest(filters, page, size)
        both = (
            query_vector is not None and self._store.lexical.count_spoken_messages() <= self._settings.nearest_messages
        )
        limit = self._settings.candidates * (1 if both else 2)
        question = self._read(query)
        lexical = self._words(question.words, filters, limit)
        asides = [self._words(clause, filters, limit) for clause in question.clauses]
        near = self._nearest(query_vector, filters) if query_vector is not None and both else []
        ids = {*(hit.id for hits in (lexical, *asides) for hit in hits), *near}
        candidates = {found.id: found for found in self._store.messages.candidates(ids, filters)}
        standing = self._store.lexical.session_places(list(candidates))
        passing = [hit for hit in lexical if hit.id in candidates]
        cosines = self._cosines(query_vector, candidates, standing)[:limit]
        messages: dict[int, Message] = {}
        ranking = rank(
            passing,
            cosines,
            settings=self._settings,
            upto=(page + 1) * size,
            sessions={item: place.session for item, place in standing.items()},
            priors=self._priors(question, candidates.values(), filters, asides),
            texts=self._texts(question, candidates, standing, messages),
        )
        self._fetch([hit.id for hit in ranking.first[page * size :]], messages)
        return page_of(
            ranking,
            messages,
            page=page,
            page_size=size,
            meaning=meaning_of(
                query_vector, self._index, Collection.MESSAGES, self._store.lexical.count_spoken_messages
            ),
            terms=terms_of(query, lexical),
            weak=is_weak(
                query,
                passing,
                cosines,
                embedder=self._embedder,
                items=self._store.lexical.count_spoken_messages,
            ),
        )

    def _words(self, text: str, filters: RecallFilters, limit: int) -> list[LexicalHit]:
        return self._store.lexical.search_messages(text, filters, limit, context=self._settings.context_weight)

    def message(self, message_id: int) -> Message | None:
        """Return one message of any role."""
        return next(iter(self._store.messages.get([message_id])), None)

    def oldest(self, filters: RecallFilters, limit: int) -> SearchResult[Message]:
        """Return the first `limit` matching messages, oldest first."""
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
        """Return at most `most` messages before and after one, each oldest first, by (time, id)."""
        place = (message.created_at, message.id)
        before = self._store.messages.page(filters, limit=most, before=place)
        later = self._store.messages.oldest_first(replace(filters, start=message.created_at))
        after = islice((m for m in later if (m.created_at, m.id) > place), most)
        return tuple(reversed(before)), tuple(after)

    def _newest(self, filters: RecallFilters, page: int, size: int) -> SearchResult[Message]:
        found = self._store.messages.page(filters, limit=size, offset=page * size)
        return SearchResult(
            hits=tuple(Hit(item=message, score=0.0) for message in found),
            total=self._store.lexical.count_spoken_messages()
            if filters == RecallFilters()
            else self._store.messages.count(filters),
            ranked=False,
            page=page,
            page_size=size,
        )

    def _read(self, text: str) -> Question:
        return read_question(text, participants=self._store.messages.speakers(), zone=self._zone)

    def _nearest(self, vector: Vector, filters: RecallFilters) -> list[int]:
        """Return the messages nearest to a query, best first; more if filters will exclude most of them."""
        plain = filters == RecallFilters(in_context=filters.in_context, not_turn=filters.not_turn)
        limit = self._settings.candidates * (1 if plain else FILTERED)
        return [item for item, _ in self._index.search(Collection.MESSAGES, vector, limit)]

    def _cosines(
        self, vector: Vector | None, ids: Iterable[int], standing: Mapping[int, SessionPlace]
    ) -> list[tuple[int, float]]:
        """Return the mean cosine of each message and, by `context_weight`, its neighbours; best first."""
        if vector is None:
            return []
        wanted = {*ids, *(near for place in standing.values() for near, _ in place.neighbours)}
        cosines = self._index.similarities(Collection.MESSAGES, vector, wanted)
        context = self._settings.context_weight
        means = []
        for item in ids:
            if item in cosines:
                total, weights = cosines[item], 1.0
                for near, length in standing[item].neighbours if item in standing else ():
                    if near in cosines:
                        weight = context if length <= _LENT else context * (_LENT / length)
                        total += weight * cosines[near]
                        weights += weight
                means.append((total / weights, item))
        return [(item, mean) for mean, item in sorted(means, reverse=True)]

    def _priors(
        self,
        question: Question,
        candidates: Iterable[CandidateMessage],
        filters: RecallFilters,
        asides: Sequence[Sequence[LexicalHit]],
    ) -> dict[str, dict[int, float]]:
        """What speaks for and against messages besides words, meaning and their texts, by signal."""
        weights = self._settings
        held_back = filters.roles == SPOKEN and not question.asks_assistant
        replies = [c.id for c in candidates if c.role == Role.ASSISTANT] if held_back else []
        return {
            "speaker": {c.id: weights.speaker_weight for c in candidates if _speaks(question, c.name)},
            "assistant": dict.fromkeys(replies, -weights.assistant_weight),
            "clause": {item: weights.clause_weight * share for item, share in best_shares(asides).items()},
        }

    def _texts(
        self,
        question: Question,
        candidates: Mapping[int, CandidateMessage],
        standing: Mapping[int, SessionPlace],
        messages: dict[int, Message],
    ) -> Texts:
        """What the texts of candidates tell; those that are read enter `messages`."""
        weights = self._settings
        most = (
            weights.self_weight * (question.speaker is not None)
            + weights.when_weight * question.asks_when
            + weights.name_weight * question.asks_name
            + weights.date_weight * bool(question.dates)
        )
        asking = {item for item, candidate in candidates.items() if candidate.asks}

        def read(ids: Iterable[int]) -> dict[int, TextSignals]:
            wanted = [item for item in ids if most or item in asking]
            self._fetch(wanted, messages)
            return {
                item: TextSignals(
                    asking=asking_share(messages[item].text), signals=self._date_and_name(question, messages[item])
                )
                for item in wanted
            }

        return Texts(asking=asking, follows=_follows(standing, candidates), most=most, read=read)

    def _fetch(self, ids: Iterable[int], messages: dict[int, Message]) -> None:
        missing = [item for item in ids if item not in messages]
        messages.update((message.id, message) for message in self._store.messages.get(missing))

    def _date_and_name(self, question: Question, message: Message) -> dict[str, float]:
        """What a message's text and time tell, where the question calls for it."""
        weights = self._settings
        text = message.text
        signals = {}
        if _speaks(question, message.name):
            signals["self"] = weights.self_weight * of_oneself(text)
        if question.asks_when:
            signals["when"] = weights.when_weight * has_time(text)
        if question.asks_name:
            signals["name"] = weights.name_weight * has_name(text, known=question.known)
        if question.dates:
            signals["date"] = weights.date_weight * nearness(message.created_at, question.dates, self._zone)
        return signals


def _speaks(question: Question, name: str | None) -> bool:
    """Whether it is the person the question is about who speaks."""
    return question.speaker is not None and (name or "").casefold() == question.speaker.casefold()


def _follows(standing: Mapping[int, SessionPlace], among: Container[int]) -> dict[int, int]:
    """For each message that follows on another of these in its session: that one."""
    found = {}
    for item, place in standing.items():
        before = 0
        for near, _ in place.neighbours:
            if before < near < item:
                before = near
        if before in among:
            found[item] = before
    return found
