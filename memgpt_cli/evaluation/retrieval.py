"""How well search finds: our ranking and four plain baselines over the same messages, questions and budgets.

A pipeline is a function from a question to message numbers, best first. Every conversation gets a record of its own,
filled and searched through the same code as any agent's. No model is asked, and nothing is printed.
"""

import math
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final, Protocol

from memgpt_cli.domain.messages import Message
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.domain.vectors import Collection
from memgpt_cli.evaluation.locomo import Conversation, Question
from memgpt_cli.external_context.recall import RecallStorage
from memgpt_cli.ports import Embedder, Store, TokenCounter, VectorIndex

METRICS: Final = ("R@5", "R@10", "R@20", "R@1k", "R@2k", "nDCG@10", "MRR")
"""Recall in the first k hits, and in the first 1,024 and 2,048 tokens of rendered hits; gain and reciprocal rank."""

PIPELINES: Final = ("memgpt", "words only", "plain FTS5", "plain vectors", "plain fusion", "newest first")
"""Our ranking, the same without vectors, and what it is measured against."""

ALL: Final = "all"

_DEPTH: Final = 250
_FUSED: Final = 100
_RRF: Final = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009)."""

Pipeline = Callable[[Question], Sequence[int]]


class Scratch(Protocol):
    """An empty record with its vectors, gone after use."""

    @property
    def store(self) -> Store:
        """The record."""
        ...

    @property
    def index(self) -> VectorIndex:
        """Its vectors."""
        ...

    @property
    def embedder(self) -> Embedder:
        """What makes them."""
        ...

    @property
    def recall(self) -> RecallStorage:
        """What searches both."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Shares from 0 to 1 by pipeline, category (`all` is the mean over all questions) and metric."""

    conversations: int
    messages: int
    questions: Mapping[str, int]
    embedder: str
    counter: str
    scores: Mapping[str, Mapping[str, Mapping[str, float]]]


def evaluate(
    conversations: Sequence[Conversation],
    *,
    scratch: Callable[[], AbstractContextManager[Scratch]],
    counter: TokenCounter,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Score every pipeline on every question; `progress` is told how many questions were answered since."""
    rows: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    embedder = ""
    for conversation in conversations:
        tokens = [counter.count(rendered(message) + "\n") for message in conversation.messages]
        with scratch() as room, closing(sqlite3.connect(":memory:")) as plain:
            embedder = str(room.embedder.identity)
            pipelines = _pipelines(room, plain, _store(room, conversation.messages))
            for question in conversation.questions:
                for name, pipeline in pipelines.items():
                    scores = score(pipeline(question), question.evidence, tokens)
                    rows[name, question.category].append(scores)
                    rows[name, ALL].append(scores)
                progress(1)
    counts = {category: len(found) for (name, category), found in rows.items() if name == PIPELINES[0]}
    return Report(
        conversations=len(conversations),
        messages=sum(len(conversation.messages) for conversation in conversations),
        questions=counts,
        embedder=embedder,
        counter=counter.name,
        scores={
            name: {category: _mean(rows[name, category]) for category in counts} for name in (PIPELINES if rows else ())
        },
    )


def rendered(message: Message) -> str:
    """A message as its tokens are counted: `[2023-05-08 13:56] Caroline: text`."""
    return f"[{message.created_at:%Y-%m-%d %H:%M}] {message.name}: {message.text}"


def score(ranking: Sequence[int], evidence: frozenset[int], tokens: Sequence[int]) -> dict[str, float]:
    """The metrics of one ranking; `tokens` are the lengths of all messages."""
    found = [number in evidence for number in ranking]
    spent = list(accumulate(tokens[number] for number in ranking))
    recall = {f"R@{k}": sum(found[:k]) / len(evidence) for k in (5, 10, 20)}
    budget = {
        f"R@{k}k": sum(hit for hit, used in zip(found, spent, strict=True) if used <= k * 1024) / len(evidence)
        for k in (1, 2)
    }
    gain = sum(1 / math.log2(rank + 1) for rank, hit in enumerate(found[:10], 1) if hit)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(10, len(evidence)) + 1))
    first = next((rank for rank, hit in enumerate(found, 1) if hit), None)
    return {**recall, **budget, "nDCG@10": gain / ideal, "MRR": 1 / first if first else 0.0}


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {metric: math.fsum(row[metric] for row in rows) / len(rows) for metric in METRICS}


def _store(room: Scratch, messages: Sequence[Message]) -> dict[int, int]:
    """Fill an empty record as eviction would leave it; returns the number of each message by its id."""
    with room.store.transaction():
        stored = [room.store.messages.append(replace(message, in_context=True)) for message in messages]
        room.store.messages.evict([message.id for message in stored], epoch=0)
    room.index.flush()
    return {message.id: number for number, message in enumerate(stored)}


def _pipelines(room: Scratch, plain: sqlite3.Connection, numbers: Mapping[int, int]) -> dict[str, Pipeline]:
    """Each by its name; `plain` is an empty database for a full-text index without our care."""
    plain_words = _plain_words(plain, [message.text for message in room.store.messages.get(list(numbers))])

    def ours(question: Question) -> list[int]:
        vector = room.recall.embed_query(question.text)
        found = room.recall.search(question.text, page_size=_DEPTH, query_vector=vector)
        return [numbers[hit.item.id] for hit in found.hits]

    def words_only(question: Question) -> list[int]:
        return [numbers[hit.item.id] for hit in room.recall.search(question.text, page_size=_DEPTH).hits]

    def plain_vectors(question: Question) -> list[int]:
        vector = room.embedder.embed([question.text])[0]
        return [numbers[item] for item, _ in room.index.search(Collection.MESSAGES, vector, _DEPTH)]

    def plain_fusion(question: Question) -> list[int]:
        return reciprocal_rank_fusion([plain_words(question)[:_FUSED], plain_vectors(question)[:_FUSED]])

    def newest_first(_: Question) -> list[int]:
        return [numbers[message.id] for message in room.store.messages.page(RecallFilters(), limit=_DEPTH)]

    functions = (ours, words_only, plain_words, plain_vectors, plain_fusion, newest_first)
    return dict(zip(PIPELINES, functions, strict=True))


def _plain_words(db: sqlite3.Connection, texts: Iterable[str]) -> Pipeline:
    """What FTS5 gives out of the box: its default tokenizer, every word of the question, OR, bm25."""
    db.execute("CREATE VIRTUAL TABLE plain USING fts5 (words, content = '')")
    db.executemany("INSERT INTO plain (rowid, words) VALUES (?, ?)", enumerate(texts))

    def search(question: Question) -> list[int]:
        words = re.findall(r"\w+", question.text)
        match = " OR ".join(f'"{word}"' for word in words)
        sql = "SELECT rowid FROM plain WHERE plain MATCH ? ORDER BY bm25(plain), rowid LIMIT ?"
        return [row[0] for row in db.execute(sql, (match, _DEPTH))] if words else []

    return search


def reciprocal_rank_fusion(rankings: Sequence[Sequence[int]]) -> list[int]:
    """One order from several: each ranking gives its n-th item 1 / (60 + n)."""
    scores: dict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, item in enumerate(ranking, 1):
            scores[item] += 1 / (_RRF + rank)
    return sorted(scores, key=lambda item: (-scores[item], item))
