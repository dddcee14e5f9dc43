"""`memgpt models`: known models, the models of an endpoint, and profiles."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memgpt_cli.cli.options import Command
from memgpt_cli.cli.settings.model_options import (
    CachedPrice,
    ContextLength,
    ExtraBody,
    Images,
    InputPrice,
    KeyVariable,
    MakeDefault,
    NoKey,
    OutputPrice,
    ProtocolOption,
    ProviderOption,
    ReasoningEffort,
    ReplaceProfile,
)
from memgpt_cli.cli.settings.model_texts import plain_text, price_text
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.tables import table
from memgpt_cli.domain.endpoints import AUTO, Endpoint
from memgpt_cli.errors import UsageError

if TYPE_CHECKING:
    from memgpt_cli.domain.profiles import Profile
    from memgpt_cli.services.model_probes import Probe
    from memgpt_cli.services.profiles import Profiles
    from memgpt_cli.services.workspaces import Workspace

app = typer.Typer(invoke_without_command=True)


def profiles_like(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the profiles with this prefix, for completion."""
    terminal = terminal_of(ctx)
    return [name for name in terminal.workspace.configuration.profiles if name.startswith(incomplete)]


ProfileName = Annotated[
    str, typer.Argument(metavar="NAME", help="The profile's name.", autocompletion=profiles_like, show_default=False)
]


@app.callback()
def models(
    ctx: typer.Context,
    online: Annotated[bool, typer.Option("--online", help="List the models that the current endpoint serves.")] = False,
) -> None:
    """List the known models with their context length and prices, or manage profiles: named models with their settings.

    Without a command the known models are listed; the current one has a star. Any other model works too. To correct
    the data of a model, edit your settings file: memgpt config edit.

    Examples:
        memgpt models

        memgpt models --online

        memgpt models --online --base-url http://localhost:11434/v1
    """
    terminal = terminal_of(ctx)
    if ctx.invoked_subcommand is None:
        _list_models(terminal, online=online)


def _list_models(terminal: Terminal, *, online: bool) -> None:
    from memgpt_cli.services.known_models import known_models, model_shape, served_models

    workspace = terminal.workspace
    shapes = [model_shape(model) for model in (served_models if online else known_models)(workspace)]
    if terminal.json:
        terminal.print_json(shapes)
        return
    table(
        terminal,
        ("", "model", "context", "$ in", "cached", "$ out", "from"),
        [
            (
                "*" if shape["in_use"] else "",
                shape["model"],
                "-" if shape["context"] is None else f"{shape['context']:,}",
                *(price_text(shape["usd_per_million_tokens"], what) for what in ("input", "cached", "output")),
                shape["from"],
            )
            for shape in shapes
        ],
        wide="from",
    )
    terminal.notice("prices are in US dollars for a million tokens")
    if workspace.configuration.profiles:
        terminal.notice("your profiles: memgpt models list")


@app.command("add", cls=Command)
def add(
    ctx: typer.Context,
    name: ProfileName,
    provider: ProviderOption = None,
    key_env: KeyVariable = None,
    extra_body: ExtraBody = None,
    no_key: NoKey = False,
    protocol: ProtocolOption = None,
    reasoning_effort: ReasoningEffort = None,
    images: Images = None,
    context: ContextLength = None,
    price_input: InputPrice = None,
    price_cached: CachedPrice = None,
    price_output: OutputPrice = None,
    replace: ReplaceProfile = False,
    default: MakeDefault = False,
) -> None:
    """Add a profile: a model with its server and settings, under a name that --model takes everywhere.

    --model names the model as its server knows it; --base-url is the server (default: OpenAI); --window is the context
    window. The profile is written into your settings file. It holds no key.

    Examples:
        memgpt models add local --base-url http://localhost:11434/v1 --model qwen3:8b --window 32768

        memgpt chat --model local

        memgpt models add work --base-url https://openrouter.ai/api/v1 --model z-ai/glm-4.6 --key-env OPENROUTER_API_KEY

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    profiles = _profiles(workspace)
    if terminal.model is None:
        raise UsageError("a profile needs a model", hint=f"memgpt models add {name} --model MODEL --base-url URL")
    profile = profiles.add(
        name,
        {
            "model": terminal.model,
            "base_url": terminal.base_url,
            "provider": provider and provider.value,
            "window": terminal.window,
            "protocol": protocol and protocol.value,
            "reasoning_effort": reasoning_effort,
            "images": images,
            "context": context,
            "input": price_input,
            "cached": price_cached,
            "output": price_output,
            "key_env": key_env,
            "no_key": no_key or None,
            "extra_body": extra_body,
        },
        replace=replace,
    )
    if default:
        workspace.settings_file.set("model.name", name)
    _show_added(terminal, profile)


@app.command("list", cls=Command)
def list_profiles(ctx: typer.Context) -> None:
    """List your profiles; the current one has a star.

    Example:
        memgpt models list
    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    shapes = [_shape(workspace, profile) for profile in _profiles(workspace).all()]
    if terminal.json:
        terminal.print_json(shapes)
    elif shapes:
        rows = [
            (
                "*" if s["in_use"] else "",
                s["name"],
                s["model"],
                _place(s["model"], s["base_url"], s["provider"]),
                "-" if s["window"] is None else f"{s['window']:,}",
                s["key"],
                "; ".join(s["learned"]) or "-",
            )
            for s in shapes
        ]
        table(terminal, ("", "profile", "model", "base URL", "window", "key", "learned"), rows, wide="learned")
    else:
        terminal.notice("there are no profiles yet; to add one: memgpt models add NAME --base-url URL --model MODEL")


@app.command("show", cls=Command)
def show(ctx: typer.Context, name: ProfileName) -> None:
    """Show one profile.

    Example:
        memgpt models show local

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    shape = _shape(workspace, _profiles(workspace).get(name))
    if terminal.json:
        terminal.print_json(shape)
        return
    shape |= {f"{what} price": price for what, price in shape.pop("usd_per_million_tokens").items()}
    learned = shape.pop("learned")
    for key, value in shape.items():
        if value is not None:
            terminal.say(f"{key.replace('_', ' '):<17} {plain_text(value)}")
    for phrase in learned:
        terminal.say(f"{'learned':<17} {phrase}")


@app.command("remove", cls=Command)
def remove(
    ctx: typer.Context,
    name: ProfileName,
    force: Annotated[bool, typer.Option("--force", help="Even if a setting or an agent uses it.")] = False,
) -> None:
    """Remove a profile. The models and servers themselves are not affected.

    Example:
        memgpt models remove local
    """
    terminal = terminal_of(ctx)
    users = _profiles(terminal.workspace).remove(name, force=force)
    if terminal.json:
        terminal.print_json({"removed": name, "settings": list(users.settings), "agents": list(users.agents)})
        return
    terminal.say(f"removed {name}")
    for agent in users.agents:
        terminal.notice(f"agent {agent} used it: memgpt agent set {agent} --default, or --model MODEL")


@app.command("test", cls=Command)
def try_model(
    ctx: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(help="A profile; default: the current model.", autocompletion=profiles_like, show_default=False),
    ] = None,
) -> None:
    """Test what a model and its server can do. It makes up to 4 short calls and prints their cost.

    The exit code is 0 if memgpt can work with it, else 1. A model without a profile: --model MODEL --base-url URL.

    Examples:
        memgpt models test local

        memgpt models test --model qwen3:8b --base-url http://localhost:11434/v1
    """
    terminal = terminal_of(ctx)
    from memgpt_cli.services.model_probes import MOST_CALLS, ModelTest, report, works

    workspace = terminal.workspace
    choice = (
        workspace.sessions.choice_in_use() if name is None else workspace.models.of_profile(_found(workspace, name))
    )
    test = ModelTest(workspace, choice)
    terminal.notice(f"testing {choice.name} at {test.host} with up to {MOST_CALLS} short calls")
    probes = []
    for probe in test.probes():
        probes.append(probe)
        if not terminal.json:
            _tell_probe(terminal, probe)
    if terminal.json:
        terminal.print_json(report(test, probes))
    else:
        cost = "price unknown" if test.cost_usd is None else f"${test.cost_usd:.4f}"
        used = test.usage
        calls = f"{test.calls} call{'' if test.calls == 1 else 's'}"
        terminal.say(f"{calls}, {used.prompt_tokens:,} prompt tokens, {used.completion_tokens:,} reply tokens, {cost}")
    if not works(probes):
        raise typer.Exit(1)


@app.command("learned", cls=Command)
def learned(
    ctx: typer.Context,
    forget: Annotated[
        str | None,
        typer.Option("--forget", metavar="MODEL", help="Delete what was learned about this model, or `all`."),
    ] = None,
) -> None:
    """Show what was learned about endpoints and models: window, refused fields, message rules. It is valid for a day.

    --forget deletes it, with the token counts that servers reported; the next calls learn it again. Use it after a
    server was changed.

    Examples:
        memgpt models learned

        memgpt models learned --forget qwen3:8b

        memgpt models learned --forget all
    """
    terminal = terminal_of(ctx)
    from memgpt_cli.services.learned import forget_learned, in_words, learned_traits, trait_shape

    workspace = terminal.workspace
    if forget is not None:
        gone = forget_learned(workspace, None if forget == "all" else forget)
        terminal.show({"forgotten": gone}, f"forgot {gone} trait{'' if gone == 1 else 's'}")
        return
    traits = learned_traits(workspace)
    if terminal.json:
        terminal.print_json([trait_shape(trait) for trait in traits])
        return
    for (base_url, model, stale), group in groupby(
        traits, key=lambda trait: (trait.base_url, trait.model, trait.stale)
    ):
        terminal.say(f"{model} at {base_url or 'OpenAI'}{' (stale)' if stale else ''}")
        for phrase in in_words(list(group)):
            terminal.say(f"  {phrase}")
    if not traits:
        terminal.notice("nothing was learned yet")


def _show_added(terminal: Terminal, profile: Profile) -> None:
    if terminal.json:
        terminal.reload()
        terminal.print_json(_shape(terminal.workspace, profile))
    else:
        terminal.say(
            f"added {profile.name}: {profile.model} at {_place(profile.model, profile.base_url, profile.provider)}"
        )
        terminal.notice(f"use it with --model {profile.name}; try it with memgpt models test {profile.name}")


def _found(workspace: Workspace, name: str) -> Profile:
    return _profiles(workspace).get(name)


def _tell_probe(terminal: Terminal, probe: Probe) -> None:
    mark = {True: "yes", False: "no", None: "?"}[probe.ok]
    terminal.say(f"{probe.what:<15} {mark:<4} {probe.says}")
    if probe.hint and probe.ok is not True:
        terminal.say(f"{'':<20} hint: {probe.hint}")


def _profiles(workspace: Workspace) -> Profiles:
    from memgpt_cli.services.profiles import Profiles

    return Profiles(workspace)


def _shape(workspace: Workspace, profile: Profile) -> dict[str, Any]:
    from memgpt_cli.services.profiles import profile_shape

    return profile_shape(workspace, profile)


def _place(model: str, base_url: str | None, provider: str | None) -> str:
    if model == "offline" or model.startswith("scripted:"):
        return "this machine"
    return base_url or Endpoint.at(None, model=model, provider=provider or AUTO).host
