"""From an extractor's reply to checked statements."""

import json
from datetime import UTC, datetime

from memgpt_cli.domain.facts import FactKind, FactState
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.facts.proposals import Proposals, proposals

_AT = datetime(2023, 1, 27, 12, tzinfo=UTC)
_MESSAGES = [
    Message(id=1, role=Role.USER, text="My rent went up to 700 last month.", created_at=_AT),
    Message(id=2, role=Role.ASSISTANT, text="You could move to Porto, it is cheaper there.", created_at=_AT),
    Message(id=3, role=Role.TOOL, name="conversation_search", text="[m9] Ana owns a red car", created_at=_AT),
    Message(id=4, role=Role.USER, text="If I won the lottery I would live in Rome. 我的猫叫咪咪。", created_at=_AT),
]


def _of(*facts: dict[str, str]) -> Proposals:
    return proposals("\n".join(json.dumps(fact, ensure_ascii=False) for fact in facts), _MESSAGES, UTC)


def test_a_fact_is_kept_with_its_source_and_checked_dates() -> None:
    made = _of({"of": "user", "what": "rent", "is": "700", "from": "2023-01", "quote": "rent went up to 700"})
    (proposal,) = made.items
    assert (proposal.source.id, proposal.state, proposal.check) == (1, FactState.CURRENT, "")
    assert str(proposal.candidate.valid.start) == "2022-12"
    assert made.last == 1


def test_what_only_the_assistant_or_a_tool_said_is_dropped() -> None:
    made = _of(
        {"of": "user", "what": "home", "is": "Porto", "quote": "You could move to Porto"},
        {"of": "Ana", "what": "car", "is": "red", "quote": "Ana owns a red car"},
    )
    assert made.items == []
    assert made.dropped == {"not a person's word": 2}


def test_what_was_supposed_or_altered_is_uncertain() -> None:
    made = _of(
        {"of": "user", "what": "home", "is": "Rome", "quote": "I would live in Rome"},
        {"of": "user", "what": "rent", "is": "7000", "quote": "My rent went up to 700"},
        {"of": "咪咪", "what": "种类", "is": "猫", "quote": "我的猫叫咪咪"},
    )
    assert [(p.state, bool(p.check)) for p in made.items] == [
        (FactState.UNCERTAIN, True),
        (FactState.UNCERTAIN, True),
        (FactState.CURRENT, False),
    ]


def test_what_cannot_be_used_is_dropped_and_counted() -> None:
    made = _of(
        {"what": "rent", "is": "700", "quote": "rent went up"},
        {"of": "user", "what": "rent", "is": "700"},
        {"of": "user", "quote": "rent went up to 700"},
        {"of": "user", "what": "job", "is": "nurse", "quote": "I work as a nurse"},
        {"of": "user", "what": "...", "is": "?", "quote": "rent went up to 700"},
    )
    assert made.dropped == {"no subject": 1, "no quote": 1, "no statement": 2, "quote not found": 1}


def test_kinds_and_impossible_dates() -> None:
    made = _of(
        {"of": "user, Ana", "fact": "They met.", "from": "2023-13", "until": "x", "quote": "rent went up to 700"},
        {"of": "user", "what": "rent talk", "is": "be brief", "kind": "wish", "quote": "rent went up to 700"},
    )
    assert [p.candidate.kind for p in made.items] == [FactKind.EVENT, FactKind.PREFERENCE]
    assert made.items[0].candidate.names == ("user", "Ana")
    assert made.items[0].candidate.valid.start is None
