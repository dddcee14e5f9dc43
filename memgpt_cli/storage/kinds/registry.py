"""All kinds of memory. A new kind is added here, in the order below."""

from collections.abc import Iterator
from typing import Final

from typing_extensions import override

from memgpt_cli.domain.history import ItemState
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.ports import KindStore
from memgpt_cli.storage.kinds.block import BlockMemory
from memgpt_cli.storage.kinds.entity import EntityMemory
from memgpt_cli.storage.kinds.fact import FactMemory
from memgpt_cli.storage.kinds.kind import KindOfMemory, Rows
from memgpt_cli.storage.kinds.message import MessageMemory
from memgpt_cli.storage.kinds.passage import PassageMemory
from memgpt_cli.storage.kinds.picture import PictureMemory
from memgpt_cli.storage.kinds.review import ReviewMemory

KINDS: Final[tuple[type[KindOfMemory], ...]] = (
    PassageMemory, EntityMemory, FactMemory, MessageMemory, PictureMemory, BlockMemory, ReviewMemory,
)  # fmt: skip
"""Each kind after those of which it may be derived, except that passages, which come of messages, come before them:
the results of functions are messages and cite everything else."""


class Kinds(KindStore):
    """The kinds of memory of one record."""

    def __init__(self, rows: Rows) -> None:
        self._kinds = {described.kind: described(rows) for described in KINDS}

    def __getitem__(self, kind: Kind) -> KindOfMemory:
        return self._kinds[kind]

    @override
    def state(self, kind: Kind, item: int | str, version: int) -> ItemState | None:
        return self._kinds[kind].state(item, version)

    @override
    def existed(self, kind: Kind, number: int) -> bool:
        return self._kinds[kind].existed(number)

    @override
    def nearest(self, kind: Kind, number: int) -> list[int]:
        return self._kinds[kind].nearest(number)

    def reindex(self) -> None:
        """Rebuild the full-text index of every kind."""
        for kind in self:
            kind.reindex()

    def __iter__(self) -> Iterator[KindOfMemory]:
        return iter(self._kinds.values())
