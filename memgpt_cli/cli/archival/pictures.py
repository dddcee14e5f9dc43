"""`memgpt archival picture`: write the picture that a passage describes to a file."""

from pathlib import Path
from typing import Annotated, Final

import typer

from memgpt_cli.cli.terminal.context import terminal_of
from memgpt_cli.domain.messages import message_ref
from memgpt_cli.domain.passages import passage_ref
from memgpt_cli.errors import StorageError, UsageError

_LONGEST_NAME: Final = 60
"""Characters; file systems allow 255 bytes."""


def _file_name(name: str) -> str:
    """Return a visible name in this folder: the stored one may come from an agent file of another person."""
    letters = "".join(character for character in Path(name).name if character.isprintable())
    return letters.lstrip(". ")[-_LONGEST_NAME:] or "picture"


def picture(
    ctx: typer.Context,
    passage: Annotated[str, typer.Argument(metavar="ID", help="The passage that describes it, such as p12.")],
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The file to write; default: its own name.")
    ] = None,
) -> None:
    """Write the picture that a passage describes to a file, byte for byte.

    Example:
        memgpt archival picture p12 roses.png
    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        number, stored = memory.passages.picture(passage)
    target = file or Path(_file_name(stored.picture.name))
    try:
        with target.open("xb") as opened:
            opened.write(stored.picture.content)
    except FileExistsError:
        raise UsageError(f"{target} exists already", hint="choose another name") from None
    except OSError as error:
        raise StorageError(
            f"{target} cannot be written: {error.strerror}", hint="check the folder and the disk"
        ) from error
    size = len(stored.picture.content)
    if terminal.json:
        shape = {"passage": passage_ref(number), "message": message_ref(stored.message_id), "file": str(target)}
        terminal.print_json({**shape, "kind": stored.picture.kind, "bytes": size})
    else:
        terminal.say(
            f"wrote {target} ({stored.picture.kind}, {size:,} bytes), shown with {message_ref(stored.message_id)}"
        )
