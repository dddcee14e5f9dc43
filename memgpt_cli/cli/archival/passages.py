"""`memgpt archival list|show|edit|delete|log|restore|sources`: passages by id, tag and source, with their history."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from memgpt_cli.bootstrap import Memory
from memgpt_cli.cli import ids, shapes
from memgpt_cli.cli.archival.sources import documents_in, source_named
from memgpt_cli.cli.memory.history import STYLES
from memgpt_cli.cli.memory.origins import Causes
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import (
    DryRun,
    Limit,
    Page,
    Since,
    Source,
    Tags,
    Until,
    Yes,
    archival_filters,
    labels,
)
from memgpt_cli.cli.terminal.hits import heading
from memgpt_cli.cli.terminal.pages import Match, matching, page_of, tell_of_more
from memgpt_cli.cli.terminal.tables import table
from memgpt_cli.cli.terminal.texts import counted, one_line, read_text
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.history import PassageVersion
from memgpt_cli.domain.passages import Passage, passage_ref
from memgpt_cli.domain.times import for_people, to_text
from memgpt_cli.errors import NotFoundError, UsageError

Id = Annotated[str, typer.Argument(help="Its id, such as p7.", metavar="ID", autocompletion=ids.passages_like)]

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
    workspace = terminal.workspace
    with workspace.memory() as memory:
        filters = archival_filters(terminal, memory, tags=tag, source=source, since=since, until=until)
        found = memory.store.passages.page(filters, limit=limit + 1, offset=page * limit)
    shown = found[:limit]
    if terminal.json:
        terminal.print_json([shapes.passage(passage) for passage in shown])
    elif shown:
        for passage in shown:
            terminal.say(heading(passage, workspace.settings.zone), style="bold")
            terminal.say(f"  {one_line(passage.text, _SHOWN)}")
    else:
        terminal.notice("there are no passages" + (f" on page {page}" if page else ""))
    if len(found) > limit:
        terminal.notice(f"there are more: --page {page + 1}")


def show(ctx: typer.Context, passage: Id) -> None:
    """Show a passage: its text, where it comes from, who changed it.

    Example:
        memgpt archival show p7

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    with workspace.memory() as memory:
        found = ids.passage(memory, passage)
        history = memory.store.passages.history(found.id)
        causes = Causes(memory.store, [version.provenance for version in history])
    if terminal.json:
        terminal.print_json(
            {**shapes.passage(found), "history": [_version_shape(version, causes) for version in history]}
        )
        return
    terminal.say(heading(found, workspace.settings.zone), style="bold")
    terminal.say(found.text)
    terminal.say(f"added by {causes.told(history[0].provenance)}", style="dim")
    if len(history) > 1:
        terminal.say(f"{counted(len(history), 'version')}: memgpt archival log {passage_ref(found.id)}", style="dim")


def log(
    ctx: typer.Context,
    passage: Annotated[str, typer.Argument(help="Its id, such as p7; deleted ones too.", metavar="ID")],
    limit: Limit = 50,
    page: Page = 0,
) -> None:
    """List a passage's versions, newest first: when, by whom, because of what.

    Example:
        memgpt archival log p7

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    with workspace.memory() as memory:
        history = _history(memory, passage)
        shown = page_of(history[::-1], limit=limit, page=page)
        causes = Causes(memory.store, [version.provenance for version in shown])
    if terminal.json:
        terminal.print_json([_version_shape(version, causes) for version in shown])
    for version in () if terminal.json else shown:
        when = for_people(version.at, workspace.settings.zone)
        terminal.say(f"{version.version}  {when}  {causes.told(version.provenance)}", style="bold")
        older = history[version.version - 2] if version.version > 1 else None
        for line in _changed(older, version):
            terminal.say(f"   {line}", style=STYLES.get(line[:1]))
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
    """Change a passage's text, tags or source. The state before stays in its history.

    Examples:

        memgpt archival edit p7

        memgpt archival edit p7 "The spare key is with Tom" --tag home
    """
    terminal = terminal_of(ctx)
    if tag is not None and no_tags:
        raise UsageError("--tag sets tags and --no-tags removes them", hint="use only one of them")
    workspace = terminal.workspace
    with workspace.memory() as memory:
        found = ids.passage(memory, passage)
        wanted = replace(
            found,
            tags=() if no_tags else found.tags if tag is None else labels(tag),
            source=found.source if source is None else source or None,
        )
        if text is None and wanted == found:
            wanted = _from_editor(terminal, memory, found)
        else:
            new = found.text if text is None else read_text(text).strip()
            wanted = _revise(terminal, memory, found, replace(wanted, text=new))
    _report(terminal, wanted, "unchanged" if wanted == found else "changed")


def delete(
    ctx: typer.Context,
    passage: Annotated[
        list[str] | None,
        typer.Argument(help="Ids or ranges: p7, p7-p9.", metavar="ID...", autocompletion=ids.passages_like),
    ] = None,
    tag: Tags = None,
    source: Source = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Delete passages by id, or all with a tag or from a source. memgpt undo brings them back.

    To be rid of them for good: memgpt forget.

    Examples:

        memgpt archival delete p7 p9

        memgpt archival delete --source notes.md --dry-run
    """
    terminal = terminal_of(ctx)
    if not passage and tag is None and source is None:
        raise UsageError("no passages selected", hint="memgpt archival delete p7, or --tag, or --source")
    with terminal.workspace.memory() as memory:
        whole = source if not passage and tag is None else None
        chosen = _chosen(terminal, memory, passage or [], tag, source)
        if whole is not None and chosen:
            chosen = _only_theirs(terminal, memory, chosen, whole)
        what = counted(len(chosen), "passage")
        shape: dict[str, Any] = {"passages": [passage_ref(p.id) for p in chosen], "deleted": False}
        if not terminal.json:
            for item in chosen[:20] if dry_run or not yes else ():
                terminal.notice(f"{passage_ref(item.id)}  {one_line(item.text, 100)}")
        if dry_run or not (chosen or whole):
            terminal.print_json(shape) if terminal.json else terminal.say(
                f"would delete {what}" if chosen or whole else "there are none"
            )
            return
        if not terminal.confirm(f"Delete {what}?", yes=yes):
            terminal.notice("nothing was deleted")
            raise typer.Exit(1)
        _delete(terminal, memory, chosen, source=whole)
        terminal.print_json({**shape, "deleted": True}) if terminal.json else terminal.say(
            f"deleted {what}; memgpt undo brings them back"
        )


def restore(
    ctx: typer.Context,
    passage: Annotated[str, typer.Argument(help="Its id, such as p7; deleted ones too.", metavar="ID")],
    version: Annotated[int, typer.Argument(help="The version to go back to; see archival log.")],
) -> None:
    """Make an old version of a passage current, as a new version. Works for deleted ones too.

    Example:
        memgpt archival restore p7 1

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    with workspace.memory() as memory:
        history = _history(memory, passage)
        found = next((v for v in history if v.version == version), None)
        ref = passage_ref(history[0].passage.id)
        if found is None:
            raise NotFoundError(
                f"{ref} has no version {version}; it has {history[0].version} to {history[-1].version}",
                hint=f"memgpt archival log {ref}",
            )
        if not found.passage.text:
            raise NotFoundError(f"version {version} of {ref} was forgotten for good", hint=f"memgpt archival log {ref}")
        if found.deleted:
            raise UsageError(f"version {version} of {ref} is its deletion", hint=f"memgpt archival delete {ref}")
        if found.passage == history[-1].passage and not history[-1].deleted:
            terminal.notice(f"{ref} says that already; nothing was changed")
            if terminal.json:
                terminal.print_json(shapes.passage(found.passage))
            return
        with memory.store.transaction():
            memory.store.passages.restore(
                found.passage.id, version, at=workspace.clock.now(), provenance=_by(f"restore {version}")
            )
    _report(terminal, found.passage, "restored")


def sources(ctx: typer.Context, match: Match = None, limit: Limit = 50, page: Page = 0) -> None:
    """List where passages come from: loaded documents and other sources, with how many passages each has.

    Example:
        memgpt archival sources

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    with workspace.memory() as memory:
        known = matching(memory.store.documents.sources(), match, name=lambda source: source.name)
    found = page_of(known, limit=limit, page=page)
    if terminal.json:
        terminal.print_json(
            [
                {
                    "source": s.name,
                    "passages": s.passages,
                    "title": s.document.title if s.document else None,
                    "kind": s.document.kind if s.document else None,
                    "bytes": s.document.size if s.document else None,
                    "tags": list(s.document.tags) if s.document else [],
                    "state": s.document.state.value if s.document else None,
                    "loaded_at": to_text(s.document.loaded_at) if s.document and s.document.loaded_at else None,
                }
                for s in found
            ]
        )
        tell_of_more(terminal, len(known), limit=limit, page=page)
        return
    zone = workspace.settings.zone
    rows = [
        (
            str(s.passages),
            s.document.kind if s.document else "",
            for_people(s.document.loaded_at, zone) if s.document and s.document.loaded_at else "",
            s.name + ("" if s.document is None or s.document.state.value == "loaded" else "  (not whole)"),
        )
        for s in found
    ]
    if rows:
        table(terminal, ("passages", "kind", "loaded", "source"), rows, wide="source")
    elif not known:
        nothing = "no passage names a source; memgpt archival load FILE loads a document"
        terminal.notice("there are no such sources" if match else nothing)
    tell_of_more(terminal, len(known), limit=limit, page=page)


def _chosen(
    terminal: Terminal, memory: Memory, typed: Sequence[str], tag: list[str] | None, source: str | None
) -> list[Passage]:
    found: dict[int, Passage] = {}
    for text in typed:
        first, last = ids.numbers(text, letter="p")
        if first == last:
            found[first] = ids.passage(memory, text)
        else:
            found |= {p.id: p for p in memory.store.passages.get(range(first, last + 1))}
    if tag is not None or source is not None:
        filters = archival_filters(terminal, memory, tags=tag, source=source)
        if typed:
            return memory.store.passages.get(list(found), filters)
        found |= {p.id: p for p in memory.store.passages.page(filters, limit=memory.store.passages.count(filters))}
    return [found[number] for number in sorted(found)]


def _only_theirs(terminal: Terminal, memory: Memory, passages: Sequence[Passage], source: str) -> list[Passage]:
    """Those that go with a source: what another document has too, or somebody wrote outright, stays."""
    with memory.store.rehearsal():
        _delete(terminal, memory, passages, source=source)
        left = {passage.id for passage in memory.store.passages.get([p.id for p in passages])}
    return [passage for passage in passages if passage.id not in left]


def _delete(terminal: Terminal, memory: Memory, passages: Sequence[Passage], *, source: str | None) -> None:
    """One operation; a whole source goes with what is known of its document, so that it can be loaded anew."""
    now = terminal.workspace.clock.now()
    with memory.store.transaction(), memory.store.journal.operation(_by("delete")):
        if source is None:
            memory.store.passages.delete([p.id for p in passages], at=now, provenance=_by("delete"))
            return
        for name in documents_in(memory, source_named(memory, source)):
            memory.store.documents.delete(name, at=now)


def _from_editor(terminal: Terminal, memory: Memory, passage: Passage) -> Passage:
    from memgpt_cli.cli.terminal.editor import edited

    ref = passage_ref(passage.id)
    with edited(
        terminal,
        memory.draft(ref),
        passage.text,
        otherwise=f"memgpt archival edit {ref} TEXT, @FILE or - for standard input",
        again=lambda path: f"memgpt archival edit {ref} @{path}",
    ) as text:
        return _revise(terminal, memory, passage, replace(passage, text=text.strip()))


def _revise(terminal: Terminal, memory: Memory, before: Passage, wanted: Passage) -> Passage:
    """Write what differs; what somebody else changed meanwhile is refused."""
    ref = passage_ref(before.id)
    if not wanted.text:
        raise UsageError("a passage cannot be empty", hint=f"memgpt archival delete {ref}")
    if wanted == before:
        terminal.notice("nothing was changed")
        return before
    with memory.store.transaction():
        if memory.store.passages.get([before.id]) != [before]:
            raise UsageError(f"{ref} was changed while you edited it", hint=f"memgpt archival show {ref}")
        memory.store.passages.revise(wanted, at=terminal.workspace.clock.now(), provenance=_by("edit"))
    return wanted


def _history(memory: Memory, typed: str) -> list[PassageVersion]:
    history = memory.store.passages.history(ids.number(typed, letter="p"))
    return history or memory.store.passages.history(ids.passage(memory, typed).id)


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


def _version_shape(version: PassageVersion, causes: Causes) -> dict[str, Any]:
    return {
        "version": version.version,
        "at": to_text(version.at),
        "deleted": version.deleted,
        **causes.shape(version.provenance),
        "text": version.passage.text,
        "tags": list(version.passage.tags),
        "source": version.passage.source,
        "location": version.passage.location,
    }


def _report(terminal: Terminal, passage: Passage, what: str) -> None:
    if terminal.json:
        terminal.print_json(shapes.passage(passage))
    elif what != "unchanged":
        terminal.say(f"{what} {passage_ref(passage.id)}; memgpt undo takes it back")


def _by(command: str) -> Provenance:
    return Provenance(author=Author.USER, command=f"archival {command}")
