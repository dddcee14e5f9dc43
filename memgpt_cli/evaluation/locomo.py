"""Read conversations in LoCoMo's format: sessions of messages, and questions with the messages that hold their answers.

The data set (CC BY-NC 4.0) is not part of this project.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.errors import UsageError

CATEGORIES: Final[Mapping[int, str]] = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop"}
"""The kinds of questions that have evidence. Questions of category 5 have no answer in the conversation."""

_SESSION: Final = re.compile(r"session_(\d+)")
_TURN_ID: Final = re.compile(r"D:?(\d+):0*(\d+)")
_UNNAMED: Final = frozenset({"user", "assistant", "human", "ai", "bot", "用户", "助手"})
"""Names of speakers without a name of their own."""

_PACE: Final = timedelta(seconds=20)
"""The file dates sessions, not messages: messages within a session get this interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocomoQuestion:
    """A question; `evidence` are the 0-based numbers of the messages that answer it together. `answer` may be empty."""

    text: str
    category: str
    evidence: frozenset[int]
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocomoConversation:
    """Messages in their order and the questions about them.

    A turn without a role is a named user's, so that a conversation of two people has two users.
    """

    name: str
    messages: tuple[Message, ...]
    questions: tuple[LocomoQuestion, ...]

    @property
    def kind(self) -> str:
        """The participants: `named people`, `user and assistant`, or `one user` with only their own messages."""
        if any(message.role is Role.ASSISTANT for message in self.messages):
            return "user and assistant"
        return "named people" if any(message.name for message in self.messages) else "one user"


def read_conversations(path: Path) -> list[LocomoConversation]:
    """Return the conversations of a file. Raises UsageError for an unreadable file or another format."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return [_conversation(entry, number) for number, entry in enumerate(_array(document), 1)]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", hint="name a file in LoCoMo's format") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{path} is not in LoCoMo's format: {type(error).__name__}: {error}",
            hint='it is a JSON array of {"conversation": {"session_1": [...], ...}, "qa": [...]}',
        ) from error


def _array(document: Any) -> list[Any]:
    if not isinstance(document, list):
        raise TypeError("not an array")
    return document


def _conversation(entry: Mapping[str, Any], number: int) -> LocomoConversation:
    talk = entry["conversation"]
    turns = list(_turns(talk))
    numbers = {turn_id: position for position, (turn_id, _) in enumerate(turns)}
    questions = []
    for asked in entry["qa"]:
        category = CATEGORIES.get(asked["category"])
        evidence = frozenset(numbers[turn] for turn in turn_ids(asked.get("evidence", ())) if turn in numbers)
        if category is not None and evidence:
            answer = str(asked.get("answer", ""))
            questions.append(
                LocomoQuestion(text=asked["question"], category=category, evidence=evidence, answer=answer)
            )
    return LocomoConversation(
        name=str(entry.get("sample_id", number)),
        messages=tuple(message for _, message in turns),
        questions=tuple(questions),
    )


def turn_ids(evidence: Any) -> list[str]:
    """Return the ids in a list of evidence; `D8:6; D9:17`, `D:11:26` and `D30:05` occur too."""
    return [f"D{int(session)}:{int(turn)}" for text in evidence for session, turn in _TURN_ID.findall(text)]


def _turns(talk: Mapping[str, Any]) -> Iterator[tuple[str, Message]]:
    sessions = sorted(int(match[1]) for key in talk if (match := _SESSION.fullmatch(key)))
    for session in sessions:
        begun = datetime.strptime(talk[f"session_{session}_date_time"], "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
        for position, turn in enumerate(talk[f"session_{session}"]):
            yield (
                turn["dia_id"],
                Message(
                    role=Role(turn.get("role", Role.USER)),
                    name=_name(turn["speaker"], in_roles="role" in turn),
                    text=turn["text"],
                    created_at=begun + position * _PACE,
                    session=str(session),
                ),
            )


def _name(speaker: str, *, in_roles: bool) -> str | None:
    return None if in_roles and speaker.strip().casefold() in _UNNAMED else speaker
