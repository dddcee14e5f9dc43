"""A selection to delete, and the items found so far: the kinds of memory add to it in turn."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from memgpt_cli.domain.forgetting import Cut, Wanted
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.trust import Origin


class SoughtText(Protocol):
    """A text to delete, in every spelling."""

    def is_in(self, text: str | None) -> bool:
        """Whether a text contains it."""
        ...

    def cut(self, text: str) -> str:
        """Return the text without the sentences that contain it."""
        ...


@dataclass(slots=True)
class Findings:
    """The items found with their texts, old states, and the sentences that blocks lose.

    `versions` are old states (item and version) that say it or belong to an item that goes. `lines` of each block go in
    all its states. `gone` are the ids of the items and summaries from which derived ones are being looked for.
    """

    wanted: Wanted
    sought: SoughtText | None
    items: dict[Kind, dict[int, str]] = field(default_factory=lambda: {kind: {} for kind in Kind if kind.prefix})
    derived: set[str] = field(default_factory=set)
    versions: dict[Kind, set[tuple[int | str, int]]] = field(default_factory=lambda: {kind: set() for kind in Kind})
    cuts: list[Cut] = field(default_factory=list)
    lines: dict[str, set[str]] = field(default_factory=dict)
    epochs: set[int] = field(default_factory=set)
    documents: list[str] = field(default_factory=list)
    operations: set[int] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    def holds(self, *texts: object) -> bool:
        """Whether one of these contains the text to delete."""
        return self.sought is not None and any(isinstance(text, str) and self.sought.is_in(text) for text in texts)

    def without_it(self, label: str, text: str) -> str:
        """Return what is left of the text or description of a block."""
        gone = self.lines.get(label, set())
        kept = "\n".join(line for line in text.split("\n") if line not in gone)
        return kept if self.sought is None else self.sought.cut(kept)

    def add_derived(self, kind: Kind, number: int, text: str) -> None:
        """Add an item that is deleted because it is derived from another one."""
        if number not in self.items[kind]:
            self.items[kind][number] = text
            self.derived.add(kind.ref(number))

    def derives(self, origin: str | None) -> bool:
        """Whether a stored `domain.trust.Origin` names an item, or a summary, that goes."""
        if origin is None:
            return False
        return not self.gone.isdisjoint(Origin.from_text(origin).derived_from)

    def refs(self) -> set[str]:
        """Return the ids of all items."""
        return {kind.ref(number) for kind, items in self.items.items() for number in items}

    def changed(self, kind: Kind) -> set[int | str]:
        """Return the items of a kind, by number or label, with at least one deleted state."""
        return {*self.items.get(kind, ()), *(item for item, _ in self.versions[kind])}

    def texts(self) -> Iterator[str]:
        """Yield all texts of the found items."""
        for items in self.items.values():
            yield from items.values()
        for lines in self.lines.values():
            yield from lines
