"""Files of conversations: JSON lines, and the exports that ChatGPT and Claude give to their users.

Which of them a file is shows in its content, not in its name. One conversation at a time is held as objects; of an
export the text is held whole, three to six bytes for each byte of the file. Nothing is written here.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import IO, Any, Final

from memgpt_cli.domain.conversations import SaidElsewhere, Unreadable
from memgpt_cli.domain.messages import Role, clean
from memgpt_cli.domain.times import parse
from memgpt_cli.errors import DocumentError

_ROLES: Final = {role.value: role for role in Role} | {"human": Role.USER, "ai": Role.ASSISTANT}
_LARGEST: Final = 2_000_000_000
_SPACE: Final = " \t\r\n,"

Read = SaidElsewhere | Unreadable


def read_conversations(path: Path, zone: tzinfo) -> Iterator[Read]:
    """What a file says, message by message, in its order; `-` as path is standard input.

    A time without zone is in `zone`. Raises DocumentError when the file is none of these kinds.
    """
    with _opened(path) as file:
        head = file.read(1)
        while head and head in b"\xef\xbb\xbf \t\r\n":
            head = file.read(1)
        if head == b"[":
            yield from _export(_text(file), zone)
        elif head == b"{":
            yield from _lines(file, zone)
        else:
            raise DocumentError(
                f"{path} holds no conversation that memgpt can read",
                hint="JSON lines with role and content, or the export of ChatGPT or Claude, zipped or not",
            )


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes; of an archive those of its conversations, one file after the other."""
    try:
        with path.open("rb") as file:
            if file.read(4) == b"PK\x03\x04":
                yield io.BytesIO(_from_archive(file))
            else:
                file.seek(0)
                yield file
    except OSError as error:
        raise DocumentError(f"{path} cannot be read: {error.strerror}", hint="name an existing file") from error


def _from_archive(file: IO[bytes]) -> bytes:
    """The conversations of an export: one JSON array, also where the export divides it into several files."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = sorted(
                info.filename
                for info in archive.infolist()
                if (last := info.filename.rpartition("/")[2]).startswith("conversations") and last.endswith(".json")
            )
            if not names:
                raise DocumentError("the archive holds no conversations.json", hint="name the file with conversations")
            if sum(archive.getinfo(name).file_size for name in names) > _LARGEST:
                raise DocumentError("the archive unpacks to more than 2 GB", hint="unpack it and import it in parts")
            texts = [archive.read(name).decode("utf-8-sig").strip() for name in names]
    except (zipfile.BadZipFile, UnicodeDecodeError, RuntimeError, NotImplementedError) as error:
        raise DocumentError(f"the archive is damaged: {error}", hint="download the export again") from error
    return ("[" + ",".join(text.removeprefix("[").removesuffix("]") for text in texts if text) + "]").encode()


def _text(file: IO[bytes]) -> str:
    try:
        return file.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(f"it is not UTF-8: {error.reason}", hint="convert it to UTF-8") from error


# JSON lines


def _lines(file: IO[bytes], zone: tzinfo) -> Iterator[Read]:
    """`{"role", "content", "name"?, "created_at"?, "session"?, "id"?}`, one a line; its first brace has been read."""
    for number, line in enumerate(file, 1):
        raw = b"{" + line if number == 1 else line
        if raw.strip():
            yield _line(raw, f"line {number}", zone)


def _line(raw: bytes, place: str, zone: tzinfo) -> Read:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        return Unreadable(place, f"it is no JSON: {error}")
    if not isinstance(value, dict):
        return Unreadable(place, "it is no object")
    try:
        return SaidElsewhere(
            role=_role(value.get("role")),
            text=_content(value.get("content")),
            created_at=_time(value.get("created_at"), zone),
            name=_word(value, "name"),
            session=_word(value, "session"),
            key=_word(value, "id"),
        )
    except ValueError as error:
        return Unreadable(place, str(error))


def _role(value: object) -> Role:
    role = _ROLES.get(value.lower()) if isinstance(value, str) else None
    if role is None:
        msg = f"role is {value!r}, not one of user, assistant, system, tool"
        raise ValueError(msg)
    return role


def _content(value: object) -> str:
    """A text, or the parts that Chat Completions makes of one."""
    if isinstance(value, list):
        texts = [part.get("text", "") if isinstance(part, dict) else part for part in value]
        value = "\n".join(text for text in texts if isinstance(text, str) and text)
    if not isinstance(value, str) or not value.strip():
        msg = "content is empty or no text"
        raise ValueError(msg)
    return clean(value)


def _time(value: object, zone: tzinfo) -> datetime | None:
    if value is None:
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            return parse(value, zone)
    except (ValueError, OverflowError, OSError) as error:
        msg = f"created_at {value!r} is no time"
        raise ValueError(msg) from error
    msg = f"created_at {value!r} is no time"
    raise ValueError(msg)


def _word(value: Mapping[str, Any], key: str) -> str | None:
    found = value.get(key)
    if found is None or found == "":
        return None
    if not isinstance(found, str | int):
        msg = f"{key} is no text"
        raise ValueError(msg)  # noqa: TRY004 - the file is wrong, not the program
    return clean(str(found))


# Exports


def _export(text: str, zone: tzinfo) -> Iterator[Read]:
    """An array of conversations, whose first bracket was read already."""
    decoder = json.JSONDecoder()
    position = 0
    number = 0
    while True:
        while position < len(text) and text[position] in _SPACE:
            position += 1
        if position >= len(text) or text[position] == "]":
            return
        number += 1
        try:
            conversation, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            yield Unreadable(f"conversation {number}", f"it is no JSON, and nothing after it can be read: {error}")
            return
        yield from _conversation(conversation, f"conversation {number}", zone)


def _conversation(value: object, place: str, zone: tzinfo) -> Iterator[Read]:
    if isinstance(value, dict) and isinstance(value.get("mapping"), dict):
        yield from _chatgpt(value, place)
    elif isinstance(value, dict) and isinstance(value.get("chat_messages"), list):
        yield from _claude(value, place, zone)
    elif isinstance(value, dict) and "role" in value:
        yield _line(json.dumps(value).encode(), place, zone)
    else:
        yield Unreadable(place, "it is a conversation of neither ChatGPT nor Claude")


def _chatgpt(conversation: Mapping[str, Any], place: str) -> Iterator[Read]:
    """The branch of the tree that the person saw last, from its root."""
    nodes = conversation["mapping"]
    session = str(conversation.get("conversation_id") or conversation.get("id") or conversation.get("title") or place)
    branch: list[dict[str, Any]] = []
    node_id = conversation.get("current_node") or _last_leaf(nodes)
    while isinstance(node := nodes.get(node_id), dict) and len(branch) <= len(nodes):
        branch.append(node)
        node_id = node.get("parent")
    before = conversation.get("create_time")
    for node in reversed(branch):
        message = node.get("message")
        if not isinstance(message, dict):
            continue
        role = (message.get("author") or {}).get("role")
        hidden = (message.get("metadata") or {}).get("is_visually_hidden_from_conversation")
        text = _spoken(message.get("content") or {})
        if role not in {"user", "assistant"} or hidden or message.get("recipient", "all") != "all" or not text:
            continue
        before = message.get("create_time") or before
        at = datetime.fromtimestamp(before, UTC) if isinstance(before, int | float) else None
        yield SaidElsewhere(
            role=Role(role),
            text=text,
            created_at=at,
            session=session,
            key=str(message.get("id") or node.get("id") or ""),
        )


def _last_leaf(nodes: Mapping[str, Any]) -> object:
    leaves = [key for key, node in nodes.items() if isinstance(node, dict) and not node.get("children")]
    return leaves[-1] if leaves else None


def _spoken(content: Mapping[str, Any]) -> str:
    if content.get("content_type") not in {"text", "multimodal_text"}:
        return ""
    parts = [
        part if isinstance(part, str) else part.get("text") or f"[{part.get('content_type', 'attachment')}]"
        for part in content.get("parts") or ()
        if isinstance(part, str | dict)
    ]
    return clean("\n".join(part for part in parts if isinstance(part, str) and part.strip()))


def _claude(conversation: Mapping[str, Any], place: str, zone: tzinfo) -> Iterator[Read]:
    session = str(conversation.get("uuid") or conversation.get("name") or place)
    for number, message in enumerate(conversation["chat_messages"], 1):
        here = f"{place}, message {number}"
        if not isinstance(message, dict):
            yield Unreadable(here, "it is no object")
            continue
        content = message.get("content")
        blocks = content if isinstance(content, list) else []
        texts = [block.get("text") for block in blocks if isinstance(block, dict) and block.get("type") == "text"]
        text = "\n".join(t for t in texts if isinstance(t, str) and t) or message.get("text") or ""
        files = [f.get("file_name") for f in message.get("attachments") or () if isinstance(f, dict)]
        text = "\n".join([text, *(f"[attached: {name}]" for name in files if name)]).strip()
        if not text:
            continue
        try:
            yield SaidElsewhere(
                role=_role(message.get("sender")),
                text=clean(text),
                created_at=_time(message.get("created_at"), zone),
                session=session,
                key=_word(message, "uuid"),
            )
        except ValueError as error:
            yield Unreadable(here, str(error))
