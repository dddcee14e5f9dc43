"""Read PDFs with PDFium: one part for each page with text. Scanned pages have no text."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

from memgpt_cli.documents.vendors import vendor
from memgpt_cli.domain.documents import Document, Part
from memgpt_cli.errors import DocumentError

MAX_CHARACTERS: Final = 100_000_000

_HYPHENATED: Final = re.compile(r"[\x02\ufffe]\s*")
_LAST_NUMBER: Final = re.compile(r"(?:^|\n)[ \t]*(\d{1,4})\s*\Z")
_FIRST_NUMBER: Final = re.compile(r"\A\s*(\d{1,4})[ \t]*(?:\n|\Z)")
_NUMBERED_PAGES: Final = 3
"""With fewer pages, a number at the edge of a page may not be a page number."""

_WIDE: Final = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_BROKEN_WIDE_LINE: Final = re.compile(rf"(?<=[{_WIDE}])\n(?=[{_WIDE}])")


def read_pdf(data: bytes, name: str) -> Document:
    """Return the pages of a PDF. Raises DocumentError if it is damaged, encrypted, or without text."""
    pdfium = vendor("pypdfium2")
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "assword" in str(error):
            raise DocumentError("locked with a password", hint="save a copy without the password") from error
        raise DocumentError(f"a broken PDF: {error}") from error
    with closing(document):
        pages: list[str] = []
        characters = 0
        for page in _pages(document, pdfium.PdfiumError):
            characters += len(page)
            if characters > MAX_CHARACTERS:
                raise DocumentError(f"more than {MAX_CHARACTERS:,} characters of text")
            pages.append(page)
        if not characters or not any(map(str.strip, pages)):
            raise DocumentError(
                f"no text on its {len(pages)} pages: pictures of text, probably",
                hint="run OCR over it, such as ocrmypdf",
            )
        title = str(document.get_metadata_value("Title")).strip()
    parts = (Part(text=page, place=f"page {number}") for number, page in enumerate(_unnumbered(pages), 1))
    return Document(parts=tuple(part for part in parts if part.text.strip()), title=title or name, kind="pdf")


def _pages(document: Any, failure: type[Exception]) -> Iterator[str]:
    """Yield the text of each page in order; empty if it cannot be loaded."""
    for index in range(len(document)):
        try:
            with closing(document[index]) as page, closing(page.get_textpage()) as text:
                yield _joined(str(text.get_text_bounded()))
        except failure:
            yield ""


def _unnumbered(pages: list[str]) -> list[str]:
    """Remove printed page numbers: lines at an edge with a number that increases from page to page on most pages.

    Such a line would become a passage of its own where a page is split.
    """
    for edge in (_LAST_NUMBER, _FIRST_NUMBER):
        shifts = {place: int(found[1]) - place for place, page in enumerate(pages) if (found := edge.search(page))}
        usual, times = max(Counter(shifts.values()).items(), key=lambda pair: pair[1], default=(0, 0))
        if times >= _NUMBERED_PAGES and 2 * times > len(pages):
            pages = [edge.sub("", page) if shifts.get(n) == usual else page for n, page in enumerate(pages)]
    return pages


def _joined(text: str) -> str:
    """Rejoin words and lines that the page layout split, where that is certain."""
    text = _HYPHENATED.sub("", text.replace("\r\n", "\n"))
    return _BROKEN_WIDE_LINE.sub("", text)
