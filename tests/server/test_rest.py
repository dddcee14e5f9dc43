"""`/api` and the scopes of keys."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from memgpt_cli.errors import ConfigError
from memgpt_cli.server.keys import ServerKey, read_keys
from memgpt_cli.services.memory import open_memory
from tests.server.conftest import Serve, Served


def web(served: Served, key: str = "", agent: str = "default") -> httpx.Client:
    base = served.url.removesuffix("/v1") + f"/api/agents/{agent}"
    return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {key}"} if key else {})


def test_memory_is_read_changed_undone_and_forgotten(serve: Serve) -> None:
    served = serve(model="offline")
    with web(served) as api:
        assert [block["label"] for block in api.get("/blocks").json()] == ["persona", "human"]
        assert api.put("/blocks/human", json={"text": "Lives in Lyon"}).json()["value"] == "Lives in Lyon"
        assert "Plays chess" in api.post("/blocks/human", json={"text": "Plays chess"}).json()["value"]
        operation = api.get("/operations", params={"limit": 1}).json()["operations"][0]
        assert operation["command"] == "api:local"
        assert api.post("/undo", json={"operation": str(operation["id"])}).json()["undone"] == str(operation["id"])
        assert api.get("/blocks/human").json()["value"] == "Lives in Lyon"
        stored = api.post("/passages", json={"text": "Marguerite lives in Porto.", "tags": ["family"]}).json()
        assert api.get(f"/passages/{stored['id']}").json()["tags"] == ["family"]
        found = api.get("/search", params={"query": "Marguerite"}).json()
        assert found["hits"][0]["id"] == stored["id"]
        assert not api.post("/forget", json={"text": "Marguerite"}).json()["forgotten"]
        assert api.post("/forget", json={"text": "Marguerite", "confirm": True}).json()["checked"]["clean"]
        assert api.get("/passages").json() == {"passages": [], "more": False}
        assert api.get("/facts").json() == {"facts": [], "more": False}
        assert api.get("/review").json() == {"reviews": [], "more": False}


def test_what_an_open_agent_knows_is_forgotten_and_it_talks_on(serve: Serve) -> None:
    served = serve(model="offline")

    def say(text: str) -> None:
        served.client(max_retries=0).chat.completions.create(
            model="default", messages=[{"role": "user", "content": text}]
        )

    say("My sister is Marguerite.")
    with web(served) as api:
        done = api.post("/forget", json={"text": "Marguerite", "confirm": True}, timeout=30)
        assert (done.status_code, done.json()["checked"]["clean"]) == (200, True), done.text
        say("I like tea.")
        assert api.get("/search", params={"query": "Marguerite"}).json()["hits"] == []
    assert served.said() == ["I like tea."]


def test_messages_are_paged_and_read_with_what_was_said_around(serve: Serve) -> None:
    served = serve(model="offline")
    for text in ("My name is Ada.", "I like tea."):
        served.client().chat.completions.create(model="default", messages=[{"role": "user", "content": text}])
    with web(served) as api:
        page = api.get("/messages", params={"limit": 1}).json()
        assert page["more"]
        (message,) = page["messages"]
        whole = api.get(f"/messages/{message['id']}", params={"around": 1}).json()
        assert whole["text"] == message["text"]
        assert [one["text"] for one in whole["before"]] == ["I like tea."]


def test_lone_surrogates_are_stored_as_the_replacement_character(serve: Serve) -> None:
    with web(serve(model="offline")) as api:
        for path in ("/blocks/human", "/passages"):
            answer = api.post(path, content=b'{"text": "Line \\ud800", "tags": []}')
            assert answer.status_code == 200
            assert "Line \ufffd" in answer.text


def test_an_unknown_path_or_method_is_an_error_in_json(serve: Serve) -> None:
    with web(serve(model="offline")) as api:
        for answer, status in ((api.get("/nothing"), 404), (api.delete("/blocks/human"), 405)):
            assert answer.status_code == status
            assert "does not exist" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/messages?limit=0", None, 400),
        ("GET", "/search?query=tea&limit=0", None, 400),
        ("GET", "/messages?limit=x", None, 400),
        ("GET", "/messages?page=99999999999", None, 400),
        ("GET", "/messages/m99", None, 404),
        ("GET", "/messages/../../etc", None, 404),
        ("GET", "/search", None, 400),
        ("GET", "/search?query=x&since=never", None, 400),
        ("PUT", "/blocks/human", "[", 400),
        ("PUT", "/blocks/human", "[]", 400),
        ("PUT", "/blocks/human", '{"text": 5}', 400),
        ("PUT", "/blocks/human", json.dumps({"text": "x" * 5_000}), 400),
        ("POST", "/blocks/nobody", '{"text": "x"}', 404),
        ("POST", "/passages", '{"text": " "}', 400),
        ("POST", "/passages", '{"text": "x", "tags": "y"}', 400),
        ("POST", "/undo", '{"operation": "x"}', 400),
        ("DELETE", "/blocks/human", None, 405),
    ],
)
def test_a_faulty_request_is_an_error_with_words(
    serve: Serve, method: str, path: str, body: str | None, status: int
) -> None:
    served = serve(model="offline")
    with web(served) as api:
        answer = api.request(method, path, content=body)
    assert answer.status_code == status, answer.text
    if status != 405 and "etc" not in path:
        assert answer.json()["error"]["message"]


@pytest.mark.parametrize("agent", ["nobody", "*", "..", "%2e%2e", "a" * 300])
def test_an_unknown_agent_is_not_found_and_not_made(serve: Serve, agent: str) -> None:
    served = serve(model="offline")
    with web(served, agent=agent) as api:
        assert api.get("/blocks").status_code in {400, 404}
    assert served.workspace.agents.names() == ["default"]


def test_a_key_allows_its_scopes_and_agents_and_nothing_else(serve: Serve) -> None:
    keys = [
        ServerKey(name="reader", key="reader-0123456789", scopes=frozenset({"read"})),
        ServerKey(name="writer", key="writer-0123456789", scopes=frozenset({"read", "write"}), agents=frozenset({"b"})),
    ]
    served = serve("a", "b", model="offline", keys=keys)
    body: dict[str, Any] = {"model": "a", "messages": [{"role": "user", "content": "hi"}]}
    with web(served, agent="a") as api:
        assert api.get("/blocks").status_code == 401
    with web(served, "reader-0123456789", "a") as api:
        assert api.get("/blocks").status_code == 200
        assert api.put("/blocks/human", json={"text": "x"}).status_code == 403
        assert api.post("/forget", json={"text": "x"}).status_code == 403
        answer = api.post(f"{served.url}/chat/completions", json=body)
        assert answer.status_code == 403
    with web(served, "writer-0123456789", "b") as api:
        assert api.put("/blocks/human", json={"text": "x"}).status_code == 200
        assert api.post("/forget", json={"text": "x"}).status_code == 403
        assert api.get(served.url.removesuffix("v1") + "api/agents/a/blocks").status_code == 403
        assert api.post(f"{served.url}/chat/completions", json=body).status_code == 403
        assert [found["id"] for found in api.get(f"{served.url}/models").json()["data"]] == ["b"]
        assert api.get(served.url.removesuffix("v1") + "api/agents").json() == {"agents": ["b"]}
    with open_memory(served.workspace, "b") as memory:
        assert memory.blocks.history("human")[-1].provenance.command == "api:writer"


def test_a_file_of_keys_is_checked_and_never_printed(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"

    def fault(text: str) -> str:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        with pytest.raises(ConfigError) as caught:
            read_keys(path)
        assert "secret-secret" not in caught.value.message + caught.value.hint
        return caught.value.message

    good = '[phone]\nkey = "secret-secret-secret"\nscopes = ["read"]\nagents = ["a"]\n'
    path.write_text(good, encoding="utf-8")
    path.chmod(0o600)
    (key,) = read_keys(path)
    assert key.allows("read", "a")
    assert not key.allows("write", "a")
    assert not key.allows("read", "b")
    assert "no key" in fault("")
    assert "TOML" in fault("[")
    assert "16 characters" in fault('[phone]\nkey = "short"')
    assert "scopes" in fault('[phone]\nkey = "secret-secret-secret"\nscopes = ["all"]')
    assert "agents" in fault('[phone]\nkey = "secret-secret-secret"\nagents = "a"')
    assert "nothing else" in fault('[phone]\nkey = "secret-secret-secret"\nscope = ["read"]')
    path.write_text(good, encoding="utf-8")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="others"):
        read_keys(path)
