"""What each rule of the ranking adds: recall without it, with 95% intervals of a paired bootstrap over questions.

    python -m tests.benchmarks.ablation [--step N] [--rule NAME]... SET...

SET is a file that `memgpt eval retrieval` reads. With `--step N` every N-th question is asked; with `--rule` only the
named rules are taken out.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Final
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from memgpt_cli.bootstrap import Workspace
from memgpt_cli.domain.settings import SearchSettings
from memgpt_cli.evaluation.locomo import LocomoConversation, read_conversations
from memgpt_cli.evaluation.retrieval import EmptyRecord, Excerpts, score, store_messages
from memgpt_cli.external_context import questions, recall
from memgpt_cli.external_context.recall import RecallStorage
from memgpt_cli.storage.lexical import forms as words
from memgpt_cli.text import asking

METRICS: Final = ("R@10", "R@2k")

_DEPTH: Final = 250
_DRAWS: Final = 2_000

WEIGHTS: Final[Mapping[str, str]] = {
    "meaning": "vector_weight",
    "neighbours": "context_weight",
    "session": "session_weight",
    "answers": "answer_weight",
    "speaker": "speaker_weight",
    "self": "self_weight",
    "when": "when_weight",
    "name": "name_weight",
    "date": "date_weight",
    "asking": "asking_weight",
    "assistant": "assistant_weight",
    "clause": "clause_weight",
}
"""Rules that a weight of 0 takes out."""

PATCHES: Final[Mapping[str, tuple[object, str, object]]] = {
    "60 words of a neighbour (vectors)": (recall, "_LENT", 10**9),
    "words about the search": (questions, "without_search_words", lambda text: text),
    "first-person sentences are not questions": (asking, "of_oneself", lambda _: False),
    "spellings": (words, "other_spellings", lambda _: []),
}
"""Rules that have no weight: a module, the name in it, and what takes the rule's place."""

ALL_RULES: Final = "(all rules)"

ALL: Final = (*WEIGHTS, *PATCHES)


def variants(rules: Collection[str] = ALL) -> Iterator[tuple[str, SearchSettings, Callable[[], object]]]:
    """Each ranking by the rule that it lacks: its settings, and what to enter while it runs."""
    default = SearchSettings()
    yield ALL_RULES, default, ExitStack
    for rule in rules:
        if rule in WEIGHTS:
            yield rule, replace(default, **{WEIGHTS[rule]: 0.0}), ExitStack  # type: ignore[arg-type]
        else:
            yield rule, default, _patched(*PATCHES[rule])


def _patched(module: object, name: str, instead: object) -> Callable[[], object]:
    return lambda: mock.patch.object(module, name, instead)


def measure(path: Path, step: int, rules: Collection[str] = ALL) -> dict[str, NDArray[np.float64]]:
    """For each rule the scores without it, one row for each question and one column for each metric."""
    rows: dict[str, list[list[float]]] = {}
    workspace = Workspace()
    counter = workspace.models.counter("gpt-4o")
    for talk in read_conversations(path):
        with workspace.scratch() as record:
            _measure_one(record, talk, Excerpts(talk.messages, counter), step, rules, rows)
    return {rule: np.array(found) for rule, found in rows.items()}


def _measure_one(
    record: EmptyRecord,
    talk: LocomoConversation,
    excerpts: Excerpts,
    step: int,
    rules: Collection[str],
    rows: dict[str, list[list[float]]],
) -> None:
    numbers = store_messages(record, talk.messages)
    for rule, settings, patched in variants(rules):
        storage = RecallStorage(record.store, record.index, record.embedder, settings=settings, zone=UTC)
        with patched():  # type: ignore[attr-defined]
            for question in talk.questions[::step]:
                vector = storage.embed_query(question.text)
                found = storage.search(question.text, page_size=_DEPTH, query_vector=vector)
                excerpts.ask(found.terms)
                scores = score([numbers[hit.item.id] for hit in found.hits], question, excerpts)
                rows.setdefault(rule, []).append([scores[metric] for metric in METRICS])


def changes(without: NDArray[np.float64], whole: NDArray[np.float64]) -> list[tuple[float, float, float]]:
    """For each metric the mean change in points and its 95% interval, by drawing questions with replacement."""
    difference = 100 * (without - whole)
    drawn = np.random.default_rng(0).integers(0, len(difference), (_DRAWS, len(difference)))
    means = difference[drawn].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5), axis=0)
    return list(zip(difference.mean(axis=0).tolist(), low.tolist(), high.tolist(), strict=True))


@contextmanager
def _home_of_its_own() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {"MEMGPT_HOME": folder}):
        yield


def main() -> None:
    """Print a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET")
    parser.add_argument("--step", type=int, default=1, metavar="N", help="ask every N-th question")
    parser.add_argument("--rule", action="append", default=[], choices=ALL, help="take out this rule; repeatable")
    given = parser.parse_args()
    for path in given.sets:
        with _home_of_its_own():
            found = measure(path, given.step, given.rule or ALL)
        whole = found.pop(ALL_RULES)
        means = ", ".join(f"{name} {100 * mean:.1f}" for name, mean in zip(METRICS, whole.mean(axis=0), strict=True))
        sys.stdout.write(f"{path.stem}: {len(whole)} questions, {means}\n")
        for rule, without in found.items():
            cells = [f"{mean:+.1f} ({low:+.1f} to {high:+.1f})" for mean, low, high in changes(without, whole)]
            sys.stdout.write(f"| {rule} | {' | '.join(cells)} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
