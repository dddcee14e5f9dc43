"""What was said elsewhere comes in once, whole and in order, however often and however far an import gets."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgpt_cli.documents.conversations import ConversationFile
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.conversations import ImportProgress, SaidElsewhere, Unreadable
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.external_context import importing
from memgpt_cli.external_context.importing import Importer, export_lines
from memgpt_cli.storage.store import SQLiteStore

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
ME = Provenance(author=Author.USER, command="undo")


class Clock:
    def now(self) -> datetime:
        return NOON


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(tmp_path / "agent.db")) as opened:
        yield opened


def bring(store: SQLiteStore, *items: SaidElsewhere | Unreadable, dry_run: bool = False) -> ImportProgress:
    steps = [done for done, _ in Importer(store, Clock()).run(items, dry_run=dry_run)]
    return steps[-1] if steps else ImportProgress()


def said(text: str, *, role: Role = Role.USER, minute: int | None = None, **other: str) -> SaidElsewhere:
    at = None if minute is None else NOON + timedelta(minutes=minute)
    return SaidElsewhere(role=role, text=text, created_at=at, **other)


def texts(store: SQLiteStore) -> list[str]:
    return [m.text for m in store.messages.oldest_first(RecallFilters(roles=tuple(Role)))]


def test_what_comes_in_is_found_and_stands_outside_of_the_queue(store: SQLiteStore) -> None:
    done = bring(
        store, said("My violin is in Cremona", name="Ana", minute=1), said("Safe there", role=Role.ASSISTANT, minute=2)
    )
    assert (done.new, done.known, done.speakers) == (2, 0, ("Ana",))
    assert (done.first, done.last) == (NOON + timedelta(minutes=1), NOON + timedelta(minutes=2))
    assert store.messages.queue() == []
    assert [hit.id for hit in store.lexical.search_messages("violins", RecallFilters(), 5)] == [1, 2]


@pytest.mark.parametrize("named", [True, False], ids=["with ids", "without"])
def test_the_same_again_adds_nothing(store: SQLiteStore, named: bool) -> None:
    items = [
        said(text, **({"key": str(n)} if named else {}))
        for n, text in enumerate(("yes", "no", "yes", "yes", "perhaps"))
    ]
    assert bring(store, *items).new == 5
    again = bring(store, *items)
    assert (again.new, again.known) == (0, 5)
    longer = bring(store, *items, said("yes", **({"key": "5"} if named else {})))
    assert (longer.new, longer.known) == (1, 5)


def test_an_id_that_stands_for_something_else_loses_nothing(store: SQLiteStore) -> None:
    assert bring(store, said("first file", key="1"), said("its second line", key="2")).new == 2
    other = (said("second file", key="1"), said("its second line", key="2"), said("the same id again", key="1"))
    assert (bring(store, *other).new, bring(store, *other).new) == (2, 0)
    assert texts(store) == ["first file", "its second line", "second file", "the same id again"]


def test_a_dry_run_says_what_would_come_in_and_writes_nothing(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 3)
    bring(store, said("there", key="a"))
    items = [said(str(n % 7), key=str(n % 7)) for n in range(20)]
    dry = bring(store, said("there", key="a"), *items, Unreadable("line 22", "no JSON"), dry_run=True)
    assert (dry.new, dry.known, dry.faulty, dry.read) == (7, 14, 1, 22)
    assert texts(store) == ["there"]
    assert bring(store, said("there", key="a"), *items).new == 7


def test_an_import_that_was_stopped_anywhere_goes_on_without_a_gap_or_a_double(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 4)
    items = [said(f"message {n % 5}", minute=n // 10) for n in range(30)]
    for batches in (1, 3, 2):
        list(islice(Importer(store, Clock()).run(items), batches))
    assert bring(store, *items).read == 30
    assert sorted(texts(store)) == sorted(item.text for item in items)


def test_what_has_no_time_was_said_after_what_stands_before_it(store: SQLiteStore) -> None:
    bring(store, said("a", minute=1), said("b"), said("c", minute=5), said("d"))
    assert texts(store) == ["a", "b", "c", "d"]
    assert store.messages.get([2])[0].created_at == NOON + timedelta(minutes=1)


def test_a_session_that_a_file_names_is_one_over_any_silence_and_ends_with_its_name(store: SQLiteStore) -> None:
    bring(
        store,
        said("one", minute=0, session="s1"),
        said("two", minute=9_000, session="s1"),
        said("three", minute=9_001, session="s2"),
        said("four", minute=9_002),
    )
    session = {item: place.session for item, place in store.lexical.session_places([1, 2, 3, 4]).items()}
    assert session[1] == session[2]
    assert len(set(session.values())) == 3


def test_a_whole_import_is_one_operation_that_can_be_taken_back_and_done_again(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    store.messages.append(Message(role=Role.USER, text="said here", created_at=NOON))
    items = [said(str(n), key=str(n)) for n in range(7)]
    bring(store, *items)
    store.undo.undo(at=NOON, provenance=ME)
    assert texts(store) == ["said here"]
    assert store.lexical.search_messages("3", RecallFilters(), 5) == []
    store.undo.redo(at=NOON, provenance=ME)
    assert store.lexical.search_messages("3", RecallFilters(), 5)[0].words == ("3",)
    assert bring(store, *items).known == 7
    store.undo.undo(at=NOON, provenance=ME)
    assert bring(store, *items).new == 7


def test_an_export_brings_the_same_messages_into_another_agent_and_none_into_its_own(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with closing(SQLiteStore(tmp_path / "a.db")) as one, closing(SQLiteStore(tmp_path / "b.db")) as two:
        bring(one, said("imported", minute=-9, name="Ben", session="s", key="k"))
        for text in ("said here", "said here", "\N{GRINNING FACE} 你好\nworld"):
            one.messages.append(Message(role=Role.USER, text=text, created_at=NOON, name="Ana"))
        one.messages.append(Message(role=Role.ASSISTANT, text="", created_at=NOON))
        path.write_text("\n".join(export_lines(one)) + "\n", encoding="utf-8")
        assert bring(one, *ConversationFile(path, UTC)).new == 0
        assert bring(two, *ConversationFile(path, UTC)).new == 4
        first, second = (
            [
                (m.role, m.text, m.name, m.session, m.created_at)
                for m in store.messages.oldest_first(RecallFilters(roles=(Role.USER,)))
            ]
            for store in (one, two)
        )
        assert first == second
        assert list(export_lines(two)) == path.read_text(encoding="utf-8").splitlines()
        assert bring(one, *ConversationFile(path, UTC)).new == 0


def test_what_a_copy_of_an_agent_said_since_comes_in(tmp_path: Path) -> None:
    with closing(SQLiteStore(tmp_path / "a.db")) as one:
        one.messages.append(Message(role=Role.USER, text="before", created_at=NOON))
        assert len(list(export_lines(one))) == 1  # from now on it has a name of its own
    (tmp_path / "b.db").write_bytes((tmp_path / "a.db").read_bytes())
    with closing(SQLiteStore(tmp_path / "a.db")) as one, closing(SQLiteStore(tmp_path / "b.db")) as two:
        one.messages.append(Message(role=Role.USER, text="in the one", created_at=NOON))
        two.messages.append(Message(role=Role.USER, text="in the other", created_at=NOON))
        (tmp_path / "b.jsonl").write_text("\n".join(export_lines(two)), encoding="utf-8")
        assert bring(one, *ConversationFile(tmp_path / "b.jsonl", UTC)).new == 1
        assert texts(one) == ["before", "in the one", "in the other"]


messages = st.builds(
    SaidElsewhere,
    role=st.sampled_from(Role),
    text=st.text(min_size=1).filter(str.strip),
    created_at=st.datetimes(datetime(1001, 1, 1), datetime(9998, 1, 1)).map(  # noqa: DTZ001 - hypothesis wants naive ones
        lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    ),
    name=st.none() | st.text(min_size=1),
    session=st.none() | st.text(min_size=1),
    key=st.none() | st.text(min_size=1),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(messages, max_size=12))
def test_lines_written_and_read_again_are_the_same_messages(
    tmp_path_factory: pytest.TempPathFactory, items: list[SaidElsewhere]
) -> None:
    folder = tmp_path_factory.mktemp("round")
    with closing(SQLiteStore(folder / "a.db")) as one, closing(SQLiteStore(folder / "b.db")) as two:
        bring(one, *items)
        lines = list(export_lines(one, roles=tuple(Role)))
        assert [json.loads(line)["content"] for line in lines] == texts(one)
        (folder / "lines").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")
        if lines:
            assert bring(two, *ConversationFile(folder / "lines", UTC)).faulty == 0
        assert list(export_lines(two, roles=tuple(Role))) == lines
