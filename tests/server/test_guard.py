"""Who may use the server: Host, Origin, key, size."""

import socket

import httpx
import pytest

from memgpt_cli.server import guard
from memgpt_cli.server.keys import ServerKey
from tests.server.conftest import Serve


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "", "[::2]:80"]
)
def test_a_foreign_host_is_refused_on_the_loopback(serve: Serve, host: str) -> None:
    served = serve(model="offline")
    assert httpx.get(f"{served.url}/models", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "localhost:1234", "127.0.0.1", "[::1]:80", "[::1]"])
def test_this_machine_is_known_by_its_names(serve: Serve, host: str) -> None:
    served = serve(model="offline")
    assert httpx.get(f"{served.url}/models", headers={"Host": host}).status_code == 200


def test_a_key_is_needed_where_there_is_one(serve: Serve) -> None:
    served = serve(model="offline", keys=[ServerKey(name="k", key="sesame")], loopback=False)
    url = f"{served.url}/models"
    assert httpx.get(url).status_code == 401
    assert httpx.get(url, headers={"Authorization": "Bearer sesam"}).status_code == 401
    assert httpx.get(url, headers={"Authorization": "sesame"}).status_code == 401
    assert httpx.get(url, headers={"Authorization": "Bearer sesame", "Host": "memory.example"}).status_code == 200


def test_only_listed_web_pages_may_use_it(serve: Serve) -> None:
    served = serve(model="offline", keys=[ServerKey(name="k", key="sesame")], origins=["tauri://localhost"])
    url, jan, evil = f"{served.url}/models", {"Origin": "tauri://localhost"}, {"Origin": "https://evil.example"}
    preflight = httpx.options(url, headers={**jan, "Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "tauri://localhost"
    allowed = httpx.get(url, headers={**jan, "Authorization": "Bearer sesame"})
    assert allowed.headers["access-control-allow-origin"] == "tauri://localhost"
    refused = httpx.get(url, headers={**evil, "Authorization": "Bearer sesame"})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    assert httpx.options(url, headers=evil).status_code == 403


def test_a_huge_body_is_refused_before_it_is_read(serve: Serve) -> None:
    served = serve(model="offline")
    address = served.url.removeprefix("http://").removesuffix("/v1")
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port))) as raw:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {address}\r\nContent-Length: {10**12}\r\n\r\n"
        raw.sendall(head.encode())
        assert b" 413 " in raw.recv(100)


def test_a_body_without_a_length_is_cut_off_at_the_bound(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MOST_BYTES", 1_000)
    served = serve(model="offline")
    chunks = iter([b"x" * 600] * 3)
    with pytest.raises(httpx.HTTPError), httpx.Client() as web:
        web.post(f"{served.url}/chat/completions", content=chunks).raise_for_status()
