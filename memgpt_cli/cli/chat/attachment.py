"""A file as a message. What formats there are is decided in documents/."""

from pathlib import Path
from typing import Final

from memgpt_cli.domain.documents import SkippedFile
from memgpt_cli.errors import DocumentError, NotFoundError, UsageError
from memgpt_cli.ports import DocumentReader

_IMAGES: Final = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".svg"}


def read_attachment(reader: DocumentReader, name: str) -> str:
    """What the file says, under a line that names it. Raises NotFoundError, or UsageError when it is no text."""
    path = Path(name).expanduser()
    if not path.is_file():
        raise NotFoundError(
            f"there is no file {name}", hint="/attach FILE; Tab completes its name, /load takes folders"
        )
    if path.suffix.lower() in _IMAGES:
        raise UsageError(
            f"{path.name} is an image, and memgpt sends text alone",
            hint="describe it in a message, or attach a text",
        )
    found = next(iter(reader.find([str(path)])))
    try:
        if isinstance(found, SkippedFile):
            raise UsageError(f"{name} cannot be attached: {found.reason}", hint="attach a text or a document")
        document = reader.read(reader.content(found), name=path.name)
    except DocumentError as error:
        raise UsageError(f"{name} cannot be attached: {error.message}", hint=error.hint) from error
    parts = [f"[{part.place}]\n{part.text}" if part.place else part.text for part in document.parts]
    return f"[attached file: {path.name}]\n\n" + "\n\n".join(parts)
