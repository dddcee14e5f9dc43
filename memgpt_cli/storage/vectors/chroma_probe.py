"""`python -m memgpt_cli.storage.vectors.chroma_probe FOLDER`: check a Chroma folder in a child process.

Standard input holds vectors to find, as JSON: `{collection: [[id, hex], ...]}`. The exit code is 0 if all are found.
Only `chroma_index` starts this.
"""

import json
import sys
from pathlib import Path

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.vectors import StoredVector, Vector
from memgpt_cli.storage.vectors.chroma_index import ChromaError, ChromaIndex


def main() -> int:
    """Open the folder, search, and report."""
    samples = {
        Collection(name): [StoredVector(0, item_id, Vector(bytes.fromhex(vector))) for item_id, vector in entries]
        for name, entries in json.load(sys.stdin).items()
    }
    _no_core_dump()
    index = ChromaIndex(Path(sys.argv[1]))
    try:
        index.connect_unchecked()
        return 0 if index.finds(samples) else 1
    except ChromaError:
        return 1
    finally:
        index.close()


def _no_core_dump() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main())
