"""Find model servers on this machine at their usual ports.

Only loopback is contacted, without a proxy and without a key; ports without a model server are skipped. It uses plain
HTTP, because importing a client takes longer than the whole search.
"""

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

USUAL_PORTS: Final = (("Ollama", 11434), ("LM Studio", 1234), ("llama.cpp", 8080), ("vLLM", 8000))
"""Servers and their default ports, according to their documentation."""

_LARGEST_LISTING: Final = 1_000_000
"""Maximum bytes of a list of models."""
_CONNECT_S: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalServer:
    """A server that lists models; `name` is the usual server at this port, so it may be another one."""

    name: str
    base_url: str
    models: tuple[str, ...]


def server_ports(environ: Mapping[str, str] = os.environ) -> tuple[tuple[str, int], ...]:
    """Return the usual ports; OLLAMA_HOST supplies a port, its host is ignored."""
    stated = environ.get("OLLAMA_HOST", "")
    try:
        port = urlsplit(stated if "://" in stated else f"//{stated}").port
    except ValueError:
        port = None
    return tuple((name, port if name == "Ollama" and port else usual) for name, usual in USUAL_PORTS)


def find_local_servers(*, within_s: float, environ: Mapping[str, str] = os.environ) -> list[LocalServer]:
    """Return the servers that answer within this many seconds, in the order of the ports; all are tried in parallel."""
    ports = server_ports(environ)
    found: dict[int, LocalServer] = {}

    def look(name: str, port: int) -> None:
        models = _listed(port, within_s)
        if models is not None:
            found[port] = LocalServer(name=name, base_url=f"http://localhost:{port}/v1", models=models)

    threads = [threading.Thread(target=look, args=place, name="local-server", daemon=True) for place in ports]
    for thread in threads:
        thread.start()
    end = time.monotonic() + within_s
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return [server for _, port in ports if (server := found.get(port))]


def _listed(port: int, within_s: float) -> tuple[str, ...] | None:
    """Return the models of a server at this port; None if there is no model server."""
    connection = HTTPConnection("localhost", port, timeout=min(_CONNECT_S, within_s))
    try:
        connection.connect()
        connection.sock.settimeout(within_s)
        connection.request("GET", "/v1/models")
        response = connection.getresponse()
        body = response.read(_LARGEST_LISTING + 1)
        listing = json.loads(body) if response.status == 200 and len(body) <= _LARGEST_LISTING else None  # noqa: PLR2004
    except (OSError, HTTPException, ValueError, RecursionError):
        return None
    finally:
        connection.close()
    rows = listing.get("data") if isinstance(listing, dict) else None
    if not isinstance(rows, list):
        return None
    names = [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
    return tuple(sorted(name for name in names if name.isprintable() and name.strip()))
