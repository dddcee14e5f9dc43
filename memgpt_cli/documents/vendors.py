"""Import reader libraries when a file of their format is read."""

import importlib
from types import ModuleType
from typing import Final

from memgpt_cli.errors import DocumentError

_DISTRIBUTIONS: Final = {
    "mammoth": "mammoth",
    "pypdfium2": "pypdfium2",
    "selectolax.lexbor": "selectolax",
}


def vendor(module: str) -> ModuleType:
    """Import a reader library. Raises DocumentError with the installation command if it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = _DISTRIBUTIONS[module]
        raise DocumentError(f"its reader {name} cannot be imported: {error}", hint=f"pip install {name}") from error
