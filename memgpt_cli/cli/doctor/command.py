"""`memgpt doctor`: check the installation. Each check reports a finding and, if possible, a fix.

These checks need no network; `doctor.online` has the others.
"""

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from memgpt_cli import __version__
from memgpt_cli.cli.doctor.finding import Check, Finding
from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.errors import MemGPTError
from memgpt_cli.services.health import DATABASE_ERRORS, SQLITE_VERSION, check_record
from memgpt_cli.services.learned import in_words, learned_of

if TYPE_CHECKING:
    from memgpt_cli.services.workspaces import Workspace

LITTLE_SPACE_GB: Final = 0.5
"""Free disk space in GB below which a warning is shown."""


def doctor(
    ctx: typer.Context,
    online: Annotated[
        bool,
        typer.Option("--online", help="Also call the model's endpoint, and look for servers on this machine."),
    ] = False,
    memory: Annotated[
        bool, typer.Option("--memory", help="Check the agent's memory only: contradictions, duplicates, stale lines.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Remove or mend what interrupted commands left behind.")
    ] = False,
) -> None:
    """Check settings, keys, model, embedder, disk, databases and indexes.

    The exit code is 0 if all checks pass, else 1.

    With --online the model is asked to call a function, in one or two short calls.

    Examples:
        memgpt doctor

        memgpt doctor --memory

        memgpt doctor --online

        memgpt doctor --online --base-url http://localhost:11434/v1 --model llama3.2
    """
    terminal = terminal_of(ctx)
    findings: list[Finding] = []
    for finding in _findings(terminal, online=online, repair=repair, memory=memory):
        if not finding.ok and any(f.says == finding.says for f in findings):
            continue  # one cause fails several checks
        findings.append(finding)
        if not terminal.json:
            _tell(terminal, finding)
    if terminal.json:
        terminal.print_json([{"check": f.what, "ok": f.ok, "says": f.says, "hint": f.hint} for f in findings])
    if not all(f.ok for f in findings):
        raise typer.Exit(1)


def _findings(terminal: Terminal, *, online: bool, repair: bool, memory: bool) -> Iterator[Finding]:
    workspace = terminal.workspace
    if memory:
        from memgpt_cli.cli.doctor.memory import check_memory

        yield from _guarded("memory", check_memory, workspace)
        return
    checks: dict[str, Check] = {
        "program": _program,
        "directories": _directories,
        "settings": _settings,
        "keys": _keys,
        "model": _model,
        "tokens": _tokens,
        "embedder": _embedder,
        "agents": _agents,
        "leftovers": _repaired if repair else _leftovers,
    }
    if online:
        from memgpt_cli.cli.doctor import online as doctor_online

        checks |= doctor_online.CHECKS
    for what, check in checks.items():
        yield from _guarded(what, check, workspace)


def _guarded(what: str, check: Check, workspace: "Workspace") -> Iterator[Finding]:
    try:
        yield from check(workspace)
    except MemGPTError as error:
        yield Finding(what=what, ok=False, says=error.message, hint=error.hint)
    except DATABASE_ERRORS as error:
        yield Finding(what=what, ok=False, says=str(error))


def _tell(terminal: Terminal, finding: Finding) -> None:
    console = terminal.out
    mark, style = ("ok  ", "green") if finding.ok else ("FAIL", "bold red")
    console.print(mark, style=style, end="")
    console.print(plain(f"  {finding.what:<12} {finding.says}"), soft_wrap=True)
    if finding.hint:
        console.print(plain(f"      hint: {finding.hint}"), style="dim", soft_wrap=True)


def _program(_: "Workspace") -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    says = f"memgpt {__version__}, Python {python}, SQLite {SQLITE_VERSION}"
    yield Finding(what="program", ok=True, says=says)


def _directories(workspace: "Workspace") -> Iterator[Finding]:
    import shutil

    for name, folder in (("data", workspace.paths.data), ("config", workspace.paths.config)):
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        if not os.access(existing, os.W_OK):
            says = f"{existing} cannot be written"
            yield Finding(what=name, ok=False, says=says, hint="change its permissions, or set MEMGPT_HOME")
            continue
        free = shutil.disk_usage(existing).free / 1e9
        hint = "free disk space: memory grows with each conversation" if free < LITTLE_SPACE_GB else ""
        yield Finding(what=name, ok=not hint, says=f"{folder}, {free:.1f} GB free", hint=hint)


def _settings(workspace: "Workspace") -> Iterator[Finding]:
    notes = workspace.configuration.notes
    file = workspace.paths.user_file
    yield Finding(what="settings", ok=True, says=f"{file}" if file.exists() else "the defaults; memgpt config edit")
    for note in notes:
        yield Finding(what="settings", ok=True, says=note)


def _keys(workspace: "Workspace") -> Iterator[Finding]:
    entries = workspace.keys.entries()
    says = ", ".join(f"{entry.provider} {entry.masked}" for entry in entries) or "none"
    yield Finding(what="keys", ok=True, says=says, hint="" if entries else "memgpt keys set openai")


def _model(workspace: "Workspace") -> Iterator[Finding]:
    choice = workspace.sessions.choice_in_use()
    where = f" at {choice.base_url}" if choice.base_url else ""
    origin = choice.window_from or choice.window_source.value
    says = f"{choice.name}{where} ({choice.source.value}), window {choice.window:,} tokens ({origin})"
    workspace.models.check_key(choice)
    yield Finding(what="model", ok=True, says=says)
    if learned := in_words(learned_of(workspace, choice.endpoint, choice.name)):
        hint = f"to forget it: memgpt models learned --forget {choice.name}"
        yield Finding(what="learned", ok=True, says="; ".join(learned), hint=hint)


def _tokens(workspace: "Workspace") -> Iterator[Finding]:
    counter = workspace.models.counter(workspace.sessions.choice_in_use().name)
    exactness = "exact" if counter.exact else "estimated"
    yield Finding(
        what="tokens", ok=True, says=f"{counter.name}, {exactness}: 'hello world' is {counter.count('hello world')}"
    )


def _embedder(workspace: "Workspace") -> Iterator[Finding]:
    provider, model = workspace.embedders.name()
    if provider != "openai":
        workspace.embedders.configured.embed(["hello world"])
        yield Finding(what="embedder", ok=True, says=str(workspace.embedders.configured.identity))
    else:
        says = f"{model} at {workspace.settings.embedder.base_url or 'OpenAI'}"
        yield Finding(what="embedder", ok=True, says=says, hint="memgpt doctor --online tries it")


def _leftovers(workspace: "Workspace") -> Iterator[Finding]:
    """What crashes left that no start finishes by itself."""
    what, hint = "leftovers", "memgpt doctor --repair removes or mends it"
    found = workspace.leftovers.find()
    for leftover in found:
        yield Finding(what=what, ok=False, says=f"{leftover.path}: {leftover.what}", hint=hint)
    for purpose in workspace.leftovers.unfinished():
        yield Finding(what=what, ok=True, says=f"{purpose} is being carried out by another process, or waits")
    for name in workspace.agents.without_record():
        says = f"the folder of agent {name} is there, its record is not"
        yield Finding(what=what, ok=False, says=says, hint=f"memgpt agent delete {name} removes it")
    if not found:
        yield Finding(what=what, ok=True, says="none of interrupted commands")


def _repaired(workspace: "Workspace") -> Iterator[Finding]:
    for leftover in workspace.leftovers.repair():
        done = "removed" if leftover.restores is None else "brought back"
        yield Finding(what="leftovers", ok=True, says=f"{done}: {leftover.path}: {leftover.what}")
    yield from _leftovers(workspace)


def _agents(workspace: "Workspace") -> Iterator[Finding]:
    names = workspace.agents.names()
    if not names:
        yield Finding(what="agents", ok=True, says="none yet; memgpt chat makes one")
    for name in names:
        yield from _guarded(f"agent {name}", lambda w, name=name: _agent(w, name), workspace)  # type: ignore[misc]


def _agent(workspace: "Workspace", name: str) -> Iterator[Finding]:
    what, found = f"agent {name}", check_record(workspace, name)
    held = f"{found.messages:,} messages, {found.passages:,} passages, {found.vectors:,} vectors"
    make = f"{found.waiting:,} wait for their vector; memgpt archival reindex -a {name} makes them"
    yield Finding(what=what, ok=True, says=f"the record is intact: {held}", hint=make if found.waiting else "")
    for folder in found.replicas:
        says = f"{folder} holds a replica of the record that memgpt forget cannot reach"
        yield Finding(what=what, ok=True, says=says, hint="delete its copies before you forget")
    if found.has_index:
        yield _chroma(workspace, name)


def _chroma(workspace: "Workspace", name: str) -> Finding:
    """Open Chroma like its next user would, which checks it with searches and rebuilds it if it is damaged."""
    from memgpt_cli.errors import AgentBusyError

    what = f"index {name}"
    try:
        rebuilt = workspace.try_index(name)
    except AgentBusyError as error:
        return Finding(what=what, ok=True, says=f"not checked: {error.message}")
    says = "it was damaged, and has been rebuilt from the record" if rebuilt else "Chroma finds what it was given"
    return Finding(what=what, ok=True, says=says)
