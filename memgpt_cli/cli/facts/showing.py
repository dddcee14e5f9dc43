"""Facts on a terminal, one line each, with validity, state and sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memgpt_cli.domain.times import for_people

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from memgpt_cli.cli.terminal.context import Terminal
    from memgpt_cli.domain.facts import Fact
    from memgpt_cli.services.facts import KeptFact


def line(fact: Fact) -> str:
    """Return `f7  Ana, home: Lisbon  (since 2023-02; from m12)`."""
    said = f" (says {fact.says})" if fact.says else ""
    return f"{fact.ref}  {fact.text}{said}" + (f"  ({fact.origin})" if fact.origin else "")


def show_facts(terminal: Terminal, facts: Iterable[Fact]) -> None:
    """Print one line for each fact, and why it needs a check."""
    for fact in facts:
        terminal.say(line(fact))
        if fact.check:
            terminal.say(f"    to check: {fact.check}", style="dim")


def report(terminal: Terminal, kept: KeptFact) -> None:
    """Print the result of a statement."""
    terminal.say(f"stored as {line(kept.fact)}" if kept.new else f"already known: {line(kept.fact)}")
    for fact in kept.closed:
        terminal.notice(f"superseded: {line(fact)}")
    for fact in (*kept.doubted, *kept.to_check):
        terminal.notice(f"to check: {line(fact)}: {fact.check}")


def details(fact: Fact, zone: tzinfo) -> list[str]:
    """Return everything about one fact, line by line."""
    told = [
        f"kind: {fact.fact_kind}{', one value at a time' if fact.one_valued else ''}",
        f"state: {fact.state}",
        f"valid: {fact.valid}" if str(fact.valid) else "valid: no dates known",
        f"said {for_people(fact.said_at, zone)}",
        f"recorded {for_people(fact.recorded_at, zone)} by {fact.provenance.author}",
    ]
    if fact.says:
        told.append(f"says: {fact.says}")
    told += [
        f'source {source.ref}: "{source.quote}"' if source.quote else f"source {source.ref}" for source in fact.sources
    ]
    return [*told, f"to check: {fact.check}"] if fact.check else told
