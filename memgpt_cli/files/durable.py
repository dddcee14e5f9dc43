"""Writes that wait for the disk: fsync of files, folders and trees; removal of files and folders."""

import os
import shutil
from pathlib import Path

from memgpt_cli.errors import StorageError


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk. Windows has no such call. Raises OSError."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(path: Path) -> None:
    """Wait until a file, or a folder with everything in it, is on disk. Raises OSError."""
    if not path.is_dir():
        with path.open("r+b") as file:
            os.fsync(file.fileno())
        return
    for entry in path.iterdir():
        sync_tree(entry)
    sync_folder(path)


def remove(path: Path) -> None:
    """Remove a file, or a folder with everything in it, if it exists. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink(missing_ok=True)


def rename_new(source: Path, target: Path) -> None:
    """Rename a file or folder to a name that is not taken. Raises FileExistsError, OSError."""
    if target.exists():
        raise FileExistsError(f"{target} exists already")
    source.rename(target)
    sync_folder(target.parent)


def unwritable(path: Path, error: OSError) -> StorageError:
    """The error for a file that cannot be written."""
    return StorageError(f"{path} cannot be written: {error.strerror or error}", hint="check the disk and the folder")
