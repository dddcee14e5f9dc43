"""Talking to an agent from a program: turns, the last turn taken back, and calls of its model outside of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.domain.chat import ChatRequest, PromptMessage, TextDelta
from memgpt_cli.domain.messages import Role
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.services.callers import Caller
from memgpt_cli.services.changes import undo_last_turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memgpt_cli.agent.session import Session
    from memgpt_cli.bootstrap import Workspace
    from memgpt_cli.domain.chat import PromptRole
    from memgpt_cli.domain.events import Event, Happening
    from memgpt_cli.domain.messages import Message

_OFFLINE: Final = ("offline", "scripted:")


class Talk:
    """An agent held open under its lock, for turns on behalf of `caller`. Use it from one thread."""

    def __init__(self, workspace: Workspace, session: Session, caller: Caller) -> None:
        self._workspace = workspace
        self._session = session
        self._caller = caller

    @property
    def streams_thoughts(self) -> bool:
        """Whether the text of a step is a thought and not what the person reads (the paper's protocol)."""
        return self._session.agent.protocol is Protocol.PAPER

    def say(self, event: Event) -> Iterator[Happening]:
        """One turn. Closing the iterator ends it and keeps what the model has said. Raises what `Agent.handle` does."""
        return self._session.agent.handle(event)

    def newest_message(self) -> Message | None:
        """The person's last message, imported ones included."""
        found = self._session.store.messages.page(RecallFilters(roles=(Role.USER,)), limit=1)
        return found[0] if found else None

    def message_with(self, external_id: str) -> Message | None:
        """The message that was delivered under this id."""
        return self._session.store.messages.by_external_id(external_id)

    def is_last_turn(self, message: Message) -> bool:
        """Whether a message began the newest turn."""
        return message.turn is not None and message.turn == self._session.store.undo.last_turn()

    def undo_last_turn(self) -> None:
        """Take the newest turn back, with its messages, changes and evictions."""
        undo_last_turn(self._session.store, at=self._workspace.clock.now(), caller=self._caller)

    def set_read_only_block(self, label: str, text: str, *, description: str, limit: int) -> Block:
        """Make or rewrite a block that the model reads and cannot write. Raises LimitError when it does not fit."""
        core, by = self._session.core_memory, Provenance(author=Author.SYSTEM, command="serve")
        known = self._session.store.blocks.get(label)
        if known is None:
            new = Block(label=label, value=text, description=description, limit=limit, read_only=True)
            return core.create(new, by)
        return known if known.value == text else core.change(label, by, value=text, limit=limit, read_only=True)

    def close(self) -> None:
        """Close the agent and give its lock back."""
        self._session.close()


def open_talk(workspace: Workspace, name: str, *, purpose: str, caller: Caller) -> Talk:
    """Open an agent to talk to. Raises AgentBusyError, NotFoundError, ConfigError, LimitError, APIKeyError."""
    return Talk(workspace, workspace.sessions.open(name, purpose=purpose), caller)


def answers_offline(workspace: Workspace, name: str) -> bool:
    """Whether an agent is answered without a language model."""
    return workspace.sessions.choice_of(name).name.startswith(_OFFLINE)


def ask_model(workspace: Workspace, name: str, messages: Sequence[tuple[PromptRole, str]], *, max_tokens: int) -> str:
    """One call of an agent's model without the agent: no memory is read, nothing is stored.

    `messages` are roles (`system`, `user`, `assistant`) with texts. Raises ModelError, APIKeyError, ConfigError.
    """
    choice = workspace.sessions.choice_of(name)
    workspace.models.check_key(choice)
    request = ChatRequest(
        model=choice.name,
        messages=tuple(PromptMessage(role=role, content=text) for role, text in messages),
        max_tokens=max_tokens,
    )
    deltas = workspace.models.connect(choice).stream(request)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))
