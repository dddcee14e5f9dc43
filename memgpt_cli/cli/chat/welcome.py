"""The text above the first prompt: one screen at the very first start, one line later."""

import sys
import textwrap
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Final

from memgpt_cli.cli.chat.first_run import found_models, listed
from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.cli.terminal.context import Terminal

if TYPE_CHECKING:
    from memgpt_cli.services.chatting import Reservation
    from memgpt_cli.services.local_servers import Offer
    from memgpt_cli.services.workspaces import Workspace

_OFFLINE: Final = """\
No language model is connected, so the built-in responder answers. It is not a model: it remembers what you tell it, \
finds it again, and does nothing else. To connect a model, quit with Ctrl-D, then:

OpenAI (asks for the key):
  memgpt keys set openai
Ollama, LM Studio, vLLM, llama.cpp and others:
  memgpt chat --base-url http://localhost:11434/v1 --model NAME
What runs on this machine:
  memgpt doctor --online
"""

_FOUND: Final = """\
No language model is connected yet. These run on this machine:

{models}

Press a number to use that model from now on. Any other key continues with the built-in responder, which is not a \
language model: it remembers what you tell it and finds it again.
"""

_CONNECTED: Final = "{model} answers. Your messages are sent to it, with the memories that belong to them.\n"

_WELCOME: Final = """\
This is memgpt: a model whose memory outlives its context window. What you say is kept on this machine \
and found again, however long ago it was.

Everything is kept in {home}.

{who}"""

_FIRST_WORDS: Final = """
Say something about yourself. /help shows what else there is, /memory what is remembered.
"""


def welcome(terminal: Terminal, workspace: "Workspace", reservation: "Reservation") -> "list[Offer]":
    """Greet a new user, or print one line about the agent and model.

    Returns the models of this machine that a key chooses (first_run.py), if any were found.
    """
    if reservation.summary.messages:
        for line in reservation.notices:
            terminal.notice(line)
        return []
    offline = reservation.model == "offline"
    found = found_models(workspace) if offline else []
    for line in () if offline else reservation.notices:
        terminal.notice(line)
    who = _FOUND.format(models=listed(found)) if found else _OFFLINE
    _write(
        _WELCOME.format(who=who if offline else _CONNECTED.format(model=reservation.model), home=workspace.paths.data)
    )
    if not found:
        first_words()
    return found


def first_words() -> None:
    """Return the first suggestions."""
    _write(_FIRST_WORDS)


def _write(text: str) -> None:
    width = min(get_terminal_size().columns, 80)
    sys.stdout.write("\n".join(_wrapped(line, width) for line in plain(text).split("\n")))
    sys.stdout.flush()


def _wrapped(line: str, width: int) -> str:
    """Wrap prose at words; indented lines are commands and stay whole."""
    return line if line.startswith(" ") else textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
