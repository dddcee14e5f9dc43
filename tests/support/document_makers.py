"""Real files of each format, made by that format's own tools."""

import csv
import json
from pathlib import Path

import nbformat
from docx import Document as WordDocument
from ebooklib import epub
from fpdf import FPDF
from nbformat import v4


def pdf(path: Path, pages: list[str], *, title: str = "", password: str = "") -> Path:
    made = FPDF()
    made.set_font("Helvetica", size=11)
    if title:
        made.set_title(title)
    if password:
        made.set_encryption(owner_password=password, user_password=password)
    for text in pages:
        made.add_page()
        made.multi_cell(0, 6, text)
    made.output(str(path))
    return path


def docx(path: Path) -> Path:
    made = WordDocument()
    made.add_heading("Field report", level=0)
    made.add_paragraph("The expedition left in May.")
    made.add_heading("Findings", level=1)
    made.add_paragraph("Otters were seen at the weir.")
    made.add_paragraph("水獭在河坝边出现。")
    table = made.add_table(rows=2, cols=2)
    for cell, text in zip([*table.rows[0].cells, *table.rows[1].cells], ["Place", "Otters", "Weir", "4"], strict=True):
        cell.text = text
    made.save(str(path))
    return path


def epub_book(path: Path) -> Path:
    book = epub.EpubBook()
    book.set_identifier("river-1")
    book.set_title("The River Book")
    book.set_language("en")
    chapters = []
    for number, (heading, text) in enumerate(
        [("Source", "It rises under a stone."), ("Mouth", "It meets the sea.")], 1
    ):
        chapter = epub.EpubHtml(title=heading, file_name=f"chapter {number}.xhtml", lang="en")
        chapter.content = f"<html><body><h1>{heading}</h1><p>{text}</p><script>var x = 1;</script></body></html>"
        book.add_item(chapter)
        chapters.append(chapter)
    loose = epub.EpubHtml(title="Note", file_name="note.xhtml", lang="en")
    loose.content = "<html><body><p>A note without a heading.</p></body></html>"
    book.add_item(loose)
    book.toc = chapters
    book.spine = [*chapters, loose]
    book.add_item(epub.EpubNcx())
    book.add_item(epub.EpubNav())
    epub.write_epub(str(path), book)
    return path


def notebook(path: Path) -> Path:
    code = v4.new_code_cell("total = 40 + 2\nprint(total)")
    code.outputs = [v4.new_output("stream", text="42\n")]
    made = v4.new_notebook(
        cells=[
            v4.new_markdown_cell("# Rainfall\nMeasured in June."),
            code,
            v4.new_markdown_cell("## Doubts\nThe gauge leaked."),
        ]
    )
    nbformat.write(made, str(path))
    return path


def table(path: Path, rows: list[list[str]], *, dialect: str = "excel") -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, dialect=dialect).writerows(rows)
    return path


def json_lines(path: Path, records: list[object]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path
