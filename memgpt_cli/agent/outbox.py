"""A background thread that embeds and indexes the items in the outbox and keeps the indexes fast."""

import logging
import threading

from memgpt_cli.errors import MemGPTError
from memgpt_cli.ports import LexicalIndex, VectorIndex

_log = logging.getLogger(__name__)


class OutboxWorker:
    """Flushes the indexes after each commit it is notified of. `failure` holds the last error, if any."""

    def __init__(self, index: VectorIndex, lexical: LexicalIndex) -> None:
        self._index = index
        self._lexical = lexical
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._busy = threading.Event()
        self._thread: threading.Thread | None = None
        self.failure = ""

    def wake(self) -> None:
        """Notify the thread of new items; returns immediately."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="outbox", daemon=True)
            self._thread.start()
        self._wake.set()

    def stop(self) -> bool:
        """Start no new batch; returns whether none is running."""
        self._stopping.set()
        self._wake.set()
        return not self._busy.is_set()

    def join(self) -> None:
        """Wait for the running batch; closing the index cuts it short. Remaining items stay in the outbox."""
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            self._busy.set()  # set before checking `_stopping`, so that either this thread or `stop` sees the other
            try:
                if self._stopping.is_set():
                    return
                if self._index.flush():
                    self._lexical.refresh()
                self.failure = ""
            except MemGPTError as error:
                self.failure = error.message
                _log.debug("the outbox could not be flushed", exc_info=True)
            finally:
                self._busy.clear()
