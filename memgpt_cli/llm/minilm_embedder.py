"""Sentence embedders as ONNX files, usually MiniLM: better than the built-in table at paraphrases, and much slower.

It runs files that are already on this machine, or that the extra `minilm` installs, and never fetches any.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

from typing_extensions import override

from memgpt_cli.domain.vectors import EmbedderIdentity, Vector
from memgpt_cli.errors import ConfigError
from memgpt_cli.llm.packaged_files import MINILM, install_command, installed, verify
from memgpt_cli.llm.unit_vectors import unit_vector
from memgpt_cli.ports import Embedder

USUAL: Final = "all-MiniLM-L6-v2"
EXTRA: Final = "minilm"
_CHROMA_CACHE: Final = Path(".cache", "chroma", "onnx_models", USUAL, "onnx")
"""Below the home folder: the files of Chroma's default embedder, which is the same model."""
_MOST_TOKENS: Final = 256
"""The model's maximum in word pieces; of a longer text only the beginning is embedded."""
_BATCH: Final = 32


class MiniLMEmbedder(Embedder):
    """An embedder over `model.onnx` and `tokenizer.json`: mean of the token vectors, scaled to length one.

    The files are looked for in `models`/`model` (or `onnx` below it) and, for the usual model, in the packages of the
    extra `minilm` (with weights of 8 bits) and where Chroma keeps them. Any sentence model of that form will do, a
    multilingual one too. Raises ConfigError when there are none.
    """

    def __init__(self, *, models: Path, model: str = USUAL, home: Path | None = None) -> None:
        self._model = model
        packaged = installed(MINILM) if model == USUAL else None
        own = _own(models / model)
        self._packaged = own is None and packaged is not None
        found = own or packaged or _of_chroma(model, home)
        if found is None:
            extra = f", or install the extra: {install_command(EXTRA)}" if model == USUAL else ""
            raise ConfigError(
                "the embedder minilm needs model.onnx and tokenizer.json",
                hint=f"put both files into {models / model}{extra}",
            )
        self._files = found
        self._loading = Lock()
        self._session: Any = None
        self._tokenizer: Any = None
        self._dimensions = 0

    @override
    @property
    def identity(self) -> EmbedderIdentity:
        self._loaded()
        return EmbedderIdentity(provider="minilm", model=self._model, dimensions=self._dimensions)

    @override
    def embed(self, texts: Sequence[str]) -> list[Vector]:
        self._loaded()
        by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))  # to reduce padding in each batch
        vectors: dict[int, Vector] = {}
        for start in range(0, len(texts), _BATCH):
            chosen = by_length[start : start + _BATCH]
            vectors.update(zip(chosen, self._embedded([texts[index] for index in chosen]), strict=True))
        return [vectors[index] for index in range(len(texts))]

    def _embedded(self, texts: list[str]) -> Iterator[Vector]:
        import numpy as np

        # A lone surrogate (half an emoji from a damaged file) is invalid Unicode, and the tokenizer would refuse it.
        encoded = self._tokenizer.encode_batch([text.encode(errors="replace").decode() for text in texts])
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        given = {
            "input_ids": np.array([one.ids for one in encoded], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        wanted = {field.name for field in self._session.get_inputs()}
        states = self._session.run(None, {name: value for name, value in given.items() if name in wanted})[0]
        weights = mask[:, :, None].astype(np.float32)
        means = (states * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
        for mean in means:
            yield unit_vector(mean)

    def _loaded(self) -> None:
        with self._loading:
            if self._session is None:
                if self._packaged:
                    verify(MINILM, extra=EXTRA)
                self._tokenizer = _read_tokenizer(self._files[1])
                self._session = _read_model(self._files[0])
                try:
                    self._dimensions = len(next(self._embedded(["How many dimensions?"]))) // 4
                except Exception as error:  # onnxruntime raises exceptions of its own for each fault
                    self._session = None
                    raise _unusable(self._files[0], error) from error


def _own(folder: Path) -> list[Path] | None:
    """The model's and the tokenizer's file in a folder."""
    for file in (folder / "model.onnx", folder / "onnx" / "model.onnx"):
        if file.is_file() and (folder / "tokenizer.json").is_file():
            return [file, folder / "tokenizer.json"]
    return None


def _of_chroma(model: str, home: Path | None) -> list[Path] | None:
    return _own((home or Path.home()) / _CHROMA_CACHE) if model == USUAL else None


def _read_tokenizer(path: Path) -> Any:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the bindings raise a bare Exception for a file they cannot read
        raise _unusable(path, error) from error
    tokenizer.enable_truncation(_MOST_TOKENS)
    tokenizer.enable_padding()
    return tokenizer


def _read_model(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only: they come as exceptions anyway
    # Threads that wait in a loop cost half as much CPU again.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises exceptions of its own for each fault
        raise _unusable(path, error) from error


def _unusable(path: Path, error: Exception) -> ConfigError:
    return ConfigError(f"{path} cannot be used: {' '.join(str(error).split())[:200]}", hint="get the file again")
