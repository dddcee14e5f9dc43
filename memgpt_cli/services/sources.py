"""Sources of passages as people type them: complete, as a relative path, by the end of their name, or as a folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.errors import NotFoundError, UsageError
from memgpt_cli.services.wording import counted

if TYPE_CHECKING:
    from memgpt_cli.bootstrap import Memory

_TOLD: Final = 5


def source_named(memory: Memory, typed: str) -> str:
    """Return the selected source, or a folder of sources, which ends with `/`.

    Raises NotFoundError if there is no such source, UsageError if several sources have this ending.
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
    """Return the source itself, or the sources below a folder."""
    if not source.endswith("/"):
        return [source]
    return [found.name for found in memory.store.documents.sources() if found.name.startswith(source)]


def names_like(memory: Memory, beginning: str) -> list[str]:
    """Return sources whose name, or its last part, has this beginning."""
    names = [source.name for source in memory.store.documents.sources()]
    return [n for n in names if n.startswith(beginning)] or [
        n for n in names if n.rpartition("/")[2].startswith(beginning)
    ]


def _full(name: str) -> str:
    """Return a source's path with the home folder written out."""
    return os.path.realpath(os.path.expanduser("~")) + name[1:] if name.startswith("~/") else name  # noqa: PTH111
