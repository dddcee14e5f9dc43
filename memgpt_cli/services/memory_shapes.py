"""The JSON shapes of core memory and its history; their schemas are in docs/schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.times import to_text
from memgpt_cli.services import shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memgpt_cli.domain.blocks import BlockVersion
    from memgpt_cli.main_context.block_history import BlamedLine
    from memgpt_cli.services.causes import Causes


def listed(version: BlockVersion, causes: Causes) -> dict[str, Any]:
    """One block with its last change."""
    return {
        **shapes.block(version.block),
        "characters": len(version.block.value),
        "changed_at": to_text(version.at),
        **causes.shape(version.provenance),
    }


def version(item: BlockVersion, causes: Causes) -> dict[str, Any]:
    """One entry of a block's history."""
    return {
        **shapes.block(item.block),
        "deleted": item.deleted,
        "at": to_text(item.at),
        **causes.shape(item.provenance),
    }


def diff(label: str, before: int, after: int, lines: Sequence[str]) -> dict[str, Any]:
    """The difference of two versions."""
    return {"label": label, "from": before, "to": after, "lines": list(lines)}


def blame(lines: Sequence[BlamedLine], causes: Causes) -> list[dict[str, Any]]:
    """The lines of a block with their origin."""
    return [
        {
            "line": number,
            "text": line.text,
            "version": line.version.block.version,
            "at": to_text(line.version.at),
            **causes.shape(line.version.provenance),
        }
        for number, line in enumerate(lines, 1)
    ]
