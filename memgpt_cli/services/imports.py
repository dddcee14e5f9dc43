"""Imports as they are numbered in the list of changes, and the messages that each brought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.blocks import Author
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memgpt_cli.domain.history import Operation
    from memgpt_cli.ports import Store

_PAGE: Final = 100


def imported_messages(store: Store, number: int) -> list[int]:
    """Return the numbers of an import's messages. Raises NotFoundError with the known imports."""
    known = []
    for operation in _imports(store):
        if operation.id == number:
            return [item for change in operation.changes if change.kind is Kind.MESSAGE for item in change.numbers]
        known.append(str(operation.id))
    listed = ", ".join(known[:10]) or "none"
    raise NotFoundError(
        f"change {number} is not an import; the imports are: {listed}", hint="memgpt undo --list --by import"
    )


def _imports(store: Store) -> Iterator[Operation]:
    """The imports, newest first."""
    offset = 0
    while page := store.journal.page(limit=_PAGE, offset=offset, author=Author.IMPORT):
        yield from page
        offset += len(page)
