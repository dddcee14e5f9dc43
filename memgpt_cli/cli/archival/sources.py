"""Sources of passages as people name them: in full, as a path from here, by the end of their name, or a folder of them.

Not here: what a source holds, and loading.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import typer

from memgpt_cli.cli.terminal.context import terminal_of
from memgpt_cli.cli.terminal.texts import counted
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from memgpt_cli.bootstrap import Memory

_TOLD: Final = 5


def source_named(memory: Memory, typed: str) -> str:
    """The source that is meant, or a folder of sources, which ends with `/`.

    Raises NotFoundError when nothing comes from there, UsageError when several sources end so.
    """
    if memory.store.passages.count(ArchivalFilters(source=typed)):
        return typed
    names = [source.name for source in memory.store.documents.sources()]
    path = os.path.realpath(os.path.expanduser(typed))  # noqa: PTH111 - leaves `~unknown` as it is
    for name in names:
        full = _full(name)
        if full == path:
            return name
        if full.startswith(path.rstrip("/") + "/"):
            return name[: len(name) - len(full) + len(path.rstrip("/"))] + "/"
    called = [name for name in names if name.endswith("/" + typed.removeprefix("./"))]
    if len(called) > 1:
        told = ", ".join(called[:_TOLD]) + (", ..." if len(called) > _TOLD else "")
        raise UsageError(f"{counted(len(called), 'source')} end in {typed}", hint=f"name one of them: {told}")
    if not called:
        raise NotFoundError(f"no passage comes from {typed}", hint="memgpt archival sources")
    return called[0]


def documents_in(memory: Memory, source: str) -> list[str]:
    """The source itself; of a folder those below it."""
    if not source.endswith("/"):
        return [source]
    return [found.name for found in memory.store.documents.sources() if found.name.startswith(source)]


def sources_like(ctx: typer.Context, incomplete: str) -> list[str]:
    """Sources whose name, or its last part, begins so, for completion."""
    terminal = terminal_of(ctx)
    with terminal.workspace.memory() as memory:
        names = [source.name for source in memory.store.documents.sources()]
    return [n for n in names if n.startswith(incomplete)] or [
        n for n in names if n.rpartition("/")[2].startswith(incomplete)
    ]


def _full(name: str) -> str:
    """A source's path with the home folder written out."""
    return os.path.realpath(os.path.expanduser("~")) + name[1:] if name.startswith("~/") else name  # noqa: PTH111
