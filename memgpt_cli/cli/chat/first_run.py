"""The first chat without a model: choose a model of a server on this machine with one key."""

from typing import TYPE_CHECKING, Final

from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.errors import MemGPTError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memgpt_cli.services.local_servers import Offer
    from memgpt_cli.services.workspaces import Workspace

MOST: Final = 9
"""Maximum number of models for one digit."""
_LONGEST: Final = 40


def found_models(workspace: "Workspace") -> list["Offer"]:
    """Return the models to offer; none if something is configured or the search is turned off."""
    from memgpt_cli.services.local_servers import may_look, offers

    return offers(workspace) if may_look(workspace) else []


def listed(offers: "Sequence[Offer]") -> str:
    """Return the models with their keys, one per line."""
    shown = offers[:MOST]
    width = min(_LONGEST, max(len(offer.model) for offer in shown))
    lines = [f"  {n}  {_short(o.model):<{width}}  {o.server}, {o.base_url}" for n, o in enumerate(shown, start=1)]
    if len(offers) > MOST:
        lines.append(f"  and {len(offers) - MOST} more: memgpt doctor --online")
    return plain("\n".join(lines))


def _short(model: str) -> str:
    return model if len(model) <= _LONGEST else f"{model[: _LONGEST - 1]}…"


def choose(
    terminal: Terminal, workspace: "Workspace", offers: "Sequence[Offer]", read_key: "Callable[[], str]"
) -> tuple[bool, str]:
    """Wait for a key; returns whether a model was chosen as the default, and other input to keep."""
    from memgpt_cli.services.local_servers import accept

    while True:
        typed = read_key()
        key = typed.strip("\r\n")
        if not (len(key) == 1 and key in "123456789"):
            return False, "".join(c for c in key if c.isprintable()) if "\x1b" not in key else ""
        if int(key) > min(MOST, len(offers)):
            continue
        offer = offers[int(key) - 1]
        try:
            profile = accept(workspace, offer)
        except MemGPTError as error:
            terminal.notice(f"error: {error.message}\n\nhint: {error.hint}", style=None)
            return False, ""
        terminal.say(f"{offer.model} answers from now on: profile {profile.name}, made the default model.")
        terminal.notice("to undo: memgpt config unset model.name")
        return True, ""
