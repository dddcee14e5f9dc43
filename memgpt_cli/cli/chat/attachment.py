"""A file as a message. What formats there are is decided in documents/, what a picture is in domain/pictures.py."""

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
"""Bytes; OpenAI takes no larger one."""

MOST_WORDS: Final = 2_000
"""Characters that may be said beside a picture: they stand in the window with its description."""

_IMAGES: Final = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".svg"}
_OTHERWISE: Final = "attach a text or a document"
_WORDS: Final = re.compile(r"\s+")
_QUOTED: Final = re.compile(r"""(['"])(.+?)\1(?=\s|$)""")


def read_attachment(session: "Session", workspace: "Workspace", argument: str) -> UserMessage:
    """What the file says, as an attachment of what is said beside it; or a picture.

    Raises NotFoundError when there is no such file, UsageError when it cannot be said or shown.
    """
    path, words = _split(argument)
    if path.suffix.lower() in _IMAGES:
        return _picture(session, path, words)
    return UserMessage(text=words, attachments=(Attachment(name=path.name, text=_text(workspace, path)),))


def _split(argument: str) -> tuple[Path, str]:
    """The longest beginning that names a file, in quotes or without, and the words after it."""
    if quoted := _QUOTED.match(argument):
        path = Path(quoted[2]).expanduser()
        if path.is_file():
            return path, argument[quoted.end() :].strip()
    if not Path(argument).exists():
        argument = argument.replace("\\ ", " ")  # as a shell wants a space, and a path on Windows never has it
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
        raise UsageError(f"{path.name} is a picture, and the offline responder sees nothing", hint="/model NAME")
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
        raise UsageError(f"{path.name} is no PNG, JPEG, GIF or WebP", hint="convert it to one of these")
    text = f"[attached picture: {path.name}]" + (f"\n\n{words}" if words else "")
    return UserMessage(text=text, picture=Picture(name=path.name, kind=kind, content=content))
