"""What `memgpt batch` is given: its input opened and looked through, and its faults told. Not here: running it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from io import BufferedReader

    from memgpt_cli.batch.conversations import Fault
    from memgpt_cli.batch.reading import BatchInput
    from memgpt_cli.bootstrap import Workspace

_SHOWN_FAULTS = 50


@contextmanager
def opened(file: str, workspace: "Workspace", *, as_text: bool, allow_outside: bool) -> Iterator["BatchInput"]:
    """The input, looked through. Raises UsageError when it cannot be read."""
    from memgpt_cli.batch.reading import InputFile, read_input

    spare = workspace.paths.data / "batch"
    try:
        if file == "-":
            stdin = cast("BufferedReader", sys.stdin.buffer)
            source, name, folder = InputFile.of_stream(stdin, spare=spare), "stdin", Path()
        else:
            source, name, folder = InputFile.of_file(Path(file), spare=spare), file, Path(file).parent
        kind: Any = "text" if as_text else "auto"
        zone = workspace.settings.zone
        read = read_input(source, name=name, folder=folder, zone=zone, kind=kind, allow_outside=allow_outside)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}", hint="memgpt batch --help") from error
    with read:
        yield read


def faults_of(
    read: "BatchInput", workspace: "Workspace", kept: dict[int, str], *, is_new_run: bool = True
) -> "list[Fault]":
    """Everything that is wrong with the input, line by line. `kept` are the names of agents to be kept."""
    from memgpt_cli.batch.plan import faults_of_agents

    found = faults_of_agents(read, kept, exists=workspace.agents.exists, is_new_run=is_new_run)
    return sorted((*read.faults, *found), key=lambda fault: fault.line)


def show_check(terminal: Terminal, read: "BatchInput", faults: "list[Fault]") -> int:
    """What `--check` prints; the exit code."""
    if terminal.json:
        terminal.print_json(
            {
                "ok": not faults,
                "conversations": len(read.entries),
                "messages": read.messages,
                "asks": read.asks,
                "sha256": read.sha256,
                "faults": [{"line": f.line, "field": f.field, "message": f.message} for f in faults],
            }
        )
    elif faults:
        for fault in faults:
            terminal.say(f"{read.name}: {fault}")
    else:
        counted = f"{len(read.entries)} conversations, {read.messages} messages, {read.asks} questions"
        terminal.say(f"{read.name}: {counted}; no faults")
    return ExitCode.USAGE if faults else ExitCode.OK


def refuse(read: "BatchInput", faults: "list[Fault]") -> None:
    """Raise UsageError if there are faults."""
    if not faults:
        return
    lines = [f"{read.name}: {fault}" for fault in faults[:_SHOWN_FAULTS]]
    if len(faults) > _SHOWN_FAULTS:
        lines.append(f"and {len(faults) - _SHOWN_FAULTS} more")
    raise UsageError("\n".join(lines), hint=f"mend the input; memgpt batch --check {read.name} looks again")


def check_output(path: Path | None, file: str) -> None:
    """Refuse an output that would destroy the input, or that cannot be, before anything runs."""
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint=f"name a file in it: -o {path / 'results.jsonl'}")
    if not path.resolve().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} to write into", hint=f"mkdir -p {path.parent}")
    if file != "-" and path.exists() and Path(file).exists() and path.samefile(file):
        raise UsageError(f"{path} is the input itself", hint="write to another file: -o results.jsonl")
