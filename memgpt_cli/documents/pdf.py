"""PDF by PDFium: one part for each page that holds text. Pictures of text are not read."""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

from memgpt_cli.documents.vendors import vendor
from memgpt_cli.domain.documents import Document, Part
from memgpt_cli.errors import DocumentError

MAX_CHARACTERS: Final = 100_000_000

_HYPHENATED: Final = re.compile(r"[\x02\ufffe]\s*")
_WIDE: Final = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_BROKEN_WIDE_LINE: Final = re.compile(rf"(?<=[{_WIDE}])\n(?=[{_WIDE}])")


def read_pdf(data: bytes, name: str) -> Document:
    """The pages of a PDF. Raises DocumentError for one that is broken, locked, or without text."""
    pdfium = vendor("pypdfium2")
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "assword" in str(error):
            raise DocumentError("locked with a password", hint="save a copy without the password") from error
        raise DocumentError(f"a broken PDF: {error}") from error
    with closing(document):
        parts: list[Part] = []
        characters = pages = 0
        for pages, page in enumerate(_pages(document, pdfium.PdfiumError), 1):
            characters += len(page)
            if characters > MAX_CHARACTERS:
                raise DocumentError(f"more than {MAX_CHARACTERS:,} characters of text")
            if page.strip():
                parts.append(Part(text=page, place=f"page {pages}"))
        if not parts:
            raise DocumentError(
                f"no text on its {pages} pages: pictures of text, probably", hint="run OCR over it, such as ocrmypdf"
            )
        title = str(document.get_metadata_value("Title")).strip()
    return Document(parts=tuple(parts), title=title or name, kind="pdf")


def _pages(document: Any, failure: type[Exception]) -> Iterator[str]:
    """The text of each page in order; empty for one that cannot be loaded."""
    for index in range(len(document)):
        try:
            with closing(document[index]) as page, closing(page.get_textpage()) as text:
                yield _joined(str(text.get_text_bounded()))
        except failure:
            yield ""


def _joined(text: str) -> str:
    """Words and lines as they were before the page broke them, where that is certain."""
    text = _HYPHENATED.sub("", text.replace("\r\n", "\n"))
    return _BROKEN_WIDE_LINE.sub("", text)
