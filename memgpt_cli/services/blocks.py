"""Core memory blocks: read, change, and compare with earlier versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memgpt_cli.domain.blocks import Block, BlockVersion
from memgpt_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from memgpt_cli.bootstrap import Memory
    from memgpt_cli.main_context.block_history import BlamedLine
    from memgpt_cli.services.callers import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockDifference:
    """Lines of a unified diff between two versions of a block; version 0 means the block did not exist."""

    label: str
    before: int
    after: int
    lines: tuple[str, ...]


class BlockService:
    """The blocks of one agent. A running chat sees each change at its next turn."""

    def __init__(self, memory: Memory, caller: Caller, *, limit: int) -> None:
        self._memory = memory
        self._caller = caller
        self._limit = limit

    def all(self) -> list[Block]:
        """The blocks, in the order of their creation."""
        return self._memory.store.blocks.all()

    def get(self, label: str, version: int | None = None) -> Block:
        """Return a block, or a version of it. Raises NotFoundError with the known ones."""
        if version is not None:
            return self._memory.core_memory.version(label, version).block
        return self._memory.core_memory.block(label)

    def last_changes(self, blocks: Sequence[Block]) -> list[BlockVersion]:
        """Return for each block its current version, with its author."""
        versions = (self._memory.store.blocks.version(block.label, block.version) for block in blocks)
        return [version for version in versions if version is not None]

    def change_to(self, block: Block) -> list[str]:
        """Return the lines of a diff from the previous version of a block to this one."""
        before, after = (self._memory.store.blocks.version(block.label, n) for n in (block.version - 1, block.version))
        return changed_lines(before, after) if after else []

    def create(
        self, label: str, text: str = "", *, limit: int | None = None, description: str = "", read_only: bool = False
    ) -> Block:
        """Create a block; `limit` in characters. Raises UsageError for an existing label, LimitError."""
        new = Block(label=label, limit=limit or self._limit, description=description, read_only=read_only, value=text)
        return self._memory.core_memory.create(new, self._caller.did("memory create"))

    def append(self, label: str, text: str) -> Block:
        """Add lines at the end of a block, except those it has. Raises UsageError for an empty text, LimitError."""
        return self._memory.core_memory.append(label, text.strip(), self._caller.did("memory append"))

    def replace(self, label: str, old: str, new: str) -> Block:
        """Replace a text that occurs exactly once in a block. Raises UsageError if it does not, LimitError."""
        return self._memory.core_memory.replace(label, old, new, self._caller.did("memory replace"))

    def change(
        self,
        label: str,
        *,
        text: str | None = None,
        limit: int | None = None,
        description: str | None = None,
        read_only: bool | None = None,
    ) -> Block:
        """Change the text, limit, description or read-only flag; None leaves each as it is. Raises LimitError."""
        return self._memory.core_memory.change(
            label,
            self._caller.did("memory set"),
            value=text,
            limit=limit,
            description=description,
            read_only=read_only,
        )

    def edit(self, before: Block, text: str) -> Block:
        """Replace the text of a block that has not changed since it was read. Raises UsageError if it has."""
        with self._memory.store.transaction():
            if self._memory.core_memory.block(before.label).version != before.version:
                raise UsageError(f"block {before.label} was changed while you edited it")
            return self._memory.core_memory.change(before.label, self._caller.did("memory edit"), value=text)

    def delete(self, label: str) -> Block:
        """Delete a block; its versions stay. Returns its last state."""
        return self._memory.core_memory.delete(label, self._caller.did("memory delete"))

    def restore(self, label: str, version: int) -> tuple[Block, bool]:
        """Make an old version current, also of a deleted block; returns the block and whether it changed."""
        before = self._memory.store.blocks.get(label)
        block = self._memory.core_memory.restore(label, version, self._caller.did(f"memory restore {version}"))
        return block, before is None or before.version != block.version

    def history(self, label: str) -> list[BlockVersion]:
        """Every version, oldest first, deletions included. Raises NotFoundError."""
        return self._memory.core_memory.history(label)

    def blame(self, label: str) -> list[BlamedLine]:
        """Return for each line of a block the version that added it. Raises NotFoundError."""
        from memgpt_cli.main_context.block_history import blame

        block = self._memory.core_memory.block(label)
        return blame(self._memory.store.blocks.history(block.label))

    def difference(self, label: str, before: int | None = None, after: int | None = None) -> BlockDifference:
        """Compare two versions, by default those of the last change. Raises NotFoundError."""
        history = self.history(label)
        new = history[-1] if after is None else self._memory.core_memory.version(label, after)
        number = new.block.version - 1 if before is None else before
        old = None if number == 0 else self._memory.core_memory.version(label, number)
        return BlockDifference(
            label=label, before=number, after=new.block.version, lines=tuple(changed_lines(old, new))
        )

    def draft(self, label: str) -> Path:
        """A file for editing the block outside of the record, readable by its owner only."""
        return self._memory.draft(label)


def changed_lines(before: BlockVersion | None, after: BlockVersion) -> list[str]:
    """The lines of a unified diff between two versions, settings first."""
    from memgpt_cli.main_context.block_history import difference

    return difference(before, after)
