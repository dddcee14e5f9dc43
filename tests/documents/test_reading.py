"""Every format is read: files made by its own tools come back as text that can be cited."""

import json
import sys
from pathlib import Path

import pytest
from support import document_makers as makers

from memgpt_cli.documents import vendors
from memgpt_cli.documents.pdf import _joined
from memgpt_cli.documents.reading import FileReader, read_document
from memgpt_cli.domain.documents import Document, FoundFile, Part
from memgpt_cli.errors import DocumentError


def text_of(document: Document) -> str:
    return "\n".join(part.text for part in document.parts)


def test_plain_text_is_kept_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.\n\n  Two.\n")
    document = read_document(tmp_path / "a.txt")
    assert document == Document(parts=(Part(text="One.\n\n  Two.\n"),), title="a.txt", kind="text")


@pytest.mark.parametrize(
    ("name", "kind", "part_kind"),
    [
        ("a.md", "markdown", "markdown"),
        ("a.PY", "code", "code"),
        ("Makefile", "code", "code"),
        ("README", "text", "text"),
        (".gitignore", "text", "text"),
    ],
)
def test_the_name_tells_how_a_text_is_built(tmp_path: Path, name: str, kind: str, part_kind: str) -> None:
    (tmp_path / name).write_text("text\n")
    document = read_document(tmp_path / name)
    assert (document.kind, document.parts[0].kind) == (kind, part_kind)


def test_a_pdf_is_read_page_by_page(tmp_path: Path) -> None:
    path = makers.pdf(tmp_path / "a.pdf", ["The first page.", "", "The third page."], title="Minutes")
    document = read_document(path)
    assert (document.title, document.kind) == ("Minutes", "pdf")
    assert [(part.text.strip(), part.place) for part in document.parts] == [
        ("The first page.", "page 1"),
        ("The third page.", "page 3"),
    ]


def test_printed_page_numbers_of_a_pdf_are_no_text_but_other_numbers_are(tmp_path: Path) -> None:
    pages = ["Spring", "Summer\n4", "Autumn\n5", "Winter\n6", "In all: \n1200"]
    found = read_document(makers.pdf(tmp_path / "seasons.pdf", pages)).parts
    assert [part.text.split() for part in found] == [
        ["Spring"],
        ["Summer"],
        ["Autumn"],
        ["Winter"],
        ["In", "all:", "1200"],
    ]
    two = read_document(makers.pdf(tmp_path / "two.pdf", ["Sheep\n1", "Goats\n2"])).parts
    assert [part.text.split() for part in two] == [["Sheep", "1"], ["Goats", "2"]]


def test_a_word_file_keeps_headings_and_tables(tmp_path: Path) -> None:
    document = read_document(makers.docx(tmp_path / "a.docx"))
    [part] = document.parts
    assert part.text.startswith("# Field report\n\nThe expedition left in May.\n\n# Findings")
    assert "水獭在河坝边出现。" in part.text
    assert "| Weir | 4 |" in part.text
    assert (part.kind, part.unit) == ("markdown", None)


def test_an_epub_is_read_in_the_order_of_its_spine(tmp_path: Path) -> None:
    document = read_document(makers.epub_book(tmp_path / "a.epub"))
    assert (document.title, document.kind) == ("The River Book", "epub")
    assert [(part.text, part.place) for part in document.parts] == [
        ("# Source\n\nIt rises under a stone.", None),
        ("# Mouth\n\nIt meets the sea.", None),
        ("A note without a heading.", "section 3"),
    ]


def test_a_notebook_is_cited_by_cells_and_keeps_what_it_printed(tmp_path: Path) -> None:
    document = read_document(makers.notebook(tmp_path / "a.ipynb"))
    assert [part.place for part in document.parts] == ["cells 1-2", "cell 3"]
    assert "total = 40 + 2" in document.parts[0].text
    assert "```\n42\n```" in document.parts[0].text
    assert document.parts[1].text == "## Doubts\nThe gauge leaked."


def test_a_table_names_its_columns_in_each_row(tmp_path: Path) -> None:
    rows = [["name", "city"], ["Ann", "Oslo"], ["Bo", "two\nlines"], ["Cy", "", "extra"]]
    document = read_document(makers.table(tmp_path / "a.csv", rows))
    [part] = document.parts
    assert part.text.split("\n") == ["name: Ann; city: Oslo", "name: Bo; city: two lines", "name: Cy; extra"]
    assert part.unit == "row"


def test_a_table_without_header_and_one_with_tabs(tmp_path: Path) -> None:
    assert text_of(read_document(makers.table(tmp_path / "a.csv", [["1", "2"], ["3", "4"]]))) == "1; 2\n3; 4"
    tabs = makers.table(tmp_path / "a.tsv", [["name", "note"], ["Ann", "a, b; c"]], dialect="excel-tab")
    assert text_of(read_document(tabs)) == "name: Ann; note: a, b; c"


def test_escaped_json_becomes_readable_and_other_json_stays(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"greeting": "你好", "half": "\ud800"}))
    document = read_document(tmp_path / "a.json")
    assert '"greeting": "你好"' in text_of(document)
    assert document.parts[0].unit is None
    (tmp_path / "b.json").write_text('{\n  "a": 1\n}\n')
    assert text_of(read_document(tmp_path / "b.json")) == '{\n  "a": 1\n}\n'


def test_json_lines_stay_line_by_line(tmp_path: Path) -> None:
    path = makers.json_lines(tmp_path / "a.jsonl", [{"a": "你好"}, {"b": 2}])
    assert text_of(read_document(path)) == '{"a": "你好"}\n{"b": 2}\n'


def test_a_web_page_loses_scripts_menus_and_pictures_but_not_its_links(tmp_path: Path) -> None:
    page = """<!DOCTYPE html><html><head><title>Boats</title><style>p {}</style></head><body><nav>Home</nav>
      <h1>Small <em>boats</em></h1><p>See <a href="https://example.org/x">the list</a> and <a href="#y">below</a>.</p>
      <ul><li>dinghy</li><li>skiff</li></ul><pre>keep   this</pre><img src="data:image/png;base64,AAAA" alt="a skiff">
      <script>alert(1)</script></body></html>"""
    (tmp_path / "page").write_text(page)
    document = read_document(tmp_path / "page")
    text = text_of(document)
    assert (document.title, document.kind) == ("Boats", "html")
    assert text.startswith("# Small boats\n\nSee [the list](https://example.org/x) and below.")
    assert "- dinghy\n- skiff" in text
    assert "keep   this" in text
    assert "a skiff" in text
    assert not any(left in text for left in ("alert", "base64", "Home", "p {}"))


def test_nested_lists_layout_tables_and_definitions_keep_their_order(tmp_path: Path) -> None:
    page = """<table><tr><td><h2>Left</h2><p>one</p></td><td><ol><li>a<ul><li>b</li></ul></li><li>c<br>d</li>
      </ol></td></tr></table><dl><dt>term</dt><dd>meaning</dd></dl><table><tr><th>x|y</th><td>2</td></tr><tr><td></td></tr></table>"""
    (tmp_path / "a.html").write_text(page)
    assert text_of(read_document(tmp_path / "a.html")) == (
        "## Left\n\none\n\n1. a\n  - b\n2. c\nd\n\nterm\nmeaning\n\n| x\\|y | 2 |\n| --- | --- |"
    )


def test_an_xhtml_element_without_content_does_not_swallow_the_page(tmp_path: Path) -> None:
    page = '<?xml version="1.0"?><html><head><title/></head><body><a id="x"/><p>Still here.</p><br/></body></html>'
    (tmp_path / "a.xhtml").write_text(page)
    assert text_of(read_document(tmp_path / "a.xhtml")) == "Still here."


def test_standard_input_is_recognised_by_its_content(tmp_path: Path) -> None:
    path = makers.pdf(tmp_path / "a.pdf", ["Piped in."])
    with path.open("rb") as stream:
        reader = FileReader(stdin=stream)
        document = reader.read(reader.content(FoundFile(source="stdin", path=None)), name="stdin")
    assert document.parts[0].text.strip() == "Piped in."


def test_a_reader_that_is_not_installed_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mammoth", None)
    with pytest.raises(DocumentError) as caught:
        vendors.vendor("mammoth")
    assert caught.value.hint == "pip install mammoth"


def test_lines_broken_inside_chinese_words_are_joined() -> None:
    assert _joined("今天天\r\n气很好\r\nand exam\ufffe\r\nple\r\nends") == "今天天气很好\nand example\nends"
