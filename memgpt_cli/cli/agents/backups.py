"""`memgpt backup` and `memgpt restore`: all agents and settings in one verified file."""

from pathlib import Path
from typing import Annotated

import typer

from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import DryRun, Only, Overwrite, Yes
from memgpt_cli.domain.archives import Restored
from memgpt_cli.domain.times import for_people, from_text
from memgpt_cli.errors import ExitCode
from memgpt_cli.services.wording import counted

_LEFT_OUT = "not included: API keys, trusted projects, and vector indexes, which are rebuilt"


def backup(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="The file to write; default: memgpt-DATE.zip here.", metavar="FILE")
    ] = None,
    only: Only = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a backup of all agents and settings, even while they talk, then read it back and check it.

    Examples:

        memgpt backup

        memgpt backup /media/usb/memgpt.zip --only tutor
    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    now = workspace.clock.now()
    target = file or Path(f"memgpt-{now.astimezone(workspace.settings.zone):%Y-%m-%d}.zip")
    done = workspace.backups.back_up(target, at=now, names=only or (), overwrite=overwrite)
    if terminal.json:
        shape = {"file": done.path, "bytes": done.bytes, "agents": list(done.agents), "files": list(done.files)}
        terminal.print_json({**shape, "damaged": dict(done.damaged)})
    else:
        size = f"{done.bytes / 1e6:.1f} MB"
        terminal.say(f"wrote {counted(len(done.agents), 'agent')} to {done.path} ({size}), read back and checked")
        terminal.notice(_LEFT_OUT)
        terminal.notice(
            f"the file holds everything that was said; memgpt restore {done.path} restores it on any machine"
        )
    for name, fault in done.damaged.items():
        terminal.notice(f"left out: agent {name}, {fault}; run memgpt doctor")
    if done.damaged:
        raise typer.Exit(ExitCode.STORAGE)


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file written by memgpt backup.", metavar="FILE")],
    only: Only = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace existing agents and settings.")] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Restore a backup. It is checked before anything changes. Existing agents and settings stay, unless --replace.

    With --replace it asks before anything that exists is replaced.

    Examples:

        memgpt restore memgpt-2024-03-31.zip --dry-run

        memgpt restore memgpt-2024-03-31.zip --only tutor --replace
    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace

    def run(*, dry_run: bool) -> Restored:
        now = workspace.clock.now()
        return workspace.backups.restore(file, at=now, names=only or (), replace=replace, dry_run=dry_run)

    if replace and not dry_run and (gone := run(dry_run=True).replaced):
        what = (
            f"This puts the backup in the place of {', '.join(gone)}; what was said since it was made is lost. Go on?"
        )
        if not terminal.confirm(what, yes=yes):
            terminal.notice("nothing was restored")
            raise typer.Exit(1)
    done = run(dry_run=dry_run)
    if terminal.json:
        terminal.print_json(
            {
                "restored": not dry_run,
                "agents": list(done.agents),
                "replaced": list(done.replaced),
                "files": list(done.files),
                "kept": list(done.kept),
                "made_at": done.made_at,
            }
        )
        return
    verb = "would restore" if dry_run else "restored"
    terminal.say(
        f"{verb} {counted(len(done.agents), 'agent')}{_as_of(terminal, done)}: {', '.join(done.agents) or '-'}"
    )
    if done.replaced:
        terminal.say(f"{'would replace' if dry_run else 'replaced'}: {', '.join(done.replaced)}")
        if not replace:
            terminal.notice("without --replace nothing is restored, because these agents exist already")
    if done.files:
        terminal.say(f"{verb} {', '.join(done.files)}")
    if done.kept:
        terminal.notice(f"already exist and were kept: {', '.join(done.kept)}")
    terminal.notice(_LEFT_OUT)


def _as_of(terminal: Terminal, done: Restored) -> str:
    """Return ` as of 2024-03-31 14:02`; empty if the backup does not state it."""
    try:
        return f" as of {for_people(from_text(done.made_at), terminal.workspace.settings.zone)}"
    except ValueError:
        return ""
