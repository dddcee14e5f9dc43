"""`memgpt models`: the models that are known by length and price, or those that the endpoint in use serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from memgpt_cli.cli.console import notice, print_json
from memgpt_cli.cli.options import current
from memgpt_cli.cli.tables import table
from memgpt_cli.errors import UsageError

if TYPE_CHECKING:
    from memgpt_cli.bootstrap import Workspace
    from memgpt_cli.domain.settings import ModelSettings

_PATIENCE_S: Final = 10.0


def models(
    online: Annotated[bool, typer.Option("--online", help="Ask the endpoint in use what it serves.")] = False,
) -> None:
    """List the models that are known, with their context length and their prices; the one in use has a star.

    Any other model works too; without a known length its window is 32,768 tokens or what --window says. What you know
    better goes into your settings file: memgpt config edit.

    Examples:
        memgpt models

        memgpt models --online

        memgpt models --online --base-url http://localhost:11434/v1

    """
    workspace = current.workspace()
    choice = workspace.sessions.choice_in_use()
    rows = _served(workspace) if online else _known(workspace)
    shapes = [_shape(settings, origin, in_use=settings.name == choice.name) for settings, origin in rows]
    if current.json:
        print_json(shapes)
        return
    table(
        ("", "model", "context", "$ in", "cached", "$ out", "from"),
        [
            (
                "*" if shape["in_use"] else "",
                shape["model"],
                "-" if shape["context"] is None else f"{shape['context']:,}",
                *(_price(shape["usd_per_million_tokens"], what) for what in ("input", "cached", "output")),
                shape["from"],
            )
            for shape in shapes
        ],
        wide="from",
    )
    notice("prices are in US dollars for a million tokens")


def _known(workspace: Workspace) -> list[tuple[ModelSettings, str]]:
    return [(model, "your settings" if own else "built in") for model, own in workspace.models.known()]


def _served(workspace: Workspace) -> list[tuple[ModelSettings, str]]:
    """What the endpoint says. Raises UsageError when there is none, APIKeyError, ModelError."""
    choice, setting = workspace.sessions.choice_in_use(), workspace.configuration["model.base_url"]
    base_url, named_by = choice.base_url, choice.base_url_source
    if choice.endpoint is None:
        if setting.value is None:
            raise UsageError(
                f"{choice.name} answers inside this program, and no endpoint is named",
                hint="memgpt keys set openai, or --base-url http://localhost:11434/v1",
            )
        base_url, named_by = str(setting.value), setting.source
    served = workspace.models.served(base_url, named_by=named_by, timeout_s=_PATIENCE_S)
    return [(model, base_url or "OpenAI") for model in served]


def _shape(model: ModelSettings, origin: str, *, in_use: bool) -> dict[str, Any]:
    return {
        "model": model.name,
        "in_use": in_use,
        "context": model.context,
        "usd_per_million_tokens": {
            "input": model.input_usd_per_million,
            "cached": model.cached_usd_per_million,
            "output": model.output_usd_per_million,
        },
        "from": origin,
    }


def _price(prices: dict[str, float | None], what: str) -> str:
    price = prices[what]
    return "-" if price is None else f"{price:,.3f}".rstrip("0").rstrip(".")
