"""Recall and archival storage asked through a real record, real vectors and the built-in embedder."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.search import ArchivalFilters, Meaning, RecallFilters
from memgpt_cli.domain.settings import SearchSettings
from memgpt_cli.domain.times import span
from memgpt_cli.domain.vectors import EmbedderIdentity, Vector
from memgpt_cli.errors import ModelError
from memgpt_cli.external_context.archival import ArchivalStorage
from memgpt_cli.external_context.meaning import notes_for_people
from memgpt_cli.external_context.recall import RecallStorage
from memgpt_cli.llm.static_embedder import StaticEmbedder
from memgpt_cli.ports import Embedder
from memgpt_cli.storage.database.connection import connect
from memgpt_cli.storage.store import SQLiteStore
from memgpt_cli.storage.vectors.index import AgentVectorIndex

TOKYO = ZoneInfo("Asia/Tokyo")
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
ME = Provenance(author=Author.USER)


class Away:
    """An embedder whose endpoint is not there."""

    identity = StaticEmbedder().identity

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        raise ModelError(f"nobody embeds these {len(texts)} texts")


@dataclass
class Clock:
    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment


@dataclass
class Memory:
    store: SQLiteStore
    index: AgentVectorIndex
    clock: Clock
    embedder: Embedder

    def recall(self, **settings: object) -> RecallStorage:
        chosen = replace(SearchSettings(), **settings)  # type: ignore[arg-type]
        return RecallStorage(self.store, self.index, self.embedder, settings=chosen, zone=TOKYO)

    def archival(self) -> ArchivalStorage:
        settings = SearchSettings()
        return ArchivalStorage(self.store, self.index, self.embedder, settings=settings, zone=TOKYO, clock=self.clock)

    def tell(self, *said: tuple[str, str], every: timedelta = timedelta(days=1)) -> list[int]:
        """Messages by (speaker, text), evicted and embedded."""
        with self.store.transaction():
            ids = [
                self.store.messages.append(
                    Message(role=Role.USER, name=name, text=text, created_at=NOON + n * every)
                ).id
                for n, (name, text) in enumerate(said)
            ]
            self.store.messages.evict(ids, epoch=0)
        self.index.flush()
        return ids

    def ask(self, query: str, filters: RecallFilters | None = None, **settings: object) -> list[int]:
        recall = self.recall(**settings)
        found = recall.search(query, filters, query_vector=recall.embed_query(query))
        return [hit.item.id for hit in found.hits]


@pytest.fixture(scope="module")
def embedder() -> StaticEmbedder:
    return StaticEmbedder()


@pytest.fixture
def memory(tmp_path: Path, embedder: StaticEmbedder) -> Iterator[Memory]:
    path = tmp_path / "agent.db"
    with closing(SQLiteStore(path)) as store:
        index = AgentVectorIndex(
            connect=lambda: connect(path, any_thread=True), embedder=embedder, folder=tmp_path / "vectors", writer=False
        )
        with closing(index):
            yield Memory(store, index, Clock(), embedder)


TALK = (
    ("Ana", "My brother repairs violins in Cremona"),
    ("Ben", "We adopted a small dog last week"),
    ("Ana", "I swam across the lake this morning"),
    ("Ben", "The bakery closes at six"),
)


def test_the_answer_to_a_question_is_found_by_the_words_of_the_question(memory: Memory) -> None:
    asked, answer, aside = memory.tell(
        ("Ana", "Which instrument does your brother repair?"),
        ("Ben", "The small wooden one with strings"),
        ("Ana", "The big kettle is boiling"),
        every=timedelta(minutes=1),
    )
    recall = memory.recall()
    why = {hit.item.id: hit.why.signals for hit in recall.search("what instrument is repaired by the brother").hits}
    assert why[answer]["answers"] > 0
    assert "answers" not in why[asked] | why[aside]


def test_a_question_finds_by_words_and_by_meaning(memory: Memory) -> None:
    ids = memory.tell(*TALK)
    assert memory.ask("Who repaired a violin?")[0] == ids[0]
    assert memory.ask("any pets, a puppy?")[0] == ids[1]


def test_a_named_participant_comes_before_the_other(memory: Memory) -> None:
    ids = memory.tell(("Ana", "I like the old lighthouse"), ("Ben", "I like the old lighthouse"))
    assert memory.ask("What lighthouse does Ana like?")[0] == ids[0]
    assert memory.ask("What lighthouse does Ben like?")[0] == ids[1]


def test_a_message_from_the_day_that_is_asked_for_comes_first(memory: Memory) -> None:
    ids = memory.tell(*[("Ana", "I went to the market")] * 40)
    assert memory.ask("What did Ana do at the market on 11 May 2024?")[0] == ids[10]


def test_the_why_of_a_hit_adds_up_to_its_score(memory: Memory) -> None:
    memory.tell(*TALK)
    recall = memory.recall()
    query = "When did Ana swim across the lake?"
    found = recall.search(query, query_vector=recall.embed_query(query))
    best = found.hits[0]
    assert best.score == pytest.approx(sum(best.why.signals.values()))
    assert set(best.why.words) == {"swim", "across", "lake"}
    assert {"words", "meaning", "speaker", "self", "when"} <= set(best.why.signals)
    assert sum(hit.why.attention for hit in found.hits) == pytest.approx(1)
    assert found.ranked
    assert found.notes == ()


def test_filters_alone_list_the_newest_first_with_a_true_total(memory: Memory) -> None:
    ids = memory.tell(*TALK)
    found = memory.recall().search("", page_size=3)
    assert [hit.item.id for hit in found.hits] == ids[:0:-1]
    assert (found.total, found.ranked, found.more) == (4, False, 1)
    second = memory.recall().search(" ", page=1, page_size=3)
    assert ([hit.item.id for hit in second.hits], second.more) == ([ids[0]], 0)
    ben = memory.recall().search("", RecallFilters(name="Ben"))
    assert ([hit.item.id for hit in ben.hits], ben.total) == ([ids[3], ids[1]], 2)


def test_dates_are_inclusive_on_both_ends_in_the_persons_zone(memory: Memory) -> None:
    moments = ["2024-05-01T14:59:59", "2024-05-01T15:00:00", "2024-05-02T14:59:59", "2024-05-02T15:00:00"]
    with memory.store.transaction():
        for moment in moments:
            at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
            memory.store.messages.append(Message(role=Role.USER, text="a lake", created_at=at))
    start, end = span("2024-05-02", TOKYO)
    within = RecallFilters(start=start, end=end)
    assert [hit.item.id for hit in memory.recall().search("", within).hits] == [3, 2]
    assert [hit.item.id for hit in memory.recall().search("lake", within).hits] == [3, 2]


def test_filters_hold_for_what_meaning_finds_too(memory: Memory) -> None:
    memory.tell(*TALK)
    assert memory.ask("a puppy", RecallFilters(name="Ana"), candidates=2)
    for number in memory.ask("a puppy", RecallFilters(name="Ana"), candidates=2):
        assert memory.store.messages.get([number])[0].name == "Ana"


def test_pages_part_one_order_without_gap_or_overlap(memory: Memory) -> None:
    memory.tell(*[("Ana", f"lake number {n} and the {'reed' if n % 3 else 'fern'}") for n in range(25)])
    recall = memory.recall()
    query = "the fern at the lake"
    vector = recall.embed_query(query)
    whole = recall.search(query, page_size=100, query_vector=vector)
    pages = [recall.search(query, page=n, page_size=7, query_vector=vector) for n in range(5)]
    assert [hit.item.id for page in pages for hit in page.hits] == [hit.item.id for hit in whole.hits]
    assert [page.more for page in pages] == [18, 11, 4, 0, 0]
    assert {page.total for page in pages} == {25}


def test_without_a_vector_words_answer_and_the_result_says_so(memory: Memory) -> None:
    ids = memory.tell(*TALK)
    memory.embedder = Away()
    assert memory.recall().embed_query("the violin") is None
    found = memory.recall().search("the violin")
    assert [hit.item.id for hit in found.hits] == [ids[0]]
    assert not found.meaning.asked
    assert notes_for_people(found, what="messages")[0].startswith("searched by words only")


def test_a_result_says_which_share_is_indexed(memory: Memory) -> None:
    ids = memory.tell(*TALK)
    with memory.store.transaction():
        more = [memory.store.messages.append(Message(role=Role.USER, text="new", created_at=NOON)) for _ in range(4)]
        memory.store.messages.evict([message.id for message in more], epoch=0)
    recall = memory.recall()
    found = recall.search("violin", query_vector=recall.embed_query("violin"))
    assert found.hits[0].item.id == ids[0]
    assert (found.meaning.pending, found.meaning.percent, found.notes) == (4, 50, ())
    assert notes_for_people(found, what="messages")[0].startswith("50% of the messages are indexed by meaning")


def test_above_a_number_of_messages_meaning_weighs_what_words_found(memory: Memory) -> None:
    ids = memory.tell(*TALK)
    assert memory.ask("a puppy", nearest_messages=0) == []
    assert memory.ask("a puppy at the bakery", nearest_messages=0) == [ids[3]]
    assert memory.ask("a puppy", nearest_messages=4)[0] == ids[1]


def test_the_weight_of_neighbours_and_the_gap_between_sessions_are_settings(memory: Memory, tmp_path: Path) -> None:
    ids = memory.tell(("Ana", "which violin?"), ("Ben", "the brown one"), every=timedelta(hours=1))
    assert [hit.item.id for hit in memory.recall().search("violin").hits] == ids
    assert [hit.item.id for hit in memory.recall(context_weight=0.0).search("violin").hits] == ids[:1]
    with closing(SQLiteStore(tmp_path / "other.db", session_gap=timedelta(minutes=30))) as store:
        memory.store = store
        ids = memory.tell(("Ana", "which violin?"), ("Ben", "the brown one"), every=timedelta(hours=1))
        assert [hit.item.id for hit in memory.recall().search("violin").hits] == ids[:1]


def test_function_results_are_found_only_when_asked_for(memory: Memory) -> None:
    with memory.store.transaction():
        memory.store.messages.append(Message(role=Role.USER, text="the violin", created_at=NOON))
        memory.store.messages.append(Message(role=Role.TOOL, text="violin: 3 results", created_at=NOON))
    assert memory.ask("violin") == [1]
    assert set(memory.ask("violin", RecallFilters(roles=tuple(Role)))) == {1, 2}


def test_a_corpus_without_speakers_sessions_or_dates_feels_none_of_them(memory: Memory) -> None:
    with memory.store.transaction():
        for text in ("the violin", "a dog"):
            memory.store.messages.append(Message(role=Role.USER, text=text, created_at=NOON))
    found = memory.recall().search("who plays the violin in Rome on 3 May?")
    assert set(found.hits[0].why.signals) <= {"words", "nearby", "session", "date"}


# Archival storage


def test_a_passage_is_stored_once_and_found(memory: Memory) -> None:
    archival = memory.archival()
    first = archival.insert("The ferry to Bergen leaves at dawn", provenance=ME, tags=("travel", "travel"))
    again = archival.insert("The ferry to Bergen leaves at dawn", provenance=ME)
    assert (first.new, again.new) == (True, False)
    assert first.passage.id == again.passage.id
    assert first.passage.tags == ("travel",)
    assert first.passage.created_at == NOON
    assert again.similar == ()
    memory.index.flush()
    for query in ("ferries", "travel", "a boat in Norway"):
        found = archival.search(query, query_vector=archival.embed_query(query))
        assert [hit.item.id for hit in found.hits] == [first.passage.id]


def test_a_near_duplicate_is_reported_with_what_is_there(memory: Memory) -> None:
    archival = memory.archival()
    old = archival.insert("Ana lives in Porto and works as a nurse", provenance=ME).passage
    archival.insert("Ben keeps bees", provenance=ME)
    moved = archival.insert("Ana lives in Lisbon and works as a nurse", provenance=ME)
    assert moved.new
    assert moved.similar == (old,)
    assert archival.insert("Ana collects stamps", provenance=ME).similar == ()


def test_a_near_duplicate_in_chinese_is_reported(memory: Memory) -> None:
    archival = memory.archival()
    old = archival.insert("安娜住在北京,在一家医院当护士", provenance=ME).passage
    assert archival.insert("安娜住在上海,在一家医院当护士", provenance=ME).similar == (old,)


def test_passages_are_filtered_listed_and_paged(memory: Memory) -> None:
    archival = memory.archival()
    for n in range(5):
        memory.clock.moment = NOON + timedelta(days=n)
        archival.insert(f"fjord number {n}", provenance=ME, tags=("even",) if n % 2 == 0 else (), source="a.md")
    even = ArchivalFilters(tags=("even",))
    assert [hit.item.text[-1] for hit in archival.search("", even).hits] == ["4", "2", "0"]
    assert archival.search("", even).total == 3
    assert {hit.item.text[-1] for hit in archival.search("fjord", even).hits} == {"0", "2", "4"}
    assert archival.search("fjord", ArchivalFilters(source="b.md")).hits == ()
    assert [len(archival.search("fjord", page=n, page_size=2).hits) for n in range(4)] == [2, 2, 1, 0]


def test_archival_storage_answers_by_words_while_the_embedder_is_away(memory: Memory) -> None:
    memory.embedder = Away()
    archival = memory.archival()
    stored = archival.insert("The ferry to Bergen", provenance=ME)
    found = archival.search("ferry", query_vector=archival.embed_query("ferry"))
    assert [hit.item.id for hit in found.hits] == [stored.passage.id]
    assert not found.meaning.asked


def test_all_but_one_of_many_passages_is_not_told_as_all_of_them() -> None:
    assert [Meaning(pending=p, total=t).percent for p, t in ((1, 1_000), (3, 2), (0, 0))] == [99, 0, 100]


def test_a_record_of_another_embedder_is_an_error_that_names_the_repair(memory: Memory) -> None:
    memory.tell(*TALK)

    class Other:
        identity = EmbedderIdentity(provider="test", model="other", dimensions=2)

        def embed(self, texts: Sequence[str]) -> list[Vector]:
            return [Vector(b"\0\0\x80?\0\0\0\0") for _ in texts]

    from memgpt_cli.errors import EmbedderMismatchError

    memory.embedder = Other()
    recall = memory.recall()
    with pytest.raises(EmbedderMismatchError):
        recall.search("violin", query_vector=recall.embed_query("violin"))


def talk(memory: Memory, *said: tuple[Role, str]) -> list[int]:
    """Messages of a user and an assistant, evicted and embedded."""
    with memory.store.transaction():
        ids = [
            memory.store.messages.append(Message(role=role, text=text, created_at=NOON + n * timedelta(minutes=1))).id
            for n, (role, text) in enumerate(said)
        ]
        memory.store.messages.evict(ids, epoch=0)
    memory.index.flush()
    return ids


def test_what_the_assistant_said_counts_less_unless_it_is_asked_for(memory: Memory) -> None:
    asked, told = talk(
        memory,
        (Role.USER, "I planted a pear tree by the fence, is that good?"),
        (Role.ASSISTANT, "A pear tree by the fence is good. Pear trees like sun, so water the pear tree and prune it."),
    )
    assert memory.ask("pear tree by the fence")[0] == asked
    assert memory.ask("What did you recommend about the pear tree?")[0] == told
    assert memory.ask("pear tree by the fence", RecallFilters(roles=(Role.ASSISTANT,))) == [told]


def test_a_long_neighbour_lends_no_more_than_a_short_one(memory: Memory) -> None:
    long = "zebra " + "nothing of note happened on that grey day " * 60
    talk(memory, (Role.USER, "Yes."), (Role.USER, "The zebra ate."), (Role.USER, "Fine."))
    near = {hit.id: hit.nearby for hit in memory.store.lexical.search_messages("zebra", RecallFilters(), 9)}
    talk(memory, (Role.USER, "Sure."), (Role.USER, long), (Role.USER, "Right."))
    both = {hit.id: hit.nearby for hit in memory.store.lexical.search_messages("zebra", RecallFilters(), 9)}
    assert near[1] > 0
    assert both[4] < both[1]


def test_each_of_several_questions_is_answered(memory: Memory) -> None:
    said = [(Role.USER, f"My cousin number {n} came to the party in the garden.") for n in range(30)]
    ids = talk(memory, *said, (Role.USER, "The museum opens at nine."), (Role.USER, "My boss is an engineer."))
    found = memory.ask("What does my boss do? When does the museum open?")
    assert set(found[:2]) == set(ids[-2:])


def test_weak_matches_are_said(memory: Memory) -> None:
    talk(memory, *((Role.USER, f"We walked the dog along the river on day {n}.") for n in range(60)))
    recall = memory.recall()

    def weak(query: str) -> bool:
        return recall.search(query, query_vector=recall.embed_query(query)).weak

    assert weak("quarterly tax depreciation of machinery")
    assert not weak("walking the dog by the river")
    assert not weak("day 17")  # a word that one message holds


def test_weak_matches_of_chinese_questions_are_said(memory: Memory) -> None:
    said = "我们带小狗在河边散步 妹妹在里斯本学做蛋糕 车胎昨天破了 外婆爱听京剧 窗帘换成了绿色 我对花生过敏".split()  # noqa: SIM905
    talk(memory, *((Role.USER, text) for text in said))
    recall = memory.recall()

    def weak(query: str) -> bool:
        return recall.search(query, query_vector=recall.embed_query(query)).weak

    assert weak("量子计算机怎么纠错？")
    assert weak("法国大革命发生在哪一年？")
    assert not weak("小狗在哪里散步？")
    assert not weak("妹妹在学做什么？")


def test_a_match_across_languages_is_not_weak_if_the_embedder_finds_it(tmp_path: Path) -> None:
    class Multilingual:
        identity = EmbedderIdentity(provider="test", model="multilingual", dimensions=2)

        def embed(self, texts: Sequence[str]) -> list[Vector]:
            return [Vector(b"\0\0\x80?\0\0\0\0") for _ in texts]

    path, embedder = tmp_path / "agent.db", Multilingual()
    with (
        closing(SQLiteStore(path)) as store,
        closing(
            AgentVectorIndex(
                connect=lambda: connect(path, any_thread=True), embedder=embedder, folder=tmp_path / "v", writer=False
            )
        ) as index,
    ):
        memory = Memory(store, index, Clock(), embedder)
        talk(memory, (Role.USER, "The cat needs her thyroid pills every morning."))
        recall = memory.recall()
        assert not recall.search("猫吃什么药？", query_vector=recall.embed_query("猫吃什么药？")).weak


def test_weak_matches_among_passages_are_said(memory: Memory) -> None:
    archival = memory.archival()
    texts = [f"We walked the dog along the river on day {n}." for n in range(60)]
    archival.insert_all(texts, provenance=Provenance(author=Author.USER, command="archival add"))
    memory.index.flush()

    def weak(query: str) -> bool:
        return archival.search(query, query_vector=archival.embed_query(query)).weak

    assert weak("quarterly tax depreciation of machinery")
    assert not weak("walking the dog by the river")
    assert not weak("day 17")  # a word that one passage holds
