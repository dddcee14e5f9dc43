"""`memgpt archival list|show|edit|delete|log|restore|sources`: passages by id, tag and source, with their history."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from memgpt_cli.cli.memory.history import STYLES
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import Derived, DryRun, Limit, Page, Since, Source, Tags, Until, Yes, passage_ids
from memgpt_cli.cli.terminal.hits import heading
from memgpt_cli.cli.terminal.pages import Match, matching, page_of, tell_of_more
from memgpt_cli.cli.terminal.tables import table
from memgpt_cli.cli.terminal.texts import read_text
from memgpt_cli.domain import documents
from memgpt_cli.domain.history import PassageVersion
from memgpt_cli.domain.passages import Passage, passage_ref
from memgpt_cli.domain.times import for_people
from memgpt_cli.errors import UsageError
from memgpt_cli.services import shapes
from memgpt_cli.services.filters import new_tags
from memgpt_cli.services.memory import AgentMemory
from memgpt_cli.services.passages import source_shape, version_shape
from memgpt_cli.services.wording import counted, one_line, undo_brings_back

Id = Annotated[str, typer.Argument(help="Its id, such as p7.", metavar="ID", autocompletion=passage_ids)]

_SHOWN = 160


def list_passages(
    ctx: typer.Context,
    limit: Limit = 50,
    page: Page = 0,
    tag: Tags = None,
    source: Source = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """List passages, newest first: where each comes from, and how it begins.

    Example:
        memgpt archival list --tag house

    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        filters = memory.passages.filters(tags=tag, source=source, since=since, until=until)
        found = memory.passages.recent(filters, limit=limit, page=page)

    def text() -> None:
        for passage in found.passages:
            terminal.say(heading(passage, terminal.zone), style="bold")
            terminal.say(f"  {one_line(passage.text, _SHOWN)}")
        if not found.passages:
            terminal.notice("there are no passages" + (f" on page {page}" if page else ""))

    terminal.show([shapes.passage(passage) for passage in found.passages], text)
    if found.more:
        terminal.notice(f"more: {terminal.command_for_page(page + 1)}")


def show(ctx: typer.Context, passage: Id) -> None:
    """Show a passage: its text, its source, who changed it.

    Example:
        memgpt archival show p7
    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        found = memory.passages.get(passage)
        history = memory.passages.history(passage)
        causes = memory.causes(version.provenance for version in history)

    def text() -> None:
        terminal.say(heading(found, terminal.zone), style="bold")
        terminal.say(found.text)
        terminal.say(f"added by {causes.described(history[0].provenance)}", style="dim")
        if len(history) > 1:
            versions = counted(len(history), "version")
            terminal.say(f"{versions}: memgpt archival log {passage_ref(found.id)}", style="dim")

    versions = [version_shape(version, causes) for version in history]
    terminal.show({**shapes.passage(found), "history": versions}, text)


def log(
    ctx: typer.Context,
    passage: Annotated[str, typer.Argument(help="Its id, such as p7; deleted ones too.", metavar="ID")],
    limit: Limit = 50,
    page: Page = 0,
) -> None:
    """List a passage's versions, newest first: time, author, cause.

    Example:
        memgpt archival log p7
    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        history = memory.passages.history(passage)
        shown = page_of(history[::-1], limit=limit, page=page)
        causes = memory.causes(version.provenance for version in shown)

    def text() -> None:
        for version in shown:
            when = for_people(version.at, terminal.zone)
            terminal.say(f"{version.version}  {when}  {causes.described(version.provenance)}", style="bold")
            older = history[version.version - 2] if version.version > 1 else None
            for line in _changed(older, version):
                terminal.say(f"   {line}", style=STYLES.get(line[:1]))

    terminal.show([version_shape(version, causes) for version in shown], text)
    tell_of_more(terminal, len(history), limit=limit, page=page)


def edit(
    ctx: typer.Context,
    passage: Id,
    text: Annotated[
        str | None, typer.Argument(help="The new text; without it, your editor opens.", metavar="TEXT|@FILE|-")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", "-t", help="Its new tags (repeatable).", metavar="TAG")
    ] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Remove all tags.")] = False,
    source: Annotated[str | None, typer.Option("--source", help="Its new source.", metavar="NAME")] = None,
) -> None:
    """Change a passage's text, tags or source. The previous version stays in its history.

    Examples:

        memgpt archival edit p7

        memgpt archival edit p7 "The spare key is with Tom" --tag home
    """
    if tag is not None and no_tags:
        raise UsageError("--tag sets tags and --no-tags removes them", hint="use only one of them")
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        found = memory.passages.get(passage)
        wanted = replace(
            found,
            tags=() if no_tags else found.tags if tag is None else new_tags(tag),
            source=found.source if source is None else source or None,
        )
        if text is None and wanted == found:
            wanted = _from_editor(terminal, memory, found)
        else:
            new = found.text if text is None else read_text(text).strip()
            wanted = memory.passages.revise(found, replace(wanted, text=new))
    if wanted == found:
        terminal.notice("nothing was changed")
    _report(terminal, wanted, "unchanged" if wanted == found else "changed")
    terminal.name_secrets(wanted.text)


def delete(
    ctx: typer.Context,
    passage: Annotated[
        list[str] | None,
        typer.Argument(help="Ids or ranges: p7, p7-p9.", metavar="ID...", autocompletion=passage_ids),
    ] = None,
    tag: Tags = None,
    source: Source = None,
    derived: Derived = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Delete passages by id, or all with a tag or from a source. memgpt undo brings them back.

    With --derived a source is deleted permanently, with every result, reply, note, line of a block, summary and pending
    write derived from it; a receipt lists what was checked. To delete single passages permanently: memgpt forget.

    Examples:

        memgpt archival delete p7 p9

        memgpt archival delete --source notes.md --dry-run

        memgpt archival delete --source notes.md --derived
    """
    from memgpt_cli.cli.forget import forget_wanted

    if not passage and tag is None and source is None:
        raise UsageError("no passages selected", hint="memgpt archival delete p7, or --tag, or --source")
    if derived and (source is None or passage or tag is not None):
        raise UsageError("--derived needs a source and nothing else", hint="--source notes.md --derived")
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        if derived:
            forget_wanted(terminal, memory, memory.forget.wanted(source=source), yes=yes, dry_run=dry_run)
            return
        chosen = memory.passages.select(passage or [], tags=tag, source=source)
        what = counted(len(chosen.passages), "passage")
        shape: dict[str, Any] = {"passages": [passage_ref(p.id) for p in chosen.passages], "deleted": False}
        if not terminal.json:
            for item in chosen.passages[:20] if dry_run or not yes else ():
                terminal.notice(f"{passage_ref(item.id)}  {one_line(item.text, 100)}")
        if dry_run or chosen.empty:
            terminal.show(shape, "there are none" if chosen.empty else f"would delete {what}")
            return
        if not terminal.confirm(f"Delete {what}?", yes=yes):
            terminal.notice("nothing was deleted")
            raise typer.Exit(1)
        memory.passages.delete(chosen)
    terminal.show({**shape, "deleted": True}, f"deleted {what}; {undo_brings_back(len(chosen.passages))}")


def restore(
    ctx: typer.Context,
    passage: Annotated[str, typer.Argument(help="Its id, such as p7; deleted ones too.", metavar="ID")],
    version: Annotated[int, typer.Argument(help="The version to restore; see archival log.")],
) -> None:
    """Make an old version of a passage current, as a new version. Works for deleted ones too.

    Example:
        memgpt archival restore p7 1

    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        restored, changed = memory.passages.restore(passage, version)
    if not changed:
        terminal.notice(f"{passage_ref(restored.id)} says that already; nothing was changed")
    _report(terminal, restored, "restored" if changed else "unchanged")


def sources(ctx: typer.Context, match: Match = None, limit: Limit = 50, page: Page = 0) -> None:
    """List the sources of passages: loaded documents and other sources, with their numbers of passages.

    Example:
        memgpt archival sources
    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        known = matching(memory.passages.sources(), match, name=lambda source: source.name)
    found = page_of(known, limit=limit, page=page)
    if found or terminal.json:
        terminal.show([source_shape(source) for source in found], lambda: _table(terminal, found))
    elif not known:
        nothing = "no passage names a source; memgpt archival load FILE loads a document"
        terminal.notice("there are no such sources" if match else nothing)
    tell_of_more(terminal, len(known), limit=limit, page=page)


_MARKS = {"loading": "  (incomplete)", "undone": "  (last load undone)"}


def _table(terminal: Terminal, found: Sequence[documents.Source]) -> None:
    rows = [
        (
            str(s.passages),
            s.document.kind if s.document else "",
            for_people(s.document.loaded_at, terminal.zone) if s.document and s.document.loaded_at else "",
            s.name + (_MARKS.get(s.document.state.value, "") if s.document else ""),
        )
        for s in found
    ]
    table(terminal, ("passages", "kind", "loaded", "source"), rows, wide="source")


def _from_editor(terminal: Terminal, memory: AgentMemory, passage: Passage) -> Passage:
    from memgpt_cli.cli.terminal.editor import edited

    ref = passage_ref(passage.id)
    with edited(
        terminal,
        memory.passages.draft(passage),
        passage.text,
        otherwise=f"memgpt archival edit {ref} TEXT, @FILE or - for standard input",
        again=lambda path: f"memgpt archival edit {ref} @{path}",
    ) as text:
        return memory.passages.revise(passage, replace(passage, text=text.strip()))


def _changed(older: PassageVersion | None, version: PassageVersion) -> list[str]:
    if not version.passage.text:
        return ["forgotten"]
    if version.deleted:
        return ["deleted"]
    if older is None or older.deleted or not older.passage.text:
        return ["+" + one_line(version.passage.text, 200)]
    before, after = older.passage, version.passage
    lines = []
    if before.text != after.text:
        lines += ["-" + one_line(before.text, 200), "+" + one_line(after.text, 200)]
    if before.tags != after.tags:
        lines.append(f"tags: {' '.join(before.tags) or '-'} -> {' '.join(after.tags) or '-'}")
    if (before.source, before.location) != (after.source, after.location):
        lines.append(f"source: {before.source or '-'} -> {after.source or '-'}")
    return lines or ["no change"]


def _report(terminal: Terminal, passage: Passage, what: str) -> None:
    if terminal.json:
        terminal.print_json(shapes.passage(passage))
    elif what != "unchanged":
        terminal.say(f"{what} {passage_ref(passage.id)}; memgpt undo undoes it")
