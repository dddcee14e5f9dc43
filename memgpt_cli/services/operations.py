"""Operations on memory as text for people and as JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.history import Change, Operation
from memgpt_cli.domain.times import to_text
from memgpt_cli.services.wording import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memgpt_cli.ports import Store
    from memgpt_cli.services.causes import Causes

_TEXTS_SHOWN = 3


def describe(operation: Operation, store: Store) -> list[str]:
    """Return the changes of an operation, line by line; added lines begin with +, removed ones with -."""
    return [line for change in operation.changes for line in _lines(change, store)]


def describe_undoing(operation: Operation, store: Store) -> list[str]:
    """Return the changes that undoing an operation makes: additions are removed, removals restored."""
    undoing = (replace(change, before=change.after, after=change.before) for change in reversed(operation.changes))
    return [line for change in undoing for line in _lines(change, store)]


def shape(operation: Operation, store: Store, causes: Causes) -> dict[str, Any]:
    """One operation as JSON."""
    return {
        "id": operation.id,
        "at": to_text(operation.at),
        **causes.shape(operation.provenance),
        "turn": operation.turn,
        "undone_at": None if operation.undone_at is None else to_text(operation.undone_at),
        "changes": [
            {
                "kind": change.kind.value,
                "what": _what(change, store),
                "label": change.label,
                "first": None if change.label is not None else change.kind.ref(change.first),
                "last": None if change.label is not None else change.kind.ref(change.last),
                "from": change.before,
                "to": change.after,
            }
            for change in operation.changes
        ],
        "lines": describe(operation, store),
    }


def _lines(change: Change, store: Store) -> Iterator[str]:
    what = _what(change, store)
    if change.label is not None:
        yield f"{change.kind} {change.label} {what}"
        yield from _changed_lines(change, change.label, store)
        return
    first, last = change.kind.ref(change.first), change.kind.ref(change.last)
    if first == last:
        yield f"{change.kind} {first} {what}"
    else:
        yield f"{counted(change.count, change.kind)} {what}: {first} to {last}"
    if change.kind.quoted:
        yield from _quotations(change, what, store)


def _quotations(change: Change, what: str, store: Store) -> Iterator[str]:
    """Yield what the first of the numbered items said before and after."""
    if what == "changed" and change.count > 1:
        return
    for number in change.numbers[:_TEXTS_SHOWN]:
        for sign, version in (("-", change.before), ("+", change.after)):
            state = store.kinds.state(change.kind, number, version)
            if state is not None:
                yield sign + one_line(state.text, 100)


def _changed_lines(change: Change, label: str, store: Store) -> Iterator[str]:
    from memgpt_cli.main_context.block_history import line_difference

    before, after = (store.kinds.state(change.kind, label, version) for version in (change.before, change.after))
    lines = line_difference(before.lines if before else (), after.lines if after else ())
    yield from (line for line in lines if line[:1] in "+-")


def _what(change: Change, store: Store) -> str:
    was, stands = (
        store.kinds.state(change.kind, change.items[0], version) is not None
        for version in (change.before, change.after)
    )
    return "changed" if was and stands else "added" if stands else "deleted"
