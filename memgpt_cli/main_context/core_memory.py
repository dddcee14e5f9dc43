"""Core memory (the paper's working context): labelled blocks inside main context, and the rules for writing them.

The model's functions and the subcommands use the same code, so the same limits apply to both.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from memgpt_cli.domain.blocks import Author, Block, BlockVersion, Provenance, is_label
from memgpt_cli.domain.messages import Message
from memgpt_cli.domain.names import nearest
from memgpt_cli.errors import LimitError, NotFoundError, UsageError
from memgpt_cli.main_context.rendering import escape
from memgpt_cli.ports import Clock, Store

CHARACTERS_PER_TOKEN: Final = 2
"""A block's limit in tokens is its limit in characters divided by this.

English needs a token for four to five characters, Chinese about one for each: with this factor a block in any script
stays within its reserved space.
"""

FRAME_TOKENS: Final = 48
"""Tokens that a block's own tag in the snapshot may take: label, description, numbers."""


def token_limit(block: Block) -> int:
    """Return the most tokens that the block's value may take in the prompt."""
    return max(1, block.limit // CHARACTERS_PER_TOKEN)


def state_of(block: Block) -> str:
    """Describe the block's new text, in the same words in function results and notices."""
    return f"Block {block.label} is now ({len(block.value)}/{block.limit} characters):\n{block.value}"


def snapshot(blocks: Sequence[Block]) -> str:
    """Return the section of the system message that shows core memory."""
    lines = ["<core_memory>"]
    for block in blocks:
        described = f' description="{escape(block.description)}"' if block.description else ""
        read_only = ' read_only="true"' if block.read_only else ""
        head = f'<block label="{block.label}" chars="{len(block.value)}/{block.limit}"{described}{read_only}>'
        lines += [head, *([escape(block.value)] if block.value else []), "</block>"]
    return "\n".join([*lines, "</core_memory>"])


def shown_versions(blocks: Sequence[Block], queue: Sequence[Message]) -> dict[str, int]:
    """Return which version of each block a prompt shows, if its head holds these blocks; 0 if the queue contradicts it.

    Results and notices in the queue come after the head. If the last one about a block shows another version than the
    current one, as after messages were deleted, the model would believe it.
    """
    told: dict[str, int] = {}
    for message in queue:
        told |= message.effects.blocks
    shown = {block.label: block.version for block in blocks}
    return shown | {label: 0 for label, version in told.items() if shown.get(label, 0) != version}


def check_block(block: Block, value: str, count: Callable[[str], int]) -> None:
    """Raise LimitError if `value` is over the block's limit in characters or in tokens."""
    if len(value) > block.limit:
        raise LimitError(
            f"block {block.label} would hold {len(value)} characters, its limit is {block.limit}"
            f" (it holds {len(block.value)} now); nothing was changed",
            hint="shorten or replace something in it, or use archival storage",
        )
    most = token_limit(block)
    if len(value.encode("utf-8", "surrogatepass")) > most and count(value) > most:
        raise LimitError(
            f"block {block.label} would take {count(value)} tokens, its limit of {block.limit} characters"
            f" allows {most}; nothing was changed",
            hint="shorten it, or use archival storage",
        )


def check_new(block: Block, count: Callable[[str], int]) -> None:
    """Raise UsageError or LimitError for an invalid label, limit or description."""
    if not is_label(block.label):
        raise UsageError(
            f"{block.label!r} cannot be a block's label",
            hint="use letters, digits, - _ and . (at most 40), beginning with a letter or a digit",
        )
    if block.limit < 1:
        raise LimitError(f"a limit of {block.limit} characters leaves no room", hint="--limit 2000")
    frame = count(snapshot([replace(block, value="")])) - count(snapshot([]))
    if frame > FRAME_TOKENS:
        raise LimitError(
            f"label and description of block {block.label} would take {frame} tokens of every prompt,"
            f" {FRAME_TOKENS} are set aside for them",
            hint="shorten the description",
        )


class _RehearsedError(Exception):
    """Takes a rehearsed edit back."""


class CoreMemory:
    """Reads and writes blocks. Every change runs in a transaction and is kept as a version with its provenance.

    A change reads its old value in the same transaction, so that two processes cannot overwrite each other. `fits`
    raises LimitError for blocks that do not fit the window; None if no window is known.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        count: Callable[[str], int],
        fits: Callable[[Sequence[Block]], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._count = count
        self._fits = fits

    def block(self, label: str) -> Block:
        """Return the block with this label, in any case if unique. Raises NotFoundError with the known labels."""
        block = self._store.blocks.get(label)
        if block is not None:
            return block
        blocks = self._store.blocks.all()
        alike = [b for b in blocks if b.label.casefold() == label.strip().casefold()]
        if len(alike) == 1:
            return alike[0]
        labels = [b.label for b in blocks]
        near = nearest(label, labels)
        raise NotFoundError(
            f"there is no memory block {label!r}; the blocks are: {', '.join(labels) or 'none'}",
            hint=f"{f'did you mean {near[0]}? ' if near else ''}memgpt memory list",
        )

    def append(self, label: str, content: str, provenance: Provenance) -> Block:
        """Add lines at the end of a block, except those that it has already.

        Raises UsageError if `content` is empty, LimitError with the numbers if it does not fit.
        """
        with self._store.transaction():
            block = self.block(label)
            if not content.strip():
                raise UsageError(f"the text for block {block.label} is empty; nothing was added", hint="pass the text")
            present = {line.strip() for line in block.value.split("\n")} - {""}
            new = "\n".join(line for line in content.split("\n") if line.strip() not in present)
            if not new.strip():
                return block
            return self.write(block, f"{block.value}\n{new}" if block.value else new, provenance)

    def replace(self, label: str, old: str, new: str, provenance: Provenance) -> Block:
        """Replace `old`, which must occur in the block exactly once, by `new`."""
        with self._store.transaction():
            return self._replaced(label, old, new, provenance)

    def _replaced(self, label: str, old: str, new: str, provenance: Provenance) -> Block:
        block = self.block(label)
        if not old:
            raise UsageError("old_content is empty; nothing was changed", hint="quote the exact text to replace")
        found = block.value.count(old)
        if found != 1:
            what = "was not found" if found == 0 else f"occurs {found} times"
            raise UsageError(
                f"{old!r} {what} in block {block.label}; nothing was changed",
                hint="quote text that occurs exactly once",
            )
        before, _, after = block.value.partition(old)
        if not new:
            before, after = _without_empty_line(before, after)
        return self.write(block, before + new + after, provenance)

    def write(self, block: Block, value: str, provenance: Provenance) -> Block:
        """Give the block this value, within its limits. Only the person may write a read-only block."""
        _check_writable(block, provenance)
        value = value.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
        check_block(block, value, self._count)
        present = self._store.blocks.get(block.label)
        if present is not None and replace(block, value=value, version=present.version) == present:
            return present
        if self._fits is not None and self._count(value) > (self._count(present.value) if present else 0):
            others = [other for other in self._store.blocks.all() if other.label != block.label]
            self._fits([*others, replace(block, value=value)])
        with self._store.transaction():
            return self._store.blocks.put(replace(block, value=value), at=self._clock.now(), provenance=provenance)

    def rehearse(self, edit: Callable[[], Block]) -> Block:
        """What a block would be after an edit; nothing is changed. Only inside a transaction.

        Raises what `edit` raises.
        """
        with suppress(_RehearsedError), self._store.savepoint():
            block = edit()
            raise _RehearsedError
        return block

    def create(self, block: Block, provenance: Provenance) -> Block:
        """Create a block. Raises UsageError if the label exists, LimitError if the block exceeds a limit."""
        with self._store.transaction():
            if self._store.blocks.get(block.label) is not None:
                raise UsageError(
                    f"there is a block {block.label!r} already",
                    hint=f"memgpt memory set {block.label}, or edit or append",
                )
            check_new(block, self._count)
            return self.write(block, block.value, provenance)

    def change(
        self,
        label: str,
        provenance: Provenance,
        *,
        value: str | None = None,
        description: str | None = None,
        limit: int | None = None,
        read_only: bool | None = None,
    ) -> Block:
        """Set a block's value, description, limit or read-only flag; None leaves a field unchanged."""
        with self._store.transaction():
            block = self.block(label)
            _check_writable(block, provenance)
            changed = replace(
                block,
                description=block.description if description is None else description,
                limit=block.limit if limit is None else limit,
                read_only=block.read_only if read_only is None else read_only,
            )
            if changed != block:
                check_new(changed, self._count)
            return self.write(changed, block.value if value is None else value, provenance)

    def delete(self, label: str, provenance: Provenance) -> Block:
        """Delete a block, leaving a tombstone; returns its last state."""
        with self._store.transaction():
            block = self.block(label)
            _check_writable(block, provenance)
            self._store.blocks.delete(label, at=self._clock.now(), provenance=provenance)
        return block

    def restore(self, label: str, version: int, provenance: Provenance) -> Block:
        """Make an old version current as a new version, also of a deleted block."""
        with self._store.transaction():
            old = self.version(label, version)
            if old.deleted:
                raise UsageError(f"version {version} of {label} is its deletion", hint=f"memgpt memory delete {label}")
            return self.write(old.block, old.block.value, provenance)

    def version(self, label: str, number: int) -> BlockVersion:
        """Return one version of a block. Raises NotFoundError with the known numbers."""
        history = self.history(label)
        found = next((v for v in history if v.block.version == number), None)
        if found is None:
            raise NotFoundError(
                f"block {label} has no version {number}; it has {history[0].block.version} to"
                f" {history[-1].block.version}",
                hint=f"memgpt memory log {label}",
            )
        return found

    def history(self, label: str) -> list[BlockVersion]:
        """Return every version of a block, oldest first, deletions included; NotFoundError if it never existed."""
        history = self._store.blocks.history(label)
        if not history:
            self.block(label)
        return history


def _check_writable(block: Block, provenance: Provenance) -> None:
    """Raise UsageError when a model or a program would change a read-only block."""
    if block.read_only and provenance.author in {Author.AGENT, Author.TOOL}:
        raise UsageError(f"block {block.label} is read-only", hint="only the person can change it")


def _without_empty_line(before: str, after: str) -> tuple[str, str]:
    """Return the text before and after a removed part, without the line that the removal left blank."""
    start, end = before.rpartition("\n")[2], after.partition("\n")[0]
    if (start + end).strip():
        return before, after
    return before[: len(before) - len(start)], after[len(end) + 1 :]
