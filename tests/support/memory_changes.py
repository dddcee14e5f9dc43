"""Changes to memory as anybody may make them, for tests of what takes them back or out."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.errors import UsageError
from memgpt_cli.storage.store import SQLiteStore

NOW = datetime(2024, 3, 1, tzinfo=UTC)
USER = Provenance(author=Author.USER, command="memory set")
LABELS = ("persona", "human", "plans")
WORDS = ("tea", "rain", "Lisbon", "piano", "chess", "salt")

authors = st.sampled_from(
    [
        USER,
        Provenance(author=Author.AGENT, message_id=5),
        Provenance(author=Author.IMPORT, command="recall import"),
        Provenance(author=Author.DOCUMENT, command="archival load"),
    ]
)
texts = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
operations = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(LABELS), texts, st.integers(1, 9), authors),
    st.tuples(st.just("drop"), st.sampled_from(LABELS), authors),
    st.tuples(st.just("add"), st.lists(texts.filter(bool), min_size=1, max_size=3), authors),
    st.tuples(st.just("revise"), st.integers(0, 9), texts.filter(bool), st.sampled_from([(), ("a",)]), authors),
    st.tuples(st.just("delete"), st.lists(st.integers(0, 9), min_size=1, max_size=3), authors),
    st.tuples(st.just("remove"), st.lists(st.integers(1, 12), min_size=1, max_size=4), authors),
)


def perform(store: SQLiteStore, operation: tuple) -> None:
    name, *arguments, by = operation
    living = [p.id for p in store.passages.page(ArchivalFilters(), limit=99)]
    with store.transaction(), store.journal.operation():
        if name == "put":
            label, value, limit, _ = (*arguments, by)
            store.blocks.put(Block(label=label, value=value, limit=1000 * limit), at=NOW, provenance=by)
        elif name == "drop":
            store.blocks.delete(arguments[0], at=NOW, provenance=by)
        elif name == "add":
            for text in arguments[0]:
                # What a document says and a person says too is the person's: it outlives the document's undo.
                text += " page" * (by.author is Author.DOCUMENT)  # noqa: PLW2901
                store.passages.add(Passage(text=text, created_at=NOW, provenance=by))
        elif name == "revise" and living:
            number, text, tags = arguments
            passage = store.passages.get([living[number % len(living)]])[0]
            try:
                store.passages.revise(replace(passage, text=text, tags=tags), at=NOW, provenance=by)
            except UsageError:
                return
        elif name == "delete" and living:
            store.passages.delete([living[n % len(living)] for n in arguments[0]], at=NOW, provenance=by)
        elif name == "remove":
            store.tombstones.delete(arguments[0], at=NOW, provenance=by)
