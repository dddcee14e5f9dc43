"""`memgpt doctor`: whether everything is in order here."""

import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass

import typer

from memgpt_cli import __version__
from memgpt_cli.bootstrap import Workspace
from memgpt_cli.cli.console import out, print_json
from memgpt_cli.cli.options import current
from memgpt_cli.errors import MemGPTError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    what: str
    ok: bool
    says: str
    hint: str = ""


def doctor() -> None:
    """Check settings, key, model, embedder, disk and databases. The exit code is 0 when all is well, else 1."""
    workspace = current.workspace()
    findings = [
        _check(what, look, workspace)
        for what, look in (
            ("program", _program),
            ("directories", _directories),
            ("model", _model),
            ("tokens", _tokens),
            ("embedder", _embedder),
            ("agents", _agents),
        )
    ]
    if current.json:
        print_json([{"check": f.what, "ok": f.ok, "says": f.says, "hint": f.hint} for f in findings])
    else:
        for finding in findings:
            out().print(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what:<12} {finding.says}")
            if finding.hint:
                out().print(f"      hint: {finding.hint}", style="dim")
    if not all(f.ok for f in findings):
        raise typer.Exit(1)


def _check(what: str, look: Callable[[Workspace], str], workspace: Workspace) -> _Finding:
    try:
        return _Finding(what=what, ok=True, says=look(workspace))
    except MemGPTError as error:
        return _Finding(what=what, ok=False, says=error.message, hint=error.hint)
    except (OSError, sqlite3.Error) as error:
        return _Finding(what=what, ok=False, says=str(error))


def _program(_: Workspace) -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    return f"memgpt {__version__}, Python {python}, SQLite {sqlite3.sqlite_version}"


def _directories(workspace: Workspace) -> str:
    import shutil

    data = workspace.configuration.paths.data
    existing = next(folder for folder in (data, *data.parents) if folder.exists())
    return f"{data}, {shutil.disk_usage(existing).free / 1e9:.1f} GB free"


def _model(workspace: Workspace) -> str:
    choice = workspace.choice_for_nobody()
    where = f" at {choice.base_url}" if choice.base_url else ""
    return f"{choice.name}{where}, window {choice.window} tokens ({choice.source.value})"


def _tokens(workspace: Workspace) -> str:
    counter = workspace.counter(workspace.choice_for_nobody().name)
    return (
        f"{counter.name}, {'exact' if counter.exact else 'estimated'}: 'hello world' is {counter.count('hello world')}"
    )


def _embedder(workspace: Workspace) -> str:
    identity = workspace.embedder.identity
    workspace.embedder.embed(["hello world"])
    return str(identity)


def _agents(workspace: Workspace) -> str:
    names = workspace.agents.names()
    for name in names:
        store = workspace.agents.open(name)
        try:
            store.check()
        finally:
            store.close()
    return f"{len(names)} agents, each record is whole" if names else "none yet; memgpt chat makes one"
