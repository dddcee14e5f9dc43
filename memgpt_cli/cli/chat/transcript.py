"""The conversation as a Markdown file, for keeping or sending on. What is kept anyway is in recall storage."""

from datetime import datetime, tzinfo
from pathlib import Path

from memgpt_cli.agent.replies import reply_of
from memgpt_cli.agent.session import Session
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.domain.times import for_people
from memgpt_cli.errors import NotFoundError, StorageError, UsageError

_PAGE = 500


def write_transcript(session: Session, path: str, *, since: datetime, zone: tzinfo) -> int:
    """Write what was said since then; returns how many messages.

    Raises UsageError when there is such a file, StorageError when it cannot be made, NotFoundError when there is
    nothing to write.
    """
    turns: dict[int, list[Message]] = {}
    filters, before = RecallFilters(roles=tuple(Role), start=since), None
    while page := session.store.messages.page(filters, limit=_PAGE, before=before):
        before = (page[-1].created_at, page[-1].id)
        for message in page:
            if message.turn is not None:
                turns.setdefault(message.turn, []).insert(0, message)
    if not turns:
        raise NotFoundError("nothing was said in this chat yet", hint="say something first")
    parts = [f"# {session.name}, {for_people(since, zone)}"]
    count = 0
    for turn in sorted(turns):
        said = [m for m in turns[turn] if m.role is Role.USER]
        parts += [f"**{m.name or 'You'}** ({for_people(m.created_at, zone)})\n\n{m.text}" for m in said]
        reply = reply_of(turns[turn])
        parts += [f"**{session.name}**\n\n{reply}"] if reply else []
        count += len(said) + bool(reply)
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
