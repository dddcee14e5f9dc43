"""Kills each operation that replaces something at its fault points, and looks at what the next start makes of it.

    python tests/support/crashes.py FOLDER all
    python tests/support/crashes.py FOLDER 5 --only "agent rename"

The second argument is how many points of each operation are tried, spread over all of them. Prints JSON: for each
operation its points, the kills, and how often the old and the new state was found. Exits with 1 at the first fault.
"""

import contextlib
import hashlib
import importlib
import io
import json
import os
import shutil
import signal
import sqlite3
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.fault_points import FaultPoints

State = dict[str, Any]

CONTENT = ("SELECT role, text FROM messages ORDER BY id", "SELECT label, value FROM blocks ORDER BY label",
           "SELECT text FROM passages WHERE deleted_at IS NULL ORDER BY text")  # fmt: skip


AGAIN_EVERY = 7
"""After one kill in so many that left the old state, the same command is tried again."""


@dataclass(frozen=True)
class Operation:
    """A command, run in the world that `make_world` and `before` make.

    `resumes`: killed and started again it goes on, instead of beginning anew.
    """

    name: str
    arguments: tuple[str, ...]
    before: Callable[[Path], None] = lambda _: None
    resumes: bool = False
    undo_restores: bool = False
    forgets: bytes = b""
    mends: bool = False
    """It removes what is left over, so only its end is looked at."""


def memgpt(*arguments: str) -> tuple[int, str]:
    """Run a command in this process; its exit code and all that it printed."""
    from memgpt_cli.cli.app import run

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = int(run(list(arguments)))
    return code, said.getvalue()


def in_child(work: Callable[[], Any]) -> Any:
    """What `work` returns in a forked process, as JSON; None when it was killed."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.close(reading)
        signal.alarm(120)
        try:
            answer = json.dumps(work()).encode()
        except BaseException as error:  # noqa: BLE001 - told by the parent
            answer = json.dumps({"raised": repr(error)}).encode()
        with open(writing, "wb") as pipe:  # noqa: PTH123
            pipe.write(answer)
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123
        answer = pipe.read()
    os.waitpid(child, 0)
    return json.loads(answer) if answer else None


def run_in_child(*arguments: str) -> None:
    answer = in_child(lambda: memgpt(*arguments))
    assert (answer or [1])[0] == 0, (arguments, answer)


def make_world(world: Path) -> None:
    """Two agents, settings, a history, what spans agents, an agent file, a backup of an earlier time, texts."""
    from memgpt_cli.storage.state import StateDatabase

    run_in_child("send", "Hello from the first agent")
    run_in_child("agent", "create", "tutor", "--block", "goals=Learn Portuguese")
    run_in_child("send", "-a", "tutor", "My sister Marguerite lives in Porto.")
    run_in_child("archival", "add", "-a", "tutor", "Marguerite was born in 1950.")
    run_in_child("config", "set", "loop.max_steps", "7")
    history = world / "home" / "data" / "history"
    history.write_text("\n# 2026-01-01 00:00:00\n+Who is Marguerite?\n\n# 2026-01-01 00:00:01\n+Hello\n", "utf-8")
    in_child(lambda: StateDatabase(world / "home" / "data" / "state.db").observe("m", counted=100, reported=110))
    with closing(sqlite3.connect(world / "home" / "data" / "state.db")) as state:
        state.execute("INSERT OR REPLACE INTO spending VALUES ('2026-01-01', 1.0)")
        state.commit()
    run_in_child("backup", str(world / "earlier.zip"))
    run_in_child("agent", "export", "tutor", str(world / "tutor.memgpt"))
    run_in_child("send", "-a", "tutor", "This was said after the backup.")
    run_in_child("config", "set", "loop.max_steps", "9")
    with closing(sqlite3.connect(world / "home" / "data" / "state.db")) as state, state:
        state.execute("UPDATE spending SET usd = 2.0")
    shutil.copy(world / "earlier.zip", world / "old.zip")
    (world / "old.jsonl").write_text("{}\n")
    (world / "notes").mkdir()
    for number in range(3):
        text = "\n\n".join(f"Note {number} has paragraph {line} of its own. " * 6 for line in range(12))
        (world / "notes" / f"{number}.txt").write_text(text)
    lines = [json.dumps({"role": "user", "content": f"Imported message {n}", "session": "s"}) for n in range(1200)]
    (world / "talk.jsonl").write_text("\n".join(lines))


def make_older(world: Path) -> None:
    """The record of `tutor` as an earlier schema had it."""
    from memgpt_cli.storage.database.schema import VERSION, migrate

    record = world / "home" / "data" / "agents" / "tutor" / "agent.db"
    with closing(sqlite3.connect(record)) as now:
        content = [now.execute(f"SELECT * FROM {table}").fetchall() for table in ("meta", "blocks")]
    record.unlink()
    with closing(sqlite3.connect(record)) as older:
        migrate(older, upto=VERSION - 1)
        for table, rows in zip(("meta", "blocks"), content, strict=True):
            older.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        older.commit()


def lose_everything(world: Path) -> None:
    shutil.rmtree(world / "home")


def leave_earlier_leftovers(world: Path) -> None:
    """What an earlier version left: a restore killed between its renames, and a half deleted agent."""
    agents = world / "home" / "data" / "agents"
    (agents / "tutor").rename(agents / ".gone-99999999-tutor")
    (agents / ".new-99999999-restore").mkdir()
    shutil.copytree(agents / "default", agents / ".gone-99999998-old")
    (world / "home" / "config" / ".config.toml.99999999.new").write_text("[loop]")


OPERATIONS = (
    Operation("agent create", ("agent", "create", "new", "--persona", "A new agent.")),
    Operation("agent clone", ("agent", "clone", "tutor", "copy", "--window", "8192")),
    Operation("agent clone --no-messages", ("agent", "clone", "tutor", "copy", "--no-messages")),
    Operation("agent rename", ("agent", "rename", "tutor", "teacher")),
    Operation("agent delete", ("agent", "delete", "tutor", "--yes")),
    Operation("agent import", ("agent", "import", "{world}/tutor.memgpt", "--as", "other")),
    Operation("agent export", ("agent", "export", "tutor", "{world}/new.memgpt")),
    Operation("agent export --overwrite", ("agent", "export", "tutor", "{world}/tutor.memgpt", "--overwrite")),
    Operation("backup", ("backup", "{world}/new.zip")),
    Operation("backup --overwrite", ("backup", "{world}/old.zip", "--overwrite")),
    Operation("restore", ("restore", "{world}/earlier.zip", "--yes"), before=lose_everything),
    Operation("restore --replace", ("restore", "{world}/earlier.zip", "--replace", "--yes")),
    Operation("config set", ("config", "set", "loop.max_steps", "11")),
    Operation("models add", ("models", "add", "local", "--model", "m", "--base-url", "http://localhost:1/v1")),
    Operation("recall export", ("recall", "export", "-a", "tutor", "{world}/new.jsonl")),
    Operation("recall export --overwrite", ("recall", "export", "-a", "tutor", "{world}/old.jsonl", "--overwrite")),
    Operation("migration", ("memory", "show", "-a", "tutor"), before=make_older),
    Operation("doctor --repair", ("doctor", "--repair"), before=leave_earlier_leftovers,
              resumes=True, mends=True),
    Operation("forget", ("forget", "-a", "tutor", "Marguerite", "--yes"), resumes=True, forgets=b"Marguerite"),
    Operation("archival load", ("archival", "load", "-a", "tutor", "{world}/notes"), resumes=True, undo_restores=True),
    Operation("recall import", ("recall", "import", "-a", "tutor", "{world}/talk.jsonl", "--no-vectors"),
              resumes=True, undo_restores=True),
)  # fmt: skip


def look(world: Path) -> State:
    """The state of the world, without times and ids; raises for what is half."""
    home, state = world / "home", {}
    for folder in (home / "data" / "agents", home / "data", home / "config", world):
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            assert not path.name.startswith("."), f"left over: {path}"
            assert not path.name.endswith(".part"), f"left over: {path}"
            if folder.name == "agents":
                state[f"agent {path.name}"] = look_at_agent(path)
            elif path.is_file() and not path.name.startswith("state.db"):
                state[path.name] = look_at_file(path)
    if (home / "data" / "state.db").exists():
        with closing(sqlite3.connect(home / "data" / "state.db")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            state["state.db"] = db.execute("SELECT day, usd FROM spending").fetchall()
    return json.loads(json.dumps(state))  # type: ignore[no-any-return]


def look_at_agent(folder: Path) -> State:
    from memgpt_cli.storage.database.schema import VERSION

    known = {"agent.db", "agent.db-wal", "agent.db-shm", "lock", "holder.json", "vectors", f"agent.db.before-{VERSION}"}
    assert {path.name for path in folder.iterdir()} <= known, sorted(folder.iterdir())
    with closing(sqlite3.connect(folder / "agent.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        config = json.loads(db.execute("SELECT value FROM meta WHERE key = 'config'").fetchone()[0])
        assert config["name"] == folder.name, f"{folder.name} calls itself {config['name']}"
        version = db.execute("PRAGMA user_version").fetchone()[0]
        content = [db.execute(sql).fetchall() for sql in CONTENT]
    if (before := folder / f"agent.db.before-{VERSION}").exists():
        with closing(sqlite3.connect(before)) as db:
            assert db.execute("PRAGMA user_version").fetchone()[0] == VERSION - 1, (
                "the copy of the old record is migrated"
            )
    return {"window": config["window"], "version": version, "content": content}


def look_at_file(path: Path) -> Any:
    if path.suffix == ".jsonl":  # an export has a random origin in its ids
        return [json.loads(line).get("content") for line in path.read_text(encoding="utf-8").splitlines()]
    if not zipfile.is_zipfile(path):
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None
        names = [name for name in package.namelist() if name != "manifest.json"]
        return {n: len(package.read(n)) if n.endswith(".db") else digest(package.read(n)) for n in names}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Trial:
    """One operation, killed at chosen points, each time in a fresh copy of its world."""

    def __init__(self, operation: Operation, template: Path, world: Path) -> None:
        self.operation = operation
        self._template = template
        self._world = world
        self._arguments = [argument.format(world=world) for argument in operation.arguments]
        self.found = {"kills": 0, "old": 0, "new": 0, "between": 0}

    def run(self, wanted: int | None) -> dict[str, Any]:
        self._renew()
        import_once(in_child(lambda: [memgpt(*self._arguments), sorted(sys.modules)])[1])
        self._renew()
        self.old = {} if self.operation.mends else look(self._world)
        names = in_child(lambda: self._operate(0))
        assert isinstance(names, list), names
        self.new = look(self._world)
        points = range(1, len(names) + 1)
        stride = 1 if wanted is None else max(1, len(points) // wanted)
        for point in points[stride // 2 :: stride]:
            self._try(point, names[point - 1])
        return {"operation": self.operation.name, "points": len(points), **self.found}

    def _try(self, point: int, name: str) -> None:
        self._renew()
        at = f"{self.operation.name}, killed at point {point} ({name})"
        ended = in_child(lambda: self._operate(point))
        assert ended is None, f"{at}: it was not killed: {ended}"
        self.found["kills"] += 1
        answer = in_child(lambda: memgpt("agent", "list"))
        assert answer[0] == 0, f"{at}: the next start fails: {answer}"
        try:
            state = {} if self.operation.mends else look(self._world)
        except (AssertionError, sqlite3.Error, OSError, ValueError) as error:
            raise AssertionError(f"{at}: {error}") from error
        is_either = state in (self.old, self.new)
        self.found["new" if state == self.new else "old" if state == self.old else "between"] += 1
        assert is_either or self.operation.resumes, f"{at}: neither old nor new: {difference(self.old, state)}"
        if self.operation.resumes or (state != self.new and self.found["kills"] % AGAIN_EVERY == 1):
            self._again(at)
        if self.operation.undo_restores:
            self._undo(at)

    def _again(self, at: str) -> None:
        answer = in_child(lambda: memgpt(*self._arguments))
        assert answer[0] == 0, f"{at}: the same command fails afterwards: {answer}"
        state = look(self._world)
        if self.operation.resumes:  # the model is told of what the second run did
            state, expected = without_notices(state), without_notices(self.new)
        else:
            expected = self.new
        assert state == expected, f"{at}: the same command ends elsewhere: {difference(expected, state)}"
        self._look_for_what_is_gone(at)

    def _look_for_what_is_gone(self, at: str) -> None:
        gone = self.operation.forgets
        for path in (self._world / "home").rglob("*") if gone else ():
            assert not path.is_file() or gone.lower() not in path.read_bytes().lower(), f"{at}: {path} holds {gone!r}"

    def _undo(self, at: str) -> None:
        answer = in_child(lambda: memgpt("undo", "-a", "tutor"))
        assert answer[0] == 0, f"{at}: undo fails: {answer}"
        left = look(self._world)
        assert without_notices(left) == without_notices(self.old), f"{at}: one undo leaves something"

    def _renew(self) -> None:
        shutil.rmtree(self._world, ignore_errors=True)
        shutil.copytree(self._template, self._world)
        self.operation.before(self._world)

    def _operate(self, last: int) -> list[str]:
        points = FaultPoints(last)
        points.install()
        code, said = memgpt(*self._arguments)
        assert code == 0, said
        return points.names


def import_once(modules: list[str]) -> None:
    """Import in this process what a child imported, except what starts threads."""
    for module in modules:
        if module.partition(".")[0] in {"memgpt_cli", "filelock", "sqlite_utils", "tomlkit", "rich", "zipfile"}:
            with contextlib.suppress(ImportError):
                importlib.import_module(module)


def without_notices(state: State) -> State:
    """Without messages of the program: what was undone is told."""
    kept = dict(state)
    for name, agent in state.items():
        if name.startswith("agent "):
            messages, *rest = agent["content"]
            kept[name] = {**agent, "content": [[row for row in messages if row[0] not in {"system", "event"}], *rest]}
    return kept


def difference(old: State, state: State) -> str:
    names = sorted(name for name in {*old, *state} if old.get(name) != state.get(name))
    return "; ".join(f"{name}: {old.get(name)} -> {state.get(name)}"[:2000] for name in names)


def main() -> int:
    folder, wanted = Path(sys.argv[1]).resolve(), sys.argv[2]
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else None
    world = folder / "world"
    os.environ.update(MEMGPT_HOME=str(world / "home"), MEMGPT_MODEL="offline", NO_COLOR="1")
    world.mkdir(parents=True)
    memgpt("--help")  # so that what every command imports is imported once
    make_world(world)
    world.rename(folder / "template")
    for operation in OPERATIONS:
        if only is None or operation.name in only.split(","):
            trial = Trial(operation, folder / "template", world)
            print(json.dumps(trial.run(None if wanted == "all" else int(wanted))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
