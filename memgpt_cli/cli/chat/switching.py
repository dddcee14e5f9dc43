"""Questions before a chat switches agents: whether its history may go to another server, whether to create an agent."""

from typing import TYPE_CHECKING

from memgpt_cli.domain.names import did_you_mean
from memgpt_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from memgpt_cli.services.workspaces import Workspace


def keeps_model(workspace: "Workspace", agent: str, ask: "Callable[[str], str] | None") -> bool:
    """Whether the chat's model (True) or its own answers the agent.

    The user is asked only if its history would go to another server. Raises UsageError if `ask` is None then.
    """
    from memgpt_cli.services.moving import move_of

    move = move_of(workspace, agent)
    if move is None:
        return True
    own = "no model that exists" if move.own is None else f"{move.own.name} on {move.own.destination.place}"
    told = f"{agent} uses {own}; this chat uses {move.to.name} on {move.to.destination.place}"
    if ask is None:
        raise UsageError(
            f"{told}; {agent}'s history may go there only with your consent",
            hint=f"memgpt chat -a {agent}, with --model {move.to.label} if it may",
        )
    question = f"{told}.\nSend what {agent} remembers to {move.to.destination.place}? [y/N] "
    return ask(question).strip().lower() in {"y", "yes"}


def offer_agent(workspace: "Workspace", name: str, ask: "Callable[[str], str] | None" = None) -> None:
    """Create an unknown agent if the user agrees. The default agent is created without a question."""
    if workspace.agents.exists(workspace.check_name(name)) or workspace.is_default(name) or name == "default":
        return
    from memgpt_cli.cli.chat.confirm import ask_on_terminal
    from memgpt_cli.services.agent_settings import AgentSettings, new_config

    meant = did_you_mean(name, workspace.agents.names())
    question = f"There is no agent {name}{meant}{'' if meant else '.'} Create it? [y/N] "
    if (ask or ask_on_terminal)(question).strip().lower() in {"y", "yes"}:
        workspace.new_agents.create(name, config=new_config(workspace, name, AgentSettings()))
