"""What a person should look at in an agent's memory: contradictions, duplicates, stale lines, facts without sources."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.facts import FactFilters, FactState, name_key
from memgpt_cli.domain.trust import Author

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from memgpt_cli.domain.blocks import Block
    from memgpt_cli.domain.facts import Fact
    from memgpt_cli.services.memory import AgentMemory

_SHORTEST: Final = 3
"""Characters of a value from which on a line that contains it is taken to state it."""


@dataclass(frozen=True, slots=True)
class MemoryIssue:
    """Something to look at, and the command that settles it."""

    says: str
    hint: str


def memory_issues(memory: AgentMemory) -> list[MemoryIssue]:
    """Everything to look at in the memory of one agent."""
    facts, _ = memory.facts.all(FactFilters())
    current = [fact for fact in facts if fact.is_current(memory.facts.today)]
    blocks = memory.blocks.all()
    return [
        *duplicates(current),
        *contradictions(current),
        *stale_lines(blocks, facts, current),
        *unsettled(facts),
        *without_sources(current),
    ]


def duplicates(current: Sequence[Fact]) -> Iterator[MemoryIssue]:
    """Present facts that say the same."""
    for same in _grouped((f, (f.subject_id, *map(name_key, (f.predicate, f.object, f.sentence)))) for f in current):
        refs = " ".join(fact.ref for fact in same)
        yield MemoryIssue(f"duplicates: {refs} ({same[0].text})", f"memgpt facts merge {refs}")


def contradictions(current: Sequence[Fact]) -> Iterator[MemoryIssue]:
    """Two present values of a predicate that has one value at a time."""
    single = ((f, (f.subject_id, name_key(f.predicate))) for f in current if f.one_valued)
    for rivals in _grouped(single):
        if len({name_key(fact.object) for fact in rivals}) > 1:
            values = "; ".join(f"{fact.ref} {fact.text}" for fact in rivals)
            yield MemoryIssue(
                f"two present values: {values}",
                f"memgpt facts edit {rivals[0].ref} --until DATE, or memgpt facts retract",
            )


def stale_lines(blocks: Iterable[Block], facts: Sequence[Fact], current: Sequence[Fact]) -> Iterator[MemoryIssue]:
    """Lines of core memory that state a superseded value and not the present one."""
    present = {(fact.subject_id, name_key(fact.predicate)): name_key(fact.object) for fact in current}
    for fact in facts:
        value = name_key(fact.object)
        now = present.get((fact.subject_id, name_key(fact.predicate)))
        if fact.state is not FactState.SUPERSEDED or len(value) < _SHORTEST or now is None:
            continue
        for block in blocks:
            for number, line in enumerate(block.value.splitlines(), 1):
                key = name_key(line)
                if f" {value} " in f" {key} " and now not in key:
                    place = f"block {block.label}, line {number}"
                    says = f"{place} may be outdated ({fact.ref} was superseded): {line.strip()}"
                    yield MemoryIssue(says, f"memgpt memory edit {block.label}")


def unsettled(facts: Sequence[Fact]) -> Iterator[MemoryIssue]:
    """Facts that are marked to be checked."""
    marked = [fact for fact in facts if fact.check and fact.state in {FactState.CURRENT, FactState.UNCERTAIN}]
    if marked:
        yield MemoryIssue(f"facts to check: {len(marked)}", "memgpt facts list --to-check")


def without_sources(current: Sequence[Fact]) -> Iterator[MemoryIssue]:
    """Facts without a message or passage that supports them, except what the person stated outright."""
    bare = [fact for fact in current if not fact.sources and fact.provenance.author in {Author.AGENT, Author.DOCUMENT}]
    if bare:
        refs = ", ".join(fact.ref for fact in bare[:5])
        yield MemoryIssue(f"facts without sources: {len(bare)} ({refs})", f"memgpt facts show {bare[0].ref}")


def _grouped(keyed: Iterable[tuple[Fact, tuple[object, ...]]]) -> Iterator[list[Fact]]:
    """Facts with the same key, where there are several."""
    groups: dict[tuple[object, ...], list[Fact]] = defaultdict(list)
    for fact, key in keyed:
        groups[key].append(fact)
    yield from (group for group in groups.values() if len(group) > 1)
