"""The scripted model: what a script may hold, and where it stands, told from requests alone."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from memgpt_cli.domain.chat import CallDelta, ChatRequest, PromptMessage, TextDelta, ThoughtDelta, ToolSchema, Usage
from memgpt_cli.domain.messages import FunctionCall
from memgpt_cli.errors import APIKeyError, ConfigError, ContextLengthError, ModelError, NotFoundError
from memgpt_cli.llm.script_file import read_script
from memgpt_cli.llm.scripted import ScriptedModel

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/schemas/scripted.schema.json").read_text(encoding="utf-8"))
SEARCH = ToolSchema(name="conversation_search", description="", parameters={"type": "object", "properties": {}})


def script(folder: Path, *lines: object) -> str:
    file = folder / "script.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return str(file)


class Conversation:
    """Plays the agent's part: keeps the messages of a prompt and asks a new process's model for every step."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.messages = [PromptMessage(role="system", content="You remember.")]

    def say(self, text: str) -> None:
        self.messages.append(PromptMessage(role="user", content=f"[2024-01-01 10:00] {text}"))

    def step(self, model: ScriptedModel | None = None) -> str:
        """One model call; its results are added to the prompt. Returns the text."""
        request = ChatRequest(model="scripted", messages=tuple(self.messages), tools=(SEARCH,))
        deltas = list((model or ScriptedModel("scripted:" + self.file)).stream(request))
        text = "".join(d.text for d in deltas if isinstance(d, TextDelta))
        calls = tuple(
            FunctionCall(id=d.id or "", name=d.name or "", arguments=d.arguments)
            for d in deltas
            if isinstance(d, CallDelta)
        )
        self.messages.append(PromptMessage(role="assistant", content=text or None, calls=calls))
        self.messages += [PromptMessage(role="tool", content="done", call_id=call.id) for call in calls]
        return text

    def turn(self, text: str, model: ScriptedModel | None = None) -> str:
        self.say(text)
        while True:
            reply = self.step(model)
            if not self.messages[-1].call_id:
                return reply


def test_a_line_gives_text_thought_calls_and_usage(tmp_path: Path) -> None:
    line = {
        "text": "One moment, please.",
        "thought": "They want it.",
        "calls": [{"name": "conversation_search", "arguments": {"query": "茶"}}, {"name": "f", "arguments": "{bad"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 3},
    }
    model = ScriptedModel(script(tmp_path, line))
    messages = (PromptMessage(role="user", content="Hello"),)
    deltas = list(model.stream(ChatRequest(model="m", messages=messages, tools=(SEARCH,))))
    assert deltas[0] == ThoughtDelta("They want it.")
    assert [d.text for d in deltas if isinstance(d, TextDelta)] == ["One", " moment,", " please."]
    calls = [d for d in deltas if isinstance(d, CallDelta)]
    assert [(d.name, d.arguments) for d in calls] == [("conversation_search", '{"query": "茶"}'), ("f", "{bad")]
    assert len({d.id for d in calls}) == 2
    assert deltas[-1] == Usage(prompt_tokens=10, completion_tokens=3)
    assert model.name == f"scripted:{tmp_path / 'script.jsonl'}"


def test_every_process_goes_on_where_the_conversation_stands(tmp_path: Path) -> None:
    call = {"calls": [{"name": "conversation_search", "arguments": {"query": "tea"}}]}
    talk = Conversation(script(tmp_path, {"text": "One."}, call, {"text": "Two."}, {"text": "Three."}))
    assert [talk.turn("a"), talk.turn("b"), talk.turn("c")] == ["One.", "Two.", "Three."]
    with pytest.raises(ModelError, match="at its end after 4 replies"):
        talk.turn("d")


def test_it_goes_on_after_an_eviction_and_goes_back_with_an_undo(tmp_path: Path) -> None:
    talk = Conversation(script(tmp_path, *({"text": f"Reply {n}."} for n in range(20))))
    for n in range(10):
        assert talk.turn("x") == f"Reply {n}."
    del talk.messages[1:13]
    assert talk.turn("x") == "Reply 10."
    del talk.messages[-2:]
    assert talk.turn("x") == "Reply 10."


def test_equal_replies_are_counted_while_they_are_in_the_window(tmp_path: Path) -> None:
    talk = Conversation(script(tmp_path, {"text": "ok"}, {"text": "ok"}, {"text": "ok"}, {"text": "done"}))
    assert [talk.turn("x") for _ in range(4)] == ["ok", "ok", "ok", "done"]


def test_replies_of_other_models_and_interrupted_ones_do_not_confuse_it(tmp_path: Path) -> None:
    talk = Conversation(script(tmp_path, {"text": "First line\nof two."}, {"text": "Second."}))
    talk.messages.append(PromptMessage(role="assistant", content="Hello from another model."))
    talk.messages.append(PromptMessage(role="user", content="hm"))
    talk.messages.append(
        PromptMessage(role="assistant", content="First line\n[the person interrupted this reply here]")
    )
    assert talk.turn("x") == "Second."


def test_when_decides_first_and_takes_no_place_in_the_sequence(tmp_path: Path) -> None:
    rule = "capital of (?P<country>france|italy)"
    lines = (
        {"text": "One."},
        {"when": rule, "calls": [{"name": "conversation_search", "arguments": {"query": "capital"}}]},
        {"when": rule, "text": "Paris, I think."},
        {"text": "Two."},
    )
    talk = Conversation(script(tmp_path, *lines))
    assert talk.turn("hi") == "One."
    assert talk.turn("The Capital of France?") == "Paris, I think."
    assert talk.turn("And the capital of Italy?") == "Paris, I think."
    assert talk.turn("well") == "Two."


def test_an_error_line_fails_once_in_a_process_and_then_the_script_goes_on(tmp_path: Path) -> None:
    file = script(tmp_path, {"error": "network"}, {"error": "context_length"}, {"error": "key"}, {"text": "Fine."})
    model, talk = ScriptedModel(file), Conversation(file)
    talk.say("x")
    for kind in (ModelError, ContextLengthError, APIKeyError):
        with pytest.raises(kind):
            talk.step(model)
    assert talk.step(model) == "Fine."


def test_an_empty_reply_is_given_once(tmp_path: Path) -> None:
    file = script(tmp_path, {"text": ""}, {"text": "Fine."})
    model, talk = ScriptedModel(file), Conversation(file)
    talk.say("x")
    assert talk.step(model) == ""
    del talk.messages[-1]
    assert talk.step(model) == "Fine."


def test_unreadable_arguments_are_recognised_in_the_form_in_which_they_come_back(tmp_path: Path) -> None:
    talk = Conversation(script(tmp_path, {"calls": [{"name": "bad name", "arguments": "{half"}]}, {"text": "Sorry."}))
    talk.say("x")
    talk.step()
    broken = talk.messages[-2]
    sendable = FunctionCall(id=broken.calls[0].id, name="bad_name", arguments='{"unreadable": "{half"}')
    talk.messages[-2] = PromptMessage(role="assistant", content=None, calls=(sendable,))
    assert talk.step() == "Sorry."


BAD = {
    "no JSON": "{",
    "not an object": [1],
    "unknown field 'txt'": {"txt": "a"},
    "text must be text": {"text": 1},
    "one of text, calls, error is needed": {"when": "a"},
    "error must be one of": {"error": "fire"},
    "delay must": {"text": "a", "delay": -1},
    "delay must be a number": {"text": "a", "delay": True},
    "when is not a valid regular expression": {"text": "a", "when": "("},
    "a call has a name": {"calls": [{"arguments": {}}]},
    "arguments must be a mapping": {"calls": [{"name": "f", "arguments": [1]}]},
    "usage holds whole numbers": {"text": "a", "usage": {"prompt_tokens": -1}},
}


@pytest.mark.parametrize("words", BAD)
def test_a_wrong_line_is_named_with_its_number(words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"line 3: .*{words}"):
        read_script(Path(script(tmp_path, {"text": "fine"}, "", BAD[words])))


def test_a_missing_script_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        ScriptedModel(str(tmp_path / "none.jsonl"))


texts = st.text(max_size=8)
rows = st.dictionaries(
    st.sampled_from(("when", "text", "thought", "calls", "usage", "error", "delay", "else")),
    st.one_of(
        texts,
        st.sampled_from(("network", "key", "(")),
        st.integers(-1, 3),
        st.booleans(),
        st.none(),
        st.lists(
            st.fixed_dictionaries({"name": texts}, optional={"arguments": st.one_of(texts, st.just({}), st.none())})
        ),
        st.dictionaries(st.sampled_from(("prompt_tokens", "cached_tokens", "x")), st.integers(-1, 5), max_size=2),
    ),
    max_size=4,
)


@given(row=rows)
@settings(max_examples=300, deadline=None)
def test_the_published_schema_and_the_reader_agree(
    row: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    valid = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid(row)
    file = tmp_path_factory.getbasetemp() / "one.jsonl"
    file.write_text(json.dumps(row), encoding="utf-8")
    try:
        read_script(file)
    except ConfigError:
        assert not valid
    else:
        assert valid


def test_the_script_in_the_documentation_plays(tmp_path: Path) -> None:
    page = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    lines = page.split("## Scripts", 1)[1].split("```json\n", 1)[1].split("```", 1)[0].splitlines()
    assert all(Draft202012Validator(SCHEMA).is_valid(json.loads(line)) for line in lines)
    talk = Conversation(script(tmp_path, *lines))
    assert talk.turn("Hi") == "Hello! What shall I call you?"
    assert talk.turn("How is the weather?") == "I cannot look out of the window."
    assert talk.turn("I am Ann.") == "Nice to meet you, Ann."
