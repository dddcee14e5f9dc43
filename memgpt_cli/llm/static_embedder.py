"""The built-in embedder: word vectors without a network, a key or torch.

It reads the two files in every wordllama wheel (a 32,000 x 256 float16 table and its tokenizer) and averages the rows
of a text's tokens. It neither imports wordllama nor uses its loader, which searches for the tokenizer in the wrong
place and then tries to download one.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from memgpt_cli.domain.vectors import EmbedderIdentity, Vector
from memgpt_cli.errors import ConfigError
from memgpt_cli.llm.unit_vectors import unit_vector
from memgpt_cli.ports import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DIMENSIONS: Final = 256
_WEIGHTS: Final = "weights/l2_supercat_256.safetensors"
_TOKENIZERS: Final = ("tokenizers/l2_supercat_tokenizer_config.json", "tokenizer/l2_supercat_tokenizer_config.json")
_REPAIR: Final = "pip install --force-reinstall wordllama"

_BATCH: Final = 256
_MANY_TOKENS: Final = 4096
"""Above this many tokens, each row is added once, times its count: a long text takes no more memory than the table."""


class StaticEmbedder(Embedder):
    """An embedder over wordllama's table: 256 dimensions, some 0.05 ms of CPU a message.

    The files are read with the first text. Word order is ignored and scripts other than Latin are weak; the lexical leg
    of a search compensates for both. `folder` is the wordllama package; None finds the installed one.
    """

    def __init__(self, *, folder: Path | None = None) -> None:
        self._folder = folder
        self._loading = Lock()
        self._tokenizer: Any = None
        self._table: NDArray[np.float16] | None = None

    @override
    @property
    def identity(self) -> EmbedderIdentity:
        return EmbedderIdentity(provider="static", model="wordllama-256", dimensions=_DIMENSIONS)

    @override
    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one unit vector for each text, in order; a text without tokens gets the first axis.

        Raises ConfigError if the package's files are missing or unreadable.
        """
        table = self._loaded()
        return [
            unit_vector(_sum(table, tokens))
            for start in range(0, len(texts), _BATCH)
            for tokens in self._tokens(texts[start : start + _BATCH])
        ]

    def _tokens(self, texts: Sequence[str]) -> Iterator[list[int]]:
        # A lone surrogate (half an emoji from a damaged file) is invalid Unicode, and the tokenizer would refuse it.
        clean = [text.encode(errors="replace").decode() for text in texts]
        for encoding in self._tokenizer.encode_batch_fast(clean, add_special_tokens=False):
            yield encoding.ids

    def _loaded(self) -> "NDArray[np.float16]":
        with self._loading:
            if self._table is None:
                folder = self._folder or _installed()
                self._tokenizer = _read_tokenizer(folder)
                self._table = _read_table(folder)
            return self._table


def _sum(table: "NDArray[np.float16]", tokens: list[int]) -> "NDArray[np.float32]":
    """Return the sum of the rows of these tokens, which has the direction of their mean."""
    import numpy as np

    if len(tokens) > _MANY_TOKENS:
        rows, counts = np.unique(tokens, return_counts=True)
        return np.asarray(counts.astype(np.float32) @ table[rows].astype(np.float32))
    return table[tokens].astype(np.float32).sum(axis=0) if tokens else np.zeros(_DIMENSIONS, np.float32)


def _installed() -> Path:
    """Return where wordllama is installed, without importing it."""
    found = importlib.util.find_spec("wordllama")
    if found is None or not found.submodule_search_locations:
        raise ConfigError("the package wordllama, which carries the built-in embedder, is missing", hint=_REPAIR)
    return Path(found.submodule_search_locations[0])


def _read_tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    path = next((folder / name for name in _TOKENIZERS if (folder / name).is_file()), None)
    if path is None:
        raise ConfigError(f"{folder / _TOKENIZERS[0]} is missing from this release of wordllama", hint=_REPAIR)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the bindings raise a bare Exception for a file they cannot read
        raise ConfigError(f"{path} is not a tokenizer: {error}", hint=_REPAIR) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _read_table(folder: Path) -> "NDArray[np.float16]":
    from safetensors import SafetensorError, safe_open

    path = folder / _WEIGHTS
    if not path.is_file():
        raise ConfigError(f"{path} is missing from this release of wordllama", hint=_REPAIR)
    try:
        with safe_open(str(path), framework="numpy") as file:
            table: NDArray[np.float16] = file.get_tensor("embedding.weight")
    except (SafetensorError, OSError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", hint=_REPAIR) from error
    if table.ndim != 2 or table.shape[1] != _DIMENSIONS:  # noqa: PLR2004 - a table has two axes
        raise ConfigError(f"{path} holds a table of shape {table.shape}, not of {_DIMENSIONS} columns", hint=_REPAIR)
    return table
