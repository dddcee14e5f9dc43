"""Documents are read in a child process: a limit is an error of its document, and the next one is read."""

import json
import subprocess
import sys
import zlib

import pytest

from memgpt_cli.documents.limited import LimitedReader
from memgpt_cli.documents.reading import FileReader
from memgpt_cli.errors import DocumentError

PAGE = b"<html><body><h1>Bees</h1><p>They dance.</p></body></html>"
ATTRIBUTES = b"<p " + b" ".join(b"a%d=1" % n for n in range(60_000)) + b">x</p>"


def page_bomb(operators: int) -> bytes:
    """A PDF of some kilobytes whose page unpacks to so many drawing operators."""
    stream = zlib.compress(b"BT /F1 9 Tf (a) Tj ET\n" * operators, 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Filter /FlateDecode /Length %d >> stream\n" % len(stream) + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body = b"%PDF-1.4\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % (n, o) for n, o in enumerate(objects, 1))
    return body + b"trailer << /Root 1 0 R >>\n%%EOF\n"


def test_a_limit_is_an_error_of_its_document_and_the_next_one_is_read() -> None:
    reader = LimitedReader(memory=700 * 2**20, seconds=1.5, output=100_000)
    assert reader.read(PAGE, name="bees.html") == FileReader().read(PAGE, name="bees.html")
    with pytest.raises(DocumentError, match=r"took more than 1\.5 s"):
        reader.read(ATTRIBUTES, name="slow.html")
    with pytest.raises(DocumentError, match="more than 100,000 bytes of text"):
        reader.read(b"<p>word</p>" * 60_000, name="long.html")
    assert reader.read(PAGE, name="bees.html").kind == "html"


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is enforced on Linux")
def test_a_small_pdf_that_needs_much_memory_is_refused() -> None:
    bomb = page_bomb(2_000_000)
    assert len(bomb) < 200_000
    with pytest.raises(DocumentError, match="memory"):
        LimitedReader(memory=500 * 2**20, seconds=60).read(bomb, name="bomb.pdf")


def test_errors_of_the_child_are_those_of_the_reader() -> None:
    reader = LimitedReader()
    for content, name in ((b"%PDF-1.7 broken", "a.pdf"), (b"PK not a zip", "a.docx"), (b"", "a.html")):
        with pytest.raises(DocumentError) as here:
            FileReader().read(content, name=name)
        with pytest.raises(DocumentError) as there:
            reader.read(content, name=name)
        assert (here.value.message, here.value.hint) == (there.value.message, there.value.hint)


def test_plain_text_is_read_without_a_child() -> None:
    reader = LimitedReader()
    assert reader.read(b"Bees dance.", name="bees.txt").parts[0].text == "Bees dance."
    assert reader._child is None


def test_one_child_reads_many_documents_and_a_file_beside_the_person_is_not_imported(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    with open("json.py", "w", encoding="utf-8") as trap:  # noqa: PTH123
        trap.write("raise SystemExit(9)")
    reader = LimitedReader()
    children = set()
    for number in range(20):
        assert reader.read(json.dumps({"n": number}).encode(), name="a.json").kind == "json"
        assert reader._child is not None
        children.add(reader._child._process.pid)
    assert len(children) == 1
    process = reader._child._process
    del reader
    assert process.wait(10) is not None
    assert isinstance(process, subprocess.Popen)
