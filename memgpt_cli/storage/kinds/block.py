"""Blocks as a kind of memory: core memory with every version of a block."""

import json
from datetime import datetime

from memgpt_cli.domain.blocks import Block, Provenance, is_label
from memgpt_cli.domain.forgetting import Cut
from memgpt_cli.domain.history import Change, ItemState
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.storage.kinds.found import Findings
from memgpt_cli.storage.kinds.kind import KindOfMemory


class BlockMemory(KindOfMemory):
    """Blocks, which have labels. Their states are their versions.

    Forgetting removes sentences from a block, in all its versions, instead of the block, unless the label contains the
    text.
    """

    kind = Kind.BLOCK
    tables = ("blocks", "block_versions")
    numbered = ("block_versions",)
    said = (("blocks", "value"),)

    def state(self, item: int | str, version: int) -> ItemState | None:
        """Return the text of a version, with its limit and description."""
        found = self._rows.blocks.version(str(item), version)
        return None if found is None or found.deleted else ItemState(text=found.block.value, settings=found.settings)

    def is_in(self, change: Change, state: int) -> bool:
        """Whether the block equals this version."""
        return self._rows.blocks.is_as_in(change.label or "", state)

    def move(self, change: Change, state: int, *, at: datetime, provenance: Provenance) -> None:
        """Restore this version."""
        self._rows.blocks.restore(change.label or "", state, at=at, provenance=provenance)

    def find_derived(self, found: Findings) -> None:
        """The lines that were written because of messages that go, or that were derived from what goes."""
        before: dict[str, set[str]] = {}
        for row in self._db.execute("SELECT * FROM block_versions ORDER BY label, version"):
            lines = set(row["value"].split("\n")) - {""}
            caused = row["message_id"] in found.items[Kind.MESSAGE]
            if caused or found.derives(row["origin"]):
                found.lines.setdefault(row["label"], set()).update(lines - before.get(row["label"], set()))
            before[row["label"]] = lines

    def find_old_states(self, found: Findings) -> None:
        """Find versions with the text, and the sentences that the current blocks lose."""
        for row in self._db.execute("SELECT * FROM block_versions ORDER BY label, version"):
            texts = (row["label"], row["value"], row["description"], row["command"])
            if set(row["value"].split("\n")) & found.lines.get(row["label"], set()) or found.holds(*texts):
                found.versions[self.kind].add((row["label"], row["version"]))
        for row in self._db.execute("SELECT * FROM blocks ORDER BY position"):
            label, value, description = row["label"], row["value"], row["description"]
            if found.holds(label):
                found.cuts.append(Cut(label=label, before=value, after=None))
                continue
            left, described = found.without_it(label, value), found.without_it(label, description)
            if (left, described) != (value, description):
                before, after = (value, left) if left != value else (description, described)
                found.cuts.append(Cut(label=label, before=before, after=after))

    def purge(self, found: Findings, *, at: datetime, provenance: Provenance) -> None:
        """Cut the current blocks as new versions, then every old version in place."""
        for cut in found.cuts:
            block = self._rows.blocks.get(cut.label)
            if block is not None and cut.after is None:
                self._rows.blocks.delete(cut.label, at=at, provenance=provenance)
            elif block is not None:
                left = Block(
                    label=block.label,
                    value=found.without_it(block.label, block.value),
                    description=found.without_it(block.label, block.description),
                    limit=block.limit,
                    read_only=block.read_only,
                )
                self._rows.blocks.put(left, at=at, provenance=provenance)
        for row in self._db.execute("SELECT * FROM block_versions").fetchall():
            if found.holds(row["label"]):
                self._db.execute("DELETE FROM block_versions WHERE id = ?", (row["id"],))
                continue
            value = found.without_it(row["label"], row["value"])
            description = found.without_it(row["label"], row["description"])
            if (value, description) != (row["value"], row["description"]):
                sql = "UPDATE block_versions SET value = ?, description = ? WHERE id = ?"
                self._db.execute(sql, (value, description, row["id"]))
        self._forget_labels(found)

    def _forget_labels(self, found: Findings) -> None:
        for table, column in (("epochs", "seen_blocks"), ("turns", "seen_before")):
            for row in self._db.execute(f"SELECT id, {column} FROM {table}").fetchall():  # noqa: S608 - our own names
                seen = json.loads(row[column])
                kept = {label: version for label, version in seen.items() if not found.holds(label)}
                if kept != seen:
                    text = json.dumps(kept, ensure_ascii=False)
                    self._db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (text, row["id"]))  # noqa: S608

    def check(self) -> None:
        """Check that a block equals its last version, is within its limit, and has a valid label."""
        for (label,) in self._db.execute("SELECT label FROM blocks UNION SELECT label FROM block_versions").fetchall():
            if not is_label(label):
                msg = f"{label!r} cannot be a block's label"
                raise ValueError(msg)
            history = self._rows.blocks.history(label)
            newest = None if not history or history[-1].deleted else history[-1].block
            block = self._rows.blocks.get(label)
            if block != newest:
                msg = f"block {label} is not what its last version says"
                raise ValueError(msg)
            if block is not None and len(block.value) > block.limit:
                msg = f"block {label} holds {len(block.value)} characters, its limit is {block.limit}"
                raise ValueError(msg)
