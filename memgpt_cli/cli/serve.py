"""`memgpt serve`: agents as models of an OpenAI-compatible endpoint."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from memgpt_cli.cli.terminal.context import terminal_of
from memgpt_cli.cli.terminal.listening import listening
from memgpt_cli.domain.endpoints import is_loopback_host
from memgpt_cli.errors import ConfigError, UsageError

PORT: Final = 8641


class SystemPrompt(StrEnum):
    """How a client's system prompt is used."""

    BLOCK = "block"
    IGNORE = "ignore"
    REFUSE = "refuse"


def serve(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on; one that other machines can reach needs a key.")
    ] = ("127.0.0.1"),
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="The port.")] = PORT,
    system_prompt: Annotated[
        SystemPrompt, typer.Option("--system-prompt", help="How a client's system prompt is used.")
    ] = SystemPrompt.BLOCK,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="A TOML file of keys with scopes (docs/serve.md).", metavar="FILE")
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option("--allow-origin", help="The origin of a web page that may use it (repeatable).", metavar="URL"),
    ] = None,
) -> None:
    """Serve agents to any chat client as models of an OpenAI-compatible endpoint.

    The environment variable MEMGPT_SERVE_KEY sets a key that clients must send.

    Examples:

        memgpt serve

        memgpt serve --port 8080 --system-prompt ignore
    """
    from importlib.util import find_spec

    terminal = terminal_of(ctx)
    if terminal.json:
        raise UsageError("serve has no JSON output", hint="memgpt serve")
    if find_spec("starlette") is None:
        raise ConfigError("the server needs the extra `serve`", hint='pip install "memgpt-cli[serve]"')
    from memgpt_cli.server.keys import ServerKey, read_keys

    found = read_keys(keys) if keys is not None else []
    if typed := os.environ.get("MEMGPT_SERVE_KEY"):
        found.append(ServerKey(name="env", key=typed))
    loopback = is_loopback_host(host)
    if not loopback and not found:
        raise UsageError(
            f"{host} can be reached from other machines, so a key is needed",
            hint="set MEMGPT_SERVE_KEY, or --keys FILE",
        )
    import uvicorn

    from memgpt_cli.server.app import make_app

    workspace = terminal.workspace
    workspace.new_agents.ensure(workspace.agent_name)
    app = make_app(
        workspace, keys=found, loopback=loopback, origins=allow_origin or (), system_prompt=system_prompt.value
    )
    address = listening(host, port)
    terminal.notice(f"serving {workspace.agent_name} and every other agent at http://{host}:{port}/v1; Ctrl-C ends it")
    config = uvicorn.Config(app, log_level="warning", limit_concurrency=512, timeout_graceful_shutdown=10)
    uvicorn.Server(config).run(sockets=[address])
