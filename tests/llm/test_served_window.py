"""What servers tell about their window, in the shapes of llama.cpp, Ollama, vLLM, LM Studio, TGI and OpenRouter."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.agents import reply, run, workspace
from support.brains import echo
from support.strict_server import StrictServer

from memgpt_cli.domain.endpoints import Endpoint, Provider
from memgpt_cli.llm.served_models import served_models
from memgpt_cli.llm.served_window import ask_window
from memgpt_cli.llm.server_errors import Target

Pages = Mapping[str, Any]
MODEL = "qwen3:8b"


@contextmanager
def serving(pages: Pages, asked: list[str]) -> Iterator[str]:
    """A server with these pages and no others; yields its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            asked.append(self.path)
            known = self.path in pages
            data = json.dumps(pages[self.path] if known else {"error": "not found"}).encode()
            self.send_response(200 if known else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def listed(**fields: Any) -> Pages:
    return {"/v1/models": {"object": "list", "data": [{"id": MODEL, **fields}, {"id": "other"}]}}


@pytest.mark.parametrize(
    ("pages", "tokens", "source"),
    [
        (listed(meta={"n_ctx": 4096, "n_ctx_train": 131072}), 4096, "meta.n_ctx"),
        ({"/v1/models": {"data": [{"id": "m.gguf", "meta": {"n_ctx": 8192}}]}}, 8192, "meta.n_ctx"),
        (listed() | {"/props": {"default_generation_settings": {"n_ctx": 2048}}}, 2048, "/props"),
        (listed(max_model_len=16384), 16384, "max_model_len"),
        (listed(context_length=131072), 131072, "context_length"),
        (
            listed(state="loaded", max_context_length=131072)
            | {f"/api/v0/models/{MODEL.replace(':', '%3A')}": {"loaded_context_length": 4096}},
            4096,
            "LM Studio",
        ),
        (listed() | {"/api/ps": {"models": [{"name": MODEL, "context_length": 8192}]}}, 8192, "/api/ps"),
        (
            listed() | {"/api/ps": {"models": []}, "/api/show": {"parameters": "stop x\nnum_ctx   16384\n"}},
            16384,
            "num_ctx",
        ),
        (listed() | {"/api/ps": {"models": []}, "/api/show": {"parameters": ""}}, 4096, "default"),
        (listed() | {"/info": {"max_total_tokens": 4096, "max_input_tokens": 3072}}, 4096, "TGI"),
    ],
)
def test_every_server_tells_its_window_in_its_own_way(pages: Pages, tokens: int, source: str) -> None:
    with serving(pages, []) as base_url:
        told = ask_window(Endpoint.at(base_url), MODEL, api_key=None)
    assert told is not None
    assert told.tokens == tokens
    assert source in told.source


@pytest.mark.parametrize(
    "pages",
    [{}, {"/v1/models": []}, listed(max_model_len="x"), listed(max_model_len=True, context_length=-1), {"/props": 7}],
)
def test_a_server_that_does_not_tell_is_no_error(pages: Pages) -> None:
    with serving(pages, []) as base_url:
        assert ask_window(Endpoint.at(base_url), MODEL, api_key=None) is None


@pytest.mark.parametrize(
    ("path", "provider", "asked_for"),
    [
        ("", Provider.ANTHROPIC, ["/v1/models?limit=1000"]),
        ("", Provider.OPENAI_RESPONSES, ["/v1/models"]),
        ("/openai/deployments/mine", Provider.AZURE, []),
    ],
)
def test_models_are_listed_as_each_api_lists_them(path: str, provider: Provider, asked_for: list[str]) -> None:
    asked: list[str] = []
    page = {"data": [{"id": "b"}, {"id": "a", "max_input_tokens": 200_000}], "has_more": False}
    with serving({"/v1/models?limit=1000": page, "/v1/models": page}, asked) as base_url:
        endpoint = Endpoint.at(base_url.removesuffix("/v1") + path if path else base_url, model="", provider=provider)
        found = served_models(Target(model="", endpoint=endpoint, api_key="k"), timeout_s=60)
    assert asked == asked_for
    assert [(model.name, model.window) for model in found] == ([("a", 200_000), ("b", None)] if asked_for else [])


def test_a_server_that_is_not_there_is_no_error() -> None:
    assert ask_window(Endpoint.at("http://127.0.0.1:9/v1"), MODEL, api_key=None) is None


def test_the_window_is_asked_for_once_and_remembered_and_a_flag_wins(tmp_path: Path) -> None:
    asked: list[str] = []
    with serving(listed(max_model_len=6000), asked) as base_url:
        for _ in range(2):
            with workspace(tmp_path, base_url=base_url, model=MODEL).sessions.open(purpose="test") as opened:
                settings = opened.agent.queue_manager.window.settings
                assert settings.window == 6000
                assert "max_model_len" in settings.source
        assert asked == ["/v1/models"] * 2
        peeking = workspace(tmp_path, base_url=base_url, model=MODEL)
        with peeking.sessions.peek() as seen:
            assert seen.agent.queue_manager.window.settings.window == 6000
        with workspace(tmp_path, base_url=base_url, model=MODEL, window=5000).sessions.open(purpose="test") as opened:
            assert opened.agent.queue_manager.window.settings.window == 5000
        assert len(asked) == 2


def test_a_window_that_was_refused_is_known_to_the_next_process(tmp_path: Path) -> None:
    with StrictServer(echo, window=5_000) as server:
        for number in range(2):
            opening = workspace(tmp_path, base_url=server.base_url, model="qwen3:8b", window=32_000)
            with opening.sessions.open(purpose="test") as opened:
                for turn in range(5):
                    text = f"{number}.{turn} " + "The hills are far and the river is wide. " * 60
                    assert reply(run(opened, text))
            assert len(server.refusals) == 1
