"""Ask the user before the model writes to memory (`memory.confirm`): yes, no, edit, always."""

import json
import sys
from collections.abc import Callable
from typing import Final, Protocol

from memgpt_cli.cli.chat.turns import proposal
from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.domain.chat import arguments_object
from memgpt_cli.domain.effects import ConsentVerdict
from memgpt_cli.domain.messages import FunctionCall

QUESTION: Final = "write this? [y]es [n]o [e]dit [a]lways: "
_TEXTS: Final = ("content", "new_content")
"""The arguments with the text to write."""


class Ask(Protocol):
    """Asks the user one question."""

    def __call__(self, question: str, *, default: str = "") -> str:
        """Return the answer; empty if there is none."""
        ...


class Confirmation:
    """Asks about each write until the user chooses `always`, which applies to this object."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._always = False

    def __call__(self, call: FunctionCall) -> ConsentVerdict:
        """Return the user's decision. No answer and Ctrl-C mean no: nothing is written without consent."""
        if self._always:
            return ConsentVerdict(allowed=True)
        try:
            return self._decide(call)
        except KeyboardInterrupt:
            return ConsentVerdict(allowed=False)

    def _decide(self, call: FunctionCall) -> ConsentVerdict:
        question = f"{plain(proposal(call))}\n{QUESTION}"
        while True:
            match self._ask(question).strip().lower()[:1]:
                case "y":
                    return ConsentVerdict(allowed=True)
                case "a":
                    self._always = True
                    return ConsentVerdict(allowed=True)
                case "e":
                    return self._edited(call)
                case "n" | "":
                    return ConsentVerdict(allowed=False)
                case _:
                    question = QUESTION

    def _edited(self, call: FunctionCall) -> ConsentVerdict:
        arguments = arguments_object(call.arguments) or {}
        name = next((name for name in _TEXTS if name in arguments), None)
        if name is None:
            return ConsentVerdict(allowed=True)
        text = self._ask("text: ", default=str(arguments[name]))
        if not text.strip():
            return ConsentVerdict(allowed=False)
        return ConsentVerdict(allowed=True, arguments=json.dumps({**arguments, name: text}, ensure_ascii=False))


def ask_on_terminal(question: str, *, default: str = "") -> str:
    """Ask on stderr and read one line of standard input."""
    suffix = f" (now: {default})\n> " if default else ""
    sys.stderr.write(question + suffix)
    sys.stderr.flush()
    line = sys.stdin.readline()
    return line.rstrip("\r\n") or default if line else ""


def confirmation(*, wanted: bool) -> Callable[[FunctionCall], ConsentVerdict] | None:
    """Return the function that asks at the terminal, for commands other than chat; None refuses every write."""
    if wanted and sys.stdin.isatty() and sys.stderr.isatty():
        return Confirmation(ask_on_terminal)
    return None
