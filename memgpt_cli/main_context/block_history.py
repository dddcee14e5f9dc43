"""Compare the versions of a block: the origin of each line (blame), and the difference between two versions.

Pure functions over a history.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from memgpt_cli.domain.blocks import BlockVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class BlamedLine:
    """One current line of a block, with the version that added it."""

    text: str
    version: BlockVersion


def blame(history: Sequence[BlockVersion]) -> list[BlamedLine]:
    """Return the origin of each line of the newest version; empty if that is a tombstone.

    If a version equals an earlier one, as after an undo or a restore, each line keeps its earlier origin.
    """
    lines: list[BlamedLine] = []
    seen: dict[str, list[BlamedLine]] = {}
    for version in history:
        value = "\n".join(_lines(version))
        lines = seen.get(value) or _followed(lines, version)
        seen[value] = lines
    return lines


def difference(before: BlockVersion | None, after: BlockVersion | None) -> list[str]:
    """Return the lines of a unified diff without its header, settings first; empty if the two are equal."""
    return line_difference(_described(before), _described(after))


def line_difference(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """The lines of a unified diff without its heading; empty when the two are the same."""
    from difflib import unified_diff

    return [line for line in unified_diff(old, new, lineterm="", n=2) if not line.startswith(("---", "+++", "@@"))]


def _lines(version: BlockVersion) -> list[str]:
    return [] if version.deleted or not version.block.value else version.block.value.split("\n")


def _followed(lines: Sequence[BlamedLine], version: BlockVersion) -> list[BlamedLine]:
    from difflib import SequenceMatcher

    new = _lines(version)
    followed: list[BlamedLine] = []
    matcher = SequenceMatcher(None, [line.text for line in lines], new, autojunk=False)
    for tag, start, _, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            followed += lines[start : start + new_end - new_start]
        else:
            followed += [BlamedLine(text=text, version=version) for text in new[new_start:new_end]]
    return followed


def _described(version: BlockVersion | None) -> list[str]:
    return [] if version is None or version.deleted else [*version.settings, *_lines(version)]
