"""Folders are walked as version control would walk them; links, loops and odd files end in a word, not in a hang."""

import os
from pathlib import Path

import pytest

from memgpt_cli.documents.finding import find, source_name
from memgpt_cli.domain.documents import FoundFile, SkippedFile


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text")


def names(*paths: Path | str) -> list[str]:
    return [found.source.removeprefix("~/") for found in find([str(path) for path in paths])]


def test_a_folder_is_walked_in_order_without_hidden_files(home: Path) -> None:
    make(home, "n/b.txt", "n/a.txt", "n/z/c.txt", "n/.secret", "n/.git/config", "n/node_modules/x.js", "n/c.txt")
    assert names(home / "n") == ["n/a.txt", "n/b.txt", "n/c.txt", "n/z/c.txt"]


def test_an_empty_file_in_a_folder_is_no_news_but_one_that_is_named_is(home: Path) -> None:
    make(home, "n/a.txt", "n/__init__.py")
    (home / "n/__init__.py").write_text("")
    assert names(home / "n") == ["n/a.txt"]
    assert names(home / "n/__init__.py") == ["n/__init__.py"]


def test_sizes_and_paths_are_told(home: Path) -> None:
    make(home, "a.txt")
    assert list(find([str(home / "a.txt")])) == [FoundFile(source="~/a.txt", path=home / "a.txt", size=4)]


def test_gitignore_is_obeyed_at_every_depth_and_inner_rules_win(home: Path) -> None:
    make(home, "n/a.log", "n/keep.log", "n/build/x.txt", "n/sub/b.log", "n/sub/c.tmp", "n/sub/build.txt", "n/d.txt")
    (home / "n/.gitignore").write_text("*.log\n!keep.log\nbuild/\n# a comment\n")
    (home / "n/sub/.gitignore").write_text("*.tmp\n!b.log\n")
    assert names(home / "n") == ["n/d.txt", "n/keep.log", "n/sub/b.log", "n/sub/build.txt"]


def test_rules_above_the_folder_count_inside_a_repository_only(home: Path) -> None:
    make(home, "repo/sub/a.txt", "repo/sub/b.log", "repo/sub/c.bak")
    (home / "repo/.gitignore").write_text("*.log\n")
    assert names(home / "repo/sub") == ["repo/sub/a.txt", "repo/sub/b.log", "repo/sub/c.bak"]
    make(home, "repo/.git/info/exclude")
    (home / "repo/.git/info/exclude").write_text("*.bak\n")
    assert names(home / "repo/sub") == ["repo/sub/a.txt"]


def test_a_file_named_outright_is_taken_whatever_is_ignored(home: Path) -> None:
    make(home, "n/a.log", "n/.hidden")
    (home / "n/.gitignore").write_text("*.log\n")
    assert names(home / "n/a.log", home / "n/.hidden") == ["n/a.log", "n/.hidden"]


def test_a_broken_rule_is_passed_over(home: Path) -> None:
    make(home, "n/a.log", "n/b.txt")
    (home / "n/.gitignore").write_bytes(b"!\n*.log\n\xff\xfe\n/\n")
    assert names(home / "n") == ["n/b.txt"]


def test_patterns_the_shell_did_not_expand(home: Path) -> None:
    make(home, "n/a.md", "n/b.txt", "n/s/c.md", "n/[x].md")
    assert names(str(home / "n/*.md")) == ["n/[x].md", "n/a.md"]
    assert names(str(home / "n/**/*.md")) == ["n/[x].md", "n/a.md", "n/s/c.md"]
    assert names(home / "n/[x].md") == ["n/[x].md"]
    assert names("~/n/b.txt") == ["n/b.txt"]


def test_each_file_comes_once(home: Path) -> None:
    make(home, "n/a.md", "n/b.md")
    (home / "link.md").symlink_to(home / "n/a.md")
    assert names(home / "n/b.md", home / "n", home / "link.md", str(home / "n/*")) == ["n/b.md", "n/a.md"]


def test_links_inside_a_folder_are_not_followed(home: Path) -> None:
    make(home, "n/a.md", "outside.md")
    (home / "n/loop").symlink_to(home / "n", target_is_directory=True)
    (home / "n/again.md").symlink_to(home / "n/a.md")
    (home / "n/out.md").symlink_to(home / "outside.md")
    assert list(find([str(home / "n")])) == [
        FoundFile(source="~/n/a.md", path=home / "n/a.md", size=4),
        SkippedFile(source="~/n/out.md", reason="a link that leads out of the folder"),
    ]


def test_what_is_not_there_is_named(home: Path) -> None:
    (home / "broken").symlink_to(home / "nowhere")
    (home / "turn").symlink_to(home / "turn")
    assert [
        found.reason for found in find([str(home / "no"), str(home / "broken")]) if isinstance(found, SkippedFile)
    ] == [
        "no such file or folder",
        "a broken link",
    ]
    assert len(list(find([str(home / "turn")]))) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_a_folder_is_named(home: Path) -> None:
    (home / "n").mkdir()
    os.mkfifo(home / "n/pipe")
    assert list(find([str(home / "n")])) == [SkippedFile(source="~/n/pipe", reason="not a regular file")]


def test_very_deep_folders_are_walked(home: Path) -> None:
    here, depth = Path.cwd(), 1200
    try:
        os.chdir(home)
        for _ in range(depth):
            os.mkdir("d")  # noqa: PTH102 - relative on purpose: the whole path is too long for some calls
            os.chdir("d")
        Path("a.txt").write_text("deep")
        assert len(list(find([str(home)]))) == 1
        Path("a.txt").unlink()
        for _ in range(depth):  # pytest's own clean-up would recurse too deep
            os.chdir("..")
            os.rmdir("d")  # noqa: PTH106
    finally:
        os.chdir(here)


def test_a_source_is_the_same_from_everywhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(home, "n/a.md")
    monkeypatch.chdir(home / "n")
    assert source_name("a.md") == source_name(home / "n/../n/a.md") == "~/n/a.md"
    monkeypatch.setenv("HOME", str(home / "other"))
    monkeypatch.setenv("USERPROFILE", str(home / "other"))
    assert source_name("a.md") == str(home / "n/a.md")


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_name_that_is_not_unicode_can_be_stored(home: Path) -> None:
    (home / "n").mkdir()
    try:
        Path(os.fsdecode(bytes(home / "n") + b"/caf\xe9.txt")).write_text("x")
    except OSError:
        pytest.skip("the file system refuses such names")
    [found] = find([str(home / "n")])
    assert found.source.encode() == "~/n/caf\ufffd.txt".encode()
