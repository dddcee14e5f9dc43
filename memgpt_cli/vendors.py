"""Import the vendor packages that several threads use, one at a time, after the package they share.

A package that is being imported is incomplete in `sys.modules`. The openai package looks up `httpx` there during each
call, and chromadb imports `httpx` on the outbox's thread. So `httpx` is imported completely before either of them, and
one lock covers all three imports.
"""

from contextlib import suppress
from importlib import import_module
from threading import RLock
from typing import Final

_SHARED: Final = ("httpx",)
_importing: Final = RLock()
_loaded: Final[set[str]] = set()


def load(package: str) -> None:
    """Import a package completely, so that a later `import` statement is safe and fast.

    Raises ImportError if it is not installed.
    """
    if package in _loaded:
        return
    with _importing:
        for shared in _SHARED:
            with suppress(ImportError):  # without httpx there is no shared package to wait for
                import_module(shared)
        import_module(package)
        _loaded.add(package)
