"""A zip archive with a manifest that lists each file with its size and its hash.

Packages are written atomically. On reading, names, sizes, hashes and the list of files are checked before anything is
used.
"""

import hashlib
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from memgpt_cli.errors import DocumentError

MANIFEST: Final = "manifest.json"
_BLOCK: Final = 1 << 20
_LARGEST_MANIFEST: Final = 16_000_000
_LONGEST_LINE: Final = 64_000_000
_ALWAYS_FINE: Final = 100_000_000
"""Bytes to which any package may unpack; ours are not compressed."""
_MOST_TIMES: Final = 100
"""Larger packages may unpack to this many times their size. Well-compressed text shrinks to a twentieth."""
_SAFE: Final = re.compile(r"[^/\\:\x00-\x1f]+(?:/[^/\\:\x00-\x1f]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file in a package; `size` in bytes."""

    name: str
    size: int
    sha256: str


class PackageWriter:
    """A package being written."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.members: list[Member] = []

    @contextmanager
    def open(self, name: str) -> Iterator[Callable[[bytes], None]]:
        """Add a file; yields a function that writes its bytes."""
        digest = hashlib.sha256()
        size = 0
        with self._archive.open(
            zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), "w", force_zip64=True
        ) as target:

            def write(data: bytes) -> None:
                nonlocal size
                digest.update(data)
                size += len(data)
                target.write(data)

            yield write
        self.members.append(Member(name=name, size=size, sha256=digest.hexdigest()))

    def add_file(self, name: str, path: Path) -> None:
        """Add a copy of a file on disk."""
        with self.open(name) as write, path.open("rb") as source:
            while block := source.read(_BLOCK):
                write(block)

    def finish(self, about: Mapping[str, Any]) -> None:
        """Write the manifest, which lists every file so far."""
        files = [{"path": m.name, "bytes": m.size, "sha256": m.sha256} for m in self.members]
        text = json.dumps({**about, "files": files}, ensure_ascii=False, indent=2)
        self._archive.writestr(_entry(MANIFEST), text)


@contextmanager
def new_package(path: Path) -> Iterator[PackageWriter]:
    """Write a package that only its owner can read to a name that is not taken. Raises OSError."""
    with (
        os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
        zipfile.ZipFile(file, "w") as archive,
    ):
        yield PackageWriter(archive)


class Package:
    """A package opened for reading. Its manifest is checked at once, its files when they are read."""

    def __init__(self, archive: zipfile.ZipFile, path: Path, about: Mapping[str, Any]) -> None:
        self._archive = archive
        self._path = path
        self.about = about
        self.members = {member.name: member for member in _members(about, path)}
        given = {info.filename: info for info in archive.infolist() if info.filename != MANIFEST}
        if len(given) + 1 != len(archive.infolist()) or given.keys() != self.members.keys():
            raise _damaged(path, "it does not hold exactly the files that its manifest names")
        for member in self.members.values():
            if given[member.name].file_size != member.size:
                raise _damaged(path, f"{member.name} has another size than the manifest says")
        unpacked = sum(member.size for member in self.members.values())
        if unpacked > max(_ALWAYS_FINE, _MOST_TIMES * path.stat().st_size):
            raise _damaged(path, f"it would unpack to {unpacked:,} bytes, far more than such files do")

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file. Raises DocumentError at the end if they differ from the manifest."""
        member = self.members.get(name)
        if member is None:
            raise _damaged(self._path, f"it holds no {name}")
        digest = hashlib.sha256()
        left = member.size
        with _readable(self._path), self._archive.open(name) as source:
            while block := source.read(min(_BLOCK, left + 1)):
                left -= len(block)
                if left < 0:  # it unpacks to more than it states
                    raise _damaged(self._path, f"{name} is longer than the manifest says")
                digest.update(block)
                yield block
        if left or digest.hexdigest() != member.sha256:
            raise _damaged(self._path, f"{name} is not what the manifest says: its hash differs")

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a file."""
        rest = b""
        for block in self.read(name):
            *whole, rest = (rest + block).split(b"\n")
            yield from whole
            if len(rest) > _LONGEST_LINE:
                raise _damaged(self._path, f"{name} has a line of more than {_LONGEST_LINE:,} bytes")
        if rest:
            yield rest

    def check(self) -> None:
        """Read every file completely. Raises DocumentError."""
        for name in self.members:
            for _ in self.read(name):
                pass

    def unpack(self, name: str, target: Path) -> None:
        """Write a file to where the caller says; nothing in a package decides about a path on disk."""
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for block in self.read(name):
                file.write(block)


@contextmanager
def open_package(path: Path, *, kind: str, version: int) -> Iterator[Package]:
    """Open a package of this kind and of this or an earlier version. Raises DocumentError for anything else."""
    try:
        file: IO[bytes] = path.open("rb")
    except OSError as error:
        raise DocumentError(f"{path} cannot be read: {error.strerror}", hint="name an existing file") from error
    with file, _readable(path), zipfile.ZipFile(file) as archive:
        about = _manifest(archive, path)
        if about.get("format") != kind:
            raise DocumentError(f"{path} is no {kind} file", hint=_other_command(about.get("format")))
        written = about.get("version")
        if not isinstance(written, int) or not 1 <= written <= version:
            raise DocumentError(
                f"{path} has version {written!r} of its format, this memgpt knows up to {version}",
                hint="pip install --upgrade memgpt-cli",
            )
        yield Package(archive, path, about)


def _entry(name: str) -> zipfile.ZipInfo:
    """Return an entry without a time: the same content gives the same file."""
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    try:
        info = archive.getinfo(MANIFEST)
        if info.file_size > _LARGEST_MANIFEST:
            raise _damaged(path, "its manifest is too large")
        about = json.loads(archive.read(info))
    except (KeyError, ValueError, RecursionError) as error:
        raise _damaged(path, "it has no readable manifest") from error
    if not isinstance(about, dict):
        raise _damaged(path, "its manifest is not a JSON object")
    return about


def _members(about: Mapping[str, Any], path: Path) -> Iterable[Member]:
    try:
        members = [
            Member(name=str(f["path"]), size=int(f["bytes"]), sha256=str(f["sha256"])) for f in about.get("files", ())
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, "its manifest is not readable") from error
    for member in members:
        parts = member.name.split("/")
        if not _SAFE.fullmatch(member.name) or {".", "..", ""} & set(parts) or member.size < 0:
            raise _damaged(path, f"{member.name!r} is not an allowed file name")
    return members


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise _damaged(path, str(error) or type(error).__name__) from error


def _damaged(path: Path, why: str) -> DocumentError:
    return DocumentError(f"{path} is damaged or not a file of memgpt: {why}", hint="nothing was imported from it")


def _other_command(kind: object) -> str:
    return {
        "memgpt-agent": "memgpt agent import takes it",
        "memgpt-backup": "memgpt restore takes it",
    }.get(str(kind), "memgpt agent export and memgpt backup make such files")
