"""Agents at the command line: made, renamed, copied, carried elsewhere, backed up; hostile files are refused."""

import base64
import io
import json
import sqlite3
import subprocess
import threading
import zipfile
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.command_line import CommandLine
from support.packages import Change, rewritten

from memgpt_cli.storage.agents.files import TABLES
from memgpt_cli.storage.database.schema import migrate


def record(memgpt: CommandLine, name: str) -> Path:
    return memgpt.home / "data" / "agents" / name / "agent.db"


def rows(path: Path) -> dict[str, list]:
    with closing(sqlite3.connect(path)) as connection:
        return {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in TABLES}


def rich(memgpt: CommandLine) -> None:
    """An agent with some of everything."""
    memgpt("send", "My name is Ada. My doctor is Alice Miller.")
    memgpt("send", "I like 绿茶 and croissants.")
    memgpt("archival", "add", "The key is under the mat", "--tag", "home")
    memgpt("archival", "edit", "p1", "The key is with Tom")
    memgpt("archival", "add", "gone")
    memgpt("archival", "delete", "p2", "--yes")
    memgpt("memory", "create", "plans", "thesis")
    memgpt("memory", "delete", "plans")
    memgpt("undo")
    memgpt("recall", "delete", "m1", "--yes")
    memgpt("send", "Hello again")


def test_an_agent_is_made_with_blocks_of_its_own(memgpt: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "tutor.md").write_text("You are a patient tutor.", encoding="utf-8")
    memgpt("agent", "create", "tutor", "--persona", "@tutor.md", "--human", "Ada", "--block", "goals=Learn Portuguese")
    blocks = {b["label"]: b["value"] for b in memgpt("memory", "show", "-a", "tutor", "--json").json}
    assert blocks == {"persona": "You are a patient tutor.", "human": "Ada", "goals": "Learn Portuguese"}
    assert memgpt.json("agent-show", "agent", "show", "tutor")["blocks"] == ["persona", "human", "goals"]
    assert "cannot be a block's label" in memgpt("agent", "create", "x", "--block", "<b>=y", code=2).err
    assert "already" in memgpt("agent", "create", "tutor", code=2).err


def test_renaming_keeps_everything(memgpt: CommandLine) -> None:
    rich(memgpt)
    before = rows(record(memgpt, "default"))
    memgpt("agent", "rename", "default", "ada")
    assert rows(record(memgpt, "ada")) == before
    assert [a["name"] for a in memgpt.json("agent-list", "agent", "list")] == ["ada"]
    assert "did you mean ada?" in memgpt("agent", "rename", "adda", "x", code=3).err
    assert "cannot be an agent's name" in memgpt("agent", "rename", "ada", "../x", code=2).err


def test_a_clone_goes_its_own_way(memgpt: CommandLine) -> None:
    rich(memgpt)
    memgpt("agent", "clone", "default", "twin")
    assert rows(record(memgpt, "twin")) == rows(record(memgpt, "default"))
    memgpt("memory", "append", "-a", "twin", "human", "has a twin")
    assert "twin" not in memgpt("memory", "show", "human").out


def test_a_clone_without_messages_knows_and_has_heard_nothing(memgpt: CommandLine) -> None:
    rich(memgpt)
    memgpt("agent", "clone", "default", "fresh", "--no-messages")
    shown = memgpt.json("agent-show", "agent", "show", "fresh")
    assert (shown["messages"], shown["passages"], shown["last_used"]) == (0, 1, None)
    assert memgpt("memory", "show", "-a", "fresh", "human").out == memgpt("memory", "show", "human").out
    assert "Hello again" not in record(memgpt, "fresh").read_bytes().decode("utf-8", "replace")
    memgpt("send", "-a", "fresh", "Hello")
    assert memgpt("recall", "show", "-a", "fresh", "m1").code == 0


def test_deleting_an_agent_asks_for_its_name(memgpt: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    memgpt("agent", "create", "tutor")
    assert "add --yes" in memgpt("agent", "delete", "tutor", code=2).err
    for typed, code in (("y\n", 1), ("tutor\n", 0)):
        stream = io.StringIO(typed)
        stream.isatty = lambda: True
        monkeypatch.setattr("sys.stdin", stream)
        memgpt("agent", "delete", "tutor", code=code)
    assert memgpt("agent", "list", "--json").json == []


def test_export_and_import_make_an_equal_agent(memgpt: CommandLine) -> None:
    rich(memgpt)
    memgpt.json("agent-export", "agent", "export", "ada.memgpt")
    memgpt("agent", "import", "ada.memgpt", "--as", "copy")
    before, after = rows(record(memgpt, "default")), rows(record(memgpt, "copy"))
    for found in (before, after):  # the head of a prompt is never taken from a file
        found["epochs"] = [(*row[:3], *row[5:]) for row in found["epochs"]]
    assert after == before
    for query in ("croissants", "绿茶", "Hello"):
        found = memgpt("recall", "search", query, "--json").json["hits"]
        assert [h["id"] for h in memgpt("recall", "search", "-a", "copy", query, "--json").json["hits"]] == [
            h["id"] for h in found
        ]
    memgpt("agent", "export", "-a", "copy", "again.memgpt")
    with zipfile.ZipFile("ada.memgpt") as one, zipfile.ZipFile("again.memgpt") as two:
        for table in set(TABLES) - {"epochs"}:
            assert one.read(f"tables/{table}.jsonl") == two.read(f"tables/{table}.jsonl")
    memgpt("undo", "-a", "copy")
    assert "already" in memgpt("agent", "import", "ada.memgpt", code=2).err
    assert "exists already" in memgpt("agent", "export", "ada.memgpt", code=2).err


def test_a_foreign_endpoint_is_left_out_unless_asked_for(memgpt: CommandLine) -> None:
    memgpt("agent", "create", "far", "--model", "gpt-4o", "--base-url", "https://evil.example/v1")
    memgpt("agent", "export", "-a", "far", "far.memgpt")
    done = memgpt("agent", "import", "far.memgpt", "--as", "near")
    assert "https://evil.example/v1 was left out" in done.err
    assert memgpt("agent", "show", "near", "--json").json["base_url"] is None
    memgpt("agent", "import", "far.memgpt", "--as", "kept", "--keep-endpoint")
    assert memgpt("agent", "show", "kept", "--json").json["base_url"] == "https://evil.example/v1"


def first_message(**changes: object) -> Change:
    def change(files: dict[str, bytes]) -> None:
        lines = files["tables/messages.jsonl"].split(b"\n")
        lines[0] = json.dumps({**json.loads(lines[0]), **changes}).encode()
        files["tables/messages.jsonl"] = b"\n".join(lines)

    return change


def first_row(table: str, **changes: object) -> Change:
    def change(files: dict[str, bytes]) -> None:
        first, *rest = files[f"tables/{table}.jsonl"].splitlines()
        lines = [json.dumps({**json.loads(first), **changes}).encode(), *rest]
        files[f"tables/{table}.jsonl"] = b"".join(line + b"\n" for line in lines)

    return change


def human_block(*tables: str, **changes: object) -> Change:
    def change(files: dict[str, bytes]) -> None:
        for table in tables:
            rows = [json.loads(line) for line in files[f"tables/{table}.jsonl"].splitlines()]
            rows = [row | changes if row["label"] == "human" else row for row in rows]
            files[f"tables/{table}.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    return change


def put(name: str, data: bytes) -> Change:
    return lambda files: files.update({name: data})


def manifest(**changes: object) -> Change:
    return lambda files: files.update(
        {"manifest.json": json.dumps({**json.loads(files["manifest.json"]), **changes}).encode()}
    )


@pytest.mark.parametrize(
    ("change", "honest", "says"),
    [
        (put("tables/messages.jsonl", b"{}"), False, "another size"),
        (
            lambda files: files.update({"tables/turns.jsonl": files["tables/turns.jsonl"].upper()}),
            False,
            "hash differs",
        ),
        (put("../../evil.txt", b"x"), True, "is not an allowed file name"),
        (put("/etc/evil", b"x"), True, "is not an allowed file name"),
        (put("C:\\evil", b"x"), True, "is not an allowed file name"),
        (put("extra.txt", b"x"), False, "exactly the files"),
        (first_message(role="root"), True, "no agent has"),
        (first_message(created_at="yesterday"), True, "no agent has"),
        (first_message(calls="[["), True, "no agent has"),
        (first_message(turn=999), True, "refers to nothing"),
        (first_message(text={"base64": "!"}), True, "no agent has"),
        (first_message(text=["a"]), True, "no agent has"),
        (first_row("turns", joined=1, state="joined"), True, "turn 1 is joined to turn 1"),
        (first_row("turns", started_at="0001-01-01T00:00:00.000Z"), True, "turns.started_at is not a time"),
        (first_row("turns", epoch="x"), True, "turns.epoch is 'x'"),
        (first_row("epochs", seen_blocks="[1]"), True, "epochs.seen_blocks is not of the right form"),
        (first_row("messages", effects='{"blocks": 1}'), True, "messages.effects is not of the right form"),
        (first_row("steps", prompt_tokens=1e30), True, "steps.prompt_tokens is 1.0"),
        (first_message(surprise=1), True, "other columns"),
        (first_message(id=2**62), True, "messages.id is 46"),
        (human_block("blocks", "block_versions", label="../evil"), True, "cannot be a block's label"),
        (human_block("blocks", "block_versions", value="x" * 9999), True, "its limit is 2000"),
        (human_block("blocks", version=7), True, "not what its last version says"),
        (put("tables/epochs.jsonl", b""), True, "0 rows, the manifest says"),
        (put("meta.json", b'{"config": "{}"}'), True, "no agent has"),
        (manifest(version=99), False, "knows up to 1"),
        (manifest(schema=99), False, "another version of memgpt"),
        (manifest(format="memgpt-backup"), False, "memgpt restore takes it"),
        (manifest(files="x"), False, "not readable"),
        (put("manifest.json", b"[]"), False, "is not a JSON object"),
    ],
)
def test_a_file_that_is_not_wholly_as_it_should_be_leaves_no_agent(
    memgpt: CommandLine, tmp_path: Path, change: Change, honest: bool, says: str
) -> None:
    memgpt("send", "Hello")
    memgpt("agent", "export", "good.memgpt")
    rewritten(tmp_path / "good.memgpt", tmp_path / "bad.memgpt", change, honest=honest)
    done = memgpt("agent", "import", "bad.memgpt", "--as", "bad", code=1)
    assert says in done.err
    assert sorted(p.name for p in (memgpt.home / "data" / "agents").iterdir()) == ["default"]
    assert not (tmp_path.parent / "evil.txt").exists()


def test_a_file_that_unpacks_to_far_more_than_it_is_is_not_unpacked(memgpt: CommandLine, tmp_path: Path) -> None:
    memgpt("send", "Hello")
    memgpt("agent", "export", "good.memgpt")
    rewritten(tmp_path / "good.memgpt", tmp_path / "plain.memgpt", put("tables/steps.jsonl", b" " * 101_000_000))
    with zipfile.ZipFile(tmp_path / "plain.memgpt") as plain, zipfile.ZipFile("bomb.memgpt", "w", 8) as bomb:
        for name in plain.namelist():
            bomb.writestr(name, plain.read(name))
    assert "would unpack to 101," in memgpt("agent", "import", "bomb.memgpt", "--as", "bad", code=1).err


def test_a_script_of_another_machine_is_not_taken_over(memgpt: CommandLine) -> None:
    memgpt("agent", "create", "told", "--model", "scripted:/etc/passwd")
    memgpt("agent", "export", "-a", "told", "told.memgpt")
    memgpt("agent", "import", "told.memgpt", "--as", "mine")
    assert memgpt.json("agent-show", "agent", "show", "mine")["model"] is None


def test_what_is_no_package_at_all_is_refused(memgpt: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "noise.memgpt").write_bytes(base64.b85encode(b"noise" * 99))
    assert "damaged or not a file of memgpt" in memgpt("agent", "import", "noise.memgpt", code=1).err
    assert "cannot be read" in memgpt("agent", "import", "nowhere.memgpt", code=1).err


def test_a_backup_is_restored_elsewhere_and_equal(
    memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rich(memgpt)
    memgpt("agent", "create", "tutor")
    memgpt("config", "set", "window.tokens", "16384")
    done = memgpt.json("backup", "backup", "all.zip")
    assert (done["agents"], done["files"]) == (["default", "tutor"], ["config/config.toml"])
    assert "already" in memgpt("restore", "all.zip", code=2).err
    tried = memgpt("restore", "all.zip", "--dry-run")
    assert "would replace: default, tutor" in tried.out
    assert "without --replace" in tried.err
    before = rows(record(memgpt, "default"))
    elsewhere = tmp_path / "another" / "home"
    monkeypatch.setenv("MEMGPT_HOME", str(elsewhere))
    assert memgpt.json("restore", "restore", "all.zip", "--dry-run")["restored"] is False
    assert not list(elsewhere.rglob("agent.db"))
    memgpt.json("restore", "restore", "all.zip")
    assert rows(elsewhere / "data" / "agents" / "default" / "agent.db") == before
    assert memgpt("config", "get", "window.tokens").out == "16384\n"
    assert "Hello" in memgpt("send", "Hello").out
    assert str(memgpt.home) not in "".join(
        path.read_bytes().decode("utf-8", "replace") for path in elsewhere.rglob("*") if path.is_file()
    )
    memgpt("restore", "all.zip", "--only", "default", "--replace", "--yes")
    assert rows(elsewhere / "data" / "agents" / "default" / "agent.db") == before


def test_a_backup_taken_while_an_agent_is_written_to_is_whole(memgpt: CommandLine, tmp_path: Path) -> None:
    memgpt("send", "Hello")
    stop = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(record(memgpt, "default"), timeout=15)) as connection:
            number = 0
            while not stop.is_set():
                number += 1
                with connection:
                    for key in ("one", "two"):
                        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"note.{key}", str(number)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(5):
            memgpt("backup", f"{n}.zip")
    finally:
        stop.set()
        writer.join()
    for n in range(5):
        with zipfile.ZipFile(f"{n}.zip") as archive:
            (tmp_path / "copy.db").write_bytes(archive.read("agents/default/agent.db"))
        with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
            values = connection.execute(
                "SELECT DISTINCT value FROM meta WHERE key IN ('note.one', 'note.two')"
            ).fetchall()
            assert len(values) <= 1
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def trigger(files: dict[str, bytes]) -> None:
    path = Path("evil.db")
    path.write_bytes(files["agents/default/agent.db"])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TRIGGER evil AFTER INSERT ON messages BEGIN DELETE FROM blocks; END")
    files["agents/default/agent.db"] = path.read_bytes()


def torn(files: dict[str, bytes]) -> None:
    data = bytearray(files["agents/default/agent.db"])
    data[8192:20480] = bytes(12288)
    files["agents/default/agent.db"] = bytes(data)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (trigger, "its tables differ from those of memgpt: evil"),
        (torn, "cannot be used"),
        (put("agents/../../x/agent.db", b"x"), "is not an allowed file name"),
        (put("agents/..x/agent.db", b"x"), "cannot be an agent's name"),
        (put("config/keys.toml", b"x"), "does not know"),
    ],
)
def test_a_backup_that_is_not_wholly_as_it_should_be_changes_nothing(
    memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Change, says: str
) -> None:
    memgpt("send", "Hello")
    memgpt("backup", "good.zip")
    rewritten(tmp_path / "good.zip", tmp_path / "bad.zip", change)
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path / "elsewhere"))
    done = memgpt("restore", "bad.zip", code=2 if "name" in says and "agent's" in says else 1)
    assert says in done.err
    assert not list((tmp_path / "elsewhere").rglob("*.db"))


def first_schema() -> dict[str, list[str]]:
    """The tables of schema 1 with their columns."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, upto=1)
        return {
            table: [column[1] for column in connection.execute(f"PRAGMA table_info({table})")]
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        }


def test_a_file_of_an_earlier_version_is_brought_up_to_date(memgpt: CommandLine, tmp_path: Path) -> None:
    def earlier(files: dict[str, bytes]) -> None:
        about = json.loads(files["manifest.json"])
        first = first_schema()
        for table in list(about["rows"]):
            name = f"tables/{table}.jsonl"
            if table not in first:
                del files[name], about["rows"][table]
                continue
            lines = [json.loads(line) for line in files[name].splitlines()]
            older = [{column: row[column] for column in first[table]} for row in lines]
            files[name] = b"".join(json.dumps(row).encode() + b"\n" for row in older)
        files["manifest.json"] = json.dumps({**about, "schema": 1}).encode()

    rich(memgpt)
    memgpt("agent", "export", "new.memgpt")
    rewritten(tmp_path / "new.memgpt", tmp_path / "old.memgpt", earlier)
    memgpt("agent", "import", "old.memgpt", "--as", "old")
    memgpt("agent", "import", "new.memgpt", "--as", "new")
    old, new = (rows(record(memgpt, name)) for name in ("old", "new"))
    known = len(first_schema()["messages"])
    for found in (old, new):
        found.pop("meta", None)
        found["messages"] = [row[:known] for row in found["messages"]]
    assert old == new


def later_tables(connection: sqlite3.Connection) -> list[str]:
    """The tables that the first version of the schema did not have; virtual ones first, which own others."""
    from memgpt_cli.storage.database.schema import migrate

    tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY sql LIKE 'CREATE VIRTUAL%' DESC"
    with closing(sqlite3.connect(":memory:")) as first:
        migrate(first, upto=1)
        known = {row[0] for row in first.execute(tables)}
    return [row[0] for row in connection.execute(tables) if row[0] not in known]


def test_a_backup_of_an_earlier_version_is_restored_and_brought_up_to_date(
    memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def earlier(files: dict[str, bytes]) -> None:
        path = tmp_path / "old.db"
        path.write_bytes(files["agents/default/agent.db"])
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for table in later_tables(connection):
                connection.execute(f"DROP TABLE IF EXISTS {table}")
            for table in ("messages", "passages", "passage_versions", "block_versions", "epochs"):
                connection.execute(f"ALTER TABLE {table} DROP COLUMN origin")
            connection.execute("ALTER TABLE messages DROP COLUMN effects")
            connection.execute("ALTER TABLE messages DROP COLUMN opaque")
            connection.execute("DELETE FROM _sqlite_migrations WHERE name > '001_foundation'")
            connection.execute("PRAGMA user_version = 1")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        files["agents/default/agent.db"] = path.read_bytes()

    rich(memgpt)
    memgpt("backup", "new.zip")
    rewritten(tmp_path / "new.zip", tmp_path / "old.zip", earlier)
    blocks = memgpt("memory", "show").out
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path / "elsewhere"))
    memgpt("restore", "old.zip")
    assert memgpt("memory", "show").out == blocks
    memgpt("send", "Hello again")


def test_an_export_is_readable_without_this_program(memgpt: CommandLine) -> None:
    memgpt("send", "My name is Ada.")
    memgpt("agent", "export", "ada.memgpt")
    with zipfile.ZipFile("ada.memgpt") as archive:
        assert subprocess.run(["unzip", "-tq", "ada.memgpt"], check=False, capture_output=True).returncode in {0, 127}
        messages = [json.loads(line) for line in archive.read("tables/messages.jsonl").splitlines()]
    assert messages[0]["text"] == "My name is Ada."


def test_an_agent_is_exported_by_its_name_and_a_name_is_not_taken_for_a_file(memgpt: CommandLine) -> None:
    memgpt("send", "Hello")
    memgpt("agent", "create", "bob")
    assert "memgpt agent export bob bob.memgpt" in memgpt("agent", "export", "bob", code=2).err
    assert memgpt.json("agent-export", "agent", "export", "bob", "bob.memgpt")["agent"] == "bob"
    assert memgpt.json("agent-export", "agent", "export", "all.memgpt")["agent"] == "default"
    assert "too many words" in memgpt("agent", "export", "bob", "a", "b", code=2).err


def test_restoring_over_what_is_there_asks_first(memgpt: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    memgpt("send", "My name is Ada.")
    memgpt("backup", "all.zip")
    memgpt("send", "I love tea.")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert "add --yes" in memgpt("restore", "all.zip", "--replace", code=2).err
    assert "tea" in memgpt("recall", "list").out
    assert "replaced: " in memgpt("restore", "all.zip", "--replace", "--yes").out
    assert "tea" not in memgpt("recall", "list").out


@pytest.mark.parametrize("harm", ["cut", "empty", "gone"])
def test_an_agent_whose_record_is_lost_is_named_and_can_be_deleted(memgpt: CommandLine, harm: str) -> None:
    memgpt("agent", "create", "tutor")
    path = record(memgpt, "tutor")
    (path.parent / "vectors").mkdir()
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: 5_000 if harm == "cut" else 0])
    listed = memgpt("agent", "list")
    assert "tutor: " in listed.err
    assert "memgpt restore" in memgpt("agent", "create" if harm == "gone" else "show", "tutor", code=5).err
    memgpt("agent", "delete", "tutor", "--yes")
    assert "tutor" not in memgpt("agent", "list").err
    memgpt("agent", "create", "tutor")


def test_times_are_shown_in_the_persons_zone_and_printed_as_json_in_utc(
    memgpt: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    memgpt("send", "My name is Ada.")
    memgpt("backup", str(tmp_path / "all.zip"))
    monkeypatch.setenv("MEMGPT_DISPLAY_TIMEZONE", "Asia/Kathmandu")

    def there(moment: str) -> str:
        return f"{datetime.fromisoformat(moment) + timedelta(hours=5, minutes=45):%Y-%m-%d %H:%M}"

    made = memgpt("agent", "show", "--json").json["created_at"]
    assert f"created at   {there(made)}\n" in memgpt("agent", "show").out
    restore = ("restore", str(tmp_path / "all.zip"), "--replace", "--dry-run")
    written = memgpt(*restore, "--json").json["made_at"]
    assert f"would restore 1 agent as of {there(written)}: default\n" in memgpt(*restore).out


def test_one_damaged_agent_hides_no_other(memgpt: CommandLine) -> None:
    memgpt("agent", "create", "whole")
    memgpt("send", "My name is Ada and I live in Lisbon.")
    memgpt("agent", "show")
    path = record(memgpt, "default")
    data = bytearray(path.read_bytes())
    data[4_096:] = bytes(byte ^ 0x5A for byte in data[4_096:])
    path.write_bytes(data)
    listed = memgpt("agent", "list")
    assert "whole" in listed.out
    assert "default: " in listed.err


@pytest.mark.parametrize(
    "damage",
    ["UPDATE meta SET value = '{' WHERE key = 'config'", "DROP TABLE passages", "DELETE FROM meta", "DROP TABLE meta"],
)
def test_a_damaged_record_is_named_and_the_others_go_on(memgpt: CommandLine, tmp_path: Path, damage: str) -> None:
    memgpt("agent", "create", "broken")
    memgpt("send", "My dog is called Bruno.")
    with closing(sqlite3.connect(record(memgpt, "broken"))) as connection:
        connection.execute(damage)
        connection.commit()
    assert "default" in memgpt("agent", "list").out
    told = memgpt("doctor", code=1).out
    assert "FAIL  agent broken" in told
    assert "ok    agent default" in told
    assert "Bruno" in memgpt("search", "--all-agents", "Bruno").out
    written = memgpt("backup", str(tmp_path / "all.zip"), code=5)
    assert "wrote 1 agent" in written.out
    assert "left out: agent broken" in written.err
    assert "would restore 1 agent" in memgpt("restore", str(tmp_path / "all.zip"), "--replace", "--dry-run").out
    assert "bug" not in memgpt("send", "-a", "broken", "hi", code=5).err


def test_an_agent_that_cannot_talk_in_its_window_is_made_with_a_warning(memgpt: CommandLine) -> None:
    made = memgpt("agent", "create", "tight", "--window", "1500")
    assert "as things stand it cannot talk: a window of 1500 tokens is too small" in made.err
    assert "a window of 1500 tokens is too small" in memgpt("doctor", code=1).out
    assert "cannot talk" not in memgpt("agent", "create", "roomy").err
