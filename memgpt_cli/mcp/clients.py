"""Known client programs of the server: where each keeps its list of servers, and how to add an entry.

The paths come from each program's documentation in November 2026. Other entries and comments are kept. The file is
replaced atomically, and its former content is kept beside it.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SERVER: Final = "memgpt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client program. `paths` gives its possible files, from the home folder; the first existing one is used.

    `keys` lead to the table of servers in that file; `extra` is added to the entry besides the command.
    """

    name: str
    title: str
    paths: Callable[[Path], Sequence[Path]]
    keys: tuple[str, ...] = ("mcpServers",)
    extra: tuple[tuple[str, str], ...] = ()


def _desktop(home: Path) -> list[Path]:
    """Return Claude Desktop's paths. On Windows it is an app package since February 2026 and reads its own folder."""
    name = "claude_desktop_config.json"
    if sys.platform == "darwin":
        return [home / "Library" / "Application Support" / "Claude" / name]
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "Packages"
        packaged = [folder / "LocalCache" / "Roaming" / "Claude" / name for folder in sorted(local.glob("Claude_*"))]
        return [*packaged, Path(os.environ.get("APPDATA", home / "AppData" / "Roaming")) / "Claude" / name]
    return [home / ".config" / "Claude" / name]


def _zed(home: Path) -> list[Path]:
    if sys.platform == "win32":
        return [Path(os.environ.get("APPDATA", home / "AppData" / "Roaming")) / "Zed" / "settings.json"]
    return [home / ".config" / "zed" / "settings.json"]


CLIENTS: Final = (
    Client(name="claude-desktop", title="Claude Desktop", paths=_desktop),
    Client(name="claude-code", title="Claude Code", paths=lambda home: [home / ".claude.json"]),
    Client(
        name="codex",
        title="Codex",
        paths=lambda home: [home / ".codex" / "config.toml"],
        keys=("mcp_servers",),
    ),
    Client(name="cursor", title="Cursor", paths=lambda home: [home / ".cursor" / "mcp.json"]),
    Client(
        name="vscode",
        title="VS Code (in this folder)",
        paths=lambda _: [Path.cwd() / ".vscode" / "mcp.json"],
        keys=("servers",),
        extra=(("type", "stdio"),),
    ),
    Client(
        name="windsurf",
        title="Windsurf",
        paths=lambda home: [home / ".codeium" / "windsurf" / "mcp_config.json"],
    ),
    Client(name="zed", title="Zed", paths=_zed, keys=("context_servers",)),
    Client(name="lm-studio", title="LM Studio", paths=lambda home: [home / ".lmstudio" / "mcp.json"]),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A change of a client's file: its path, its current content, and its content with the entry."""

    path: Path
    before: str
    after: str

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after

    def write(self) -> Path | None:
        """Replace the file; its former content is kept under the returned name, if there was any."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = self.path.with_name(self.path.name + ".before-memgpt") if self.before else None
        if kept is not None:
            kept.write_text(self.before, encoding="utf-8")
            kept.chmod(0o600)
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        mode = self.path.stat().st_mode & 0o777 if self.path.exists() else 0o600
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
            file.write(self.after)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)
        return kept


def client(name: str) -> Client:
    """Return the client with this name. Raises UsageError."""
    for known in CLIENTS:
        if known.name == name:
            return known
    raise UsageError(f"unknown client {name!r}", hint=f"one of {', '.join(known.name for known in CLIENTS)}")


def entry(command: Path, arguments: Sequence[str], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the server's entry. The command is absolute, because graphical programs have no PATH."""
    return {"command": str(command), "args": ["mcp", *arguments], "env": dict(environ)}


def installation(of: Client, server: Mapping[str, Any], *, home: Path) -> Installation:
    """Return the change that adds the entry. Raises ConfigError if the client's file cannot be changed safely."""
    places = of.paths(home)
    path = next((place for place in places if place.exists()), places[0])
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    change = _in_toml if path.suffix == ".toml" else _in_json
    return Installation(path=path, before=before, after=change(path, before, of.keys, {**dict(of.extra), **server}))


def _in_json(path: Path, before: str, keys: Sequence[str], server: Mapping[str, Any]) -> str:
    try:
        document = json.loads(before) if before.strip() else {}
        table = document
        for key in keys:
            table = table.setdefault(key, {})
        if table.get(SERVER) == server:
            return before
        table[SERVER] = dict(server)
    except (ValueError, AttributeError, TypeError) as error:
        snippet = json.dumps({SERVER: server}, ensure_ascii=False)
        raise ConfigError(
            f"{path} is not plain JSON (it may hold comments), and rewriting it could lose something",
            hint=f"add this under {'.'.join(keys)!r} by hand: {snippet}",
        ) from error
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _in_toml(path: Path, before: str, keys: Sequence[str], server: Mapping[str, Any]) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(before)
        table: Any = document
        for key in keys:
            if key not in table:
                table[key] = tomlkit.table(is_super_table=True)
            table = table[key]
        if table.get(SERVER) == server:
            return before
        table[SERVER] = dict(server)
        return tomlkit.dumps(document)
    except (TOMLKitError, AttributeError, TypeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", hint="correct the file, then run it again") from error
