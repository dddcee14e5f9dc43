"""Data about an agent that start-up needs before the agent is opened."""

from dataclasses import dataclass

from memgpt_cli.domain.agents import AgentConfig
from memgpt_cli.domain.vectors import EmbedderIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSummary:
    """Read from the record without opening it for writing.

    `endpoint` is where its messages were last sent (a note of the session), `embedder` is the one that made its
    vectors. `messages`: it has messages. `unanswered`: a message has no answer yet. `used` is the size of the last
    prompt in tokens; 0 before any.
    """

    config: AgentConfig
    endpoint: str | None = None
    embedder: EmbedderIdentity | None = None
    messages: bool = False
    unanswered: bool = False
    used: int = 0
