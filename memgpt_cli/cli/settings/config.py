"""`memgpt config`: show and change settings."""

from typing import Annotated, Any

import typer

from memgpt_cli.cli.options import Command
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import Yes
from memgpt_cli.cli.terminal.tables import table

app = typer.Typer(no_args_is_help=True, help="Show and change settings.")


def _keys(ctx: typer.Context, incomplete: str) -> list[str]:
    return [key for key in terminal_of(ctx).workspace.configuration.values if key.startswith(incomplete)]


Key = Annotated[str, typer.Argument(metavar="KEY", help="A setting such as window.tokens.", autocompletion=_keys)]


@app.command("list", cls=Command)
def list_settings(ctx: typer.Context) -> None:
    """List every setting with its value and its source.

    Example:
        memgpt config list
    """
    terminal = terminal_of(ctx)
    configuration = _read(terminal)
    settings = [configuration[key] for key in configuration.values]
    if terminal.json:
        terminal.print_json([_shape(setting) for setting in settings])
        return
    table(terminal, ("setting", "value", "from"), [(s.option.key, _text(s), _origin(s)) for s in settings], wide="from")


@app.command("get", cls=Command)
def get(ctx: typer.Context, key: Key) -> None:
    """Print the current value of a setting.

    Example:
        memgpt config get model.name
    """
    terminal = terminal_of(ctx)
    setting = _read(terminal)[key]
    if terminal.json:
        terminal.print_json(_shape(setting))
        return
    if setting.value is not None:
        terminal.say(str(setting.value))
    terminal.notice(f"{setting.option.help} Expected: {setting.option.expected}. Now from: {_origin(setting)}.")


@app.command("set", cls=Command)
def set_setting(
    ctx: typer.Context, key: Key, value: Annotated[str, typer.Argument(metavar="VALUE", help="The new value.")]
) -> None:
    """Write a setting into your settings file, keeping its comments.

    Example:
        memgpt config set window.tokens 16384

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    file = workspace.settings_file
    written = file.set(key, value)
    setting = workspace.configuration[key]
    if setting.value != written:
        terminal.notice(f"{setting.where} says {setting.value} and takes precedence over your settings file.")
    if (own := _own_of_agent(workspace, key)) is not None:
        agent = workspace.agent_name
        terminal.notice(
            f"agent {agent} has its own {own} and keeps it. To change that: memgpt agent set {agent} --default"
        )
    terminal.show(lambda: _shape(setting), lambda: terminal.notice(f"{key} = {written}, in {file.path}"))


def _own_of_agent(workspace: Any, key: str) -> str | None:
    """Return the agent's own value for this setting; None if it has none."""
    config = workspace.agents.config(workspace.agent_name) if workspace.agents.exists(workspace.agent_name) else None
    own = {
        "model.name": ("model", config and (config.profile or config.model)),
        "model.base_url": ("base URL", config and (config.profile or config.base_url)),
        "window.tokens": ("window", config and config.window),
    }
    what, value = own.get(key, ("", None))
    return f"{what} ({value})" if value else None


@app.command("unset", cls=Command)
def unset(ctx: typer.Context, key: Key) -> None:
    """Remove a setting from your settings file.

    Example:
        memgpt config unset window.tokens

    """
    terminal = terminal_of(ctx)
    file = terminal.workspace.settings_file
    removed = file.unset(key)
    terminal.show(
        {"key": key, "removed": removed},
        lambda: terminal.notice(f"{key} is no longer in {file.path}" if removed else f"{key} was not in {file.path}"),
    )


@app.command("edit", cls=Command)
def edit(ctx: typer.Context) -> None:
    """Open your settings file in $VISUAL or $EDITOR. A new file contains every setting with its explanation.

    Example:
        memgpt config edit
    """
    from memgpt_cli.cli.terminal.editor import open_editor

    file = terminal_of(ctx).workspace.settings_file
    file.create()
    open_editor(file.path)
    file.check()


@app.command("path", cls=Command)
def path(ctx: typer.Context) -> None:
    """Print the path of your settings file; with --json, all directories.

    Example:
        memgpt config path
    """
    terminal = terminal_of(ctx)
    paths = terminal.workspace.paths
    if terminal.json:
        places = {"user_file": paths.user_file, "prompts": paths.prompts, "config": paths.config}
        places |= {"data": paths.data, "agents": paths.agents, "cache": paths.cache}
        terminal.print_json({name: str(place) for name, place in places.items()})
    else:
        terminal.say(str(paths.user_file))


@app.command("trust", cls=Command)
def trust(
    ctx: typer.Context,
    *,
    revoke: Annotated[bool, typer.Option("--revoke", help="Stop trusting the folder.")] = False,
    yes: Yes = False,
) -> None:
    """Let ./.memgpt set everything, as its files are now: model, endpoint, agent, limits and prompts.

    The command shows the settings in the files and asks. Any later change to the files ends the trust.

    Example:
        memgpt config trust
    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    if revoke:
        had_it = workspace.distrust_project()
        terminal.notice("./.memgpt is no longer trusted." if had_it else "./.memgpt was not trusted.")
        return
    project, seen, contents = workspace.project_to_trust()
    terminal.notice(f"{project.folder} sets:")
    for line in contents:
        terminal.notice(f"  {line}")
    if not terminal.confirm("Trust these settings?", yes=yes):
        terminal.notice("nothing changed")
        raise typer.Exit(1)
    workspace.trust_project(seen=seen)
    terminal.notice(f"{project.folder} is trusted. To undo: memgpt config trust --revoke")


def _read(terminal: Terminal) -> Any:
    """Return the settings; their notes go to stderr."""
    configuration = terminal.workspace.configuration
    for line in configuration.notes:
        terminal.notice(line)
    return configuration


def _shape(setting: Any) -> dict[str, Any]:
    return {
        "key": setting.option.key,
        "value": setting.value,
        "source": setting.source.value,
        "where": setting.where,
        "variable": setting.option.variable,
        "expected": setting.option.expected,
        "help": setting.option.help,
    }


def _text(setting: Any) -> str:
    return "-" if setting.value is None else str(setting.value)


def _origin(setting: Any) -> str:
    """Return `default`, or the layer and the exact place in it."""
    if setting.source.value == "default":
        return "default" if setting.value is not None else "unset"
    return f"{setting.source.value}: {setting.where}"
