"""`/v1/models` and `/v1/chat/completions`: any chat client talks to an agent as to a model."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response, StreamingResponse

from memgpt_cli.domain.chat import PromptRole
from memgpt_cli.domain.events import Happening, TurnStarted
from memgpt_cli.errors import LimitError, MemGPTError, UsageError
from memgpt_cli.server import tasks
from memgpt_cli.server.guard import KEY
from memgpt_cli.server.replies import TurnReply, error_body, error_event, refused, status_of
from memgpt_cli.server.requests import CompletionRequest, read_request
from memgpt_cli.server.turns import message_of
from memgpt_cli.services.talking import answers_offline, ask_model

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from memgpt_cli.server.agents import OpenAgents
    from memgpt_cli.server.keys import ServerKey
    from memgpt_cli.services.talking import Talk
    from memgpt_cli.services.workspaces import Workspace

CLIENT_BLOCK: Final = "client"
CLIENT_LIMIT: Final = 2_000
"""Characters of a client's own instructions that are kept in its block."""

KEEP_ALIVE_S: Final = 12.0
_MOST_REMEMBERED: Final = 10_000

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class RunningTurn:
    """A turn in its agent's thread. `happenings` ends with None; `stop` ends the turn early."""

    happenings: asyncio.Queue[Happening | None]
    stop: threading.Event = field(default_factory=threading.Event)
    task: asyncio.Task[None] | None = None
    message_id: str = ""
    streams_thoughts: bool = False


class Completions:
    """The endpoint. `system_prompt` says what a client's instructions become: `block`, `ignore` or `refuse`."""

    def __init__(self, workspace: Workspace, agents: OpenAgents, *, system_prompt: str = "block") -> None:
        self._workspace = workspace
        self._agents = agents
        self._system_prompt = system_prompt
        self._delivered: set[str] = set()

    async def models(self, request: Request) -> Response:
        """The agents of this machine."""
        key: ServerKey = request.scope[KEY]
        names = [name for name in self._workspace.agents.names() if key.allows("read", name)]
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "memgpt"} for name in names]
        return JSONResponse({"object": "list", "data": listed})

    async def create(self, request: Request) -> Response:
        """Answer the last user message of a history."""
        try:
            try:
                body = json.loads(await request.body())
            except (ValueError, RecursionError) as error:
                raise UsageError("the body is not valid JSON") from error
            asked = read_request(body, request.headers)
            key: ServerKey = request.scope[KEY]
            if not key.allows("write", asked.agent):
                return JSONResponse(refused("write"), status_code=403)
            if self._system_prompt == "refuse" and asked.system:
                raise UsageError("this server accepts no system prompt", hint="memgpt serve --system-prompt block")
            return await (self._task(asked) if tasks.is_task(asked) else self._turn(asked))
        except MemGPTError as error:
            status, headers = status_of(error)
            return JSONResponse(error_body(error), status_code=status, headers=headers)

    async def _task(self, asked: CompletionRequest) -> Response:
        """A client's own prompt: a call of the model beside the agent, which does not wait for its turns."""
        text = await asyncio.to_thread(self._task_answer, asked)
        reply = TurnReply(agent=asked.agent, created=int(time.time()), reply=text)
        if not asked.stream:
            return JSONResponse(reply.whole())
        chunks = [reply.first(), reply.piece(text), reply.last(include_usage=asked.include_usage)]
        return StreamingResponse(iter(chunks), media_type="text/event-stream")

    def _task_answer(self, asked: CompletionRequest) -> str:
        if answers_offline(self._workspace, asked.agent):
            return tasks.offline_answer(asked)
        messages: list[tuple[PromptRole, str]] = [(said.role, said.text) for said in asked.history]
        return ask_model(self._workspace, asked.agent, messages, max_tokens=asked.max_tokens)

    async def _turn(self, asked: CompletionRequest) -> Response:
        turn = self._start(asked)
        first = await turn.happenings.get()
        if first is None:
            await self._end(turn)
        reply = TurnReply(agent=asked.agent, created=int(time.time()), streams_thoughts=turn.streams_thoughts)
        if asked.stream:
            events = self._events(asked, turn, first, reply)
            return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-cache"})
        happening = first
        while happening is not None:
            for _ in reply.take(happening):
                pass
            happening = await turn.happenings.get()
        await self._end(turn)
        self._remember(turn)
        return JSONResponse(reply.whole())

    async def _events(
        self, asked: CompletionRequest, turn: RunningTurn, first: Happening | None, reply: TurnReply
    ) -> AsyncIterator[str]:
        """The stream of a turn. A client that is gone stops the turn at the next piece of the model's reply."""
        try:
            yield reply.first()
            happening = first
            while happening is not None:
                for text in reply.take(happening):
                    yield reply.piece(text)
                while True:
                    try:
                        happening = await asyncio.wait_for(turn.happenings.get(), KEEP_ALIVE_S)
                        break
                    except TimeoutError:
                        yield reply.piece("")
            try:
                await self._end(turn)
            except MemGPTError as error:
                yield error_event(error)
                return
            yield reply.last(include_usage=asked.include_usage)
            self._remember(turn)
        finally:
            turn.stop.set()

    def _start(self, asked: CompletionRequest) -> RunningTurn:
        loop = asyncio.get_running_loop()
        turn = RunningTurn(happenings=asyncio.Queue())

        def put(happening: Happening | None) -> None:
            with contextlib.suppress(RuntimeError):  # the server has stopped meanwhile
                loop.call_soon_threadsafe(turn.happenings.put_nowait, happening)

        def work(talk: Talk) -> None:
            self._keep_instructions(talk, asked)
            message = message_of(talk, asked, self._delivered, now=self._workspace.clock.now())
            turn.message_id, turn.streams_thoughts = message.external_id or "", talk.streams_thoughts
            happenings = talk.say(message)
            try:
                for happening in happenings:
                    put(happening)
                    if turn.stop.is_set() and not isinstance(happening, TurnStarted):
                        break
            finally:
                getattr(happenings, "close", lambda: None)()

        async def run() -> None:
            try:
                await self._agents.use(asked.agent, work)
            finally:
                turn.happenings.put_nowait(None)

        turn.task = asyncio.create_task(run())
        turn.task.add_done_callback(_noted)
        return turn

    def _keep_instructions(self, talk: Talk, asked: CompletionRequest) -> None:
        """Make a client's system prompt a block that the model reads; what does not fit is left out."""
        text = asked.system.strip()
        if not text or self._system_prompt != "block":
            return
        try:
            talk.set_read_only_block(
                CLIENT_BLOCK, text[:CLIENT_LIMIT], description="what the chat program asks of you", limit=CLIENT_LIMIT
            )
        except LimitError as error:
            _log.warning("the client's instructions do not fit: %s", error.message)

    async def _end(self, turn: RunningTurn) -> None:
        """Raise what the turn raised."""
        if turn.task is not None:
            await turn.task

    def _remember(self, turn: RunningTurn) -> None:
        if len(self._delivered) >= _MOST_REMEMBERED:
            self._delivered.clear()
        self._delivered.add(turn.message_id)


def _noted(task: asyncio.Task[None]) -> None:
    """Log what a turn raised whose client is gone; otherwise the client gets it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.debug("a turn of the endpoint failed", exc_info=error)
