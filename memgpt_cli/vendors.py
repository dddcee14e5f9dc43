"""Importing the vendor packages that several threads use: one at a time, and what they share first.

While a package is imported it stands half made in `sys.modules`. The openai package looks `httpx` up there during each
call and uses what it finds, and chromadb imports `httpx` on the outbox's thread. So `httpx` is imported whole before
either of them, and all of it under one lock.
"""

from contextlib import suppress
from importlib import import_module
from threading import RLock
from typing import Final

_SHARED: Final = ("httpx",)
_importing: Final = RLock()
_loaded: Final[set[str]] = set()


def load(package: str) -> None:
    """Import a package, so that an `import` statement that follows finds it whole. Cheap when repeated.

    Raises ImportError when it is not installed.
    """
    if package in _loaded:
        return
    with _importing:
        for shared in _SHARED:
            with suppress(ImportError):  # without it there is nothing to meet half made
                import_module(shared)
        import_module(package)
        _loaded.add(package)
