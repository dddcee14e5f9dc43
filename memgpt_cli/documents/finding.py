"""Find files: folders walked like version control does, patterns, standard input. No file is read here.

In a folder, hidden and empty files, files that a .gitignore names, and a few folders of other programs are skipped
silently; a file named explicitly is always included. Links inside a folder are not followed, so a walk ends and stays
inside the folder.
"""

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.documents import FoundFile, SkippedFile

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_NOT_ENTERED: Final = frozenset({"node_modules", "__pycache__", "__MACOSX"})
_LARGEST_GITIGNORE: Final = 1_000_000

_Rules = tuple[tuple[str, "GitIgnoreSpec"], ...]
"""From the outermost folder inwards: the folder with a trailing separator, and the rules in its .gitignore."""


def find(paths: Sequence[str]) -> Iterator[FoundFile | SkippedFile]:
    """Yield the files that `paths` match, each once; a named file that does not exist is yielded as skipped."""
    seen: set[str] = set()
    for name in paths:
        for found in _one(name):
            if found.source not in seen:
                seen.add(found.source)
                yield found


def source_name(path: str | Path) -> str:
    """Return a file's source name: its absolute path without links, the home folder written as `~`.

    A file has the same source from any working directory, and the name of the user's account is not shown to models.
    """
    real = os.path.realpath(path)
    home = os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is none
    if Path(home).parent != Path(home) and real.startswith(home + os.sep):
        real = "~/" + real[len(home) + 1 :].replace(os.sep, "/")
    return os.fsencode(real).decode("utf-8", "replace")


def _one(name: str) -> Iterator[FoundFile | SkippedFile]:
    if name == "-":
        yield FoundFile(source="stdin", path=None)
        return
    named = os.path.expanduser(name)  # noqa: PTH111 - keeps a trailing separator, and `~unknown` as it is
    if os.path.lexists(named):
        yield from _path(named)
        return
    matches = sorted(glob.iglob(named, recursive=True)) if glob.has_magic(named) else []  # noqa: PTH207 - takes a whole pattern
    if not matches:
        yield SkippedFile(source=name, reason="no such file or folder")
    for match in matches:
        if "**" not in named or not Path(match).is_dir():
            yield from _path(match)


def _path(name: str) -> Iterator[FoundFile | SkippedFile]:
    path = Path(os.path.realpath(name))
    try:
        if path.is_dir():
            yield from _walk(str(path))
        elif path.is_file():
            yield FoundFile(source=source_name(path), path=path, size=path.stat().st_size)
        else:
            yield SkippedFile(
                source=source_name(name), reason="a broken link" if Path(name).is_symlink() else "not a regular file"
            )
    except OSError as error:
        yield SkippedFile(source=source_name(name), reason=error.strerror or str(error))


def _walk(root: str) -> Iterator[FoundFile | SkippedFile]:
    """Yield the files below a folder, sorted by name, folder by folder; iterative, because folders can nest deeply."""
    waiting: list[tuple[str, _Rules]] = [(root, _rules_above(root))]
    while waiting:
        folder, rules = waiting.pop()
        try:
            rules = _with_own_rules(folder, rules)
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield SkippedFile(source=source_name(folder), reason=error.strerror or str(error))
            continue
        folders: list[tuple[str, _Rules]] = []
        for entry in listed:
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name.startswith(".") or _ignored(entry.path, rules, is_folder=is_folder):
                continue
            if is_folder:
                if entry.name not in _NOT_ENTERED:
                    folders.append((entry.path, rules))
            elif (found := _entry(entry, root)) is not None:
                yield found
        waiting.extend(reversed(folders))


def _entry(entry: os.DirEntry[str], root: str) -> FoundFile | SkippedFile | None:
    """Return a file in a folder; None for an empty one, and for a link to a file in the same walk."""
    if entry.is_symlink():
        inside = (os.path.realpath(entry.path) + os.sep).startswith(root.rstrip(os.sep) + os.sep)
        return (
            None if inside else SkippedFile(source=_own_name(entry.path), reason="a link that leads out of the folder")
        )
    if not entry.is_file(follow_symlinks=False):
        return SkippedFile(source=source_name(entry.path), reason="not a regular file")
    size = entry.stat(follow_symlinks=False).st_size
    return FoundFile(source=source_name(entry.path), path=Path(entry.path), size=size) if size else None


def _own_name(link: str) -> str:
    """Return the source name of a link itself, not of its target."""
    return f"{source_name(os.path.dirname(link))}/{os.path.basename(link)}"  # noqa: PTH119, PTH120 - plain text


def _rules_above(folder: str) -> _Rules:
    """Return the rules of the enclosing folders, if the folder is in a git repository."""
    around = [Path(folder), *Path(folder).parents]
    repository = next((number for number, path in enumerate(around) if (path / ".git").exists()), None)
    if repository is None:
        return ()
    rules = _with_own_rules(str(around[repository]), (), name=".git/info/exclude")
    for path in reversed(around[1 : repository + 1]):
        rules = _with_own_rules(str(path), rules)
    return rules


def _with_own_rules(folder: str, rules: _Rules, *, name: str = ".gitignore") -> _Rules:
    path = Path(folder, name)
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_GITIGNORE:
            return rules
        lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError:
        return rules
    from pathspec import GitIgnoreSpec

    try:
        spec = GitIgnoreSpec.from_lines(lines)
    except ValueError:  # git ignores an invalid line
        spec = GitIgnoreSpec.from_lines(line for line in lines if _is_valid(line))
    return (*rules, (folder.rstrip(os.sep) + os.sep, spec))


def _is_valid(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _ignored(path: str, rules: _Rules, *, is_folder: bool) -> bool:
    """Return whether the innermost matching rule ignores this path."""
    for folder, spec in reversed(rules):
        relative = path[len(folder) :].replace(os.sep, "/") + ("/" if is_folder else "")
        decision = spec.check_file(relative).include
        if decision is not None:
            return decision
    return False
