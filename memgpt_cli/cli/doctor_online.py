"""What `memgpt doctor --online` checks: the endpoint, its model's function calls, the embedder, servers nearby."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from memgpt_cli.cli.finding import Check, Finding
from memgpt_cli.errors import APIKeyError, ModelError
from memgpt_cli.services.endpoints import serves

if TYPE_CHECKING:
    from memgpt_cli.bootstrap import Workspace
    from memgpt_cli.ports import ChatModel

_LISTING_S: Final = 5.0
_NAMED: Final = 5


def _endpoint(workspace: "Workspace") -> Iterator[Finding]:
    choice = workspace.sessions.choice_in_use()
    if choice.endpoint is None:
        yield Finding(what="endpoint", ok=True, says=f"{choice.name} answers inside this program; nothing to call")
        return
    where = choice.base_url or choice.endpoint.host
    try:
        listed = workspace.models.served_by(choice, timeout_s=_LISTING_S)
    except ModelError as error:
        yield Finding(what="endpoint", ok=False, says=f"{where}: {error.message}", hint=error.hint)
        return
    served = [model.name for model in listed]
    if served and not serves(served, choice.name):
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
    found = workspace.models.local_servers(within_s=_LISTING_S)
    for server in found:
        model = next((m for m in server.models if "embed" not in m.lower()), "NAME")
        yield Finding(
            what="nearby",
            ok=True,
            says=f"a model server at {server.base_url} ({server.name}?): {_some(server.models) or 'no model loaded'}",
            hint=f"memgpt models add local --base-url {server.base_url} --model {model}",
        )
    if not found:
        ports = ", ".join(f"{name} at {port}" for name, port in workspace.models.local_ports)
        yield Finding(what="nearby", ok=True, says=f"no model server on this machine ({ports})")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


CHECKS: Final[dict[str, Check]] = {"endpoint": _endpoint, "embeddings": _embedder, "nearby": _nearby}
