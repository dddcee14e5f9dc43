"""The options that every command takes, before or after its name, and the command classes that add them."""

from dataclasses import dataclass
from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption

from memgpt_cli.bootstrap import Flags, Workspace


@dataclass(slots=True)
class Globals:
    """What was typed of the common options; the last word wins."""

    agent: str | None = None
    model: str | None = None
    base_url: str | None = None
    window: int | None = None
    json: bool = False
    debug: bool = False

    def workspace(self) -> Workspace:
        """The workspace that these options ask for."""
        flags = Flags(agent=self.agent, model=self.model, base_url=self.base_url, window=self.window)
        return Workspace(flags)


current = Globals()
"""The options of this process: one command runs in it. `main` sets it anew."""


def reset() -> None:
    """Forget what was typed before."""
    for name, value in (("agent", None), ("model", None), ("base_url", None), ("window", None)):
        setattr(current, name, value)
    current.json = current.debug = False


def _keep(_context: Any, parameter: Any, value: Any) -> Any:
    if value is not None and value is not False:
        setattr(current, parameter.name, value)
    return value


def _agents(incomplete: str) -> list[str]:
    return [name for name in current.workspace().agents.names() if name.startswith(incomplete)]


def _common() -> list[TyperOption]:
    def option(declarations: list[str], kind: type, text: str, **more: Any) -> TyperOption:
        return TyperOption(
            param_decls=declarations,
            type_descriptor=kind,
            help=text,
            callback=_keep,
            expose_value=False,
            rich_help_panel="Common options",
            **more,
        )

    return [
        option(["--agent", "-a"], str, "The agent to work with.", metavar="NAME", autocompletion=_agents),
        option(["--model"], str, "The model that answers: a name, offline, or scripted:FILE.", metavar="NAME"),
        option(["--base-url"], str, "Any OpenAI-compatible endpoint.", metavar="URL"),
        option(["--window"], int, "The context window, in tokens.", metavar="TOKENS"),
        option(["--json"], bool, "Print one JSON document on stdout.", is_flag=True, default=False),
        option(["--debug"], bool, "Show tracebacks and logs.", is_flag=True, default=False),
    ]


class Command(TyperCommand):
    """A command that takes the common options too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = {name for parameter in self.params for name in parameter.opts}
        self.params += [option for option in _common() if not own & set(option.opts)]


class Group(TyperGroup):
    """A group that takes the common options too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += _common()
