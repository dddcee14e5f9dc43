"""Decisions before a run: its identity, the names of kept agents, and the remaining work of a previous start."""

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from memgpt_cli.batch.agents import Agents
from memgpt_cli.batch.conversations import Fault
from memgpt_cli.batch.journal import SEED, RunHeader, RunJournal
from memgpt_cli.batch.reading import BatchInput
from memgpt_cli.batch.records import Spent, TurnKind
from memgpt_cli.batch.talking import RunOptions
from memgpt_cli.batch.tally import Tally

_KEY_LENGTH: Final = 24
_UNFIT: Final = re.compile(r"[^\w.-]+")
_LONGEST_NAME: Final = 60


def run_key(sha256: str, arguments: Mapping[str, Any]) -> str:
    """Return the run's key: the same input and arguments give the same key."""
    made_of = json.dumps([sha256, dict(sorted(arguments.items()))], ensure_ascii=False)
    return hashlib.sha256(made_of.encode("utf-8", "replace")).hexdigest()[:_KEY_LENGTH]


def kept_names(batch: BatchInput) -> dict[int, str]:
    """Return the names of kept agents by conversation: the id, converted to a valid name."""
    names = {}
    for entry in batch.entries:
        if entry.agent is None:
            name = _UNFIT.sub("-", str(entry.id)).strip(".-")[:_LONGEST_NAME].strip(".-")
            names[entry.index] = name or f"conversation-{entry.index}"
    return names


def faults_of_agents(
    batch: BatchInput, kept: Mapping[int, str], *, exists: Callable[[str], bool], is_new_run: bool
) -> list[Fault]:
    """Return errors for unknown agents, and for names of kept agents that exist."""
    faults: list[Fault] = []
    lines: dict[str, int] = {}
    for entry in batch.entries:
        if entry.agent is not None:
            if not exists(entry.agent):
                faults.append(Fault(line=entry.line, field="agent", message=f"there is no agent {entry.agent!r}"))
            continue
        name = kept.get(entry.index)
        if name is None:
            continue
        before = lines.setdefault(name, entry.line)
        if before != entry.line:
            message = f"its agent would be called {name!r}, as that of line {before}"
            faults.append(Fault(line=entry.line, field="id", message=message))
        elif is_new_run and exists(name):
            message = f"its agent would be called {name!r}, and there is one already"
            faults.append(Fault(line=entry.line, field="id", message=message))
    return faults


def new_header(batch: BatchInput, arguments: Mapping[str, Any], *, started_at: str) -> RunHeader:
    """Return the header of a new run."""
    return RunHeader(
        token=secrets.token_hex(8),
        sha256=batch.sha256,
        arguments=dict(arguments),
        conversations=len(batch.entries),
        started_at=started_at,
    )


def make_seed(agents: Agents, folder: Path, *, template: str | None) -> None:
    """Create the initial record of new agents atomically, unless the run has it already."""
    seed = folder / SEED
    if seed.exists():
        return
    unfinished = folder / f"{SEED}.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    agents.seed(unfinished, template=template)
    unfinished.rename(seed)


def failed_again(journal: RunJournal, agents: Agents, run_options: RunOptions) -> int:
    """Let what failed run once more; returns how many conversations. Done a second time it does what is left of it.

    After an error, an agent that cost money continues with its successful turns; after a failed expectation, a new
    agent starts again.
    """
    failed = [record.index for record in journal.records() if not record.ok]
    for index in failed:
        record = journal.record(index)
        if record.has_error and not run_options.begin_again:
            # A failed message is resumed, and its record knows the cost; a question starts again.
            gone = [turn.usage for turn in record.turns if turn.error is not None and turn.kind is TurnKind.ASK]
            journal.begin_again(index, lost=sum(gone, Spent()))
            for turn in record.turns:
                if turn.error is None:
                    journal.turn_ended(index, turn)
        else:
            if (name := run_options.kept.get(index)) is not None:
                agents.reclaim(run_options.work(index), name, mark=run_options.mark(index))
            shutil.rmtree(run_options.work(index), ignore_errors=True)
            journal.begin_again(index, lost=record.usage)
    journal.retry_began()
    return len(failed)


def tally_of(journal: RunJournal, batch: BatchInput) -> Tally:
    """Return the totals of earlier processes of this run."""
    tally = Tally(spent=journal.lost)
    for record in journal.records():
        for turn in record.turns:
            tally.turn(turn)
        tally.conversation(record)
    for entry in batch.entries:
        for turn in journal.turns(entry.index):
            tally.turn(turn)
    return tally
