"""What a chat does with the agent that it holds: the window, the last turn explained, undone, asked again, stopped."""

from collections.abc import Iterator

import pytest

from memgpt_cli.agent.session import Session
from memgpt_cli.bootstrap import Workspace
from memgpt_cli.domain.events import UserMessage
from memgpt_cli.domain.messages import Role
from memgpt_cli.errors import NotFoundError
from memgpt_cli.services.chatting import (
    explain,
    interrupt,
    is_unanswered,
    question_of,
    spoken_turns,
    undo_turn,
    window_use,
)


@pytest.fixture
def session(home: Workspace) -> Iterator[Session]:
    with home.sessions.open(purpose="test") as opened:
        yield opened


def say(session: Session, text: str) -> None:
    list(session.agent.handle(UserMessage(text=text, name="Ana B")))


def test_the_last_turn_is_explained_by_what_was_in_view_and_looked_up(session: Session) -> None:
    with pytest.raises(NotFoundError, match="nothing was answered yet"):
        explain(session)
    say(session, "I keep bees in Lisbon")
    say(session, "Where do I keep bees?")
    found = explain(session)
    assert found.asked.text == "Where do I keep bees?"
    assert found.earlier[0].text == "I keep bees in Lisbon"
    assert {block.label for block in found.blocks} == {"persona", "human"}
    assert found.steps
    searches = [lookup for lookup in found.lookups if lookup.hits]
    assert any("bees" in hit.item.text for lookup in searches for hit in lookup.hits)


def test_an_undone_turn_can_be_asked_again(home: Workspace, session: Session) -> None:
    say(session, "I keep bees")
    used = window_use(session).used
    say(session, "And two goats")
    assert window_use(session).used > used
    taken = undo_turn(session, home.clock)
    question = question_of(session, taken, advice="shorter")
    assert (question.text, question.name, question.advice) == ("And two goats", "Ana B", "shorter")
    assert [
        message.text for turn in spoken_turns(session, home.clock.now().replace(year=2000)) for message in turn.said
    ] == ["I keep bees"]


def test_a_turn_that_was_stopped_is_not_resumed(session: Session) -> None:
    happenings = session.agent.handle(UserMessage(text="I keep bees"))
    next(happenings)
    happenings.close()  # type: ignore[attr-defined]
    assert is_unanswered(session)
    interrupt(session)
    assert not is_unanswered(session)


def test_what_was_said_is_given_turn_by_turn(home: Workspace, session: Session) -> None:
    began = home.clock.now()
    with pytest.raises(NotFoundError, match="nothing was said"):
        list(spoken_turns(session, began))
    say(session, "I keep bees")
    [turn] = spoken_turns(session, began)
    assert [message.role for message in turn.said] == [Role.USER]
    assert turn.reply
