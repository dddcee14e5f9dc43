"""Files that are broken, locked, enormous or made to hurt end in a reason, not in a crash, a hang or a full memory."""

import contextlib
import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from document_makers import docx, epub_book, notebook, pdf
from hypothesis import given, settings
from hypothesis import strategies as st

from memgpt_cli.documents.archives import MAX_UNPACKED
from memgpt_cli.documents.reading import FileReader, read_document
from memgpt_cli.domain.documents import FoundFile
from memgpt_cli.errors import DocumentError


def reason(path: Path) -> str:
    with pytest.raises(DocumentError) as caught:
        read_document(path)
    return caught.value.message


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a picture"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "a picture"),
        (b"\x00\x00\x00\x20ftypisom" + bytes(50), "sound or video"),
        (b"\x7fELF" + bytes(50), "a program"),
        (b"\x1f\x8b\x08" + bytes(50), "a packed file"),
        (b"SQLite format 3\x00" + bytes(50), "a database"),
        (b"\xd0\xcf\x11\xe0" + bytes(50), "an old Office file"),
        (b"{\\rtf1 text}", "rich text (RTF)"),
        (bytes(500), "not text"),
        (b"", "empty"),
        (b" \n\t\n", "no text in it"),
    ],
)
def test_what_holds_no_text_is_named(tmp_path: Path, data: bytes, expected: str) -> None:
    (tmp_path / "file").write_bytes(data)
    assert reason(tmp_path / "file") == expected


def test_other_archives_are_named(tmp_path: Path) -> None:
    assert reason(zipped(tmp_path / "a.xlsx", {"xl/workbook.xml": b"<x/>"})) == "a spreadsheet"
    assert reason(zipped(tmp_path / "a.zip", {"a.txt": b"text"})) == "an archive"


def test_a_locked_a_broken_and_a_picture_pdf_say_so(tmp_path: Path) -> None:
    assert reason(pdf(tmp_path / "a.pdf", ["secret"], password="word")) == "locked with a password"  # noqa: S106
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.7\ngarbage")
    assert reason(tmp_path / "b.pdf").startswith("a broken PDF")
    assert reason(pdf(tmp_path / "c.pdf", ["", ""])) == "no text on its 2 pages: pictures of text, probably"
    (tmp_path / "d.pdf").write_text("just text")
    assert reason(tmp_path / "d.pdf") == "called .pdf, but it is none"


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "a.docx", {"word/document.xml": b"<a/>", "word/big.xml": bytes(MAX_UNPACKED)})
    assert bomb.stat().st_size < 1_000_000
    assert reason(bomb).startswith("an archive that unpacks to 2 files")


def test_an_archive_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    members = {"META-INF/container.xml": b"<a>" + bytes(100_000) + b"</a>"}
    data = bytearray(zipped(tmp_path / "a.epub", members).read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24  # the uncompressed size in the table of contents
    data[at : at + 4] = struct.pack("<I", 10)
    (tmp_path / "a.epub").write_bytes(data)
    assert reason(tmp_path / "a.epub").startswith("a broken or locked archive")


def test_entities_do_not_explode_and_nothing_outside_is_read(tmp_path: Path) -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "ha">{levels}]><a>&e11;</a>'.encode()
    assert "broken" in reason(zipped(tmp_path / "a.epub", {"META-INF/container.xml": bomb}))
    assert "broken" in reason(zipped(tmp_path / "a.docx", {"word/document.xml": bomb}))
    outside = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    assert "broken" in reason(zipped(tmp_path / "b.epub", {"META-INF/container.xml": outside}))


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.txt").open("wb") as stream:
        stream.truncate(5 * 2**30)
    assert reason(tmp_path / "huge.txt") == "5,120 MB or more, over the limit of 100 MB"
    endless = FileReader(max_bytes=10_000, stdin=io.BytesIO(b"a" * 50_000))
    with pytest.raises(DocumentError, match="over the limit"):
        endless.content(FoundFile(source="stdin", path=None))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_that_nobody_writes_to_does_not_hold_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert reason(tmp_path / "pipe") == "not a regular file"
    assert reason(tmp_path) in ("not a regular file", "Is a directory", "Permission denied")
    assert reason(tmp_path / "nothing") == "No such file or directory"


def test_deep_nesting_is_survived(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<div>" * 1_500 + "bottom" + "</div>" * 1_500)
    assert read_document(tmp_path / "a.html").parts[0].text == "bottom"
    (tmp_path / "b.html").write_text("<div>" * 200_000)
    assert reason(tmp_path / "b.html") == "elements nested more than 2,000 deep"
    (tmp_path / "a.json").write_text("[" * 200_000 + '"\\u4f60"' + "]" * 200_000)
    assert read_document(tmp_path / "a.json").kind == "json"
    (tmp_path / "a.ipynb").write_text("[" * 200_000)
    assert reason(tmp_path / "a.ipynb").startswith("a broken notebook")


@pytest.mark.parametrize(
    "content", [[], {"cells": 3}, {"cells": ["x"]}, {"cells": [{"cell_type": "code", "outputs": 5}]}, None]
)
def test_what_is_no_notebook_says_so(tmp_path: Path, content: object) -> None:
    (tmp_path / "a.ipynb").write_text(json.dumps(content))
    assert reason(tmp_path / "a.ipynb").startswith(("a broken notebook", "no text"))


@pytest.mark.parametrize(
    "unit", ["<!--", "<a", "<![", '<a href="', "<td><table>", "<b><p>", "<table>x", "<p>", "&", "<li>"]
)
def test_broken_markup_takes_no_more_than_its_share_of_time(tmp_path: Path, unit: str) -> None:
    """A parser with quadratic time would not come back from this within the test run's patience."""
    (tmp_path / "a.html").write_text("<p>x</p>" + unit * (600_000 // len(unit)))
    try:
        read_document(tmp_path / "a.html")
    except DocumentError as error:
        assert "deep" in error.message  # noqa: PT017 - either end is fine


MAKERS: dict[str, Callable[[Path], Path]] = {
    "docx": docx,
    "epub": epub_book,
    "ipynb": notebook,
    "pdf": lambda path: pdf(path, ["A page of text."]),
}


@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_damaged_files_end_in_text_or_in_a_reason(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / f"whole.{kind}"
    content = bytearray((path if path.exists() else MAKERS[kind](path)).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(len(content) // 2, len(content)))
    with contextlib.suppress(DocumentError):
        FileReader().read(bytes(content[:cut]), name=f"file.{kind}")
