"""Agents for tests: real stores in a folder of the test's own, a model behind the strict server or in a file.

Not here: fakes. What the agent talks to is HTTP on the loopback.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from memgpt_cli.agent.session import Session
from memgpt_cli.bootstrap import Flags, Workspace
from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.events import Happening, StepCommitted, TurnEnded, UserMessage

Wire = dict[str, Any]


def workspace(
    home: Path,
    *,
    base_url: str | None = None,
    model: str = "gpt-4o",
    window: int | None = None,
    protocol: Protocol = Protocol.NATIVE,
    **settings: str,
) -> Workspace:
    """A workspace in `home`; `settings` are environment variables without their MEMGPT_ prefix."""
    environ = {
        "MEMGPT_HOME": str(home),
        "MEMGPT_LOOP_PROTOCOL": protocol.value,
        "MEMGPT_DISPLAY_TIMEZONE": "UTC",
        "OPENAI_API_KEY": "sk-test",
        **{f"MEMGPT_{name.upper()}": value for name, value in settings.items()},
    }
    flags = Flags(model=model, base_url=base_url, window=window)
    return Workspace(flags, environ=environ, directory=home)


@contextmanager
def session(home: Path, **options: Any) -> Iterator[Session]:
    """The default agent, held open."""
    with workspace(home, **options).sessions.open(purpose="test") as opened:
        yield opened


def run(opened: Session, text: str, **message: Any) -> list[Happening]:
    """One turn, whole."""
    return list(opened.agent.handle(UserMessage(text=text, **message)))


def reply(happenings: list[Happening]) -> str:
    """What the person read."""
    return next(h.reply for h in happenings if isinstance(h, TurnEnded))


def steps(happenings: list[Happening]) -> list[StepCommitted]:
    """The steps of a turn."""
    return [h for h in happenings if isinstance(h, StepCommitted)]


def is_extension(before: Wire, after: Wire) -> bool:
    """Whether a request's prompt is the other's with more at its end.

    All messages but the last are the same, byte for byte. The last is the same too, or it is the user's and has grown
    at its end, since the user's next message is joined to it.
    """
    *same, last = before["messages"]
    if json.dumps(before.get("tools")) != json.dumps(after.get("tools")) or len(after["messages"]) <= len(same):
        return False
    grown = after["messages"][len(same)]
    if last["role"] == grown["role"] == "user" and isinstance(last["content"], str):
        last, grown = {**last, "content": ""}, {**grown, "content": grown["content"].removeprefix(last["content"])}
        grown["content"] = "" if grown["content"].startswith("\n\n") else grown["content"]
    return json.dumps([*same, last]) == json.dumps([*after["messages"][: len(same)], grown])
