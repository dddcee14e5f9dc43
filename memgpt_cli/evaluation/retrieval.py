"""Measure search: our ranking and four plain baselines over the same messages, questions and budgets.

A pipeline is a function from a question to message numbers, best first. Every conversation gets its own record, filled
and searched by the same code as any agent's. Long messages are shown as excerpts, for every pipeline. No model is
called and nothing is printed.
"""

import math
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from typing import Final, Protocol

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.messages import Message
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.evaluation.locomo import LocomoConversation, LocomoQuestion
from memgpt_cli.external_context.excerpts import TextWindows
from memgpt_cli.external_context.recall import RecallStorage
from memgpt_cli.ports import Embedder, Store, TokenCounter, VectorIndex
from memgpt_cli.text.terms import TermFinder, query_terms
from memgpt_cli.text.words import segment

METRICS: Final = ("R@5", "R@10", "R@20", "R@1k", "R@2k", "R@4k", "stems@2k", "nDCG@10", "MRR")
"""Recall, the share of the answer's stems that is shown, gain and reciprocal rank.

Recall is in the first k hits, and in the first 1,024, 2,048 and 4,096 tokens shown of them. The stems are those that
the evidence contains, within 2,048 shown tokens.
"""

PIPELINES: Final = ("memgpt", "words only", "plain FTS5", "plain vectors", "plain fusion", "newest first")
"""Our ranking, the same without vectors, and the baselines."""

ALL: Final = "all"

_DEPTH: Final = 250
_FUSED: Final = 100
_RRF: Final = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009)."""

_BUDGETS: Final = (1, 2, 4)
"""Budgets of shown text in units of 1,024 tokens."""

_STRICT: Final = 2048

Pipeline = Callable[[LocomoQuestion], Sequence[int]]


class EmptyRecord(Protocol):
    """An empty record with its vectors, deleted after use."""

    @property
    def store(self) -> Store:
        """Return the record."""
        ...

    @property
    def index(self) -> VectorIndex:
        """Return its vectors."""
        ...

    @property
    def embedder(self) -> Embedder:
        """Return the embedder."""
        ...

    @property
    def recall(self) -> RecallStorage:
        """Return the search over both."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalReport:
    """Shares from 0 to 1 by pipeline, group and metric."""

    conversations: int
    messages: int
    questions: Mapping[str, int]
    embedder: str
    counter: str
    scores: Mapping[str, Mapping[str, Mapping[str, float]]]


def evaluate(
    conversations: Sequence[LocomoConversation],
    *,
    scratch: Callable[[], AbstractContextManager[EmptyRecord]],
    counter: TokenCounter,
    progress: Callable[[int], None] = lambda _: None,
) -> RetrievalReport:
    """Score every pipeline on every question; `progress` is called with the number of newly answered questions."""
    rows: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    embedder = ""
    for conversation in conversations:
        with scratch() as record, closing(sqlite3.connect(":memory:")) as plain:
            embedder = str(record.embedder.identity)
            pipelines = _pipelines(record, plain, store_messages(record, conversation.messages))
            excerpts = Excerpts(conversation.messages, counter)
            for question in conversation.questions:
                excerpts.ask(record.recall.search(question.text, page_size=1).terms)
                for name, pipeline in pipelines.items():
                    scores = score(pipeline(question), question, excerpts)
                    for group in (ALL, conversation.kind, question.category):
                        rows[name, group].append(scores)
                progress(1)
    counts = {group: len(found) for (name, group), found in rows.items() if name == PIPELINES[0]}
    return RetrievalReport(
        conversations=len(conversations),
        messages=sum(len(conversation.messages) for conversation in conversations),
        questions=counts,
        embedder=embedder,
        counter=counter.name,
        scores={name: {group: _mean(rows[name, group]) for group in counts} for name in (PIPELINES if rows else ())},
    )


def rendered(message: Message, text: str) -> str:
    """Return a message as its tokens are counted, with the shown text: `[2023-05-08 13:56] Caroline: text`."""
    return f"[{message.created_at:%Y-%m-%d %H:%M}] {message.name or message.role.value}: {text}"


class Excerpts:
    """The shown text of the messages of one conversation for one question, and its tokens."""

    def __init__(self, messages: Sequence[Message], counter: TokenCounter) -> None:
        self.messages = messages
        self._count = counter.count
        self._windows: dict[int, TextWindows] = {}
        self._whole: dict[int, tuple[str, int]] = {}
        self._cut: dict[int, tuple[str, int]] = {}
        self._terms: Mapping[str, float] = {}

    def ask(self, terms: Mapping[str, float]) -> None:
        """Select the excerpts for a question with these terms."""
        self._terms = terms
        self._cut = {}

    def shown(self, number: int) -> tuple[str, int]:
        """Return the shown text of a message and the tokens of its line."""
        known = self._whole.get(number) or self._cut.get(number)
        if known is not None:
            return known
        message = self.messages[number]
        windows = self._windows.setdefault(number, TextWindows(message.text, count=self._count))
        part = windows.excerpt(self._terms)
        line = part.text, self._count(rendered(message, part.text) + "\n")
        (self._cut if part.cut else self._whole)[number] = line
        return line


def score(ranking: Sequence[int], question: LocomoQuestion, excerpts: Excerpts) -> dict[str, float]:
    """Return the metrics of one ranking. `stems@2k` is missing if no evidence contains a stem of the answer."""
    evidence = question.evidence
    found = [number in evidence for number in ranking]
    spent = list(_spent(ranking, excerpts))
    recall = {f"R@{k}": sum(found[:k]) / len(evidence) for k in (5, 10, 20)}
    budget = {
        f"R@{k}k": sum(hit for hit, used in zip(found, spent, strict=False) if used <= k * 1024) / len(evidence)
        for k in _BUDGETS
    }
    gain = sum(1 / math.log2(rank + 1) for rank, hit in enumerate(found[:10], 1) if hit)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(10, len(evidence)) + 1))
    first = next((rank for rank, hit in enumerate(found, 1) if hit), None)
    visible = [number for number, used in zip(ranking, spent, strict=False) if used <= _STRICT and number in evidence]
    stems = _stems_shown(question, visible, excerpts)
    return {**recall, **budget, **stems, "nDCG@10": gain / ideal, "MRR": 1 / first if first else 0.0}


def _spent(ranking: Sequence[int], excerpts: Excerpts) -> Iterator[int]:
    """Yield the tokens of the first n messages shown, for n from 1 until the largest budget is used up."""
    used = 0
    for number in ranking:
        used += excerpts.shown(number)[1]
        yield used
        if used > max(_BUDGETS) * 1024:
            return


def _stems_shown(question: LocomoQuestion, visible: Sequence[int], excerpts: Excerpts) -> dict[str, float]:
    finder = TermFinder(dict.fromkeys(query_terms(question.answer), 1.0))
    held = {term for number in question.evidence for _, term in finder.find(excerpts.messages[number].text)}
    seen = {term for number in visible for _, term in finder.find(excerpts.shown(number)[0])}
    return {"stems@2k": len(seen) / len(held)} if held else {}


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    means = {}
    for metric in METRICS:
        values = [row[metric] for row in rows if metric in row]
        if values:
            means[metric] = math.fsum(values) / len(values)
    return means


def store_messages(record: EmptyRecord, messages: Sequence[Message]) -> dict[int, int]:
    """Fill an empty record like an eviction does; returns the number of each message by its id."""
    with record.store.transaction():
        stored = [record.store.messages.append(replace(message, in_context=True)) for message in messages]
        record.store.messages.evict([message.id for message in stored], epoch=0)
    record.index.flush()
    return {message.id: number for number, message in enumerate(stored)}


def _pipelines(record: EmptyRecord, plain: sqlite3.Connection, numbers: Mapping[int, int]) -> dict[str, Pipeline]:
    """Return the pipelines by name; `plain` is an empty database for a plain full-text index."""
    plain_words = _plain_words(plain, [message.text for message in record.store.messages.get(list(numbers))])

    def ours(question: LocomoQuestion) -> list[int]:
        vector = record.recall.embed_query(question.text)
        found = record.recall.search(question.text, page_size=_DEPTH, query_vector=vector)
        return [numbers[hit.item.id] for hit in found.hits]

    def words_only(question: LocomoQuestion) -> list[int]:
        return [numbers[hit.item.id] for hit in record.recall.search(question.text, page_size=_DEPTH).hits]

    def plain_vectors(question: LocomoQuestion) -> list[int]:
        vector = record.embedder.embed([question.text])[0]
        return [numbers[item] for item, _ in record.index.search(Collection.MESSAGES, vector, _DEPTH)]

    def plain_fusion(question: LocomoQuestion) -> list[int]:
        return reciprocal_rank_fusion([plain_words(question)[:_FUSED], plain_vectors(question)[:_FUSED]])

    def newest_first(_: LocomoQuestion) -> list[int]:
        return [numbers[message.id] for message in record.store.messages.page(RecallFilters(), limit=_DEPTH)]

    functions = (ours, words_only, plain_words, plain_vectors, plain_fusion, newest_first)
    return dict(zip(PIPELINES, functions, strict=True))


def _plain_words(db: sqlite3.Connection, texts: Iterable[str]) -> Pipeline:
    """Rank with FTS5's defaults: its default tokenizer, every word of the question, OR, bm25.

    Exception: for Chinese, Japanese and Korean, where the default finds nothing, each character is a word.
    """
    db.execute("CREATE VIRTUAL TABLE plain USING fts5 (words, content = '')")
    db.executemany("INSERT INTO plain (rowid, words) VALUES (?, ?)", enumerate(segment(text) for text in texts))

    def search(question: LocomoQuestion) -> list[int]:
        words = re.findall(r"\w+", segment(question.text))
        match = " OR ".join(f'"{word}"' for word in words)
        sql = "SELECT rowid FROM plain WHERE plain MATCH ? ORDER BY bm25(plain), rowid LIMIT ?"
        return [row[0] for row in db.execute(sql, (match, _DEPTH))] if words else []

    return search


def reciprocal_rank_fusion(rankings: Sequence[Sequence[int]]) -> list[int]:
    """Combine several rankings: each gives its n-th item 1 / (60 + n)."""
    scores: dict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, item in enumerate(ranking, 1):
            scores[item] += 1 / (_RRF + rank)
    return sorted(scores, key=lambda item: (-scores[item], item))
