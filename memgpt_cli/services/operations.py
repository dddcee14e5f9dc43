"""Operations on memory as people read them and as scripts do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.history import Change, Kind, Operation
from memgpt_cli.domain.messages import message_ref
from memgpt_cli.domain.passages import passage_ref
from memgpt_cli.domain.times import to_text
from memgpt_cli.services.wording import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memgpt_cli.domain.blocks import BlockVersion
    from memgpt_cli.ports import Store
    from memgpt_cli.services.causes import Causes

_TEXTS_SHOWN = 3


def describe(operation: Operation, store: Store) -> list[str]:
    """What an operation changed, line by line; what it added begins with +, what it took away with -."""
    return [line for change in operation.changes for line in _lines(change, store)]


def describe_undoing(operation: Operation, store: Store) -> list[str]:
    """What taking an operation back does, line by line: what it added goes, what it took away comes back."""
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
                "first": None if change.kind is Kind.BLOCK else _ref(change, change.first),
                "last": None if change.kind is Kind.BLOCK else _ref(change, change.last),
                "from": change.before,
                "to": change.after,
            }
            for change in operation.changes
        ],
        "lines": describe(operation, store),
    }


def _lines(change: Change, store: Store) -> Iterator[str]:
    if change.kind is Kind.BLOCK:
        yield from _block_lines(change, store)
        return
    first, last = _ref(change, change.first), _ref(change, change.last)
    what = _what(change, store)
    if change.first == change.last:
        yield f"{change.kind} {first} {what}"
    else:
        yield f"{counted(change.count, change.kind)} {what}: {first} to {last}"
    sign = {"added": "+", "deleted": "-"}.get(what)
    if sign and change.kind is Kind.PASSAGE:
        living = change.after if sign == "+" else change.before
        for number in range(change.first, min(change.last, change.first + _TEXTS_SHOWN - 1) + 1):
            yield sign + _text(number, living, store)
    elif change.kind is Kind.PASSAGE and change.first == change.last:
        yield "-" + _text(change.first, change.before, store)
        yield "+" + _text(change.first, change.after, store)


def _text(passage: int, version: int, store: Store) -> str:
    """What a version of a passage said, on one line."""
    said = {state.version: state.passage.text for state in store.passages.history(passage)}
    return one_line(said[version], 100)


def _block_lines(change: Change, store: Store) -> Iterator[str]:
    from memgpt_cli.main_context.block_history import difference

    label = change.label or ""
    before, after = _version(change, change.before, store), _version(change, change.after, store)
    yield f"block {label} {_what(change, store)}"
    yield from (line for line in difference(before, after) if line[:1] in "+-")


def _version(change: Change, number: int, store: Store) -> BlockVersion | None:
    return store.blocks.version(change.label or "", number)


def _what(change: Change, store: Store) -> str:
    if change.kind is Kind.MESSAGE:
        return "added" if change.after else "deleted"
    if change.kind is Kind.BLOCK:
        before, after = _version(change, change.before, store), _version(change, change.after, store)
        was, stands = before is not None and not before.deleted, after is not None and not after.deleted
    else:
        states = {v.version: not v.deleted for v in store.passages.history(change.first)}
        was, stands = states.get(change.before, False), states.get(change.after, False)
    return "changed" if was and stands else "added" if stands else "deleted"


def _ref(change: Change, number: int) -> str:
    return message_ref(number) if change.kind is Kind.MESSAGE else passage_ref(number)
