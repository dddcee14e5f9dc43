"""Keeping a write to core memory for the person's review, where its words may come from somebody else."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from memgpt_cli.domain.blocks import Block, Provenance
from memgpt_cli.domain.effects import Effects
from memgpt_cli.domain.parameters import Arguments
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.reviews import Review, review_ref
from memgpt_cli.domain.trust import Author, Origin
from memgpt_cli.functions.spec import FunctionContext
from memgpt_cli.main_context.in_view import Objection

_EVERYTHING: Final = Objection(reason="the setting trust.hold is all", origin=Origin(least=Author.AGENT))

Edit = Callable[[Provenance], Block]
"""Makes a change on behalf of a provenance; returns the block as it is then."""


def provenance_for(text: str, context: FunctionContext) -> Provenance:
    """The provenance of a text that the model writes: with what it goes back to."""
    origin = context.view.origin_of(text) if context.view is not None else None
    return replace(context.provenance, origin=origin)


def held(function: str, arguments: Arguments, edit: Edit, context: FunctionContext) -> FunctionResult | None:
    """The result that tells the model that its write waits; None where the write may be made.

    What would fail or change nothing is not kept: then the write itself says so.
    """
    hold = context.settings.trust.hold
    if hold == "off" or context.consented or context.reviews is None:
        return None
    if hold == "untrusted" and (context.view is None or not context.view.quoted):
        return None
    before = context.core_memory.block(arguments["label"])
    after = context.core_memory.rehearse(lambda: edit(context.provenance))
    if after.version == before.version:
        return None
    objection = context.view.objection(before.value, after.value) if context.view is not None else None
    if objection is None and hold == "untrusted":
        return None
    return _keep(function, arguments, before.label, objection or _EVERYTHING, context)


def _keep(
    function: str, arguments: Arguments, label: str, objection: Objection, context: FunctionContext
) -> FunctionResult:
    assert context.reviews is not None  # noqa: S101 - `held` has looked
    review = context.reviews.add(
        Review(
            at=context.at or datetime.now(UTC),
            label=label,
            function=function,
            arguments=json.dumps(dict(arguments), ensure_ascii=False),
            reason=objection.reason,
            provenance=replace(context.provenance, origin=objection.origin),
            turn=context.turn,
        )
    )
    text = (
        f"Not written yet: {objection.reason}. It waits for the person's review as {review_ref(review.id)}; block"
        f" {label} is unchanged. Go on without it, do not write it again, and tell the person that it waits."
    )
    return FunctionResult(text=text, effects=Effects(held=(review.id,)))
