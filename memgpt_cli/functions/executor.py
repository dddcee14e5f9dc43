"""The function executor: it validates a call, runs it, and turns every error into a result that the model can use.

This is one of two places that catch every exception: an error of the model or of ours must not end the turn.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.chat import ToolSchema
from memgpt_cli.domain.effects import Effects, Refusal
from memgpt_cli.domain.messages import FunctionCall
from memgpt_cli.domain.parameters import Arguments
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.errors import FunctionArgumentError, MemGPTError, StorageError
from memgpt_cli.external_context.rendering import hit_lines
from memgpt_cli.functions.arguments import parse, unknown
from memgpt_cli.functions.registry import function_set
from memgpt_cli.functions.spec import Continuation, FunctionContext, FunctionSpec
from memgpt_cli.main_context.core_memory import state_of
from memgpt_cli.ports import Store

_log = logging.getLogger(__name__)

_REFUSED = {
    Refusal.PERSON: "the person did not allow this; nothing was changed. Go on without it",
    Refusal.NOBODY: "this needs the person's consent, and no one could be asked; nothing was changed. Go on without it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """A call that was run. `goes_on`: the agent continues after it."""

    result: FunctionResult
    goes_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A validated call: its function, its checked arguments, and the vector of its search query.

    `failed` is the result of a call that cannot run. `consented`: the user allowed it; `edited`: with other arguments.
    """

    call: FunctionCall
    spec: FunctionSpec | None = None
    arguments: Arguments | None = None
    vector: Vector | None = None
    failed: FunctionResult | None = None
    edited: bool = False
    consented: bool = False


class FunctionExecutor:
    """Runs the calls of one agent in one protocol."""

    def __init__(self, *, store: Store, protocol: Protocol, facts: bool = False) -> None:
        self._store = store
        self._protocol = protocol
        self._functions: Mapping[str, FunctionSpec] = function_set(protocol, facts=facts)

    @property
    def schemas(self) -> tuple[ToolSchema, ...]:
        """Return the schemas of the functions, in a fixed order."""
        return tuple(spec.schema(self._protocol) for spec in self._functions.values())

    def prepare(self, call: FunctionCall, context: FunctionContext) -> Prepared:
        """Do the slow work before the transaction: ask the user, and embed the query of a search.

        With the setting `memory.confirm` and no one to ask, every write is refused.
        """
        spec = self._functions.get(call.name)
        if spec is None:
            names = ", ".join(self._functions)
            text = f"there is no function {call.name[:80]!r}; the functions are: {names}"
            return Prepared(call=call, failed=_failed(text))
        edited = consented = False
        if spec.writes and (context.confirm is not None or context.settings.memory.confirm):
            verdict = context.confirm(call) if context.confirm is not None else None
            if verdict is None or not verdict.allowed:
                return Prepared(call=call, failed=_refused(Refusal.NOBODY if verdict is None else Refusal.PERSON))
            consented = True
            if verdict.arguments is not None:
                call, edited = replace(call, arguments=verdict.arguments), True
        try:
            arguments = parse(call.arguments, spec.parameters_in(self._protocol))
            vector = spec.embed(arguments, context) if spec.embed is not None else None
        except MemGPTError as error:
            return Prepared(call=call, failed=_failed(_sentence(error)))
        return Prepared(call=call, spec=spec, arguments=arguments, vector=vector, edited=edited, consented=consented)

    def run(self, prepared: Sequence[Prepared], context: FunctionContext) -> list[Executed]:
        """Run the calls of one step in order, in its transaction. A failed call rolls back its own effects only.

        If several calls edit one block, the result of the last one shows the whole block.
        """
        executed: list[Executed] = []
        for call in prepared:
            executed.append(self._run(call, context))
            context = replace(context, seen=context.seen | hit_lines(executed[-1].result.text))
        edits = Counter(
            label
            for call, done in zip(prepared, executed, strict=True)
            if call.spec is not None and call.spec.writes and done.result.ok
            for label in done.result.effects.blocks
        )
        shown: set[str] = set()
        for index in range(len(executed) - 1, -1, -1):
            for label in executed[index].result.effects.blocks:
                if edits[label] > 1 and label not in shown and executed[index].result.ok:
                    executed[index] = _with_block(executed[index], label, context)
                shown.add(label)
        return executed

    def _run(self, prepared: Prepared, context: FunctionContext) -> Executed:
        spec, arguments = prepared.spec, prepared.arguments
        if spec is None or arguments is None:
            return Executed(result=prepared.failed or _failed("the call could not be run"), goes_on=True)
        try:
            with self._store.savepoint():
                own = replace(context, query_vector=prepared.vector, consented=prepared.consented)
                result = spec.run(arguments, own)
        except StorageError:
            raise
        except MemGPTError as error:
            return Executed(result=_failed(_sentence(error)), goes_on=True)
        except Exception as error:  # noqa: BLE001 - the model gets an error, the log keeps the traceback
            _log.debug("function %s failed", spec.name, exc_info=True)
            text = f"{spec.name} failed unexpectedly ({type(error).__name__}); try another way"
            return Executed(result=_failed(text), goes_on=True)
        if ignored := unknown(prepared.call.arguments, spec.parameters):
            result = replace(result, text=f"{result.text}\n{_ignored(ignored, spec)}")
        if prepared.edited:
            result = replace(result, text=f"The person changed this before it was done. {result.text}")
        after = spec.after[self._protocol]
        asked = after is Continuation.AS_ASKED and bool(arguments.get("request_heartbeat"))
        return Executed(result=result, goes_on=after is Continuation.CONTINUE or asked or not result.ok)

    def find_again(self, call: FunctionCall, context: FunctionContext) -> FunctionResult | None:
        """Repeat a stored search call and return its current results; None for any other call or an invalid one."""
        spec = self._functions.get(call.name)
        if spec is None or spec.embed is None:
            return None
        try:
            arguments = parse(call.arguments, spec.parameters_in(self._protocol))
            return spec.run(arguments, replace(context, query_vector=spec.embed(arguments, context)))
        except MemGPTError:
            return None


def _with_block(executed: Executed, label: str, context: FunctionContext) -> Executed:
    result = executed.result
    state = state_of(context.core_memory.block(label))
    return replace(executed, result=replace(result, text=f"{result.text} {state}"))


def _ignored(names: Sequence[str], spec: FunctionSpec) -> str:
    given = ", ".join(name[:40] for name in names[:5])
    return f"Ignored unknown arguments: {given}. There are: {', '.join(p.name for p in spec.parameters)}."


def _failed(text: str) -> FunctionResult:
    return FunctionResult(text=text, ok=False)


def _refused(refusal: Refusal) -> FunctionResult:
    return FunctionResult(text=_REFUSED[refusal], ok=False, effects=Effects(refusal=refusal))


def _sentence(error: MemGPTError) -> str:
    """Return the error for the model. Hints name commands and are for people, except those about arguments."""
    hint = error.hint if isinstance(error, FunctionArgumentError) else ""
    return f"{error.message}. {hint}" if hint else error.message
