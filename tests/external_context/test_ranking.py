"""The one ranking: signals add up, orders are stable, and attention is a share."""

import math
from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from memgpt_cli.domain.search import LexicalHit
from memgpt_cli.domain.settings import SearchSettings
from memgpt_cli.external_context.ranking import Ranked, Texts, TextSignals, explain, rank

SETTINGS = SearchSettings()

ALL = 1_000


def ranked_all(words: list[LexicalHit], meaning: list[tuple[int, float]], **more: Any) -> list[Ranked]:
    return rank(words, meaning, settings=SETTINGS, upto=ALL, **more).first


scores = st.floats(min_value=0.01, max_value=50)
lexical_hits = st.dictionaries(st.integers(1, 60), st.tuples(scores, st.floats(0, 1)), max_size=30).map(
    lambda found: [LexicalHit(id=item, score=score, nearby=score * part) for item, (score, part) in found.items()]
)
nearest = st.dictionaries(st.integers(1, 60), st.floats(-1, 1), max_size=30).map(
    lambda found: sorted(found.items(), key=lambda pair: -pair[1])
)


@given(words=lexical_hits, meaning=nearest, sessions=st.dictionaries(st.integers(1, 60), st.integers(1, 5)))
def test_every_candidate_is_ranked_once_by_the_sum_of_its_signals(
    words: list[LexicalHit], meaning: list[tuple[int, float]], sessions: dict[int, int]
) -> None:
    ranked = ranked_all(words, meaning, sessions=sessions)
    assert {hit.id for hit in ranked} == {hit.id for hit in words} | {item for item, _ in meaning}
    assert len({hit.id for hit in ranked}) == len(ranked)
    for hit in ranked:
        assert math.isclose(hit.score, sum(hit.signals.values()), abs_tol=1e-9)
    assert [(-hit.score, -hit.id) for hit in ranked] == sorted((-hit.score, -hit.id) for hit in ranked)


@given(words=lexical_hits, meaning=nearest)
def test_attention_is_a_share_that_falls_with_rank(words: list[LexicalHit], meaning: list[tuple[int, float]]) -> None:
    whys = explain(ranked_all(words, meaning)[:10])
    shares = [why.attention for why in whys]
    assert shares == sorted(shares, reverse=True)
    assert not shares or math.isclose(sum(shares), 1)


@given(words=lexical_hits, meaning=nearest, factor=st.floats(0.1, 10))
def test_the_scale_of_a_leg_does_not_matter(
    words: list[LexicalHit], meaning: list[tuple[int, float]], factor: float
) -> None:
    scaled = [
        LexicalHit(id=hit.id, score=hit.score * factor, nearby=hit.nearby * factor, words=hit.words) for hit in words
    ]
    before, after = (ranked_all(legs, meaning) for legs in (words, scaled))
    assert {hit.id: round(hit.score, 6) for hit in before} == {hit.id: round(hit.score, 6) for hit in after}


def test_the_best_of_each_leg_gets_its_whole_weight() -> None:
    words = [LexicalHit(id=1, score=9.0, nearby=3.0), LexicalHit(id=2, score=3.0)]
    ranked = {hit.id: hit for hit in ranked_all(words, [(2, 0.9), (1, 0.4), (3, 0.4)])}
    assert math.isclose(ranked[1].signals["words"] + ranked[1].signals["nearby"], SETTINGS.lexical_weight)
    assert math.isclose(ranked[1].signals["nearby"], SETTINGS.lexical_weight / 3)
    assert math.isclose(ranked[2].signals["meaning"], SETTINGS.vector_weight)
    assert ranked[3].score == 0


def test_a_session_lifts_its_messages_by_its_three_best() -> None:
    words = [LexicalHit(id=n, score=1.0) for n in range(1, 5)]
    ranked = {hit.id: hit for hit in ranked_all(words, [], sessions={1: 7, 2: 7, 3: 7, 4: 8})}
    assert math.isclose(ranked[1].signals["session"], SETTINGS.session_weight)
    assert math.isclose(ranked[4].signals["session"], SETTINGS.session_weight / 3)


def test_what_follows_a_question_shares_in_what_the_question_scores() -> None:
    words = [LexicalHit(id=1, score=8.0), LexicalHit(id=2, score=2.0), LexicalHit(id=3, score=2.0)]
    texts = Texts(asking={1}, follows={2: 1, 3: 2}, most=0.0, read=lambda _: {1: TextSignals(asking=0.5)})
    ranked = {hit.id: hit for hit in ranked_all(words, [(1, 0.9), (2, 0.1)], texts=texts)}
    asked = SETTINGS.lexical_weight + SETTINGS.vector_weight
    assert math.isclose(ranked[2].signals["answers"], SETTINGS.answer_weight * 0.5 * asked)
    assert "answers" not in ranked[3].signals


read_texts = st.dictionaries(st.integers(1, 60), st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(1, 60)))


@given(words=lexical_hits, meaning=nearest, told=read_texts, upto=st.integers(1, 10))
def test_the_first_few_are_those_of_the_whole_ranking_though_fewer_texts_are_read(
    words: list[LexicalHit],
    meaning: list[tuple[int, float]],
    told: dict[int, tuple[float, float, int]],
    upto: int,
) -> None:
    def read(ids: Iterable[int]) -> dict[int, TextSignals]:
        return {
            item: TextSignals(asking=told[item][0], signals={"when": told[item][1]}) for item in ids if item in told
        }

    follows = {item: before for item, (_, _, before) in told.items() if before != item}
    texts = Texts(asking={item for item in told if told[item][0]}, follows=follows, most=1.0, read=read)
    few = rank(words, meaning, settings=SETTINGS, upto=upto, texts=texts)
    whole = ranked_all(words, meaning, texts=texts)
    assert few.first == whole[:upto]
    assert few.total == len(whole)


def test_texts_are_read_only_where_they_can_matter() -> None:
    words = [LexicalHit(id=n, score=1.0 / n) for n in range(1, 101)]
    seen: set[int] = set()

    def read(ids: Iterable[int]) -> dict[int, TextSignals]:
        seen.update(ids)
        return {}

    texts = Texts(asking=set(range(1, 101)), follows={}, most=0.0, read=read)
    assert [hit.id for hit in rank(words, [], settings=SETTINGS, upto=2, texts=texts).first] == [1, 2]
    assert len(seen) < 10


def test_nothing_ranks_as_nothing() -> None:
    assert ranked_all([], []) == []
    assert explain([]) == []
