"""The options of every command, before or after its name, and the command classes that add them."""

import re
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from memgpt_cli.cli.terminal.context import terminal_of
from memgpt_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_FLAGS: Final = {"agent", "model", "base_url", "window", "json", "debug"}
_TYPE_WORDS: Final = {"int": "INTEGER", "float": "NUMBER"}
_FILES = re.compile("(?<!@)(?:PATH|FILE|PICTURE)")
_NAMES_FILE = re.compile("(?:[^=]*=)?@")
_EXAMPLES = re.compile(r"^Examples?:[ \t]*$", re.MULTILINE)


def _keep(ctx: typer.Context, parameter: typer.CallbackParam, value: Any) -> Any:
    if value is not None and value is not False:
        terminal_of(ctx).set_flag(str(parameter.name), value)
    return value


def agents_like(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the agents with this prefix, for completion."""
    return [name for name in terminal_of(ctx).workspace.agents.names() if name.startswith(incomplete)]


def _option(*names: str, text: str, **more: Any) -> Any:
    panel = "Common options"
    return typer.Option(*names, help=text, callback=_keep, expose_value=False, rich_help_panel=panel, **more)


def _declared(
    agent: Annotated[
        str | None, _option("--agent", "-a", text="The agent to work with.", metavar="NAME", autocompletion=agents_like)
    ] = None,
    model: Annotated[
        str | None, _option("--model", text="The model: a name, offline, or scripted:FILE.", metavar="NAME")
    ] = None,
    base_url: Annotated[
        str | None, _option("--base-url", text="Any OpenAI-compatible endpoint.", metavar="URL")
    ] = None,
    window: Annotated[int | None, _option("--window", text="The context window, in tokens.", metavar="TOKENS")] = None,
    json: Annotated[bool, _option("--json", text="Print one JSON document on stdout.")] = False,
    debug: Annotated[bool, _option("--debug", text="Show tracebacks and logs.")] = False,
) -> None:
    """A command with only the common options."""


@cache
def _common() -> tuple[Any, ...]:
    """Return the common options as typer parameters; they hold no state, so every command can share them."""
    app = typer.Typer(add_completion=False)
    app.command()(_declared)
    return tuple(option for option in get_command(app).params if option.name in _FLAGS)


def _spared(parameter: Any) -> Any:
    """Return the parameter with a fast path for missing values and plain text.

    typer passes every value to pydantic, whose import takes longer than most of our commands. It also shows a flag as
    if it had a value.
    """
    if "process_value" in vars(parameter):
        return parameter
    parameter.display_type_rich = _type_shown(parameter)
    parameter._get_number_range_help_str = _no_range  # noqa: SLF001 - most ranges only keep numbers positive
    usual = parameter.process_value
    kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    several = getattr(parameter, "multiple", False) or parameter.nargs == -1

    is_file = getattr(parameter.type_descriptor, "is_path", False) or bool(_FILES.search(parameter.metavar or ""))

    def process_value(context: Any, value: Any) -> Any:
        if not is_file:
            _refuse_broken(value, takes_file="@FILE" in (parameter.metavar or ""))
        plain = value is None or (not several and (value is parameter.default or (kind is str and type(value) is str)))
        if not plain or parameter.required or parameter.nargs > 1:
            return usual(context, value)
        value = () if value is None and several else value
        return value if parameter.callback is None else parameter.callback(context, parameter, value)

    parameter.process_value = process_value
    return parameter


def _refuse_broken(value: Any, *, takes_file: bool) -> None:
    """Raise UsageError for a text with bytes that are not UTF-8: Python passes them as lone surrogates."""
    for text in value if isinstance(value, list | tuple) else (value,):
        if not isinstance(text, str) or text.isascii() or (takes_file and _NAMES_FILE.match(text)):
            continue
        if text.encode("utf-8", "ignore").decode() != text:
            shown = text.encode("utf-8", "replace").decode()
            raise UsageError(
                f"an argument is not valid UTF-8: {shown!r}",
                hint="memgpt archival load FILE reads other encodings",
            )


def _type_shown(parameter: Any) -> "Callable[..., str | None]":
    """The type of a parameter's value in its help, as a word; None for a flag."""
    described = parameter.type_descriptor
    if getattr(parameter, "is_flag", False):
        word = None
    elif parameter.metavar is not None:
        word = parameter.metavar
    elif described.is_choice:
        word = "|".join(str(getattr(choice, "value", choice)) for choice in described.choices or ())
    elif described.is_path:
        word = "FILE"
    else:
        word = _TYPE_WORDS.get(getattr(described.annotation, "__name__", ""), "TEXT")

    def display(**_: Any) -> str | None:
        return word

    return display


def _no_range() -> None:
    """No range is shown."""


class _WithExamples:
    """Adds the common options. The text under `Example:` in the help is shown last, line by line."""

    params: list[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        text, _, examples = _EXAMPLES.sub("\0", kwargs.pop("help", None) or "", count=1).partition("\0")
        super().__init__(*args, help=text.strip(), **kwargs)  # type: ignore[call-arg]
        self.examples = [line.strip() for line in examples.splitlines() if line.strip()]
        own = {name for parameter in self.params for name in parameter.opts}
        self.params += [option for option in _common() if not own & set(option.opts)]

    def get_params(self, ctx: Any) -> Any:
        """Return all parameters."""
        return [_spared(parameter) for parameter in super().get_params(ctx)]  # type: ignore[misc]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print typer's help, then the examples."""
        super().format_help(ctx, formatter)  # type: ignore[misc]
        if self.examples:
            formatter.write("".join(f" {line}\n" for line in ("Examples:", *(f"  {e}" for e in self.examples), "")))


class Command(_WithExamples, TyperCommand):
    """A command."""


class Group(_WithExamples, TyperGroup):
    """A group of commands."""
