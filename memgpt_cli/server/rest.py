"""`/api`: agents, blocks, messages, passages, facts, search, undo and forget as JSON, in the forms of `--json`."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from memgpt_cli.domain.messages import SPOKEN, clean
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.errors import MemGPTError, UsageError
from memgpt_cli.server.guard import KEY
from memgpt_cli.server.replies import error_body, refused, status_of
from memgpt_cli.services import shapes
from memgpt_cli.services.callers import Caller
from memgpt_cli.services.facts import STANDING, fact_shape
from memgpt_cli.services.forgetting import forgotten_shape, plan_shape
from memgpt_cli.services.memory import open_memory
from memgpt_cli.services.reviews import shape as review_shape
from memgpt_cli.services.searching import hits_shape

if TYPE_CHECKING:
    from starlette.requests import Request

    from memgpt_cli.server.agents import OpenAgents
    from memgpt_cli.server.keys import ServerKey
    from memgpt_cli.services.memory import AgentMemory
    from memgpt_cli.services.workspaces import Workspace

_LIMIT: Final = 50
_MOST: Final = 500


class ApiRequest:
    """A request: its path, its query, and the fields of its body."""

    def __init__(self, request: Request, body: Any) -> None:
        self._request = request
        self._body = body

    def path(self, name: str) -> str:
        """A part of the address."""
        return str(self._request.path_params[name])

    def query(self, name: str) -> str | None:
        """A value behind the question mark; None for none or an empty one."""
        return self._request.query_params.get(name) or None

    def number(self, name: str, default: int, *, least: int = 0, most: int = 1_000_000) -> int:
        """A whole number behind the question mark. Raises UsageError."""
        text = self.query(name)
        if text is None:
            return default
        if not text.isdecimal() or not least <= int(text[:10]) <= most:
            raise UsageError(f"{name} is a number from {least} to {most:,}")
        return int(text)

    def limit(self, default: int = _LIMIT) -> int:
        """The maximum number of items in the answer. Raises UsageError."""
        return self.number("limit", default, least=1, most=_MOST)

    def text(self, name: str, default: str | None = None) -> str:
        """A text of the body. Raises UsageError."""
        value = self._body.get(name, default) if isinstance(self._body, dict) else None
        if not isinstance(value, str):
            raise UsageError(f"the body needs {name!r}, a text", hint=f'{{"{name}": "..."}}')
        return clean(value)

    def texts(self, name: str) -> list[str]:
        """A list of texts of the body; empty without it. Raises UsageError."""
        value = self._body.get(name, []) if isinstance(self._body, dict) else []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise UsageError(f"{name!r} is a list of texts")
        return [clean(item) for item in value]

    def flag(self, name: str) -> bool:
        """Whether a field of the body is true."""
        return isinstance(self._body, dict) and self._body.get(name) is True


def _blocks(memory: AgentMemory, _: ApiRequest) -> Any:
    return [shapes.block(block) for block in memory.blocks.all()]


def _block(memory: AgentMemory, asked: ApiRequest) -> Any:
    return shapes.block(memory.blocks.get(asked.path("label")))


def _set_block(memory: AgentMemory, asked: ApiRequest) -> Any:
    return shapes.block(memory.blocks.change(asked.path("label"), text=asked.text("text")))


def _append(memory: AgentMemory, asked: ApiRequest) -> Any:
    return shapes.block(memory.blocks.append(asked.path("label"), asked.text("text")))


def _messages(memory: AgentMemory, asked: ApiRequest) -> Any:
    limit, page = asked.limit(), asked.number("page", 0)
    found = memory.messages.recent(RecallFilters(roles=SPOKEN), limit=limit, page=page)
    return {"messages": [shapes.message(message) for message in found.messages], "more": found.more}


def _message(memory: AgentMemory, asked: ApiRequest) -> Any:
    found = memory.messages.around(asked.path("id"), asked.number("around", 0, most=_LIMIT))
    return {
        **shapes.message(found.message),
        "before": [shapes.message(message) for message in found.before],
        "after": [shapes.message(message) for message in found.after],
    }


def _passages(memory: AgentMemory, asked: ApiRequest) -> Any:
    limit, page = asked.limit(), asked.number("page", 0)
    found = memory.passages.recent(limit=limit, page=page)
    return {"passages": [shapes.passage(passage) for passage in found.passages], "more": found.more}


def _passage(memory: AgentMemory, asked: ApiRequest) -> Any:
    return shapes.passage(memory.passages.get(asked.path("id")))


def _add_passage(memory: AgentMemory, asked: ApiRequest) -> Any:
    stored = memory.passages.add([asked.text("text")], tags=asked.texts("tags") or None)[0]
    return {**shapes.passage(stored.passage), "new": stored.new}


def _facts(memory: AgentMemory, asked: ApiRequest) -> Any:
    filters = memory.facts.filters(states=STANDING, entity=asked.query("about"), as_of=asked.query("as_of"))
    limit, page = asked.limit(), asked.number("page", 0)
    found, more = memory.facts.recent(filters, limit=limit, page=page)
    return {"facts": [fact_shape(fact) for fact in found], "more": more}


def _search(memory: AgentMemory, asked: ApiRequest) -> Any:
    limit = asked.limit(10)
    query, since, until = asked.query("query") or "", asked.query("since"), asked.query("until")
    return hits_shape(memory.search.everything(query, limit=limit, since=since, until=until))


def _operations(memory: AgentMemory, asked: ApiRequest) -> Any:
    limit, page = asked.limit(), asked.number("page", 0)
    found = memory.changes.recent(limit=limit, page=page)
    return {"operations": memory.changes.shapes(found.operations), "more": found.more}


def _undo(memory: AgentMemory, asked: ApiRequest) -> Any:
    wanted = asked.text("operation", "")
    if wanted and not wanted.isdecimal():
        raise UsageError(f"{wanted[:80]!r} is not an operation")
    done = memory.changes.undo(only=int(wanted) if wanted else None)
    return {"undone": str(done.operation.id), "lines": list(done.lines)}


def _reviews(memory: AgentMemory, _: ApiRequest) -> Any:
    found, more = memory.reviews.page(limit=_MOST)
    return {"reviews": [review_shape(review) for review in found], "more": more}


def _forget(memory: AgentMemory, asked: ApiRequest) -> Any:
    wanted = memory.forget.wanted(text=asked.text("text"))
    if not asked.flag("confirm"):
        return plan_shape(memory.forget.plan(wanted))
    done = memory.forget.carry_out(wanted)
    return {} if done is None else forgotten_shape(done)


_ROUTES: Final = (
    ("GET", "/blocks", "read", _blocks),
    ("GET", "/blocks/{label}", "read", _block),
    ("PUT", "/blocks/{label}", "write", _set_block),
    ("POST", "/blocks/{label}", "write", _append),
    ("GET", "/messages", "read", _messages),
    ("GET", "/messages/{id}", "read", _message),
    ("GET", "/passages", "read", _passages),
    ("GET", "/passages/{id}", "read", _passage),
    ("POST", "/passages", "write", _add_passage),
    ("GET", "/facts", "read", _facts),
    ("GET", "/search", "read", _search),
    ("GET", "/operations", "read", _operations),
    ("POST", "/undo", "write", _undo),
    ("GET", "/review", "read", _reviews),
    ("POST", "/forget", "forget", _forget),
)


def routes(workspace: Workspace, open_agents: OpenAgents) -> list[Route]:
    """The routes of the API: `/api/agents`, and what each agent has below `/api/agents/{agent}`."""

    async def agents(request: Request) -> Response:
        key: ServerKey = request.scope[KEY]
        names = [name for name in workspace.agents.names() if key.allows("read", name)]
        return JSONResponse({"agents": names})

    by_path: dict[str, dict[str, tuple[str, Any]]] = {}
    for method, path, scope, work in _ROUTES:
        by_path.setdefault(path, {})[method] = (scope, work)
    return [
        Route("/api/agents", agents),
        *(
            Route(f"/api/agents/{{agent}}{path}", _endpoint(workspace, open_agents, methods), methods=list(methods))
            for path, methods in by_path.items()
        ),
    ]


def _endpoint(workspace: Workspace, open_agents: OpenAgents, methods: dict[str, tuple[str, Any]]) -> Any:
    async def endpoint(request: Request) -> Response:
        scope, work = methods["GET" if request.method == "HEAD" else request.method]
        key: ServerKey = request.scope[KEY]
        agent = request.path_params["agent"]
        if not key.allows(scope, agent):
            return JSONResponse(refused(scope), status_code=403)
        try:
            content = await request.body()
            asked = ApiRequest(request, _json(content) if content else None)
            run = partial(_work, workspace, workspace.check_name(agent), key, work, asked)
            alone = scope == "forget" and asked.flag("confirm")  # needs the lock, which the server itself may hold
            found = await (open_agents.alone(agent, run) if alone else asyncio.to_thread(run))
        except MemGPTError as error:
            status, headers = status_of(error)
            return JSONResponse(error_body(error), status_code=status, headers=headers)
        return JSONResponse(found)

    return endpoint


def _work(workspace: Workspace, agent: str, key: ServerKey, work: Any, asked: ApiRequest) -> Any:
    with open_memory(workspace, agent, caller=Caller(f"api:{key.name}")) as memory:
        return work(memory, asked)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UsageError("the body is not valid JSON") from error
