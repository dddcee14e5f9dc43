"""Search in agents of 100,000 messages and more: quality beside an exhaustive ranking, and CPU.

    python -m tests.benchmarks.large_agents [--messages N] [--questions N] [--words] [--record FILE] SET...

The messages of each SET (a file that `memgpt eval retrieval` reads) stand in the middle of varied copies of all of
them. A copy has its own vocabulary: each rarer word is exchanged for one that is about as frequent, and numbers are
drawn anew, so that lengths, roles, sessions and word statistics stay and what is said differs. The exhaustive ranking
scores every message with every signal. With `--words` no vectors are made, and both search by words only. FILE keeps
the record for the next run.
"""

import argparse
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from memgpt_cli.bootstrap import Workspace
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.messages import Message
from memgpt_cli.domain.settings import SearchSettings
from memgpt_cli.evaluation.locomo import LocomoConversation, read_conversations
from memgpt_cli.evaluation.retrieval import Excerpts
from memgpt_cli.external_context.recall import RecallStorage
from memgpt_cli.llm.static_embedder import StaticEmbedder
from memgpt_cli.ports import TokenCounter
from memgpt_cli.storage.database.connection import connect
from memgpt_cli.storage.lexical import bm25
from memgpt_cli.storage.store import SQLiteStore
from memgpt_cli.storage.vectors.index import AgentVectorIndex
from memgpt_cli.text.vocabulary import STOP_WORDS

METRICS: Final = ("R@10", "R@2k")

_WORD: Final = re.compile(r"[^\W\d_]+|\d+")
_BAND: Final = 40
"""Words of about the same frequency that may stand for each other."""

_COMMONEST: Final = 150
"""The commonest words beside stop words are kept: they belong to the kind of talk, not to its subject."""

_DEPTH: Final = 120
_BATCH: Final = 5_000


def vocabulary(talks: Sequence[LocomoConversation]) -> list[str]:
    """The words that are exchanged, the most frequent first."""
    counts = Counter(
        word.lower() for talk in talks for message in talk.messages for word in _WORD.findall(message.text)
    )
    words = [word for word, _ in counts.most_common() if word not in STOP_WORDS and not word.isdigit()]
    return words[_COMMONEST:]


def exchanged(words: Sequence[str], seed: int) -> dict[str, str]:
    """For each word another one of its band."""
    draw = random.Random(seed)
    found = {}
    for start in range(0, len(words), _BAND):
        band = list(words[start : start + _BAND])
        shuffled = draw.sample(band, len(band))
        found.update(zip(band, shuffled, strict=True))
    return found


def varied(text: str, words: dict[str, str], draw: random.Random) -> str:
    """A text with its words exchanged and its numbers drawn anew."""

    def other(match: re.Match[str]) -> str:
        word = match.group()
        if word.isdigit():
            return str(draw.randrange(10 ** (len(word) - 1), 10 ** min(9, len(word)))) if len(word) < 9 else word
        return words.get(word.lower(), word)

    return _WORD.sub(other, text)


def messages(talks: Sequence[LocomoConversation], count: int) -> Iterator[tuple[Message, int | None]]:
    """About `count` messages; those of the talks themselves come with their number."""
    size = sum(len(talk.messages) for talk in talks)
    copies = max(1, round(count / size))
    words = vocabulary(talks)
    begun = datetime(1990, 1, 1, tzinfo=UTC)
    for copy in range(copies):
        own = copy == copies // 2
        exchange, draw = exchanged(words, copy), random.Random(copy)
        number = 0
        for place, talk in enumerate(talks):
            at = begun + timedelta(days=10 * (copy * len(talks) + place))
            for message in talk.messages:
                text = message.text if own else varied(message.text, exchange, draw)
                label = f"{copy}.{place}.{message.session}"
                at += timedelta(seconds=20)
                changed = replace(message, text=text, session=label, created_at=at, external_id=f"{copy}:{number}")
                yield changed, number if own else None
                number += 1


def fill(store: SQLiteStore, talks: Sequence[LocomoConversation], count: int) -> None:
    """Import the messages."""
    source = messages(talks, count)
    provenance = Provenance(author=Author.IMPORT)
    while batch := [message for message, _ in islice(source, _BATCH)]:
        with store.transaction():
            store.messages.extend(batch, at=datetime.now(UTC), provenance=provenance)
    store.lexical.refresh()


def measure(path: Path, talks: Sequence[LocomoConversation], count: int, *, asked: int, meaning: bool) -> None:
    """Print quality and CPU of the ranking as it is, and of the exhaustive one."""
    embedder = StaticEmbedder()
    with (
        closing(SQLiteStore(path)) as store,
        tempfile.TemporaryDirectory() as folder,
        closing(
            AgentVectorIndex(
                connect=lambda: connect(path, any_thread=True),
                embedder=embedder,
                folder=Path(folder),
                writer=False,
                batch=1024,
            )
        ) as index,
    ):
        if not store.messages.count():
            fill(store, talks, count)
        if meaning:
            index.flush()
        known = store.messages.known([f"{copy}:0" for copy in range(count)])
        first = [f"{copy}:0" for copy in range(len(known))][len(known) // 2]
        [row] = store.connection.execute("SELECT id FROM messages WHERE external_id = ?", (first,))
        every = store.messages.count()
        _report(store, index, talks, start=int(row[0]), every=every, asked=asked, meaning=meaning)


def _report(
    store: SQLiteStore,
    index: AgentVectorIndex,
    talks: Sequence[LocomoConversation],
    *,
    start: int,
    every: int,
    asked: int,
    meaning: bool,
) -> None:
    embedder = StaticEmbedder()
    settings = SearchSettings()
    whole = replace(settings, candidates=every, nearest_messages=every)
    exact = bm25._EXACT
    counter = Workspace().models.counter("gpt-4o")
    for name, chosen in (("as it is", settings), ("exhaustive", whole)):
        bm25._EXACT = every if chosen is whole else exact
        recall = RecallStorage(store, index, embedder, settings=chosen, zone=UTC)
        rows, times, offset = [], [], start
        for talk in talks:
            step = max(1, sum(len(t.questions) for t in talks) // asked)
            for question in talk.questions[::step]:
                begun = time.process_time()
                vector = recall.embed_query(question.text) if meaning else None
                found = recall.search(question.text, page_size=_DEPTH, query_vector=vector)
                times.append(1000 * (time.process_time() - begun))
                rows.append(_recall([hit.item for hit in found.hits], found.terms, question.evidence, offset, counter))
            offset += len(talk.messages)
        means = [100 * sum(column) / len(rows) for column in zip(*rows, strict=True)]
        times.sort()
        spent = f"p50 {times[len(times) // 2]:.0f} ms, p95 {times[int(0.95 * len(times))]:.0f} ms"
        shown = ", ".join(f"{metric} {mean:.1f}" for metric, mean in zip(METRICS, means, strict=True))
        sys.stdout.write(f"{every:,} messages, {len(rows)} questions, {name}: {shown}; CPU {spent}\n")
        sys.stdout.flush()


def _recall(
    found: Sequence[Message], terms: Mapping[str, float], evidence: Collection[int], offset: int, counter: TokenCounter
) -> tuple[float, float]:
    """The share of the evidence in the first ten messages, and in the first 2,048 tokens of what is shown."""
    excerpts = Excerpts(found, counter)
    excerpts.ask(terms)
    ten = whole = spent = 0
    for rank, message in enumerate(found):
        spent += excerpts.shown(rank)[1]
        held = message.id - offset in evidence
        ten += held and rank < 10
        whole += held and spent <= 2_048
    return ten / len(evidence), whole / len(evidence)


def main() -> None:
    """Fill or open the record, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET")
    parser.add_argument("--messages", type=int, default=100_000, metavar="N")
    parser.add_argument("--questions", type=int, default=60, metavar="N")
    parser.add_argument("--words", action="store_true", help="search by words only")
    parser.add_argument("--record", type=Path, metavar="FILE")
    given = parser.parse_args()
    talks = [talk for path in given.sets for talk in read_conversations(path)]
    with tempfile.TemporaryDirectory() as folder:
        measure(
            given.record or Path(folder) / "agent.db",
            talks,
            given.messages,
            asked=given.questions,
            meaning=not given.words,
        )


if __name__ == "__main__":
    main()
