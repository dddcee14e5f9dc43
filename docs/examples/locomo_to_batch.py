"""Turn a file in LoCoMo's format into input for `memgpt batch`: each conversation a line, its questions as `ask`.

    python docs/examples/locomo_to_batch.py locomo10.json > locomo.jsonl
    memgpt batch locomo.jsonl --model offline -o answers.jsonl

Both sides speak as named users, at the times of the sessions and twenty seconds apart. The data set itself (CC BY-NC
4.0) is not part of this project. Not here: scoring the answers.
"""

# ruff: noqa: INP001 - a script by itself

import argparse
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

PACE = timedelta(seconds=20)


def batch_lines(document: list[dict[str, Any]], *, questions: int | None = None) -> Iterator[dict[str, Any]]:
    """One line for each conversation, with its first `questions` questions, or all of them."""
    for number, entry in enumerate(document, 1):
        asks = [str(asked["question"]) for asked in entry["qa"][:questions]]
        identity = str(entry.get("sample_id", number))
        yield {"id": identity, "messages": list(messages(entry["conversation"])), "ask": asks}


def messages(talk: dict[str, Any]) -> Iterator[dict[str, str]]:
    """What was said in all sessions, in order."""
    for session in sorted(int(found[1]) for key in talk if (found := re.fullmatch(r"session_(\d+)", key))):
        begun = datetime.strptime(talk[f"session_{session}_date_time"], "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
        for position, turn in enumerate(talk[f"session_{session}"]):
            moment = begun + position * PACE
            yield {
                "role": "user",
                "name": turn["speaker"],
                "content": turn["text"] or turn.get("blip_caption", "(an image)"),
                "created_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }


def main() -> None:
    """Read the file named on the command line, write lines to standard output."""
    parser = argparse.ArgumentParser(description="LoCoMo's format to the input of memgpt batch.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--questions", type=int, help="ask only the first N of each conversation")
    options = parser.parse_args()
    document = json.loads(options.file.read_text(encoding="utf-8"))
    for line in batch_lines(document, questions=options.questions):
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
