"""Pictures as rows, each with the message that it was shown with. Its description is an ordinary passage."""

import sqlite3

from typing_extensions import override

from memgpt_cli.domain.pictures import Picture, StoredPicture
from memgpt_cli.ports import PictureStore


class Pictures(PictureStore):
    """Pictures on one connection. Writes join the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @override
    def keep(self, picture: Picture, *, message_id: int) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO pictures (message, name, kind, content) VALUES (?, ?, ?, ?)",
            (message_id, picture.name, picture.kind, picture.content),
        )

    @override
    def describe(self, message_id: int, *, passage: int) -> None:
        self._db.execute("UPDATE pictures SET passage = ? WHERE message = ?", (passage, message_id))

    @override
    def of_message(self, message_id: int) -> StoredPicture | None:
        row = self._db.execute("SELECT * FROM pictures WHERE message = ?", (message_id,)).fetchone()
        return None if row is None else _stored(row)

    @override
    def of_passage(self, passage: int) -> StoredPicture | None:
        where = "SELECT * FROM pictures WHERE passage = ? ORDER BY message DESC LIMIT 1"
        row = self._db.execute(where, (passage,)).fetchone()
        return None if row is None else _stored(row)


def _stored(row: sqlite3.Row) -> StoredPicture:
    picture = Picture(name=row["name"], kind=row["kind"], content=row["content"])
    return StoredPicture(picture=picture, message_id=row["message"], passage=row["passage"])
