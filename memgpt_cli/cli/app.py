"""The `memgpt` command: its subcommands, and the place where an error becomes a message and an exit code."""

import gc
import logging
import os
import re
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from memgpt_cli import __version__
from memgpt_cli.cli.lazy_commands import LazyCommand, LazyGroup
from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.errors import ExitCode, MemGPTError, StorageError

_CLI = "memgpt_cli.cli."


class _Memgpt(LazyGroup):
    lazy_commands = (
        LazyCommand("chat", "Talk with an agent that remembers.", _CLI + "chat:chat"),
        LazyCommand("send", "Send one message and print the answer.", _CLI + "chat.send:send"),
        LazyCommand(
            "batch",
            "Run scripted conversations; started again, it continues where it stopped.",
            _CLI + "batch.command:batch",
        ),
        LazyCommand(
            "context", "Show the context window. Nothing is written and nothing is sent.", _CLI + "context:context"
        ),
        LazyCommand("agent", "Create, show, copy and delete agents.", _CLI + "agents.commands:app"),
        LazyCommand("memory", "Core memory: what the model always sees.", _CLI + "memory.commands:app"),
        LazyCommand("logs", "Show the last messages whole, oldest first, as a log.", _CLI + "recall.commands:logs"),
        LazyCommand("help", "Show the help of a command.", _CLI + "help:show_help"),
        LazyCommand("recall", "Recall storage: all messages.", _CLI + "recall.commands:app"),
        LazyCommand("archival", "Archival storage: notes, facts and documents.", _CLI + "archival.commands:app"),
        LazyCommand(
            "facts", "Facts: what is known, when it was true, and where it comes from.", _CLI + "facts.commands:app"
        ),
        LazyCommand(
            "entities",
            "Entities: the people, places and things that facts are about.",
            _CLI + "facts.entities:app",
        ),
        LazyCommand(
            "graph",
            "Show what facts connect: present facts, or those of another time, as a tree, a diagram or a drawing.",
            _CLI + "facts.graph:graph",
        ),
        LazyCommand(
            "search",
            "Search everything an agent remembers, best matches first, with the place of each hit.",
            _CLI + "search:search",
        ),
        LazyCommand(
            "undo",
            "Undo the last change to memory by any author. Repeat to undo earlier changes.",
            _CLI + "memory.undo:undo",
        ),
        LazyCommand("redo", "Redo the last undone change, unless memory has changed since.", _CLI + "memory.undo:redo"),
        LazyCommand("review", "Writes of the model to core memory that wait for you.", _CLI + "review:app"),
        LazyCommand("trust", "Show where something in memory comes from.", _CLI + "trust:app"),
        LazyCommand(
            "forget",
            "Permanently delete something from every message, passage, version, summary, index and file.",
            _CLI + "forget:forget",
        ),
        LazyCommand(
            "backup",
            "Write a backup of all agents and settings, even while they talk, then read it back and check it.",
            _CLI + "agents.backups:backup",
        ),
        LazyCommand(
            "restore",
            "Restore a backup. It is checked before anything changes. Existing agents and settings stay, unless"
            " --replace.",
            _CLI + "agents.backups:restore",
        ),
        LazyCommand("eval", "Measure search on your own data.", _CLI + "evaluate:app"),
        LazyCommand(
            "doctor",
            "Check settings, keys, model, embedder, disk, databases and indexes.",
            _CLI + "doctor.command:doctor",
        ),
        LazyCommand(
            "models",
            "List the known models with their context length and prices, or manage profiles: named models with their"
            " settings.",
            _CLI + "settings.models:app",
        ),
        LazyCommand(
            "serve", "Serve agents to any chat client as models of an OpenAI-compatible endpoint.", _CLI + "serve:serve"
        ),
        LazyCommand("mcp", "Give other programs this memory (MCP).", _CLI + "mcp:app"),
        LazyCommand("config", "Show and change settings.", _CLI + "settings.config:app"),
        LazyCommand("keys", "Store, list and delete API keys.", _CLI + "settings.keys:app"),
    )


app = typer.Typer(
    cls=_Memgpt,
    name="memgpt",
    help="Talk to a language model whose memory outlives its context window.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"memgpt {__version__}\n")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Talk to a language model whose memory outlives its context window."""


_PASSWORD: Final = re.compile(r"(?<=[a-zA-Z])://[^\s/@'\"]*@")
"""The user and the password in an address."""

_OPEN_FILES: Final = 64
"""A turn with Chroma, SQLite and a connection needs up to so many file descriptors."""


def _allow_open_files() -> None:
    """Raise the limit on open files where it is very low. Raises StorageError if it cannot be raised."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= _OPEN_FILES:
        return
    try:
        wanted = 4 * _OPEN_FILES
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted if 0 <= hard < wanted else hard))
    except (ValueError, OSError) as error:
        raise StorageError(
            f"only {soft} files may be open at once; memgpt needs {_OPEN_FILES}", hint=f"ulimit -n {4 * _OPEN_FILES}"
        ) from error


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its exit code."""
    code = run(arguments, owns_process=True)
    gc.freeze()  # at exit the system frees the memory; collecting it first would take longer than many commands
    sys.exit(code)


def run(arguments: Sequence[str] | None = None, *, owns_process: bool = False) -> int:
    """Run the command line; returns the exit code. `owns_process`: the process ends with this command."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    _take_any_text()
    terminal = Terminal(owns_process=owns_process, arguments=arguments)
    terminal.json = "--json" in arguments  # read before the arguments are parsed, for errors in them
    try:
        if owns_process:
            _allow_open_files()
        code = app(arguments, standalone_mode=False, prog_name="memgpt", obj=terminal)
        sys.stdout.flush()
    except MemGPTError as error:
        return _report(terminal, error.code, error.message, error.hint, error.exit_code)
    except typer.exceptions.TyperException as error:
        return _usage(terminal, error)
    except (typer.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except (BrokenPipeError, SystemExit) as error:
        return _reader_gone(error)
    except Exception as error:  # noqa: BLE001 - the CLI boundary
        return _unforeseen(terminal, error)
    return code if isinstance(code, int) else ExitCode.OK


def _unforeseen(terminal: Terminal, error: Exception) -> int:
    """Unexpected errors: a full disk, no permission, a damaged file, or a bug."""
    if isinstance(error, OSError):
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
        return _report(terminal, "io", what, "check the disk and the permissions", ExitCode.STORAGE)
    from memgpt_cli.services.failures import is_of_the_record

    if is_of_the_record(error):
        hint = "memgpt doctor tells which record is damaged; memgpt restore brings back a backup"
        return _report(terminal, "storage", f"a record cannot be read or written: {error}", hint, ExitCode.STORAGE)
    hint = "this is a bug in memgpt; run the command again with --debug and report what it prints"
    return _report(terminal, "bug", f"{type(error).__name__}: {error}", hint, ExitCode.FAILURE)


def _reader_gone(error: BaseException) -> int:
    """Exit silently; Python must not flush at exit. typer raises SystemExit for a broken pipe."""
    if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
        raise error
    sys.stdout = sys.__stdout__ or sys.stdout
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.OK


def _take_any_text() -> None:
    """Replace characters that the terminal does not support; closed standard streams become empty ones.

    The files stay open as long as the process runs.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - see above
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _usage(terminal: Terminal, error: "typer.exceptions.TyperException") -> int:
    text = error.format_message()
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(text + "\n")
        return ExitCode.USAGE
    hint = f"{context.command_path} --help" if context is not None else "memgpt --help"
    return _report(terminal, "usage", text, hint, ExitCode.USAGE)


def _report(terminal: Terminal, code: str, message: str, hint: str, exit_code: int) -> int:
    from memgpt_cli.cli.terminal.console import json_text, plain
    from memgpt_cli.services.secrets import masked

    message = _PASSWORD.sub("://…@", message)
    if terminal.debug and sys.exc_info()[0] is not None:
        traceback.print_exc()
    if terminal.json:
        document = {"error": {"code": code, "message": message, "hint": hint}}
        sys.stderr.write(json_text(document) + "\n")
    else:
        sys.stderr.write(plain(masked(f"error: {message}\n" + (f"\nhint: {hint}\n" if hint else ""))))
    return exit_code


logging.getLogger("memgpt_cli").addHandler(logging.NullHandler())
