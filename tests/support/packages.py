"""Agent files and backups with changed content."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

Change = Callable[[dict[str, bytes]], None]


def rewritten(source: Path, target: Path, change: Change, *, honest: bool = True) -> None:
    """A package with changed files; an honest one has a manifest that fits."""
    with zipfile.ZipFile(source) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    if honest:
        manifest = json.loads(files["manifest.json"])
        manifest["files"] = [
            {"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
            if name != "manifest.json"
        ]
        files["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
