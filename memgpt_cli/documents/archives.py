"""Read documents that are ZIP archives: Word (with mammoth) and EPUB. They are unpacked in memory, up to a limit."""

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import unquote
from xml.etree import ElementTree as ET  # expat limits entities, and no external entity is fetched

from memgpt_cli.documents.html import decode_html, to_markdown
from memgpt_cli.documents.vendors import vendor
from memgpt_cli.domain.documents import Document, Part
from memgpt_cli.errors import DocumentError

MAX_UNPACKED: Final = 32 * 1024 * 1024
"""Maximum bytes of text and markup (not pictures) in an archive; a long novel has one or two million.

mammoth takes 1.3 s and 27 MB of memory for each million bytes of XML.
"""

MAX_MEMBERS: Final = 20_000
_PICTURES: Final = (
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".webp",
    ".tif",
    ".tiff",
    ".emf",
    ".wmf",
    ".bmp",
    ".ttf",
    ".otf",
    ".mp3",
    ".mp4",
)
_OTHERS: Final = {
    "xl/workbook.xml": ("a spreadsheet", "save the sheets as CSV"),
    "ppt/presentation.xml": ("slides", "save them as PDF"),
    "content.xml": ("an OpenDocument file", "save it as DOCX or PDF"),
}


def read_archive(data: bytes, name: str) -> Document:
    """Read a DOCX or EPUB file. Raises DocumentError for another archive, a damaged one, or one that is too large."""
    with _opened(data) as archive:
        members = set(archive.namelist())
        if "META-INF/container.xml" in members:
            return _read_epub(archive, name)
        if "word/document.xml" in members:
            return _read_docx(data, name)
        for member, (what, hint) in _OTHERS.items():
            if member in members:
                raise DocumentError(what, hint=hint)
        raise DocumentError("an archive", hint="unpack it and load the folder")


@contextmanager
def _opened(data: bytes) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries if not entry.filename.lower().endswith(_PICTURES))
            if len(entries) > MAX_MEMBERS or unpacked > MAX_UNPACKED:
                raise DocumentError(
                    f"an archive that unpacks to {len(entries):,} files with {unpacked:,} bytes of text,"
                    f" over the limit of {MAX_UNPACKED:,}"
                )
            yield archive
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ET.ParseError,
        KeyError,
    ) as error:
        # KeyError: a member that the archive's own directory lists is missing; RuntimeError: it is encrypted.
        raise DocumentError(f"a broken or locked archive: {error}") from error


def _read_docx(data: bytes, name: str) -> Document:
    mammoth = vendor("mammoth")
    try:
        html = mammoth.convert_to_html(
            io.BytesIO(data), convert_image=lambda _image: [], style_map="p[style-name='Title'] => h1:fresh"
        ).value
    except RecursionError as error:
        raise DocumentError("nested too deeply") from error
    except DocumentError:
        raise
    except Exception as error:  # any error of the parser on a hostile file is an error of the file
        raise DocumentError(f"a broken Word file: {error}") from error
    text, _ = to_markdown(html)
    return Document(parts=(Part(text=text, kind="markdown", unit=None),), title=name, kind="docx")


def _read_epub(archive: zipfile.ZipFile, name: str) -> Document:
    root = ET.fromstring(archive.read("META-INF/container.xml"))  # noqa: S314 - see the import
    found = root.find(".//{*}rootfile")
    path = "" if found is None else unquote(found.get("full-path", ""))
    package = ET.fromstring(archive.read(path))  # noqa: S314
    manifest = {
        item.get("id"): posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(item.get("href", ""))))
        for item in package.iterfind(".//{*}manifest/{*}item")
    }
    chapters = [manifest.get(item.get("idref")) for item in package.iterfind(".//{*}spine/{*}itemref")]
    members = set(archive.namelist())
    parts: list[Part] = []
    for number, chapter in enumerate(dict.fromkeys(chapters), 1):
        if chapter is None or chapter not in members:
            continue
        text, _ = to_markdown(decode_html(archive.read(chapter)), xhtml=True)
        place = None if any(line.startswith("#") for line in text.splitlines()) else f"section {number}"
        if text:
            parts.append(Part(text=text, kind="markdown", place=place, unit=None))
    title = (package.findtext(".//{http://purl.org/dc/elements/1.1/}title") or "").strip()
    return Document(parts=tuple(parts), title=title or name, kind="epub")
