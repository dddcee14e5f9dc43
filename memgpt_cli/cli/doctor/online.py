"""The checks of `memgpt doctor --online`: the endpoint, function calls, the embedder, servers on this machine."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from memgpt_cli.cli.doctor.finding import Check, Finding
from memgpt_cli.services.model_probes import ModelTest

if TYPE_CHECKING:
    from memgpt_cli.services.workspaces import Workspace

_LISTING_S: Final = 5.0
_NAMED: Final = 5


def _endpoint(workspace: "Workspace") -> Iterator[Finding]:
    choice = workspace.sessions.choice_in_use()
    if choice.endpoint is None:
        yield Finding(what="endpoint", ok=True, says=f"{choice.name} answers inside this program; nothing to call")
        return
    for probe in ModelTest(workspace, choice).essentials():
        yield Finding(what=probe.what, ok=probe.ok is not False, says=probe.says, hint=probe.hint)


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
