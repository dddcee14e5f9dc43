"""The application: its addresses, and who may use them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from memgpt_cli import __version__
from memgpt_cli.errors import UsageError
from memgpt_cli.server import rest
from memgpt_cli.server.agents import OpenAgents
from memgpt_cli.server.completions import Completions
from memgpt_cli.server.guard import Guard
from memgpt_cli.server.replies import error_body
from memgpt_cli.services.callers import Caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from memgpt_cli.server.keys import ServerKey
    from memgpt_cli.services.workspaces import Workspace


def make_app(
    workspace: Workspace,
    *,
    keys: Sequence[ServerKey] = (),
    loopback: bool,
    origins: Sequence[str] = (),
    system_prompt: str = "block",
) -> ASGIApp:
    """The application. Requests must send one of `keys`, if there are any; `origins` are web pages that may use it."""
    agents = OpenAgents(workspace, Caller("serve"))
    completions = Completions(workspace, agents, system_prompt=system_prompt)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        closing = asyncio.create_task(agents.close_idle())
        try:
            yield
        finally:
            closing.cancel()
            await agents.close()

    routes = [
        Route("/", _about),
        Route("/v1/models", completions.models),
        Route("/v1/chat/completions", completions.create, methods=["POST"]),
        *rest.routes(workspace, agents),
    ]
    return Guard(
        Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _no_route}),
        keys=keys,
        loopback=loopback,
        origins=origins,
    )


async def _about(_: Request) -> Response:
    return JSONResponse({"name": "memgpt", "version": __version__})


async def _no_route(request: Request, error: Exception) -> Response:
    """The answer to an unknown path (404) or a method that a path does not have (405)."""
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    found = UsageError(f"{request.method} {request.url.path[:80]} does not exist", hint="see docs/serve.md")
    return JSONResponse(error_body(found), status_code=status, headers=headers)
