"""What `memgpt doctor --online` checks: the endpoint, its model's function calls, the embedder, servers nearby."""

import os
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from memgpt_cli.cli.finding import Check, Finding
from memgpt_cli.errors import APIKeyError, MemGPTError, ModelError

if TYPE_CHECKING:
    from memgpt_cli.bootstrap import Workspace
    from memgpt_cli.ports import ChatModel

_LOCAL: Final = (
    ("Ollama", 11434),
    ("LM Studio", 1234),
    ("llama.cpp", 8080),
    ("vLLM", 8000),
)
"""Servers and the ports where they listen unless told otherwise."""

_KNOCK_S: Final = 0.3
_LISTING_S: Final = 5.0
_NAMED: Final = 5
_BUILTIN: Final = ("offline", "scripted:")


def _endpoint(workspace: "Workspace") -> Iterator[Finding]:
    choice = workspace.sessions.choice_in_use()
    if choice.name.startswith(_BUILTIN):
        yield Finding(what="endpoint", ok=True, says=f"{choice.name} answers inside this program; nothing to call")
        return
    where = choice.base_url or "OpenAI"
    workspace.models.check_key(choice)
    try:
        listed = workspace.models.served(choice.base_url, named_by=choice.base_url_source, timeout_s=_LISTING_S)
    except ModelError as error:
        yield Finding(what="endpoint", ok=False, says=f"{where}: {error.message}", hint=error.hint)
        return
    served = [model.name for model in listed]
    if served and choice.name not in served:
        hint = f"--model {served[0]}" if len(served) == 1 else f"one of: {_some(served)}"
        yield Finding(what="endpoint", ok=False, says=f"{where} does not serve {choice.name}", hint=hint)
        return
    yield Finding(what="endpoint", ok=True, says=f"{where} answers and serves {choice.name}")
    yield _calls_functions(workspace.models.connect(choice))


def _calls_functions(model: "ChatModel") -> Finding:
    """Ask for one call, in the form that a turn uses."""
    from memgpt_cli.domain.chat import CallDelta, ChatRequest, PromptMessage, ToolSchema

    word = {"word": {"type": "string", "description": "The word to note."}}
    tool = ToolSchema(
        name="note_word",
        description="Note a word.",
        parameters={"type": "object", "properties": word, "required": ["word"]},
    )
    order = PromptMessage(role="user", content="Call the function note_word with the word apple. Write nothing else.")
    request = ChatRequest(model=model.name, messages=(order,), tools=(tool,), max_tokens=512)
    try:
        deltas = list(model.stream(request))
    except (ModelError, APIKeyError) as error:
        return Finding(what="functions", ok=False, says=f"{model.name}: {error.message}", hint=error.hint)
    finally:
        model.close()
    if any(isinstance(delta, CallDelta) and delta.name == tool.name for delta in deltas):
        return Finding(what="functions", ok=True, says=f"{model.name} calls functions when asked")
    return Finding(
        what="functions",
        ok=False,
        says=f"{model.name} did not call a function when asked, so it cannot use its memory",
        hint="use a model that is made for calling functions (tools): --model NAME",
    )


def _embedder(workspace: "Workspace") -> Iterator[Finding]:
    if workspace.settings.embedder.provider != "openai":
        return
    workspace.embedders.configured.embed(["hello world"])
    yield Finding(what="embeddings", ok=True, says=str(workspace.embedders.configured.identity))


def _nearby(workspace: "Workspace") -> Iterator[Finding]:
    found = False
    for name, port in _servers():
        base_url = f"http://localhost:{port}/v1"
        try:
            with socket.create_connection(("localhost", port), timeout=_KNOCK_S):
                pass
            models = [model.name for model in workspace.models.served(base_url, timeout_s=_LISTING_S)]
        except (OSError, MemGPTError):
            continue
        found = True
        model = next((m for m in models if "embed" not in m.lower()), "NAME")
        yield Finding(
            what="nearby",
            ok=True,
            says=f"{name} or its like at {base_url}: {_some(models) or 'no model loaded'}",
            hint=f"memgpt chat --base-url {base_url} --model {model}",
        )
    if not found:
        ports = ", ".join(f"{name} at {port}" for name, port in _servers())
        yield Finding(what="nearby", ok=True, says=f"no model server on this machine ({ports})")


def _servers() -> list[tuple[str, int]]:
    """The usual ports; OLLAMA_HOST is honoured where it names one."""
    stated = os.environ.get("OLLAMA_HOST", "")
    try:
        port = urlsplit(stated if "://" in stated else f"//{stated}").port
    except ValueError:
        port = None
    return [(name, port if name == "Ollama" and port else usual) for name, usual in _LOCAL]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


CHECKS: Final[dict[str, Check]] = {"endpoint": _endpoint, "embeddings": _embedder, "nearby": _nearby}
