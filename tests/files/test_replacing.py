"""Replacing: whole or not at all, a marker while it runs, and a recovery that leaves living processes alone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from memgpt_cli.files.replacing import PENDING, Replacements, Step, StepKind


@pytest.fixture
def replacements(tmp_path: Path) -> Replacements:
    return Replacements(tmp_path / "agents" / PENDING)


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path, replacements: Replacements) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    with replacements.new_file(target, purpose="test") as file:
        file.write(b"new")
        assert target.read_text() == "old"
        assert replacements.recover() == []  # this process is alive
        assert replacements.unfinished() == ["test"]
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["agents", "file"]


def test_an_error_leaves_the_old_file(tmp_path: Path, replacements: Replacements) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), replacements.new_file(target, purpose="test") as file:
        file.write(b"half" * (1 // (target.stat().st_size - 3)))
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["agents", "file"]


def test_a_folder_whose_name_is_taken_is_not_made(tmp_path: Path, replacements: Replacements) -> None:
    (tmp_path / "taken").mkdir()
    with replacements.begin("test", [Step(kind=StepKind.CREATE, target=tmp_path / "taken")]) as running:
        running.new().mkdir()
        with pytest.raises(FileExistsError):
            running.commit()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["agents", "taken"]


def test_a_database_in_use_is_replaced_under_its_users(tmp_path: Path, replacements: Replacements) -> None:
    target = tmp_path / "state.db"
    with closing(sqlite3.connect(target)) as user:
        user.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1);")
        with replacements.begin("test", [Step(kind=StepKind.DATABASE, target=target)]) as running:
            with closing(sqlite3.connect(running.new())) as new:
                new.executescript("CREATE TABLE t (x); INSERT INTO t VALUES (2);")
            running.commit()
        assert user.execute("SELECT x FROM t").fetchall() == [(2,)]


def test_a_damaged_marker_is_removed(replacements: Replacements) -> None:
    replacements.folder.mkdir(parents=True)
    (replacements.folder / "abc.json").write_text('{"purpose": ')
    (replacements.folder / "abd.json").write_text('{"purpose": "x", "steps": [{"kind": "no", "target": 1}]}')
    assert replacements.recover() == []
    assert not replacements.folder.exists()


def test_a_file_can_be_replaced_where_no_marker_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "agents").write_text("a file where the folder should be")
    with Replacements(tmp_path / "agents" / PENDING).new_file(tmp_path / "file", purpose="test") as file:
        file.write(b"new")
    assert (tmp_path / "file").read_text() == "new"
