"""`python -m memgpt_cli.cli.reference > docs/cli.md`: the help of every command as one page.

A test compares docs/cli.md with this output.
"""

import sys
from collections.abc import Iterator
from typing import Any

from memgpt_cli.cli.lazy_commands import LazyCommand

INTRODUCTION = """\
# The command line

Made from the commands by `python -m memgpt_cli.cli.reference > docs/cli.md`. `memgpt COMMAND --help` shows the same,
`memgpt --install-completion` teaches your shell the commands, agents and blocks.

Data goes to standard output; notices, questions and progress go to standard error. With `--json` a command prints one
JSON document ([schemas](schemas/)), and an error is `{"error": {"code", "message", "hint"}}` on standard error.
"""

EXIT_CODES = (
    ("0", "success, also a search without hits"),
    ("1", "failure: a budget or the limit on steps was reached, a check failed, or some files could not be loaded"),
    ("2", "invalid usage: an unknown option, an invalid setting, a text over its limit, a window that is too small"),
    ("3", "not found: no such agent, block, message or passage"),
    ("4", "an API key is missing or was refused"),
    ("5", "storage: the agent is in use, or the record cannot be read or written"),
    ("6", "the model or the network failed"),
    ("130", "interrupted with Ctrl-C"),
)


def reference() -> str:
    """Return the page as Markdown."""
    from typer.main import get_command

    from memgpt_cli.cli.app import app
    from memgpt_cli.cli.chat.table import COMMANDS, KEYS

    root: Any = get_command(app)
    lines = [INTRODUCTION, "## Options of every command", "", "Before or after the command's name.", ""]
    lines += _options([p for p in root.params if _is_common(p)])
    lines += ["## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES]
    lines.append("")
    for command in root.commands.values():
        lines += _command(command.load() if isinstance(command, LazyCommand) else command, "memgpt")
    lines += [
        "## In the chat",
        "",
        "Any unambiguous prefix works.",
        "",
        "| command | |",
        "|---|---|",
    ]
    lines += [f"| `/{c.name}{f' {c.argument}' if c.argument else ''}` | {c.text} |" for c in COMMANDS.values()]
    lines += ["", "| key | |", "|---|---|", *(f"| {key} | {text} |" for key, text in KEYS), ""]
    return "\n".join(lines)


def _command(command: Any, parent: str) -> Iterator[str]:
    path = f"{parent} {command.name}"
    nested = getattr(command, "commands", None)
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    own = [p for p in command.params if p.param_type_name == "option" and not _is_common(p)]
    usage = " ".join([path, *(_shape(p) for p in arguments)])
    yield from (f"{'##' if parent == 'memgpt' else '###'} {path}", "", _prose(command.help), "")
    if not nested or command.invoke_without_command:
        yield from ("```sh", f"{usage}{' [OPTIONS]' if own else ''}", "```", "")
    if described := [p for p in arguments if p.help]:
        yield from ("| argument | |", "|---|---|", *(f"| `{_shape(p)}` | {_cell(p.help)} |" for p in described), "")
    if own:
        yield from _options(own)
    if examples := getattr(command, "examples", None):
        yield from ("```sh", *examples, "```", "")
    for inner in (nested or {}).values():
        yield from _command(inner, path)


def _options(options: list[Any]) -> list[str]:
    rows = [f"| {_spelling(option)} | {_cell(option.help)}{_default(option)} |" for option in options]
    return ["| option | |", "|---|---|", *rows, ""]


def _spelling(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    if option.is_flag or option.count:
        return names
    value = option.metavar or option.name.upper()
    return f"{names} `{value}`"


def _default(option: Any) -> str:
    if option.required:
        return " Required."
    plain = isinstance(option.default, int | float | str) and not isinstance(option.default, bool)
    return f" Default: {option.default}." if plain and option.default != "" else ""


def _shape(argument: Any) -> str:
    name = str(argument.metavar or argument.name.upper())
    several = "..." if argument.nargs == -1 and not name.endswith("...") and " " not in name else ""
    return f"{name}{several}" if argument.required else f"[{name}{several}]"


def _prose(text: str | None) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n"))


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _is_common(option: Any) -> bool:
    return getattr(option, "rich_help_panel", None) == "Common options"


if __name__ == "__main__":
    sys.stdout.write(reference())
