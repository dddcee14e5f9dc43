"""What each family writes when its server parses nothing: calls run, reasoning is no reply, marks are not seen."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgpt_cli.domain.chat import (
    CallDelta,
    ChatRequest,
    Delta,
    PromptMessage,
    RetractDelta,
    TextDelta,
    ThoughtDelta,
    ToolSchema,
)
from memgpt_cli.llm.rank_tables import O200K, published
from memgpt_cli.llm.replies.stream import ReplyStream

APPEND = ToolSchema(
    name="core_memory_append",
    description="Add to a block.",
    parameters={"type": "object", "properties": {"label": {"type": "string"}, "content": {"type": "string"}}},
)
SEARCH = ToolSchema(
    name="conversation_search",
    description="Search what was said.",
    parameters={
        "type": "object",
        "properties": {
            "query": {"type": "string"},
            "page": {"type": "integer"},
            "exact": {"type": "boolean"},
            "roles": {"type": "array", "items": {"type": "string"}},
        },
    },
)
SIZES = (1, 3, 11, 10**9)
A, S = "core_memory_append", "conversation_search"
TEA = {"label": "human", "content": "Likes oolong."}
T = json.dumps(TEA)
FOUND = {"query": "007", "page": 2, "exact": True, "roles": ["user"]}
F = json.dumps(FOUND)
ONE, BOTH = [(A, TEA)], [(A, TEA), (S, FOUND)]


def deltas(text: str, *, size: int = 10**9, field: str = "content", tools: bool = True) -> list[Delta]:
    """The deltas of a reply that came `size` characters at a time."""
    request = ChatRequest(
        model="m",
        messages=(PromptMessage(role="user", content="Hello"),),
        tools=(APPEND, SEARCH) if tools else (),
    )
    stream = ReplyStream(request)
    found: list[Delta] = []
    for n in range(0, len(text), size):
        found += stream.feed({"choices": [{"index": 0, "delta": {field: text[n : n + size]}}]})
    return found + list(stream.finish(complete=True))


def outcome(found: Sequence[Delta]) -> tuple[str, str, list[tuple[str, Any]]]:
    """The reply's text, its reasoning, and its calls, as the agent stores them."""
    text = thought = ""
    calls: list[tuple[str, Any]] = []
    for delta in found:
        if isinstance(delta, TextDelta):
            text += delta.text
        elif isinstance(delta, ThoughtDelta):
            thought += delta.text
        elif isinstance(delta, RetractDelta):
            text, thought = "", thought + text
        elif isinstance(delta, CallDelta):
            calls.append((delta.name or "", json.loads(delta.arguments)))
    return text, thought, calls


GLM_PAIRS = (
    "<arg_key>query</arg_key>\n<arg_value>007</arg_value>\n<arg_key>page</arg_key>\n<arg_value>2</arg_value>\n"
    "<arg_key>exact</arg_key>\n<arg_value>true</arg_value>\n"
    '<arg_key>roles</arg_key>\n<arg_value>["user"]</arg_value>\n'
)
QWEN_PARAMETERS = (
    "<parameter=query>\n007\n</parameter>\n<parameter=page>\n2\n</parameter>\n"
    '<parameter=exact>\ntrue\n</parameter>\n<parameter=roles>\n["user"]\n</parameter>\n'
)
INVOKED = (
    '<parameter name="query">007</parameter>\n<parameter name="page">2</parameter>\n'
    '<parameter name="exact">true</parameter>\n<parameter name="roles">["user"]</parameter>\n'
)
DSML = (
    '<｜DSML｜parameter name="query" string="true">007</｜DSML｜parameter>\n'
    '<｜DSML｜parameter name="page" string="false">2</｜DSML｜parameter>\n'
    '<｜DSML｜parameter name="exact" string="false">true</｜DSML｜parameter>\n'
    '<｜DSML｜parameter name="roles" string="false">["user"]</｜DSML｜parameter>\n'
)
K3 = (
    '<|open|>argument key="query" type="string"<|sep|>007<|close|>argument<|sep|>'
    '<|open|>argument key="page" type="number"<|sep|>2<|close|>argument<|sep|>'
    '<|open|>argument key="exact" type="boolean"<|sep|>true<|close|>argument<|sep|>'
    '<|open|>argument key="roles" type="array"<|sep|>["user"]<|close|>argument<|sep|>'
)
JSON_TEA, JSON_FOUND = json.dumps({"name": A, "arguments": TEA}), json.dumps({"name": S, "arguments": FOUND})
PY = f"{A}(label=\"human\", content='Likes oolong.'), {S}(query=\"007\", page=2, exact=True, roles=['user'])"
Q = '<|"|>'

FAMILIES: dict[str, str] = {
    "Hermes, Qwen": f"<tool_call>\n{JSON_TEA}\n</tool_call>\n<tool_call>\n{JSON_FOUND}\n</tool_call>",
    "Hermes, closed by its opening": f"<tool_call>{JSON_TEA}<tool_call>{JSON_FOUND}</tool_call>",
    "Qwen Coder": f"<tool_call>\n<function={A}>\n<parameter=label>\nhuman\n</parameter>\n<parameter=content>\n"
    f"Likes oolong.\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function={S}>\n{QWEN_PARAMETERS}"
    "</function>\n</tool_call>",
    "Qwen Coder, without its first mark": f"<function={A}>\n<parameter=label>\nhuman\n</parameter>\n"
    f"<parameter=content>\nLikes oolong.\n</parameter>\n</function>\n</tool_call>\n<function={S}>{QWEN_PARAMETERS}"
    "</function></tool_call>",
    "gpt-oss": f"<|channel|>commentary to=functions.{A} <|constrain|>json<|message|>{T}<|call|>"
    f"<|start|>assistant<|channel|>commentary to=functions.{S} <|constrain|>json<|message|>{F}<|call|>",
    "gpt-oss, recipient first": f"<|start|>assistant to=functions.{A}<|channel|>commentary json<|message|>{T}<|call|>"
    f"<|start|>assistant to=functions.{S}<|channel|>commentary json<|message|>{F}<|call|>",
    "gpt-oss, special tokens dropped": f"assistantcommentary to=functions.{A} json{T}"
    f"assistantanalysisI search, too.assistantcommentary to=functions.{S}json{F}",
    "Kimi K2": "<|tool_calls_section_begin|>"
    f"<|tool_call_begin|>functions.{A}:0<|tool_call_argument_begin|>{T}<|tool_call_end|>"
    f"<|tool_call_begin|>functions.{S}:1<|tool_call_argument_begin|>{F}<|tool_call_end|><|tool_calls_section_end|>",
    "Kimi K3": f'<|open|>tools<|sep|><|open|>call tool="{A}" index="1"<|sep|>'
    '<|open|>argument key="label" type="string"<|sep|>human<|close|>argument<|sep|>'
    '<|open|>argument key="content" type="string"<|sep|>Likes oolong.<|close|>argument<|sep|><|close|>call<|sep|>'
    f'<|open|>call tool="{S}" index="2"<|sep|>{K3}<|close|>call<|sep|><|close|>tools<|sep|><|close|>message<|sep|>',
    "Gemma 3": f"```tool_code\n[{PY}]\n```",
    "Gemma 3, one a line": f"```tool_code\n{PY.replace('), ', ')' + chr(10))}\n```",
    "Gemma 3, printed": f"```tool_code\nprint({PY.replace('), ', '))' + chr(10) + 'print(')})\n```",
    "Gemma 4": f"<|tool_call>call:{A}{{label:{Q}human{Q},content:{Q}Likes oolong.{Q}}}<tool_call|>"
    f"<|tool_call>call:{S}{{query:{Q}007{Q},page:2,exact:true,roles:[{Q}user{Q}]}}<tool_call|>",
    "FunctionGemma": f"<start_function_call>call:{A}{{label:<escape>human<escape>,"
    "content:<escape>Likes oolong.<escape>}"
    f"<end_function_call><start_function_call>call:{S}{{query:<escape>007<escape>,page:2,exact:true,"
    "roles:[<escape>user<escape>]}<end_function_call>",
    "GLM 4.5": f"<tool_call>{A}\n<arg_key>label</arg_key>\n<arg_value>human</arg_value>\n<arg_key>content</arg_key>\n"
    f"<arg_value>Likes oolong.</arg_value>\n</tool_call>\n<tool_call>{S}\n{GLM_PAIRS}</tool_call>",
    "GLM 4.7": f"<tool_call>{A}<arg_key>label</arg_key><arg_value>human</arg_value><arg_key>content</arg_key>"
    f"<arg_value>Likes oolong.</arg_value></tool_call><tool_call>{S}{GLM_PAIRS.replace(chr(10), '')}</tool_call>",
    "DeepSeek V3, R1": f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>{A}\n```json\n{T}\n```"
    f"<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>{S}\n```json\n{F}\n```<｜tool▁call▁end｜>"
    "<｜tool▁calls▁end｜><｜end▁of▁sentence｜>",
    "DeepSeek V3.1": f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>{A}<｜tool▁sep｜>{T}<｜tool▁call▁end｜>"
    f"<｜tool▁call▁begin｜>{S}<｜tool▁sep｜>{F}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    "DeepSeek V3.1, other bars": f"<|tool_calls_begin|><|tool_call_begin|>{A}<|tool_sep|>{T}<|tool_call_end|>"
    f"<|tool_call_begin|>{S}<|tool_sep|>{F}<|tool_call_end|><|tool_calls_end|>",
    "DeepSeek V3.2": f'<｜DSML｜function_calls>\n<｜DSML｜invoke name="{A}">\n'
    '<｜DSML｜parameter name="label" string="true">human</｜DSML｜parameter>\n'
    '<｜DSML｜parameter name="content" string="true">Likes oolong.</｜DSML｜parameter>\n</｜DSML｜invoke>\n'
    f'<｜DSML｜invoke name="{S}">\n{DSML}</｜DSML｜invoke>\n</｜DSML｜function_calls>',
    "DeepSeek V4": f'<｜DSML｜tool_calls>\n<｜DSML｜invoke name="{A}">\n'
    '<｜DSML｜parameter name="label" string="true">human</｜DSML｜parameter>\n'
    '<｜DSML｜parameter name="content" string="true">Likes oolong.</｜DSML｜parameter>\n</｜DSML｜invoke>\n'
    f'<｜DSML｜invoke name="{S}">\n{DSML}</｜DSML｜invoke>\n</｜DSML｜tool_calls>',
    "MiniMax M2": f'<minimax:tool_call>\n<invoke name="{A}">\n<parameter name="label">human</parameter>\n'
    f'<parameter name="content">Likes oolong.</parameter>\n</invoke>\n<invoke name="{S}">\n{INVOKED}</invoke>\n'
    "</minimax:tool_call>",
    "MiniMax M1": f"<tool_calls>\n{JSON_TEA}\n{JSON_FOUND}\n</tool_calls>",
    "Llama 3": "<|python_tag|>"
    + "; ".join(json.dumps({"name": name, "parameters": value}) for name, value in ((A, TEA), (S, FOUND)))
    + "<|eom_id|>",
    "Llama 3, without a mark": "; ".join(
        json.dumps({"name": name, "parameters": value}) for name, value in ((A, TEA), (S, FOUND))
    )
    + "<|eot_id|>",
    "Llama 3, built in": f"<|python_tag|>{PY.replace('(', '.call(')}<|eom_id|>",
    "Llama 3.1": f"<function={A}>{T}</function>\n<function={S}>{F}</function><|eot_id|>",
    "Llama 4": f"[{PY}]<|eot|>",
    "Llama 4, with marks": f"<|python_start|>[{PY}]<|python_end|><|eot|>",
    "Mistral": f"[TOOL_CALLS] [{JSON_TEA}, {JSON_FOUND}]</s>",
    "Mistral Small 3.2": f"[TOOL_CALLS]{A}[CALL_ID]a1b2c3d4e[ARGS]{T}[TOOL_CALLS]{S}[CALL_ID]123456789[ARGS]{F}</s>",
    "Magistral, Devstral": f"[TOOL_CALLS]{A}[ARGS]{T}[TOOL_CALLS]{S}[ARGS]{F}",
    "Mistral, name and object": f"[TOOL_CALLS]{A}{T}[TOOL_CALLS]{S}{F}",
    "Granite 3": f"<|tool_call|>[{JSON_TEA}, {JSON_FOUND}]<|end_of_text|>",
    "Granite 3, other mark": f"<tool_call>[{JSON_TEA}, {JSON_FOUND}]",
    "Granite 20b": f"<function_call> {JSON_TEA}<function_call> {JSON_FOUND}<|endoftext|>",
    "Phi-4 mini": f"<|tool_call|>[{JSON_TEA}, {JSON_FOUND}]<|/tool_call|><|end|>",
    "Phi-4": f"functools[{JSON_TEA}, {JSON_FOUND}]",
    "LFM2": f"<|tool_call_start|>[{PY}]<|tool_call_end|><|im_end|>",
    "LFM2, as JSON": f"<|tool_call_start|>[{JSON_TEA}, {JSON_FOUND}]<|tool_call_end|>",
    "Command R7B, A": "<|START_ACTION|>[\n"
    + ",\n".join(
        json.dumps({"tool_call_id": str(n), "tool_name": name, "parameters": value})
        for n, (name, value) in enumerate(((A, TEA), (S, FOUND)))
    )
    + "\n]<|END_ACTION|><|END_OF_TURN_TOKEN|>",
    "Command R": "Action: ```json\n"
    + json.dumps([{"tool_name": A, "parameters": TEA}, {"tool_name": S, "parameters": FOUND}], indent=4)
    + "\n```<|END_OF_TURN_TOKEN|>",
    "Nemotron": f"<TOOLCALL>[{JSON_TEA}, {JSON_FOUND}]</TOOLCALL>",
    "Hunyuan A13B": f"<tool_calls>[{JSON_TEA}, {JSON_FOUND}]</tool_calls>",
    "Hunyuan, named": f"<tool_call>{A}\n```json\n{T}\n```\n</tool_call>\n"
    f"<tool_call>{S}\n```json\n{F}\n```\n</tool_call>",
    "Hunyuan V3": f"<tool_calls><tool_call>{A}<tool_sep><arg_key>label</arg_key><arg_value>human</arg_value>"
    "<arg_key>content</arg_key><arg_value>Likes oolong.</arg_value></tool_call>"
    f"<tool_call>{S}<tool_sep>{GLM_PAIRS}</tool_call></tool_calls>",
    "Seed-OSS": f"<seed:tool_call>\n<function={A}>\n<parameter=label>human</parameter>\n"
    f"<parameter=content>Likes oolong.</parameter>\n</function>\n</seed:tool_call>\n<seed:tool_call>\n<function={S}>\n"
    f"{QWEN_PARAMETERS}</function>\n</seed:tool_call>",
    "Apertus": f"<|tools_prefix|>[{json.dumps({A: TEA})}, {json.dumps({S: FOUND})}]<|tools_suffix|><|assistant_end|>",
    "Functionary": f">>>{A}\n{T}>>>{S}\n{F}".replace(">>>conv", "\n>>>conv"),
    "xLAM": f"[{JSON_TEA}, {JSON_FOUND}]",
    "xLAM, in an object": json.dumps({"tool_calls": [{"name": A, "arguments": TEA}, {"name": S, "arguments": FOUND}]}),
    "InternLM": f"<|action_start|><|plugin|>{JSON_TEA}<|action_end|>\n"
    f"<|action_start|><|plugin|>{JSON_FOUND}<|action_end|>",
    "OLMo 3": f"<function_calls>{PY.replace('), ', ')' + chr(10))}</function_calls>",
    "LongCat": f"<longcat_tool_call>{JSON_TEA}</longcat_tool_call><longcat_tool_call>{JSON_FOUND}</longcat_tool_call>",
    "Doubao": f"<|FunctionCallBegin|>[{JSON_TEA}, {JSON_FOUND}]<|FunctionCallEnd|>",
    "GigaChat": f"<|function_call|>{JSON_TEA}\n<|function_call|>{JSON_FOUND}</s>",
    "an object in an object": f"{json.dumps({'tool_call': json.loads(JSON_TEA)})}\n"
    f"{json.dumps({'tool_call': json.loads(JSON_FOUND)})}",
    "OpenAI's own form": json.dumps(
        {
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": A, "arguments": T}},
                {"id": "2", "type": "function", "function": {"name": S, "arguments": F}},
            ]
        }
    ),
    "Python dicts": f"{json.loads(JSON_TEA)!r}\n{json.loads(JSON_FOUND)!r}",
    "Python dicts between tags": f"<tool_call>\n{json.loads(JSON_TEA)!r}\n</tool_call>\n<tool_call>\n"
    f"{json.loads(JSON_FOUND)!r}\n</tool_call>",
    "semicolons": f"{JSON_TEA}; {JSON_FOUND}",
    "ReAct": f"{json.dumps({'action': A, 'action_input': TEA})}\n{json.dumps({'action': S, 'action_input': FOUND})}",
    "fences": f"```json\n{JSON_TEA}\n```\n```json\n{JSON_FOUND}\n```",
    "tags in a fence": f"```xml\n<tool_call>\n{JSON_TEA}\n</tool_call>\n<tool_call>\n{JSON_FOUND}\n</tool_call>\n```",
    "arguments encoded twice": f"<tool_call>{json.dumps({'name': A, 'arguments': T})}</tool_call>"
    f"<tool_call>{json.dumps({'name': S, 'arguments': json.dumps(F)})}</tool_call>",
    "inside a think block": f"<think>\nI should note it.\n<tool_call>\n{JSON_TEA}\n</tool_call>\n<tool_call>\n"
    f"{JSON_FOUND}\n</tool_call>\n</think>",
    "inside an unclosed think block": f"<think>I should note it. <tool_call>{JSON_TEA}</tool_call>"
    f"<tool_call>{JSON_FOUND}</tool_call>",
    "after reasoning that the prompt opened": f"They like tea.\n</think>\n\n<tool_call>\n{JSON_TEA}\n</tool_call>"
    f"<tool_call>{JSON_FOUND}</tool_call>",
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", SIZES)
def test_every_familys_calls_run_and_none_of_their_marks_is_seen(family: str, size: int) -> None:
    text, _, calls = outcome(deltas(FAMILIES[family], size=size))
    assert calls == BOTH
    assert text == ""


@pytest.mark.parametrize("whole", [PY, PY.replace("), ", ")\n"), f"<think>I note it.</think>{PY}", f"{PY}<|im_end|>"])
@pytest.mark.parametrize("size", SIZES)
def test_calls_in_pythons_form_count_when_they_are_the_whole_reply(whole: str, size: int) -> None:
    text, _, calls = outcome(deltas(whole, size=size))
    assert (text, calls) == ("", BOTH)
    text, _, calls = outcome(deltas(f"{whole}\nThis is how to call it.", size=size))
    assert calls == []
    assert "This is how to call it." in text


@pytest.mark.parametrize("size", SIZES)
def test_reasoning_of_gpt_oss_whose_special_tokens_were_dropped_is_no_text(size: int) -> None:
    reply = f"analysisThey like tea.assistantcommentary to=functions.{A} json{T}assistantfinalNoted."
    text, thought, calls = outcome(deltas(reply, size=size))
    assert (text, thought, calls) == ("Noted.", "analysisThey like tea.", ONE)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("before", ["\n\n ", "I will note it.\n", "I will note it.\n\n", "好的。\n"])
def test_text_before_a_call_is_kept(family: str, before: str) -> None:
    if "think" in family and before.strip():
        return
    text, _, calls = outcome(deltas(before + FAMILIES[family], size=4))
    assert calls == BOTH
    assert text.strip() in {before.strip(), ""}
    assert text.strip() == before.strip() or "reasoning" in family


@pytest.mark.parametrize("family", FAMILIES)
def test_text_after_a_call_is_kept(family: str) -> None:
    if "unclosed" in family:
        return
    text, _, calls = outcome(deltas(f"{FAMILIES[family]}\n\nIt is noted.", size=5))
    assert calls == BOTH
    assert text == "It is noted."


@pytest.mark.parametrize("mark", ["<tool_call>", "[TOOL_CALLS]", "<|python_tag|>", "<|tool_call_begin|>"])
def test_a_call_may_follow_a_sentence_at_once(mark: str) -> None:
    assert outcome(deltas(f"I will note it.{mark}{JSON_TEA}", size=3)) == ("I will note it.", "", ONE)
    assert outcome(deltas(f"I will note it {mark}{JSON_TEA}", size=3)) == ("I will note it ", "", ONE)


EXAMPLES = (
    "Action: ```json\n[1]\n``` is a list.",
    "Action: none.",
    "The header is commentary to=functions.name, and assistantfinal ends it.",
    f"A call looks like `<tool_call>{JSON_TEA}</tool_call>` in Qwen's form.",
    f'A call looks like "<tool_call>{JSON_TEA}</tool_call>".',
    f"Qwen writes <tool_call>{JSON_TEA}</tool_call> and then waits.",
    f"Write {JSON_TEA} on a line.",
    f"{JSON_TEA} is how it would look.",
    f"```python\n# an example\n{JSON_TEA}\n```\nThat is all.",
    f"Example:\n```\nThe model writes\n<tool_call>\n{JSON_TEA}\n</tool_call>\n```",
    f'Here is code:\n```python\nresult = {A}(label="human", content="x")\nprint(result)\n```',
    f'Here is code:\n```python\n{A}(label="human", content="x")\n```',
    f'Call it as {A}(label="human", content="x") there.',
    f'{A}(label="human", content="x") adds a line.',
    "The template has [TOOL_CALLS] before a list, functools.partial is Python, and >>> is a prompt.",
    "[a link](x), [1, 2], [x] done, {name}, call:me",
    f"[{A}] is a function, and [{A}](x) a link.",
    "<function=unknown>\n<parameter=a>\n1\n</parameter>\n</function>",
    f"<details>\n{json.dumps({'name': 'Bob', 'arguments': {}})}\n</details>",
)


@pytest.mark.parametrize("text", EXAMPLES)
@pytest.mark.parametrize("size", SIZES)
def test_what_only_speaks_of_calls_stays_text(text: str, size: int) -> None:
    assert outcome(deltas(text, size=size)) == (text, "", [])


REASONING: dict[str, tuple[str, str]] = {
    f"{opening} … {closing}": (opening, closing)
    for opening, closing in (
        *(("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<thought>", "</thought>")),
        *(("<reasoning>", "</reasoning>"), ("[THINK]", "[/THINK]"), ("<seed:think>", "</seed:think>")),
        *(("<|begin_of_thought|>", "<|end_of_thought|>"), ("<|START_THINKING|>", "<|END_THINKING|>")),
        *(("<|inner_prefix|>", "<|inner_suffix|>"), ("<|channel>thought", "<channel|>"), ("◁think▷", "◁/think▷")),
        *(("<|open|>think<|sep|>", "<|close|>think<|sep|>"), ("<longcat_think>", "</longcat_think>")),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        ("<|start|>assistant<|channel|>analysis<|message|>", "<|start|>assistant<|channel|>final<|message|>"),
        ("assistantanalysis", "assistantfinal"),
        ("Here is my thought process:", "Here is my response:"),
    )
}


@pytest.mark.parametrize("form", REASONING)
@pytest.mark.parametrize("size", SIZES)
def test_reasoning_is_no_part_of_the_reply(form: str, size: int) -> None:
    opening, closing = REASONING[form]
    text, thought, calls = outcome(deltas(f"{opening}\nThey greet me.\n{closing}\n\nHello!", size=size))
    assert (text, thought.strip(), calls) == ("Hello!", "They greet me.", [])
    text, thought, calls = outcome(
        deltas(f"\n{opening}I note it.{closing}<tool_call>{JSON_TEA}</tool_call>", size=size)
    )
    assert (text, thought, calls) == ("", "I note it.", ONE)


@pytest.mark.parametrize("form", [form for form in REASONING if "Here is" not in form])
@pytest.mark.parametrize("size", SIZES)
def test_reasoning_that_never_closes_is_no_reply(form: str, size: int) -> None:
    text, thought, _ = outcome(deltas(f"{REASONING[form][0]}\nThey greet me and", size=size))
    assert (text, thought.strip()) == ("", "They greet me and")


@pytest.mark.parametrize("form", [form for form in REASONING if "analysis" not in form and "Here is" not in form])
@pytest.mark.parametrize("size", SIZES)
def test_a_closing_mark_alone_makes_what_was_said_reasoning(form: str, size: int) -> None:
    closing = REASONING[form][1]
    for text in (f"They greet me.\n{closing}\n\nHello!", f"They greet me{closing}Hello!", f"They.{closing} Hello!"):
        said, thought, calls = outcome(deltas(text, size=size))
        assert (said, calls) == ("Hello!", [])
        assert thought.startswith("They")
    assert outcome(deltas(f"{closing}\n\nHello!", size=size))[:2] == ("Hello!", "")


@pytest.mark.parametrize("size", SIZES)
def test_several_blocks_of_reasoning(size: int) -> None:
    text = "<think>a</think>\nOne moment.\n<think>\nb\n</think>\nHere it is.<think>c</think>"
    said, thought, _ = outcome(deltas(text, size=size))
    assert said == "One moment.\nHere it is."
    assert "".join(thought.split()) == "abc"


WORDS = (
    "The <think> tag opens the reasoning, and </think> ends it.",
    "Models write <think> first. Then comes the rest.",
    "`<think>` opens it.\n`</think>` closes it.",
    'It uses "</think>" alone.',
    "<think> is a tag that opens reasoning.",
    "<think> opens the reasoning and </think> ends it.",
    "```\n<think>\nreasoning\n</think>\nreply\n```\nSo it looks.",
    "I <think> so",
    "Use [THINK] and [/THINK] for Magistral.",
    "The token <|im_end|> ends a turn; </s> does in Llama 2.",
    "Write `<|im_end|>` at the end",
    "Struck: <s>old</s>",
    "```html\n<s>old</s></s>\n```",
    "Tokens such as <|eot_id|>, <end_of_turn> and [/INST] end turns.",
    "if a <b or c >d: print(`x`)",
    "The channel is <|channel|>, they say.",
)


@pytest.mark.parametrize("text", WORDS)
@pytest.mark.parametrize("size", SIZES)
def test_words_about_marks_stay_words(text: str, size: int) -> None:
    assert outcome(deltas(text, size=size)) == (text, "", [])


STRAY = (
    *("</tool_call>", "<|im_end|>", "<|eot_id|>", "<end_of_turn>", "</s>", "[/INST]", "<|return|>", "<|end|>"),
    *("<|endoftext|>", "<｜end▁of▁sentence｜>", "<eos>", "<|eom_id|>", "<tool_call|>", "<|END_OF_TURN_TOKEN|>"),
    *("<|end_of_text|>", "<|tool_calls_section_end|>", "<|call|>", "</function>", "<turn|>", "<|eot|>", "<tool_call>"),
)


@pytest.mark.parametrize("mark", STRAY)
@pytest.mark.parametrize("size", SIZES)
def test_stray_marks_at_the_edges_are_not_seen(mark: str, size: int) -> None:
    for text in (f"Hello.{mark}", f"Hello.{mark}\n", f"Hello.{mark}{mark}", f"Hello.{mark}\n<|im_end|>\n"):
        assert outcome(deltas(text, size=size))[0].strip() == "Hello."
        assert outcome(deltas(text, size=size, tools=False))[0].strip() == "Hello."
    assert outcome(deltas(f"Hello\n{mark}", size=size))[0].strip() == "Hello"
    if mark != "<tool_call>":
        assert outcome(deltas(f"{mark}Hello.", size=size))[0] == "Hello."
        assert outcome(deltas(f"{mark}\nHello.\n{mark}\nAgain.", size=size))[0] == "Hello.\n\nAgain."
    assert outcome(deltas(mark, size=size)) == ("", "", [])


@pytest.mark.parametrize("size", SIZES)
def test_the_next_turn_of_the_person_is_not_the_models_to_write(size: int) -> None:
    for turn in ("<|im_end|>\n<|im_start|>user\n", "<end_of_turn>\n<start_of_turn>user\n", "<｜User｜>"):
        assert outcome(deltas(f"Hello.{turn}And who are you?", size=size))[0].strip() == "Hello."
    opened = "<|im_start|>assistant\nHello.<|im_end|>"
    assert outcome(deltas(opened, size=size))[0] == "Hello."


def test_a_call_in_reported_reasoning_runs_when_nothing_else_came() -> None:
    written = f"I should note it.\n<tool_call>\n{JSON_TEA}\n</tool_call>"
    assert outcome(deltas(written, field="reasoning_content"))[2] == ONE
    assert outcome(deltas(f"I could write `<tool_call>{JSON_TEA}</tool_call>`.", field="reasoning_content"))[2] == []


def test_text_streams_as_it_comes() -> None:
    request = ChatRequest(model="m", messages=(), tools=(APPEND,))
    stream = ReplyStream(request)
    for piece in ("Hello", " there,", " how", " are", " you?\n", "1 < 2", " and [x]", " `code` ", "\n- one", " point"):
        assert outcome(list(stream.feed({"choices": [{"delta": {"content": piece}}]})))[0] == piece


PARTS = st.sampled_from(
    (
        *(
            "{",
            "}",
            "[",
            "]",
            '"',
            "'",
            ":",
            ",",
            ";",
            "\n",
            " ",
            "a",
            "B",
            ".",
            "`",
            "```",
            "```json\n",
            "(",
            ")",
            "=",
        ),
        *("<tool_call>", "</tool_call>", f"<function={A}>", "<parameter=label>", "</parameter>", "</function>"),
        *("[TOOL_CALLS]", "[ARGS]", A, S, T, JSON_TEA, f"[{PY}]", f"{A}(label='x')", "call:", ">>>", "functools"),
        *("<think>", "</think>", "[THINK]", "[/THINK]", "<|channel|>", "analysis", "commentary", f" to=functions.{A} "),
        *("<|message|>", "<|call|>", "<|start|>", "assistant", "<|im_end|>", "<|im_start|>", "user", "</s>", "<s>"),
        *("<arg_key>", "label", "</arg_key>", "<arg_value>", "</arg_value>", '<invoke name="', '">', "</invoke>"),
        *("<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>", Q, "<|tool_call>", "<", "|"),
        *("<｜tool▁calls▁begin｜>", "<｜tool▁sep｜>", "tool_code", "python", "Here is my thought process:"),
        *('<|open|>call tool="', "<|sep|>", "<|close|>call", "functions.", ":0", "\\", "print(", "<tool_sep>"),
    )
)


@given(parts=st.lists(PARTS, max_size=14), size=st.integers(1, 9))
@settings(max_examples=300, deadline=None)
def test_the_size_of_the_pieces_makes_no_difference(parts: list[str], size: int) -> None:
    text = "".join(parts) or "Hello"
    assert outcome_or_raw(deltas(text, size=size)) == outcome_or_raw(deltas(text))


@given(
    family=st.sampled_from(sorted(FAMILIES)), cuts=st.lists(st.integers(0, 900), max_size=4), size=st.integers(1, 40)
)
@settings(max_examples=100, deadline=None)
def test_damaged_calls_are_read_alike_in_any_pieces(family: str, cuts: list[int], size: int) -> None:
    text = FAMILIES[family]
    for cut in cuts:
        text = text[:cut] + text[cut + 3 :]
    assert outcome_or_raw(deltas(text, size=size)) == outcome_or_raw(deltas(text))


def outcome_or_raw(found: Sequence[Delta]) -> list[Any]:
    """Like `outcome`, for calls whose arguments may be broken."""
    calls = [(delta.name, delta.arguments) for delta in found if isinstance(delta, CallDelta)]
    rest = [delta for delta in found if not isinstance(delta, CallDelta)]
    return [*outcome(rest)[:2], calls]


@pytest.fixture(scope="module")
def harmony(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """OpenAI's own library for the format of gpt-oss, with the table of this package in place of a download."""
    library = pytest.importorskip("openai_harmony", reason="openai-harmony has no wheel for this machine")
    tables = tmp_path_factory.mktemp("tables")
    (tables / "o200k_base.tiktoken").write_bytes(published(O200K))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_ENCODINGS_BASE", str(tables))
        yield library, library.load_harmony_encoding(library.HarmonyEncodingName.HARMONY_GPT_OSS)


_WORDS = st.text(st.sampled_from("ab é好\n.{"), min_size=1, max_size=12).map(lambda text: f"x{text}x")


@settings(max_examples=40, deadline=None)
@given(_WORDS, st.none() | _WORDS, _WORDS)
def test_what_openais_library_writes_for_gpt_oss_is_read(
    harmony: Any, thought: str, reply: str | None, content: str
) -> None:
    library, encoding = harmony

    def said(text: str, channel: str) -> Any:
        return library.Message.from_role_and_content(library.Role.ASSISTANT, text).with_channel(channel)

    arguments = {"label": "human", "content": content}
    last = (
        said(json.dumps(arguments), "commentary")
        .with_recipient(f"functions.{A}")
        .with_content_type("<|constrain|>json")
    )
    messages = [said(thought, "analysis"), last if reply is None else said(reply, "final")]
    whole = library.RenderConversationConfig(auto_drop_analysis=False)
    written = encoding.decode(encoding.render_conversation(library.Conversation.from_messages(messages), whole))
    expected = ("", thought, [(A, arguments)]) if reply is None else (reply, thought, [])
    assert outcome(deltas(written.removeprefix("<|start|>assistant"))) == expected
