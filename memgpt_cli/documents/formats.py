"""Detect the format of a file by its content and name, and refuse files without readable text."""

import re
from typing import Final

from memgpt_cli.errors import DocumentError

_SUFFIXES: Final = {
    "markdown": ".md .markdown .mdx .mkd .qmd .rmd",
    "html": ".html .htm .xhtml",
    "csv": ".csv",
    "tsv": ".tsv .tab",
    "json": ".json .geojson .jsonld .webmanifest",
    "jsonl": ".jsonl .ndjson",
    "ipynb": ".ipynb",
    "pdf": ".pdf",
    "docx": ".docx",
    "epub": ".epub",
    "code": """
        .asm .awk .bash .bat .c .cc .cfg .clj .cljs .cmake .cmd .cob .conf .cpp .cs .css .cxx .d .dart .diff .dockerfile
        .el .erl .ex .exs .f .f90 .fish .for .fs .go .gradle .graphql .groovy .h .hh .hpp .hrl .hs .ini .java .jl .js
        .jsx .kt .kts .less .lisp .lua .m .mjs .mk .ml .mli .mm .nim .pas .patch .php .pl .pm .properties .proto .ps1
        .py .pyi .pyx .r .rb .rs .s .sass .scala .scm .scss .sed .sh .sql .sv .svelte .swift .tcl .tf .thrift .toml .ts
        .tsx .v .vb .vhd .vhdl .vim .vue .xml .xsd .xsl .yaml .yml .zig .zsh""",
}
_BY_SUFFIX: Final = {suffix: name for name, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
_CODE_NAMES: Final = frozenset({"makefile", "dockerfile", "jenkinsfile", "rakefile", "gemfile"})

HEAD: Final = 8_192
"""Number of bytes sufficient to recognise a file."""

_PICTURE = ("a picture", "")
_SOUND = ("sound or video", "")
_PROGRAM = ("a program", "")
_PACKED = ("a packed file", "unpack it and load what is in it")
_BEGINNINGS: Final = (
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF8", _PICTURE),
    (b"II*\x00", _PICTURE),
    (b"MM\x00*", _PICTURE),
    (b"\x00\x00\x01\x00", _PICTURE),
    (b"8BPS", _PICTURE),
    (b"ID3", _SOUND),
    (b"OggS", _SOUND),
    (b"fLaC", _SOUND),
    (b"RIFF", _SOUND),
    (b"\x1aE\xdf\xa3", _SOUND),
    (b"\x7fELF", _PROGRAM),
    (b"MZ\x90", _PROGRAM),
    (b"\xca\xfe\xba\xbe", _PROGRAM),
    (b"\xcf\xfa\xed\xfe", _PROGRAM),
    (b"\x00asm", _PROGRAM),
    (b"\x1f\x8b", _PACKED),
    (b"BZh", _PACKED),
    (b"\xfd7zXZ", _PACKED),
    (b"7z\xbc\xaf", _PACKED),
    (b"Rar!", _PACKED),
    (b"\x28\xb5\x2f\xfd", _PACKED),
    (b"SQLite format 3", ("a database", "")),
    (b"\xd0\xcf\x11\xe0", ("an old Office file", "save it as DOCX, CSV or PDF")),
    (b"{\\rtf", ("rich text (RTF)", "save it as DOCX")),
)


_SVG: Final = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*|<!doctype[^>]*>\s*)*<svg\b", re.DOTALL | re.IGNORECASE
)
_MINIFIED_NAME: Final = re.compile(r".*[.-]min\.(?:js|mjs|css)|.*\.(?:js|css|mjs)\.map", re.IGNORECASE)
_LOCK_NAMES: Final = frozenset(
    "package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml poetry.lock cargo.lock composer.lock".split()  # noqa: SIM905
)
_GENERATED: Final = re.compile(
    r"@generated\b|\bgenerated\b[^\n]{0,80}\bdo not (?:edit|modify)|\bdo not (?:edit|modify)\b[^\n]{0,80}\bgenerated\b",
    re.IGNORECASE,
)
_MARK_WITHIN: Final = 1_000
"""Characters at the beginning of code that are searched for a mark of generated code."""
_MINIFIED_LINE: Final = 2_000
"""Average characters per line from which a script or style sheet counts as minified."""


def refuse_unwritten(text: str, name: str) -> None:
    """Raise DocumentError for files that programs wrote for programs: minified code, generated code, lock files."""
    if name.lower() in _LOCK_NAMES:
        raise DocumentError("a lock file, not text to read")
    script = name.lower().endswith((".js", ".mjs", ".css"))
    if _MINIFIED_NAME.fullmatch(name) or (script and len(text) > _MINIFIED_LINE * (text.count("\n") + 1)):
        raise DocumentError("minified, not text to read", hint="load its source instead")
    if by_name(name) == "code" and _GENERATED.search(text, 0, _MARK_WITHIN):
        raise DocumentError("generated, not text to read", hint="load what it was generated from")


def refuse(head: bytes) -> None:
    """Raise DocumentError if the first `HEAD` bytes of a file show that it contains no readable text."""
    for beginning, (what, hint) in _BEGINNINGS:
        if head.startswith(beginning):
            raise DocumentError(what, hint=hint)
    if _SVG.match(head):
        raise DocumentError("a picture (SVG)")
    if head[4:8] == b"ftyp":
        raise DocumentError(_SOUND[0])


def by_name(name: str) -> str:
    """Return the format that a file's name indicates; `text` by default."""
    stem, dot, suffix = name.lower().rpartition(".")
    return _BY_SUFFIX.get(dot + suffix, "text") if stem else "code" if suffix in _CODE_NAMES else "text"


def by_content(data: bytes) -> str | None:
    """Return `pdf` or `archive` (DOCX, EPUB, or any other ZIP) by the content; `html` for a page; else None."""
    if b"%PDF-" in data[:1024]:  # the format allows some bytes before its mark
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "archive"
    return "html" if data[:1000].lstrip().lower().startswith((b"<!doctype html", b"<html")) else None
