"""When a new statement replaces a known one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.facts import Fact, FactState
from memgpt_cli.domain.partial_dates import PartialDate, Validity
from memgpt_cli.facts.supersession import judge

_MAY = datetime(2023, 5, 1, tzinfo=UTC)
_JUNE = datetime(2023, 6, 1, tzinfo=UTC)


def _fact(number: int, what: str, value: str, **changes: object) -> Fact:
    said = changes.pop("said_at", _MAY)
    author = changes.pop("author", Author.USER)
    start, until = (changes.pop(key, None) for key in ("start", "until"))
    made = Fact(
        id=number, subject_id=1, subject="Ana", predicate=what, object=value, one_valued=True, said_at=said,  # type: ignore[arg-type]
        recorded_at=said, provenance=Provenance(author=author),  # type: ignore[arg-type]
        valid=Validity(*(PartialDate.parse(str(d)) if d else None for d in (start, until))),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


_RENT = _fact(1, "rent", "650 euros")


def test_the_same_value_again_is_a_restatement() -> None:
    assert judge(_fact(0, "Rent", "650 Euros."), [_RENT]).restates == 1


@pytest.mark.parametrize(
    ("what", "old", "new"), [("rent", "650", "700"), ("电话", "139", "138"), ("Job ", "nurse", "cook")]
)
def test_another_value_of_the_same_state_closes_the_old_one(what: str, old: str, new: str) -> None:
    verdict = judge(_fact(0, what, new, said_at=_JUNE), [_fact(1, what.strip().lower(), old)])
    assert (verdict.closes, verdict.doubts, verdict.checks) == ((1,), (), ())


@pytest.mark.parametrize(
    "new",
    [
        _fact(0, "rent", "700", said_at=_JUNE, author=Author.DOCUMENT),
        _fact(0, "rent", "700", said_at=_JUNE, says="Ben"),
        _fact(0, "rent", "700", said_at=_JUNE, state=FactState.UNCERTAIN),
    ],
)
def test_a_word_that_counts_less_changes_nothing(new: Fact) -> None:
    verdict = judge(new, [_RENT])
    assert (verdict.closes, verdict.doubts, verdict.outranked_by) == ((), (), (1,))


def test_a_value_that_began_earlier_leaves_both_uncertain() -> None:
    known = _fact(1, "rent", "650 euros", start="2022")
    verdict = judge(_fact(0, "rent", "700", said_at=_JUNE, start="2021"), [known])
    assert (verdict.closes, verdict.doubts) == ((), (1,))
    assert judge(_fact(0, "rent", "700", said_at=_JUNE, start="2021"), [_RENT]).closes == (1,)


def test_a_denial_closes_nothing() -> None:
    assert judge(_fact(0, "home", "not Lyon", said_at=_JUNE), [_fact(1, "home", "Lyon")], denies=True).doubts == (1,)


def test_a_new_holder_of_a_role_is_no_change_of_the_old_one() -> None:
    known = _fact(1, "hobby", "sailing", subject="my boss")
    assert judge(_fact(0, "hobby", "chess", subject="my boss", said_at=_JUNE), [known]).closes == ()


def test_a_value_of_a_time_before_the_known_one_contradicts_nothing() -> None:
    past = _fact(0, "home", "Rome", said_at=_JUNE, start="2010", until="2014")
    assert judge(past, [_fact(1, "home", "Lyon", start="2015")]).closes == ()
    assert judge(past, [_fact(1, "home", "Lyon", start="2015")]).doubts == ()


def test_a_start_without_a_day_is_not_earlier_than_a_day_in_it() -> None:
    assert judge(
        _fact(0, "rent", "700", said_at=_JUNE, start="2023-05"), [_fact(1, "rent", "650", start="2023-05-03")]
    ).closes


def test_two_anniversaries_are_both_kept_and_to_be_checked() -> None:
    known = _fact(1, "wedding anniversary", "5 May")
    verdict = judge(_fact(0, "work anniversary", "7 June", said_at=_JUNE), [known])
    assert (verdict.closes, verdict.checks) == ((), (1,))


def test_other_subjects_and_statements_that_are_no_states_are_left_alone() -> None:
    assert judge(_fact(0, "rent", "700", subject_id=2), [_RENT]).closes == ()
    hobby = replace(_fact(1, "hobby", "chess"), one_valued=False)
    assert judge(_fact(0, "hobby", "sailing"), [hobby]).closes == ()
    assert judge(_fact(0, "phone number", "139"), [_fact(1, "rent", "650")]).checks == ()


def test_a_named_replacement_counts_when_it_is_plausible() -> None:
    flat = _fact(1, "flat rent", "650")
    assert judge(_fact(0, "rent now", "700", said_at=_JUNE), [flat], replaces=1).closes == (1,)
    assert judge(_fact(0, "shoe size", "38", said_at=_JUNE), [flat], replaces=1).closes == ()
    assert judge(_fact(0, "新电话", "138", said_at=_JUNE), [_fact(1, "电话", "139")], replaces=1).closes == (1,)
    near = judge(_fact(0, "housing cost", "700", said_at=_JUNE), [flat], replaces=1, similarity=lambda *_: 0.4)
    assert near.closes == (1,)
