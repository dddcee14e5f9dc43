"""The messages of a request as a server accepts them. Stored messages are not changed.

Chat templates and servers disagree about which roles may follow each other. These rules satisfy all of them:

* A system message stands first only. The first message after it is from the user, the last one is not the assistant's.
* Adjacent user messages go out as one, and so do adjacent assistant messages.
* Each call is followed by its results at once, in order. A result without a call, and an empty reply, are left out.

Some servers need more, and say so by a refusal (`WireForm`): Mistral's templates do not count calls and results when
they check that roles alternate, so a reply must stand between a result and the next user message. Llama's take one call
in a message. Gemma's have no results at all, so calls go out as text.

For one form, the messages of a prompt that grows at its end grow at their end. All messages but the last stay as they
were; the content of a last user message may grow at its end, since the next user message is joined to it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from memgpt_cli.domain.chat import PromptMessage
from memgpt_cli.llm.opaque_fields import server_ids, with_opaque
from memgpt_cli.llm.written_tools import answered, escaped, written

Wire = dict[str, Any]

BRIDGE: Final = "(end of turn)"
"""The reply between a function result and the next user message."""

OPENING: Final = "(The beginning of this conversation is not shown.)"
GO_ON: Final = "(Go on.)"
NO_RESULT: Final = "Failed: there is no result."
NOTHING: Final = "(nothing)"


@dataclass(frozen=True, slots=True, kw_only=True)
class WireForm:
    """The requirements of one server beyond the rules for all.

    `bridged`: a reply between result and user message. `single_calls`: each call in a message of its own, followed by
    its result. `text_calls`: all calls and results as text. `opaque_calls_only`: calls without opaque fields as text.
    `opaque`: opaque fields are sent. `system`: False without a system role; its text then opens the first user message.
    `null_content`: False if calls without text need an empty text as their content.
    """

    bridged: bool = False
    single_calls: bool = False
    text_calls: bool = False
    opaque_calls_only: bool = False
    opaque: bool = True
    system: bool = True
    null_content: bool = True


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A message, with the results of its calls in the order of the calls."""

    message: PromptMessage
    results: tuple[PromptMessage, ...] = ()


def wire_messages(messages: Sequence[PromptMessage], form: WireForm) -> list[Wire]:
    """Return the messages in Chat Completions form."""
    system, rest = _without_system(messages)
    exchanges = _with_server_ids(_exchanges(rest)) if form.opaque else _exchanges(rest)
    laid_out = list(_merged(_wire(message, form) for message in _laid_out(exchanges, form)))
    head = [] if system is None else [_wire(system, form)]
    if head and not form.system:
        head, laid_out = [], list(_merged([{**head[0], "role": "user"}, *laid_out]))
    if laid_out and laid_out[0]["role"] != "user":
        laid_out.insert(0, {"role": "user", "content": OPENING})
    if not laid_out or laid_out[-1]["role"] == "assistant":
        laid_out.append({"role": "user", "content": GO_ON})
    return head + laid_out


def _without_system(messages: Sequence[PromptMessage]) -> tuple[PromptMessage | None, list[PromptMessage]]:
    """Return the system message at the front, and the others; later system messages become user messages."""
    system = messages[0] if messages and messages[0].role == "system" else None
    rest = messages[1:] if system is not None else messages
    return system, [replace(m, role="user") if m.role == "system" else m for m in rest]


def _exchanges(messages: Sequence[PromptMessage]) -> Iterator[_Exchange]:
    """Yield the messages with their results; results without a call and empty messages are skipped."""
    for position, message in enumerate(messages):
        if message.role == "tool":
            continue
        if not message.calls:
            if message.picture is not None or (message.content or "").strip():
                yield _Exchange(message)
            continue
        given: dict[str | None, PromptMessage] = {}
        for later in messages[position + 1 :]:
            if later.role != "tool":
                break
            given.setdefault(later.call_id, later)
        yield _Exchange(message, tuple(_result(call.id, given.get(call.id)) for call in message.calls))


def _with_server_ids(exchanges: Iterable[_Exchange]) -> Iterator[_Exchange]:
    """Yield the exchanges with the ids that the server needs back; a repeated id is used once."""
    used: set[str] = set()
    for exchange in exchanges:
        ids = server_ids(exchange.message.opaque)
        if not ids:
            yield exchange
            continue
        calls = []
        for position, call in enumerate(exchange.message.calls):
            given = ids.get(position, call.id)
            calls.append(call if given in used else replace(call, id=given))
            used.add(given)
        results = (replace(result, call_id=call.id) for call, result in zip(calls, exchange.results, strict=True))
        yield _Exchange(replace(exchange.message, calls=tuple(calls)), tuple(results))


def _result(call_id: str, found: PromptMessage | None) -> PromptMessage:
    content = NO_RESULT if found is None else (found.content or "")
    return PromptMessage(role="tool", content=content if content.strip() else NOTHING, call_id=call_id)


def _laid_out(exchanges: Iterable[_Exchange], form: WireForm) -> Iterator[PromptMessage]:
    """Yield the messages in the order of sending, before adjacent ones are merged."""
    some_text = form.text_calls or form.opaque_calls_only
    after_result = False
    for exchange in exchanges:
        message = exchange.message
        if message.role == "user":
            if after_result and form.bridged:
                yield PromptMessage(role="assistant", content=BRIDGE)
            yield replace(message, content=escaped(message.content or "")) if some_text else message
            after_result = False
        elif form.text_calls or (form.opaque_calls_only and message.opaque is None and message.calls):
            yield PromptMessage(role="assistant", content=written(message.content, message.calls))
            if message.calls:
                yield PromptMessage(role="user", content=answered(message.calls, exchange.results))
            after_result = False
        else:
            for part in _single(exchange) if form.single_calls else (exchange,):
                yield part.message
                yield from part.results
            after_result = bool(exchange.results)


def _single(exchange: _Exchange) -> Iterator[_Exchange]:
    """Yield each call in a message of its own; text and opaque fields go with the first."""
    if not exchange.results:
        yield exchange
    for n, (call, result) in enumerate(zip(exchange.message.calls, exchange.results, strict=True)):
        first = exchange.message if n == 0 else PromptMessage(role="assistant", content=None)
        yield _Exchange(replace(first, calls=(call,)), (result,))


def _wire(message: PromptMessage, form: WireForm) -> Wire:
    wire = message.to_wire()
    if wire["content"] is None and not form.null_content:
        wire["content"] = ""
    return with_opaque(wire, message.opaque) if form.opaque and message.opaque is not None else wire


def _merged(messages: Iterable[Wire]) -> Iterator[Wire]:
    """Merge adjacent messages of one role; calls end their message."""
    last: Wire | None = None
    for message in messages:
        if last is not None and last["role"] == message["role"] != "tool" and "tool_calls" not in last:
            last = {**last, **message, "content": _joined(last["content"], message["content"])}
            continue
        if last is not None:
            yield last
        last = message
    if last is not None:
        yield last


def _joined(first: Any, second: Any) -> Any:
    """Join two contents in order: texts as one text, parts as parts; calls may have none."""
    if not second:
        return first
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Any) -> list[Any]:
    return content if isinstance(content, list) else [{"type": "text", "text": content}]
