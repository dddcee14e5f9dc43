"""`memgpt`, dying by SIGKILL at a given moment: counted in what it does to the disk, not in seconds.

    python tests/support/mortal.py MOMENT COUNT-FILE batch FILE ...

A moment is an SQL statement, a file under the home or beside the output that is opened, moved or removed, and the time
before, within and after each write to the journal of a run. At moment MOMENT the process kills itself. `end` is the
last one, before the journal is removed; `complete` that before the row that says that a run with failures is complete;
0 is none, and then COUNT-FILE tells how many there were.
"""

import os
import signal
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree", "shutil.copytree"}


class Life:
    """Counts moments, in all threads."""

    def __init__(self, last: str, roots: tuple[str, ...]) -> None:
        self.last = last
        self.roots = roots
        self.moments = 0
        self.over = False
        self._counting = threading.Lock()

    def moment(self, *_: object) -> None:
        if self.over:
            return
        with self._counting:
            self.moments += 1
            if str(self.moments) == self.last:
                die()

    @property
    def is_nearly_over(self) -> bool:
        return str(self.moments + 1) == self.last

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS and self._is_ours(arguments[0]):
            self.moment()
            if event == "os.remove" and str(arguments[0]).endswith("journal.jsonl"):
                if self.last == "end":
                    die()
                self.over = True

    def _is_ours(self, path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self.roots)


def hear_statements(life: Life) -> None:
    connect = sqlite3.connect

    def connected(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(life.moment)
        return connection

    sqlite3.connect = connected  # type: ignore[assignment]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def tear_journal_writes(life: Life) -> None:
    from memgpt_cli.batch.journal import RunJournal

    whole: Any = RunJournal._write

    def write(journal: Any, value: Any, **options: Any) -> Any:
        if life.last == "complete" and "complete" in value:
            die()
        life.moment()
        if life.is_nearly_over:
            with (journal.folder / "journal.jsonl").open("ab") as file:
                file.write(b'{"end":{"index":0,"id":"torn')
        life.moment()
        written = whole(journal, value, **options)
        life.moment()
        return written

    RunJournal._write = write  # type: ignore[method-assign]


def main() -> None:
    last, count_file = sys.argv[1:3]
    sys.argv = ["memgpt", *sys.argv[3:]]
    beside = [str(Path(b).parent) for a, b in zip(sys.argv, sys.argv[1:], strict=False) if a == "-o"]
    life = Life(last, (os.environ["MEMGPT_HOME"], *beside))

    from memgpt_cli.cli.app import run

    hear_statements(life)
    tear_journal_writes(life)
    sys.addaudithook(life.heard)
    code = run()
    if last == "0":
        life.over = True
        Path(count_file).write_text(str(life.moments), encoding="ascii")
    os._exit(code)


if __name__ == "__main__":
    main()
