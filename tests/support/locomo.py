"""LoCoMo-format files as events: each side's turns as the user's messages, with the speaker's name and the date.

The data is read where it lies (CC BY-NC 4.0) and never copied into the project.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from memgpt_cli.domain.events import UserMessage

DEVELOPMENT_HALF = Path(__file__).resolve().parents[3] / "shared" / "data" / "locomo-dev.json"


def conversations(path: Path = DEVELOPMENT_HALF) -> list[dict[str, Any]]:
    """The conversations of a file."""
    return json.loads(path.read_text(encoding="utf-8"))


def messages(conversation: dict[str, Any]) -> Iterator[UserMessage]:
    """One conversation in its order; turns of a session are 20 seconds apart."""
    talk = conversation["conversation"]
    number = 1
    while f"session_{number}_date_time" in talk:
        start = datetime.strptime(talk[f"session_{number}_date_time"], "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
        for index, turn in enumerate(talk.get(f"session_{number}", [])):
            yield UserMessage(
                text=turn["text"],
                name=turn["speaker"],
                created_at=start + timedelta(seconds=20 * index),
                external_id=turn["dia_id"],
            )
        number += 1
