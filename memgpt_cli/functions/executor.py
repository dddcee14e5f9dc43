"""The function executor: validates a call, runs it, and turns whatever goes wrong into a result the model can use.

One of the two places where any exception is caught: a model's mistake, or ours, must not end the turn.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.chat import ToolSchema, arguments_object
from memgpt_cli.domain.messages import FunctionCall
from memgpt_cli.domain.search import SearchResult
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.errors import MemGPTError, StorageError
from memgpt_cli.functions.arguments import parse
from memgpt_cli.functions.registry import function_set
from memgpt_cli.functions.spec import NOBODY_TO_ASK, REFUSED, After, FunctionContext, FunctionSpec
from memgpt_cli.ports import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a call came to. `goes_on`: the agent continues after it. `reply` is text for the person, if any."""

    ok: bool
    result: str
    goes_on: bool
    reply: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A call that is ready to be run: with the vector of its query, and with what the person said to it.

    `refused` is the result of a write that was not allowed.
    """

    call: FunctionCall
    vector: Vector | None = None
    refused: str = ""
    edited: bool = False


class FunctionExecutor:
    """Runs the calls of one agent in one protocol."""

    def __init__(self, *, store: Store, protocol: Protocol) -> None:
        self._store = store
        self._protocol = protocol
        self._functions: Mapping[str, FunctionSpec] = function_set(protocol)

    @property
    def schemas(self) -> tuple[ToolSchema, ...]:
        """The functions as the model is told of them, in a fixed order."""
        return tuple(spec.schema(self._protocol) for spec in self._functions.values())

    def prepare(self, call: FunctionCall, context: FunctionContext) -> Prepared:
        """What may take long, before the transaction: asking the person, and embedding what a call searches for.

        With the setting `memory.confirm` and nobody to ask, every write is refused.
        """
        spec = self._functions.get(call.name)
        if spec is None:
            return Prepared(call=call)
        if spec.writes and (context.confirm is not None or context.settings.memory.confirm):
            if context.confirm is None:
                return Prepared(call=call, refused=NOBODY_TO_ASK)
            verdict = context.confirm(call)
            if not verdict.allowed:
                return Prepared(call=call, refused=REFUSED)
            if verdict.arguments is not None:
                return Prepared(call=replace(call, arguments=verdict.arguments), edited=True)
        return Prepared(call=call, vector=self._vector(spec, call, context))

    def run(self, prepared: Prepared, context: FunctionContext) -> Outcome:
        """Run one call inside the step's transaction; a failure takes back its own effects only."""
        call = prepared.call
        spec = self._functions.get(call.name)
        if spec is None:
            names = ", ".join(self._functions)
            return _failed(f"there is no function {call.name[:80]!r}; the functions are: {names}")
        if prepared.refused:
            return _failed(prepared.refused)
        try:
            arguments = parse(call.arguments, spec.parameters_in(self._protocol))
            with self._store.savepoint():
                result = spec.run(arguments, replace(context, query_vector=prepared.vector))
        except StorageError:
            raise
        except MemGPTError as error:
            return _failed(_sentence(error))
        except Exception as error:  # noqa: BLE001 - the model is told, the log keeps the trace
            _log.debug("function %s failed", call.name, exc_info=True)
            return _failed(f"{call.name} failed unexpectedly ({type(error).__name__}); try another way")
        if prepared.edited:
            result = f"The person changed this before it was done. {result}"
        after = spec.after[self._protocol]
        goes_on = after is After.CONTINUE or (after is After.AS_ASKED and bool(arguments.get("request_heartbeat")))
        reply = arguments.get("message") if spec.name == "send_message" else None
        return Outcome(ok=True, result=result, goes_on=goes_on, reply=reply)

    def find(self, call: FunctionCall, context: FunctionContext) -> SearchResult[Any] | None:
        """What a stored search call finds now; None for any other call, and for one that cannot be run."""
        spec = self._functions.get(call.name)
        if spec is None or spec.find is None:
            return None
        try:
            arguments = parse(call.arguments, spec.parameters_in(self._protocol))
            return spec.find(arguments, replace(context, query_vector=self._vector(spec, call, context)))
        except MemGPTError:
            return None

    @staticmethod
    def _vector(spec: FunctionSpec, call: FunctionCall, context: FunctionContext) -> Vector | None:
        if spec.query is None:
            return None
        query = (arguments_object(call.arguments) or {}).get(spec.query)
        if not isinstance(query, str) or not query.strip():
            return None
        storage = context.recall if spec.searches == "recall" else context.archival
        return storage.embed_query(query)


def _failed(text: str) -> Outcome:
    return Outcome(ok=False, result=text, goes_on=True)


def _sentence(error: MemGPTError) -> str:
    return f"{error.message}. {error.hint}" if error.hint else error.message
