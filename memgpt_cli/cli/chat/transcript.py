"""Write the conversation to a Markdown file. Recall storage keeps it in any case."""

from datetime import datetime, tzinfo
from pathlib import Path

from memgpt_cli.domain.times import for_people
from memgpt_cli.errors import StorageError, UsageError
from memgpt_cli.services.chatting import Session, spoken_turns


def write_transcript(session: Session, path: str, *, since: datetime, zone: tzinfo) -> int:
    """Write the messages since then; returns how many.

    Raises UsageError if the file exists, StorageError if it cannot be written, NotFoundError if there are no messages.
    """
    parts, count = [f"# {session.name}, {for_people(since, zone)}"], 0
    for turn in spoken_turns(session, since):
        parts += [f"**{m.name or 'You'}** ({for_people(m.created_at, zone)})\n\n{m.text}" for m in turn.said]
        parts += [f"**{session.name}**\n\n{turn.reply}"] if turn.reply else []
        count += len(turn.said) + bool(turn.reply)
    target = Path(path).expanduser()
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write("\n\n".join(parts) + "\n")
    except FileExistsError:
        raise UsageError(f"{target} exists already", hint="choose another name") from None
    except OSError as error:
        raise StorageError(
            f"{target} cannot be written: {error.strerror}", hint="check the folder and the disk"
        ) from error
    return count
