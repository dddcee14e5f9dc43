"""The functions that record and search facts, and facts at the head of other searches."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from memgpt_cli.domain.effects import Effects
from memgpt_cli.domain.facts import Fact, FactFilters, fact_ref
from memgpt_cli.domain.parameters import Arguments, Parameter
from memgpt_cli.domain.partial_dates import PartialDate, Validity
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.trust import least_trusted
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.errors import FunctionArgumentError
from memgpt_cli.external_context.facts import FactStorage
from memgpt_cli.external_context.rendering import mark, one_line
from memgpt_cli.facts.keeping import Statement
from memgpt_cli.functions.pages import least_of
from memgpt_cli.functions.spec import FunctionContext, FunctionSpec

_FOUND: Final = 8
_FIRST: Final = 3
"""Facts before the messages of a search."""
_SHARE: Final = 4
"""The share of a page, as a divisor, that they may take."""
_HEADING: Final = "Known facts:"
_LONGEST: Final = 300
_ID: Final = re.compile(r"\W*f(\d{1,18})\W*", re.IGNORECASE)


def fact_line(fact: Fact) -> str:
    """`[f7 since 2023-02; from m12] Ana, home: Lisbon`."""
    origin = f" {one_line(fact.origin)}" if fact.origin else ""
    return f"[{fact.ref}{origin}] {mark(fact)}{one_line(fact.text)[:_LONGEST]}"


class KnownFacts:
    """The facts that answer a query, shown before the hits of another search; none where there are none.

    `left` is the context with the tokens that they leave: the same on each page, so that no hit is lost between pages.
    """

    def __init__(self, query: str, context: FunctionContext) -> None:
        self._facts: list[Fact] = []
        self.left = context
        if context.facts is None or context.facts.empty:
            return
        found = context.facts.search(query, limit=_FIRST, query_vector=context.query_vector, relevant=True)
        room, used = context.page_budget // _SHARE, context.count(_HEADING) + 1
        for fact in (hit.item for hit in found.hits):
            used += context.count(fact_line(fact)) + 1
            if used > room:
                break
            self._facts.append(fact)
            self.left = replace(context, budget=context.budget - used, page_budget=context.page_budget - used)

    def before(self, result: FunctionResult) -> FunctionResult:
        """The result with the facts before it."""
        if not self._facts:
            return result
        effects = replace(result.effects, shown=(*(fact.ref for fact in self._facts), *result.effects.shown))
        text = "\n".join([_HEADING, *map(fact_line, self._facts), result.text])
        least = least_trusted((result.least, *(fact.least for fact in self._facts)))
        return replace(result, text=text, effects=effects, least=least)


def _record(arguments: Arguments, context: FunctionContext) -> FunctionResult:
    facts = _facts(context)
    start, until = (_date(name, arguments) for name in ("since", "until"))
    if start and until and until.last < start.first:
        raise FunctionArgumentError("until is before since", hint="swap them")
    statement = Statement(
        subject=_text("subject", arguments),
        predicate=_text("predicate", arguments),
        object=_text("value", arguments),
        valid=Validity(start, until),
        replaces=_replaced(arguments, facts),
    )
    kept = facts.record(statement, provenance=context.provenance, turn=context.turn, at=context.at)
    effects = Effects(shown=(kept.fact.ref,))
    if not kept.new:
        return FunctionResult(text=f"Known already as {kept.fact.ref}.", effects=effects)
    told = [f"Recorded as {kept.fact.ref}."]
    told += [f"It replaces {fact.ref}." for fact in kept.closed]
    if kept.fact.check:
        told.append(f"It is uncertain ({kept.fact.check}).")
    return FunctionResult(text=" ".join(told), effects=effects)


def _embed(arguments: Arguments, context: FunctionContext) -> Vector | None:
    return None if context.facts is None else context.facts.embed_query(arguments.get("query", ""))


def _search(arguments: Arguments, context: FunctionContext) -> FunctionResult:
    query = arguments.get("query", "")
    if not query.strip():
        raise FunctionArgumentError("query is empty", hint="pass words")
    filters = FactFilters(as_of=_date("as_of", arguments))
    found = _facts(context).search(query, filters, limit=_FOUND, query_vector=context.query_vector)
    lines: list[str] = []
    shown: list[Fact] = []
    room = min(context.budget, context.page_budget)
    for fact in (hit.item for hit in found.hits):
        room -= context.count(fact_line(fact)) + 1
        if room < 0 and lines:
            break
        lines.append(fact_line(fact))
        shown.append(fact)
    if not lines:
        return FunctionResult(text="No facts found. Try conversation_search.")
    text = "\n".join([f"{len(lines)} of {found.total} facts, best match first.", *lines])
    return FunctionResult(text=text, effects=_effects(shown, found.total), least=least_of(shown))


def _effects(shown: Sequence[Fact], total: int) -> Effects:
    return Effects(shown=tuple(fact.ref for fact in shown), total=total)


def _facts(context: FunctionContext) -> FactStorage:
    if context.facts is None:
        raise FunctionArgumentError("there is no store of facts here")
    return context.facts


def _replaced(arguments: Arguments, facts: FactStorage) -> int | None:
    """The id of the fact that the model names. Raises FunctionArgumentError for an unknown one."""
    given = arguments.get("replaces")
    if not given:
        return None
    match = _ID.fullmatch(given)
    if match is None or not facts.exists(int(match[1])):
        raise FunctionArgumentError(f"there is no fact {given[:40]!r}", hint=f"pass an id such as {fact_ref(7)}")
    return int(match[1])


def _text(name: str, arguments: Arguments) -> str:
    text = " ".join(arguments[name].split())
    if not text or len(text) > _LONGEST:
        raise FunctionArgumentError(f"{name} has {len(text)} characters", hint=f"1 to {_LONGEST}")
    return text


def _date(name: str, arguments: Arguments) -> PartialDate | None:
    given = arguments.get(name)
    try:
        return PartialDate.parse(given) if given else None
    except ValueError as error:
        raise FunctionArgumentError(f"{name}: {error}") from error


FACT_RECORD = FunctionSpec(
    name="fact_record",
    description="Record a lasting fact that the person told. A new value closes the old one.",
    parameters=(
        Parameter(name="subject", type="string", description="Full name, or user."),
        Parameter(name="predicate", type="string", description="1-3 words: home, job."),
        Parameter(name="value", type="string"),
        Parameter(name="since", type="string", description="2026, 2026-03 or 2026-03-31.", required=False),
        Parameter(name="until", type="string", required=False),
        Parameter(name="replaces", type="string", description="An id such as f7.", required=False),
    ),
    run=_record,
    writes=True,
)

FACT_SEARCH = FunctionSpec(
    name="fact_search",
    description="Search recorded facts, present ones unless as_of is given.",
    parameters=(
        Parameter(name="query", type="string"),
        Parameter(name="as_of", type="string", description="2021 or 2021-03.", required=False),
    ),
    run=_search,
    embed=_embed,
)
