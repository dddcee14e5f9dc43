"""Loading documents in tests and benchmarks, without anybody who watches."""

from memgpt_cli.bootstrap import Workspace
from memgpt_cli.domain.documents import LoadProgress
from memgpt_cli.services.loading import LoadReport, LoadRequest, open_load


class Unwatched:
    """A watcher that keeps nothing."""

    def loading(self, step: LoadProgress) -> None:
        """Ignore it."""

    def embedding(self, stage: str, done: int, total: int, during: LoadProgress | None) -> None:
        """Ignore it."""


def load_paths(workspace: Workspace, *paths: str) -> LoadReport:
    """Load these paths into the agent in use."""
    with open_load(workspace, LoadRequest(paths=paths)) as opened:
        return opened.run(Unwatched())
