"""Brains for the strict test server: functions from a request body to a `Reply`. Deterministic, no language model.

A brain that keeps state (`plan`, `memory_worker`, `chaos`) belongs to one conversation; `echo` belongs to any.
"""

import json
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One function call; `arguments` as a mapping, or as the raw text that a bad model would write."""

    name: str
    arguments: dict[str, Any] | str

    @property
    def raw(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True)
class Reply:
    """What the model says: text, calls, reasoning. `chunks` are sent as they stand instead, one SSE event each."""

    text: str | None = None
    calls: tuple[Call, ...] = ()
    reasoning: str | None = None
    finish_reason: str | None = None
    chunks: tuple[dict[str, Any] | str, ...] | None = None


def text_of(message: dict[str, Any]) -> str:
    """What a message says in words; a picture beside them says nothing here."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


Brain = Callable[[Body], Reply]


def last_user_text(body: Body) -> str:
    """The newest message of a person; the program's own alerts and notices are passed over."""
    return next((words for m in reversed(body["messages"]) if (words := _persons_words(m))), "")


def answers_results(body: Body) -> bool:
    """Whether the model is being shown function results, in the middle of a turn."""
    return bool(body["messages"][-1]["role"] == "tool")


def knows(body: Body, function: str) -> bool:
    in_text = f'"name": "{function}", "description"' in text_of(body["messages"][0])
    return in_text or any(tool["function"]["name"] == function for tool in body.get("tools", ()))


def say(body: Body, text: str) -> Reply:
    """`text` as the person's reply in the protocol of this request: plain, or through `send_message`."""
    if knows(body, "send_message"):
        return Reply(calls=(Call("send_message", {"message": text}),))
    return Reply(text)


def do(body: Body, *calls: Call) -> Reply:
    """Function calls after which the model wants to go on, in the protocol of this request."""
    if not knows(body, "send_message"):
        return Reply(calls=calls)
    return Reply(calls=tuple(Call(c.name, {**_mapping(c), "request_heartbeat": True}) for c in calls))


def echo(body: Body) -> Reply:
    """Says back the newest user message."""
    return say(body, f"You said: {last_user_text(body)}")


def plan(replies: Iterable[Reply | str], *, then: str = "The plan is over.") -> Brain:
    """One reply after another, whatever is asked; afterwards always `then`. Strings follow the request's protocol.

    Requests for a summary get one, and take no reply off the plan.
    """
    steps: Iterator[Reply | str] = iter(tuple(replies))

    def brain(body: Body) -> Reply:
        if asks_for_summary(body):
            return summarise(body)
        step = next(steps, then)
        return say(body, step) if isinstance(step, str) else step

    return brain


def memory_worker(*, edit_every: int = 5, label: str = "human", words: int = 60) -> Brain:
    """A model that uses its memory: in every `edit_every`th turn it edits core memory, on a question it searches.

    It appends a short note to block `label`, and replaces the first note once it holds 20, so that no limit is met
    however long the conversation. Its replies have about `words` words, different ones in each turn.
    """
    turns = 0
    notes: list[str] = []

    def brain(body: Body) -> Reply:
        nonlocal turns
        if asks_for_summary(body):
            return summarise(body)
        if not _was_spoken_to(body):
            return say(body, _words(turns, words))
        turns += 1
        if edit_every and turns % edit_every == 0:
            notes.append(f"[note {turns}: likes number {turns * 37 % 1000}]")
            if len(notes) > 20:
                arguments = {"label": label, "old_content": notes.pop(0), "new_content": notes[-1]}
                return do(body, Call("core_memory_replace", arguments))
            return do(body, Call("core_memory_append", {"label": label, "content": notes[-1]}))
        if "?" in last_user_text(body):
            return do(body, Call("conversation_search", {"query": last_user_text(body)[-200:]}))
        return say(body, _words(turns, words))

    return brain


def chaos(seed: int = 0) -> Brain:
    """A bad model: broken JSON, unknown functions, missing and mistyped arguments, empty and huge replies."""
    source = random.Random(seed)
    kinds: tuple[Callable[[Body], Reply], ...] = (
        echo,
        lambda _: Reply(),
        lambda _: Reply("  \n "),
        lambda body: say(body, "word " * source.randrange(1, 3000)),
        lambda _: Reply(calls=(Call("core_memory_append", '{"label": "human", "content": "half a'),)),
        lambda _: Reply(calls=(Call("core_memory_append", "[1, 2"),)),
        lambda _: Reply(calls=(Call("core_memory_append", '"a string"'),)),
        lambda _: Reply(calls=(Call("no_such_function", {"x": 1}),)),
        lambda _: Reply(calls=(Call("bad name!", "{}"),)),
        lambda _: Reply("Let me see.", calls=(Call("conversation_search", {"query": "a", "page": 10**9}),)),
        lambda _: Reply(calls=(Call("conversation_search", {}),)),
        lambda _: Reply(calls=(Call("conversation_search", {"query": ["not", "text"], "colour": 3}),)),
        lambda body: do(body, Call("archival_memory_insert", {"content": "fact " * source.randrange(1, 2000)})),
        lambda body: do(body, *(Call("archival_memory_search", {"query": "fact", "page": n}) for n in range(8))),
        lambda _: Reply('```json\n{"name": "conversation_search", "arguments": {"query": "written"}}\n```'),
        lambda _: Reply("\u0000\u001b[31mred\u202e </memgpt_event> <|im_end|>"),
        lambda _: Reply("Half a thought", finish_reason="length"),
    )
    return lambda body: source.choice(kinds)(body)  # noqa: PLW0108 - a new choice for each request


def asks_for_summary(body: Body) -> bool:
    """Whether the queue manager wants a summary, at the end of the conversation's own prompt or in one of its own."""
    last = text_of(body["messages"][-1])
    apart = not body.get("tools") and (last.startswith("Summary so far:") or "summary_request" in last)
    return apart or (body.get("tool_choice") == "none" and '"last_call"' not in last)


def summarise(body: Body) -> Reply:
    """A summary that says how much it stands for and nothing else."""
    return Reply(f"They spoke about this and that, in {len(body['messages'])} messages.")


def seen(body: Body, pattern: str) -> bool:
    """Whether anything in the prompt matches, for brains that answer from what they are shown."""
    return any(re.search(pattern, text_of(m)) for m in body["messages"])


def _is_from_person(message: dict[str, Any]) -> bool:
    return bool(_persons_words(message))


def _persons_words(message: dict[str, Any]) -> str:
    """What a person says in a message that may also hold events and function results."""
    if message["role"] != "user":
        return ""
    words = _NOT_FROM_PERSON.sub("", text_of(message))
    return "\n\n".join(part for part in words.split("\n\n") if part.strip() and '"system_alert"' not in part[:40])


def _was_spoken_to(body: Body) -> bool:
    """Whether a person spoke since the model last did; otherwise it is in the middle of a turn."""
    newest = next((m for m in reversed(body["messages"]) if m["role"] in ("assistant", "tool") or _speaks(m)), None)
    return newest is not None and newest["role"] == "user" and _is_from_person(newest)


_NOT_FROM_PERSON = re.compile(r"<(memgpt_event|tool_response)\b.*?</\1>", re.DOTALL)


def _speaks(message: dict[str, Any]) -> bool:
    return _is_from_person(message) or text_of(message).startswith("<tool_response")


def _mapping(call: Call) -> dict[str, Any]:
    assert isinstance(call.arguments, dict), "do() takes calls with readable arguments"
    return call.arguments


_VOCABULARY = (
    *("river", "stone", "garden", "letter", "window", "engine", "market", "winter", "coffee", "planet", "silver"),
    *("bridge", "forest", "camera", "pocket", "summer", "doctor", "island", "guitar", "mirror", "orange", "village"),
)


def _words(turn: int, count: int) -> str:
    source = random.Random(turn)
    return f"Turn {turn}: " + " ".join(source.choice(_VOCABULARY) for _ in range(count)) + "."
