"""Documents at the command line and in chat: loaded, cited, cut off and gone on with; embedders changed over."""

import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.command_line import CommandLine
from support.document_makers import pdf
from support.embeddings_server import Behaviour, EmbeddingsServer, embeddings_server
from support.tiny_onnx import write_model

from memgpt_cli.bootstrap import Workspace

PATIENCE_S = 60.0


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    (folder / "notes" / "trips").mkdir(parents=True)
    (folder / "notes" / "garden.md").write_text("# Garden\n\nThe roses by the gate bloom in June.\n")
    (folder / "notes" / "trips" / "lisbon.txt").write_text("We leave for Lisbon on 3 May and stay at Casa Azul.")
    pdf(folder / "engine.pdf", ["Robert Stirling patented the engine in 1816.", "Oil the piston every 40 hours."])
    pdf(folder / "report.pdf", ["Revenue grew by 12 percent to 4.2 million euros."])
    pdf(folder / "bees.pdf", ["A queen bee lays up to 2000 eggs a day.", "Varroa mites threaten the hive."])
    return folder


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingsServer]:
    with embeddings_server(Behaviour()) as running:
        monkeypatch.setenv("MEMGPT_EMBEDDER_BASE_URL", running.base_url)
        yield running


def use_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMGPT_EMBEDDER_PROVIDER", "openai")
    monkeypatch.setenv("MEMGPT_EMBEDDER_MODEL", "letters")


def record(memgpt: CommandLine) -> sqlite3.Connection:
    return sqlite3.connect(memgpt.home / "data" / "agents" / "default" / "agent.db")


def number(memgpt: CommandLine, query: str) -> int:
    try:
        with closing(record(memgpt)) as connection:
            return int(connection.execute(query).fetchone()[0])
    except sqlite3.OperationalError:  # it is only just being made
        return 0


def test_a_folder_and_three_pdfs_go_in_and_the_answer_names_its_passage(memgpt: CommandLine, papers: Path) -> None:
    pdfs = [str(path) for path in sorted(papers.glob("*.pdf"))]
    memgpt("archival", "load", str(papers / "notes"), *pdfs)
    said = memgpt("send", "-v", "How many eggs does a queen bee lay in a day?")
    assert "2000 eggs" in said.out
    assert "bees.pdf > page 1" in said.out
    assert "bees.pdf > page 1] > A queen bee lays up to 2000 eggs a day." in said.err
    found = memgpt.json("archival-search", "archival", "search", "oil the piston")
    assert found["hits"][0]["location"] == "page 2"
    sources = memgpt.json("archival-sources", "archival", "sources")
    assert [(s["kind"], s["passages"], s["state"]) for s in sources] == [
        ("pdf", 2, "loaded"),
        ("pdf", 2, "loaded"),
        ("markdown", 1, "loaded"),
        ("text", 1, "loaded"),
        ("pdf", 1, "loaded"),
    ]
    assert all(s["loaded_at"] for s in sources)


def test_what_cannot_be_read_is_named_and_skipped_and_the_rest_is_there(memgpt: CommandLine, papers: Path) -> None:
    (papers / "notes" / "photo.bin").write_bytes(bytes(range(256)) * 20)
    done = memgpt("archival", "load", str(papers / "notes"), str(papers / "nothing.txt"), "--json", code=1)
    assert (done.json["loaded"], done.json["skipped"]) == (2, 2)
    reasons = {file["source"].rpartition("/")[2]: file["reason"] for file in done.json["files"]}
    assert reasons["photo.bin"] == "not text"
    assert reasons["nothing.txt"] == "no such file or folder"
    assert "photo.bin: not text" in done.err


def test_the_same_load_again_adds_nothing_and_a_changed_file_only_its_own(memgpt: CommandLine, papers: Path) -> None:
    first = memgpt.json("archival-load", "archival", "load", str(papers), "--tag", "mine")
    assert (first["loaded"], first["passages"]["new"]) == (5, 7)
    again = memgpt.json("archival-load", "archival", "load", str(papers))
    assert (again["unchanged"], again["passages"]) == (5, {"new": 0, "shared": 0, "removed": 0})
    (papers / "notes" / "garden.md").write_text("# Garden\n\nThe roses were moved to the well.\n")
    changed = memgpt.json("archival-load", "archival", "load", str(papers))
    assert (changed["updated"], changed["unchanged"]) == (1, 4)
    assert changed["passages"] == {"new": 1, "shared": 0, "removed": 1}
    assert len(memgpt.json("archival-list", "archival", "list", "--tag", "mine")) == 7
    anew = memgpt.json("archival-load", "archival", "load", str(papers), "--again")
    assert (anew["updated"], anew["passages"]["new"]) == (5, 0)


def test_a_load_that_was_undone_or_deleted_can_be_done_again(memgpt: CommandLine, papers: Path) -> None:
    path = str(papers / "bees.pdf")
    memgpt("archival", "load", path)
    memgpt("undo")
    assert memgpt.json("archival-list", "archival", "list") == []
    assert memgpt.json("archival-load", "archival", "load", path)["passages"]["new"] == 2
    source = memgpt.json("archival-sources", "archival", "sources")[0]["source"]
    memgpt("archival", "delete", "--source", source, "--yes")
    assert memgpt.json("archival-load", "archival", "load", path)["loaded"] == 1


def test_the_sources_are_as_before_after_undo_and_after_redo(memgpt: CommandLine, tmp_path: Path) -> None:
    note = tmp_path / "x.md"

    def sources() -> Any:
        return memgpt.json("archival-sources", "archival", "sources")

    note.write_text("The first text stands here.")
    memgpt("archival", "load", str(note))
    first = sources()
    note.write_text("The second text stands here.")
    memgpt("archival", "load", str(note))
    second = sources()
    memgpt("undo")
    assert sources()[0]["state"] == "undone"  # the first text; the next load reads the file again
    memgpt("undo")
    assert sources() == []
    memgpt("redo")
    assert [(s["passages"], s["state"]) for s in sources()] == [(1, "undone")]
    memgpt("redo")
    assert sources() == second != first
    memgpt("forget", "second", "--yes")
    assert sources() == []
    assert memgpt.json("archival-load", "archival", "load", str(note))["loaded"] == 1
    memgpt("undo")
    assert sources() == []
    memgpt("redo")
    assert [(s["passages"], s["state"]) for s in sources()] == [(1, "loaded")]


def test_a_source_is_named_by_a_path_by_its_end_or_by_its_folder(memgpt: CommandLine, papers: Path) -> None:
    memgpt("archival", "load", str(papers))

    def listed(source: str) -> int:
        return len(memgpt.json("archival-list", "archival", "list", "--source", source))

    assert (listed("papers/bees.pdf"), listed("bees.pdf"), listed("trips/lisbon.txt")) == (2, 2, 1)
    assert (listed("papers"), listed("papers/notes/"), listed(str(papers / "notes"))) == (7, 2, 2)
    found = memgpt.json("archival-search", "archival", "search", "roses", "--source", "papers/notes")["hits"]
    assert {hit["source"].rpartition("/")[2] for hit in found} == {"garden.md", "lisbon.txt"}
    wrong = memgpt("archival", "list", "--source", "nothing.md", code=3)
    assert "no passage comes from nothing.md" in wrong.err
    (papers / "notes" / "more").mkdir()
    (papers / "notes" / "more" / "bees.pdf").write_bytes((papers / "report.pdf").read_bytes())
    memgpt("archival", "load", str(papers))
    assert "2 sources end in bees.pdf" in memgpt("archival", "list", "--source", "bees.pdf", code=2).err
    assert "deleted 2 passages" in memgpt("archival", "delete", "--source", "papers/notes", "--yes").out
    assert len(memgpt.json("archival-sources", "archival", "sources")) == 3
    assert memgpt.json("archival-load", "archival", "load", str(papers / "notes"))["loaded"] == 3


def test_a_source_that_goes_leaves_what_others_have_and_comes_back_with_undo(
    memgpt: CommandLine, tmp_path: Path
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    for name, text in {"a.txt": "Both say this.", "b.txt": "Both say this.", "c.txt": "Only c says this."}.items():
        (folder / name).write_text(text)
    memgpt("archival", "load", str(folder))
    everything = memgpt.json("archival-list", "archival", "list")
    assert "would delete 0 passages" in memgpt("archival", "delete", "--source", "a.txt", "--dry-run").out
    memgpt("archival", "delete", "--source", "a.txt", "--yes")
    assert [p["source"].rpartition("/")[2] for p in memgpt.json("archival-list", "archival", "list")] == [
        "c.txt",
        "b.txt",
    ]
    memgpt("undo")
    assert memgpt.json("archival-list", "archival", "list") == everything
    memgpt("archival", "load", str(folder))
    memgpt("archival", "delete", "--source", "shared", "--yes")
    assert memgpt.json("archival-list", "archival", "list") == []
    memgpt("undo")
    assert memgpt.json("archival-list", "archival", "list") == everything


def test_a_list_is_readable_in_a_narrow_terminal(
    memgpt: CommandLine, papers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    memgpt("archival", "load", str(papers / "bees.pdf"), "--tag", "sea")
    lines = memgpt("archival", "list").out.splitlines()
    assert lines[0].startswith("p2  ")
    assert lines[0].endswith("bees.pdf > page 2  #sea")
    assert lines[1] == "  Varroa mites threaten the hive."


def test_standard_input_has_a_name_and_a_format(memgpt: CommandLine) -> None:
    def piped(*arguments: str, text: str) -> None:
        running = memgpt.start("archival", "load", "-", *arguments, stdin=subprocess.PIPE)
        running.communicate(text)
        assert running.returncode == 0

    piped("--name", "whales.html", "-t", "sea", text="<h1>Whales</h1><p>They sing at night.</p>")
    piped("--name", "whales.html", text="<h1>Whales</h1><p>They sing by day.</p>")
    piped(text="A line without a name.")
    sources = {s["source"]: s for s in memgpt.json("archival-sources", "archival", "sources")}
    assert sources["whales.html"]["kind"] == "html"
    assert sources["whales.html"]["tags"] == ["sea"]
    assert [name for name in sources if name.startswith("stdin ")]
    texts = [p["text"] for p in memgpt.json("archival-list", "archival", "list", "--source", "whales.html")]
    assert texts == ["# Whales\n\nThey sing by day."]
    assert "--name is for standard input only" in memgpt("archival", "load", "x.md", "--name", "y", code=2).err


def test_a_busy_agent_is_refused_by_name_and_waited_for_on_demand(memgpt: CommandLine, papers: Path) -> None:
    with Workspace().held_memory(purpose="a test"):
        done = memgpt("archival", "load", str(papers / "notes"), code=5)
        assert "in use by `a test`" in done.err
        assert "--wait" in done.err
        assert "in use" in memgpt("archival", "reindex", code=5).err
        waiting = memgpt.start("archival", "load", str(papers / "notes"), "--wait", stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(1.0)
    out, _ = waiting.communicate(timeout=PATIENCE_S)
    assert "2 loaded" in out


def test_a_wrong_embedder_shows_before_any_work(
    memgpt: CommandLine, papers: Path, server: EmbeddingsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_letters(monkeypatch)
    server.behaviour.model = "another"
    assert "'letters' not found" in memgpt("archival", "load", str(papers), code=6).err
    assert len(server.requests) == 1
    assert memgpt.json("archival-list", "archival", "list") == []


@pytest.mark.parametrize("cut", [signal.SIGKILL, signal.SIGINT])
def test_a_load_that_was_cut_off_goes_on_with_the_same_command(
    memgpt: CommandLine,
    tmp_path: Path,
    server: EmbeddingsServer,
    monkeypatch: pytest.MonkeyPatch,
    cut: signal.Signals,
) -> None:
    use_letters(monkeypatch)
    for book in range(3):
        chapters = [f"## Chapter {book}.{n}\n\nIn it the number {book * 1000 + n} is praised." for n in range(400)]
        (tmp_path / f"book{book}.md").write_text("\n\n".join(chapters))
    books = [str(tmp_path / f"book{book}.md") for book in range(3)]
    monkeypatch.setenv("MEMGPT_ARCHIVAL_CHUNK_TOKENS", "16")
    memgpt("agent", "create", "whole")
    whole = memgpt.json("archival-load", "archival", "load", *books, "-a", "whole")["passages"]["new"]
    server.requests.clear()
    server.behaviour.hold_after = 700
    running = memgpt.start("archival", "load", *books, stderr=subprocess.PIPE)
    assert server.held.wait(PATIENCE_S)
    running.send_signal(cut)
    _, err = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == (-cut if cut is signal.SIGKILL else 130)
    assert ("the same command continues" in err) == (cut is signal.SIGINT)
    server.let_go.set()
    done, asked = number(memgpt, "SELECT count(*) FROM vectors"), len(server.answered)
    assert 0 < done < whole
    memgpt("archival", "load", *books)
    assert number(memgpt, "SELECT count(*) FROM passages WHERE deleted_at IS NULL") == whole
    assert number(memgpt, "SELECT count(*) FROM vectors") == whole
    assert number(memgpt, "SELECT count(*) FROM outbox") == 0
    assert len(server.answered) - asked <= whole - done + 2  # nothing is embedded twice but the trial


def test_what_embedding_costs_is_told_and_counts_as_spent(
    memgpt: CommandLine, papers: Path, server: EmbeddingsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_letters(monkeypatch)
    config = memgpt.home / "config" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("[models.letters]\ninput = 2.0\noutput = 0.0\n")
    done = memgpt.json("archival-load", "archival", "load", str(papers))
    tokens = sum(len(text) for text in server.answered)
    assert (done["embedding_tokens"], done["cost_usd"]) == (tokens, round(tokens * 2e-6, 8))
    state = Workspace().state
    assert state.spent_on(state.day(datetime.now(UTC))) == pytest.approx(tokens * 2e-6)
    monkeypatch.setenv("MEMGPT_ARCHIVAL_CHUNK_TOKENS", "16")
    monkeypatch.setenv("MEMGPT_BUDGET_MAX_USD_PER_DAY", "0.0001")
    long = papers / "long.md"
    long.write_text("\n\n".join(f"## Part {n}\n\nThe number {n} is praised here." for n in range(1100)))
    assert "over budget.max_usd_per_day" in memgpt("archival", "load", str(long), code=1).err


def test_another_embedder_is_refused_everywhere_and_changes_nothing(
    memgpt: CommandLine, papers: Path, server: EmbeddingsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    memgpt("archival", "load", str(papers / "notes"))
    use_letters(monkeypatch)
    for command in (
        ("archival", "search", "roses"),
        ("recall", "search", "roses"),
        ("archival", "load", str(papers)),
        ("archival", "reindex"),
        ("send", "Hello"),
        ("chat",),
    ):
        done = memgpt(*command, code=5)
        assert "static/wordllama-256/256, but the configured embedder is openai/letters" in done.err
        assert "hint: memgpt archival reindex --embedder openai/letters;" in done.err
        assert "to stay with static/wordllama-256/256: memgpt config set embedder.provider static" in done.err
    assert server.requests == []
    assert number(memgpt, "SELECT count(*) FROM messages WHERE role = 'user'") == 0
    memgpt("archival", "reindex", "--embedder", "openai/letters")
    monkeypatch.setenv("MEMGPT_EMBEDDER_MODEL", "numbers")
    assert "memgpt config set embedder.model letters" in memgpt("archival", "search", "roses", code=5).err
    monkeypatch.setenv("MEMGPT_EMBEDDER_MODEL", "letters")
    assert len(memgpt.json("archival-list", "archival", "list")) == 2


def test_an_agent_without_anything_to_embed_says_so(memgpt: CommandLine) -> None:
    memgpt("agent", "create", "default")
    assert memgpt("archival", "reindex").out == "there are no vectors, and none are missing\n"
    assert memgpt.json("archival-reindex", "archival", "reindex")["embedder"] is None
    assert "--save needs an embedder" in memgpt("archival", "reindex", "--save", code=2).err


@pytest.mark.usefixtures("server")
def test_an_agent_is_changed_over_to_another_embedder_and_the_settings_with_it(
    memgpt: CommandLine, papers: Path
) -> None:
    memgpt("archival", "load", str(papers))
    memgpt("agent", "create", "second")
    memgpt("archival", "load", str(papers / "notes"), "-a", "second")
    done = memgpt("archival", "reindex", "--embedder", "openai/letters", "--json")
    assert (done.json["embedder"], done.json["embedded"]) == ("openai/letters/8", 7)
    assert done.json["settings_agree"] is False
    assert "memgpt config set embedder.provider openai" in done.err
    assert "memgpt config set embedder.model letters" in done.err
    assert "agent second has vectors of static/wordllama-256/256" in done.err
    assert "openai/letters/8" in memgpt("archival", "search", "roses", code=5).err
    saved = memgpt.json("archival-reindex", "archival", "reindex", "--embedder", "openai/letters", "--save")
    assert (saved["settings_agree"], saved["embedded"]) == (True, 0)
    assert memgpt.json("archival-search", "archival", "search", "roses")["hits"]
    assert "-a second;" in memgpt("archival", "search", "roses", "-a", "second", code=5).err
    memgpt("archival", "reindex", "--embedder", "openai/letters", "-a", "second")
    assert memgpt("archival", "search", "roses", "-a", "second").out
    memgpt("archival", "reindex", "--embedder", "static", "--save")
    assert "embedder.model" not in memgpt("config", "list").out.split("user file")[0].splitlines()[-1]
    assert memgpt("archival", "search", "roses").out


def test_changing_over_goes_on_where_it_was_killed(
    memgpt: CommandLine, tmp_path: Path, server: EmbeddingsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "long.md").write_text("\n\n".join(f"## Part {n}\n\nThe number {n} is praised." for n in range(900)))
    monkeypatch.setenv("MEMGPT_ARCHIVAL_CHUNK_TOKENS", "16")
    memgpt("archival", "load", str(tmp_path / "long.md"))
    server.behaviour.hold_after = 300
    running = memgpt.start("archival", "reindex", "--embedder", "openai/letters")
    assert server.held.wait(PATIENCE_S)
    running.kill()
    running.wait()
    server.let_go.set()
    asked, left = len(server.answered), number(memgpt, "SELECT count(*) FROM outbox")
    assert left
    memgpt("archival", "reindex", "--embedder", "openai/letters")
    assert len(server.answered) - asked <= left + 2
    assert number(memgpt, "SELECT count(*) FROM vectors") == 900


def test_a_wrong_embedder_drops_no_vector(memgpt: CommandLine, papers: Path, server: EmbeddingsServer) -> None:
    memgpt("archival", "load", str(papers))
    server.behaviour.key = "secret"
    memgpt("archival", "reindex", "--embedder", "openai/letters", code=4)
    memgpt("archival", "reindex", "--embedder", "nobody/knows", code=2)
    memgpt("archival", "reindex", "--embedder", "static/other", code=2)
    assert memgpt.json("archival-search", "archival", "search", "roses")["hits"]


def test_chroma_is_built_anew_from_the_stored_vectors(
    memgpt: CommandLine, papers: Path, server: EmbeddingsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_letters(monkeypatch)
    memgpt("archival", "load", str(papers))
    vectors = memgpt.home / "data" / "agents" / "default" / "vectors"
    assert (vectors / "chroma.sqlite3").exists()
    shutil.rmtree(vectors)
    asked = len(server.requests)
    done = memgpt.json("archival-reindex", "archival", "reindex")
    assert (done["embedded"], done["vectors"]) == (0, {"messages": 0, "passages": 7, "facts": 0})
    assert (vectors / "chroma.sqlite3").exists()
    assert len(server.requests) == asked


def test_minilm_is_used_when_its_files_are_there_and_says_where_to_put_them_when_not(
    memgpt: CommandLine, papers: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    memgpt("archival", "load", str(papers))
    models = memgpt.home / "data" / "models"
    assert str(models / "tiny") in memgpt("archival", "reindex", "--embedder", "minilm/tiny", code=2).err
    write_model(models / "tiny", {"The": (1.0, 0.0), "queen": (0.0, 1.0)})
    done = memgpt.json("archival-reindex", "archival", "reindex", "--embedder", "minilm/tiny", "--save")
    assert (done["embedder"], done["settings_agree"]) == ("minilm/tiny/2", True)
    assert "eggs" in memgpt("archival", "search", "queen").out
    assert memgpt("doctor", code=0).out.count("minilm/tiny/2") == 1


def test_a_chat_loads_under_its_own_lock_and_answers_from_it(memgpt: CommandLine, papers: Path) -> None:
    lines = [
        f"/load '{papers / 'notes'}' {papers}/*.pdf --tag mine",
        "How many eggs does a queen bee lay in a day?",
        "/why",
    ]
    running = memgpt.start("chat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, _ = running.communicate("\n".join(lines) + "\n", timeout=PATIENCE_S)
    assert running.returncode == 0
    assert "files: 5 loaded; 7 new passages" in out
    assert "bees.pdf > page 1" in out
    assert "2000 eggs" in out
    assert "words: eggs, queen, bee, lay, day" in out
    assert len(memgpt.json("archival-list", "archival", "list", "--tag", "mine")) == 7


def test_a_path_with_spaces_needs_no_quotes_in_a_chat(memgpt: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "my notes").mkdir()
    (tmp_path / "my notes" / "a - b.txt").write_text("The key is under the mat.")
    lines = (
        "my notes",
        "my notes/a - b.txt --tag keys",
        "my\\ notes/a\\ -\\ b.txt -t x",
        '"my notes/a - b.txt" --again',
    )
    for line in lines:
        running = memgpt.start("chat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        out, _ = running.communicate(f"/load {line}\n", timeout=PATIENCE_S)
        assert "skipped" not in out
        assert "files: 1" in out
    assert memgpt.json("archival-list", "archival", "list")[0]["tags"] == ["keys", "x"]


@pytest.mark.parametrize("line", ["/load", "/load --tag keys"])
def test_load_without_a_path_asks_which_files(memgpt: CommandLine, line: str) -> None:
    running = memgpt.start("chat", stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    err = running.communicate(f"{line}\n", timeout=PATIENCE_S)[1]
    assert "which files?" in err
    assert "hint: /load FILE or FOLDER" in err
