"""What a start needs to know of an agent before it is opened for work."""

from dataclasses import dataclass

from memgpt_cli.domain.agents import AgentConfig
from memgpt_cli.domain.vectors import EmbedderIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """Read from the record without opening it for writing.

    `endpoint` is where its words went last (a note of the session), `embedder` whose vectors it has. `messages` tells
    whether anybody ever said anything, `unanswered` whether a message waits for its answer. `used` is the size of the
    last prompt in tokens; 0 before any.
    """

    config: AgentConfig
    endpoint: str | None = None
    embedder: EmbedderIdentity | None = None
    messages: bool = False
    unanswered: bool = False
    used: int = 0
