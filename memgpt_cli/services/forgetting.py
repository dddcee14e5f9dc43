"""Permanent deletion: the selection, the plan, and the receipt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.endpoints import Endpoint
from memgpt_cli.domain.forgetting import Wanted, receipt
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.names import did_you_mean
from memgpt_cli.errors import NotFoundError, UsageError
from memgpt_cli.services import ids
from memgpt_cli.services.filters import check_tags, dates
from memgpt_cli.services.imports import imported_messages
from memgpt_cli.services.sources import source_named

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memgpt_cli.bootstrap import Memory, Workspace
    from memgpt_cli.domain.forgetting import Checked, Plan, Progress, ReceiptLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """The result of a permanent deletion: the plan, the check, and the receipt.

    `in_name`: the agent's own name contains the text.
    """

    plan: Plan
    checked: Checked
    receipt: tuple[ReceiptLine, ...]
    in_name: bool


class ForgetService:
    """Permanent deletion in one agent's memory. It cannot be undone."""

    def __init__(self, workspace: Workspace, memory: Memory) -> None:
        self._workspace = workspace
        self._memory = memory

    def wanted(
        self,
        *,
        text: str | None = None,
        refs: Sequence[str] = (),
        source: str | None = None,
        tags: Sequence[str] = (),
        since: str | None = None,
        until: str | None = None,
        imported: int | None = None,
    ) -> Wanted:
        """What to forget, checked: a text, or ids and ranges, a source, tags, dates, or a whole import.

        Raises UsageError for an invalid id or date, a text without letters and digits, and if nothing is selected;
        NotFoundError for unknown items.
        """
        items = _items(refs)
        if imported is not None:
            numbers = imported_messages(self._memory.store, imported)
            items[Kind.MESSAGE] = (*items.get(Kind.MESSAGE, ()), *numbers)
        start, end = dates(since, until, self._workspace.settings.zone)
        wanted = Wanted(
            text=None if text is None else text.strip(),
            items=items,
            source=source,
            tags=tuple(tags),
            start=start,
            end=end,
        )
        if wanted.text == "" or (wanted.text is None and not wanted.by_place):
            raise UsageError("nothing selected to forget", hint='memgpt forget "Alice Miller" --dry-run')
        if wanted.text and not any(map(str.isalnum, wanted.text)):
            raise UsageError(
                f"{wanted.text[:40]!r} has no letter or digit, so it would match almost everything",
                hint="give a name, a number or another word that the text contains",
            )
        self._check_named(refs, tags)
        return wanted if source is None else replace(wanted, source=self._source(source))

    def plan(self, wanted: Wanted) -> Plan:
        """Return what would be deleted. Nothing is written."""
        return self._memory.forgetting.plan(wanted)

    def carry_out(
        self, wanted: Wanted, *, agree: Callable[[Plan], bool] | None = None, progress: Progress | None = None
    ) -> Forgotten | None:
        """Delete it under the agent's lock and check the result; None if `agree` declines the plan.

        After a kill, the same call continues. Raises AgentBusyError, StorageError.
        """
        now = self._workspace.clock.now()
        with self._workspace.agents.lock(self._memory.name, purpose="memgpt forget", since=now).acquire():
            self._workspace.leftovers.repair()
            if agree is not None and not agree(self.plan(wanted)):
                return None
            plan, checked = self._memory.forgetting.carry_out(
                wanted, at=self._workspace.clock.now(), progress=progress or _silent
            )
        return Forgotten(
            plan=plan,
            checked=checked,
            receipt=receipt(wanted, plan, checked, provider=self._provider()),
            in_name=bool(wanted.text and wanted.text.casefold() in self._memory.name.casefold()),
        )

    def _check_named(self, refs: Sequence[str], tags: Sequence[str]) -> None:
        """Raise NotFoundError for an unknown id or tag; an interrupted deletion continues anyway."""
        if self._memory.forgetting.pending:
            return
        store = self._memory.store
        for ref in refs:
            kind = _kind_of(ref)
            first, last = ids.numbers(ref, letter=kind.prefix)
            if first == last and not store.kinds.existed(kind, first):
                raise ids.unknown(store, kind, first)
        check_tags(self._memory, tags)

    def _source(self, typed: str) -> str:
        """Return the selected source, even a deleted one, or a folder. Raises NotFoundError, UsageError."""
        known = self._memory.forgetting.sources()
        if typed in known or self._memory.forgetting.pending:
            return typed
        try:
            return source_named(self._memory, typed)
        except NotFoundError as error:
            last_parts = [name.rpartition("/")[2] for name in known]
            meant = did_you_mean(typed, (*known, *last_parts))
            raise NotFoundError(f"{error.message}{meant}", hint=error.hint) from error

    def _provider(self) -> str | None:
        """Return the endpoint of the last messages; None for the offline responder and scripts."""
        model, _, base_url = (self._memory.store.note("endpoint") or "offline").partition("\n")
        if model == "offline" or model.startswith("scripted:"):
            return None
        return Endpoint.at(base_url, model=model).host


def _items(refs: Sequence[str]) -> dict[Kind, tuple[int, ...]]:
    """Return the numbers of each kind in ids and ranges. Raises UsageError."""
    items: dict[Kind, tuple[int, ...]] = {}
    for ref in refs:
        if ref[:1].isdecimal():
            raise UsageError(f"{ref!r} could be a message or a passage", hint=f"--id m{ref} or --id p{ref}")
        kind = _kind_of(ref)
        first, last = ids.numbers(ref, letter=kind.prefix)
        items[kind] = (*items.get(kind, ()), *range(first, last + 1))
    return items


def _kind_of(ref: str) -> Kind:
    return Kind.with_prefix(ref[:1]) or Kind.MESSAGE


def _silent(_: str) -> None:
    """Show no progress."""


def plan_shape(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON (docs/schemas/forget.schema.json)."""
    return {**_planned(plan, forgotten=False), "checked": None}


def forgotten_shape(done: Forgotten) -> dict[str, Any]:
    """Return the result as JSON (docs/schemas/forget.schema.json)."""
    return {
        **_planned(done.plan, forgotten=True),
        "checked": _checked_shape(done.checked),
        "receipt": [{"place": r.place, "state": r.state.value, "detail": r.detail} for r in done.receipt],
    }


def _planned(plan: Plan, *, forgotten: bool) -> dict[str, Any]:
    return {
        "forgotten": forgotten,
        **{kind.plural: [kind.ref(number) for number in items] for kind, items in plan.items.items()},
        "derived": sorted(plan.derived),
        "blocks": [cut.label for cut in plan.cuts],
        "versions": plan.versions,
        "operations": plan.operations,
        "summaries": plan.summaries,
        "documents": list(plan.documents),
        "history_entries": plan.history_entries,
        "files": list(plan.files),
        "batch_runs": list(plan.runs),
    }


def _checked_shape(checked: Checked) -> dict[str, Any]:
    return {
        "clean": checked.clean,
        "texts": checked.texts,
        "sampled": checked.sampled,
        "too_short": checked.too_short,
        "tables": checked.tables,
        "files": checked.files,
        "bytes": checked.bytes,
        "rows": list(checked.rows),
        "left": list(checked.left),
        "elsewhere": list(checked.elsewhere),
    }
