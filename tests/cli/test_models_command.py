"""`memgpt models`: what is known of models, what an endpoint serves, and clear words when there is none."""

from support.command_line import CommandLine
from support.strict_server import StrictServer

from memgpt_cli.bootstrap import Workspace
from memgpt_cli.domain.endpoint_traits import EndpointTraits


def test_known_models_are_listed_with_length_prices_and_origin(memgpt: CommandLine) -> None:
    listed = {model["model"]: model for model in memgpt.json("models", "models")}
    assert listed["offline"]["in_use"]
    assert listed["gpt-4.1"]["context"] > 1_000_000
    assert listed["gpt-4.1"]["usd_per_million_tokens"]["output"] > listed["gpt-4.1"]["usd_per_million_tokens"]["input"]
    assert {model["from"] for model in listed.values()} == {"built in"}
    told = memgpt("models").out
    assert "gpt-4.1-mini" in told
    assert "1,047,576" in told


def test_what_the_settings_file_says_of_a_model_is_listed_as_yours(memgpt: CommandLine) -> None:
    file = memgpt.home / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[models."my-model"]\ncontext = 65536\ninput = 0.5\noutput = 1.0\n', encoding="utf-8")
    listed = {model["model"]: model for model in memgpt.json("models", "models")}
    assert listed["my-model"]["context"] == 65_536
    assert listed["my-model"]["from"] == "your settings"


def test_online_lists_what_the_endpoint_serves_whether_or_not_a_model_of_it_is_named(memgpt: CommandLine) -> None:
    with StrictServer(models=("tiny-1", "gpt-4o")) as server:
        unnamed = memgpt.json("models", "models", "--online", "--base-url", server.base_url)
        named = memgpt.json("models", "models", "--online", "--base-url", server.base_url, "--model", "tiny-1")
    assert [model["model"] for model in unnamed] == ["gpt-4o", "tiny-1"]
    assert [model["in_use"] for model in named] == [False, True]
    assert {model["from"] for model in named} == {server.base_url}
    assert named[0]["usd_per_million_tokens"]["input"] is None, "the price is OpenAI's, and this is somebody else"


def test_online_without_an_endpoint_says_how_to_name_one(memgpt: CommandLine) -> None:
    assert "--base-url" in memgpt("models", "--online", code=2).err
    with StrictServer() as server:
        gone = server.base_url
    assert "cannot be reached" in memgpt("models", "--online", "--base-url", gone, code=6).err


def test_what_was_learned_of_a_server_is_shown_and_can_be_forgotten(memgpt: CommandLine) -> None:
    with StrictServer(models=("tiny-1",)) as server:
        base_url = server.base_url
        state = Workspace().state
        state.learn(base_url, "tiny-1", EndpointTraits(window=4_096, window_source="llama.cpp /props", alternates=True))
        state.learn(base_url, "tiny-1", EndpointTraits(takes_tools=False, refused_fields=frozenset({"stream_options"})))
        memgpt("models", "add", "local", "--model", "tiny-1", "--base-url", base_url)
        place = ("--model", "local")
        phrases = {
            "window 4,096 tokens (llama.cpp /props)", "roles must alternate",
            "no tool support: calls are written as text", "fields left out: stream_options",
        }  # fmt: skip
        assert set(memgpt.json("models-profile", "models", "show", "local")["learned"]) == phrases
        found = {check["check"]: check for check in memgpt.json("doctor", "doctor", *place)}
        assert "window 4,096 tokens (the server: llama.cpp /props)" in found["model"]["says"]
        assert set(found["learned"]["says"].split("; ")) == phrases
        assert "models learned --forget tiny-1" in found["learned"]["hint"]
        for shown in (memgpt("models", "show", "local").out, memgpt("models", "learned").out):
            assert all(phrase in shown for phrase in phrases)
        traits = memgpt.json("models-learned", "models", "learned")
        assert [t["name"] for t in traits] == ["alternates", "refused_fields", "takes_tools", "window", "window_source"]
        assert memgpt.json("models-learned", "models", "learned", "--forget", "other") == {"forgotten": 0}
        assert "forgot 5 traits" in memgpt("models", "learned", "--forget", "tiny-1").out
        assert memgpt.json("models-learned", "models", "learned") == []
        assert "learned" not in {check["check"] for check in memgpt.json("doctor", "doctor", *place)}
