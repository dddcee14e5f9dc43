"""The input and output of `memgpt batch`: what a check prints, and what is refused before anything runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from memgpt_cli.services.batch_runs import BatchInput, Fault

_SHOWN_FAULTS: Final = 50


def show_check(terminal: Terminal, read: "BatchInput", faults: "list[Fault]") -> int:
    """Print the result of `--check`; returns the exit code."""
    from memgpt_cli.services.batch_runs import check_shape

    def text() -> None:
        for fault in faults:
            terminal.say(f"{read.name}: {fault}")
        if not faults:
            counted = f"{len(read.entries)} conversations, {read.messages} messages, {read.asks} questions"
            terminal.say(f"{read.name}: {counted}; no faults")

    terminal.show(lambda: check_shape(read, faults), text)
    return ExitCode.USAGE if faults else ExitCode.OK


def refuse(read: "BatchInput", faults: "list[Fault]") -> None:
    """Raise UsageError if there are faults."""
    if not faults:
        return
    lines = [f"{read.name}: {fault}" for fault in faults[:_SHOWN_FAULTS]]
    if len(faults) > _SHOWN_FAULTS:
        lines.append(f"and {len(faults) - _SHOWN_FAULTS} more")
    raise UsageError("\n".join(lines), hint=f"correct the input; memgpt batch --check {read.name} looks again")


def check_output(path: Path | None, file: str) -> None:
    """Refuse an output that would overwrite the input or cannot be written, before anything runs."""
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint=f"name a file in it: -o {path / 'results.jsonl'}")
    if not path.resolve().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} to write into", hint=f"mkdir -p {path.parent}")
    if file != "-" and path.exists() and Path(file).exists() and path.samefile(file):
        raise UsageError(f"{path} is the input itself", hint="write to another file: -o results.jsonl")
