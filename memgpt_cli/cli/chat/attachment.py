"""A file as a message."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.documents import SkippedFile
from memgpt_cli.domain.events import Attachment, UserMessage
from memgpt_cli.domain.pictures import Picture, kind_of
from memgpt_cli.errors import DocumentError, NotFoundError, UsageError

if TYPE_CHECKING:
    from memgpt_cli.services.chatting import Session
    from memgpt_cli.services.workspaces import Workspace

LARGEST_PICTURE: Final = 20_000_000
"""Bytes; OpenAI's maximum."""

MOST_WORDS: Final = 2_000
"""Characters of text with a picture: they stay in the window with its description."""

_IMAGES: Final = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".svg"}
_OTHERWISE: Final = "attach a text or a document"
_WORDS: Final = re.compile(r"\s+")
_QUOTED: Final = re.compile(r"""(['"])(.+?)\1(?=\s|$)""")


def read_attachment(session: "Session", workspace: "Workspace", argument: str) -> UserMessage:
    """Return the file's text as a message with the user's words, or a picture.

    Raises NotFoundError if there is no such file, UsageError if it cannot be sent.
    """
    path, words = _split(argument)
    if path.suffix.lower() in _IMAGES:
        return _picture(session, path, words)
    return UserMessage(text=words, attachments=(Attachment(name=path.name, text=_text(workspace, path)),))


def _split(argument: str) -> tuple[Path, str]:
    """Return the longest beginning that names a file, in quotes or without, and the words after it."""
    if quoted := _QUOTED.match(argument):
        path = Path(quoted[2]).expanduser()
        if path.is_file():
            return path, argument[quoted.end() :].strip()
    if not Path(argument).exists():
        argument = argument.replace("\\ ", " ")  # a shell escapes spaces like this, and no Windows path contains it
    ends = [len(argument), *(match.start() for match in reversed(list(_WORDS.finditer(argument))))]
    for end in ends:
        path = Path(argument[:end]).expanduser()
        if path.is_file():
            return path, argument[end:].strip()
    if Path(argument).expanduser().is_dir():
        raise UsageError(f"{argument} is a folder", hint=f"/load {argument}")
    raise NotFoundError(
        f"there is no file {argument}", hint="/attach FILE; Tab completes its name, /load takes folders"
    )


def _text(workspace: "Workspace", path: Path) -> str:
    found = next(iter(workspace.reader.find([str(path)])))
    try:
        if isinstance(found, SkippedFile):
            raise UsageError(f"{path} cannot be attached: {found.reason}", hint=_OTHERWISE)
        document = workspace.reader.read(workspace.reader.content(found), name=path.name)
    except DocumentError as error:
        raise UsageError(f"{path} cannot be attached: {error.message}", hint=error.hint or _OTHERWISE) from error
    parts = [f"[{part.place}]\n{part.text}" if part.place else part.text for part in document.parts]
    return "\n\n".join(parts).rstrip()


def _picture(session: "Session", path: Path, words: str) -> UserMessage:
    model = session.agent.model.name
    if model == "offline":
        raise UsageError(f"{path.name} is a picture, which the offline responder cannot see", hint="/model NAME")
    if not session.agent.settings.model.images:
        raise UsageError(
            f"{path.name} is a picture, and pictures are not shown to {model}",
            hint="if it takes them: memgpt config set model.images true, then /model " + model,
        )
    if len(words) > MOST_WORDS:
        raise UsageError(
            f"{len(words):,} characters are too many beside a picture; {MOST_WORDS:,} are possible",
            hint="/attach FILE first, then send the rest",
        )
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_PICTURE + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="/attach FILE") from error
    if len(content) > LARGEST_PICTURE:
        raise UsageError(f"{path.name} is larger than {LARGEST_PICTURE // 10**6} MB", hint="make it smaller")
    kind = kind_of(content)
    if kind is None:
        raise UsageError(f"{path.name} is not a PNG, JPEG, GIF or WebP file", hint="convert it to one of these")
    text = f"[attached picture: {path.name}]" + (f"\n\n{words}" if words else "")
    return UserMessage(text=text, picture=Picture(name=path.name, kind=kind, content=content))
