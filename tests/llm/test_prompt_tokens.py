"""Our count of a request against the strict server's own: never under it, and not far over it."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.strict_counting import prompt_tokens, segments
from support.strict_rules import check

from memgpt_cli.domain.chat import ChatRequest, PromptMessage, ToolSchema
from memgpt_cli.domain.messages import FunctionCall
from memgpt_cli.llm.token_counters import counter_for
from memgpt_cli.main_context.tokens import PRIMING, PUBLISHED, count_message, count_request, count_tools

EXACT = counter_for("gpt-4o")
ESTIMATE = counter_for("qwen3")

words = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60).filter(
    lambda text: text.strip() != ""
)
names = st.from_regex(r"[a-z][a-z_]{0,30}", fullmatch=True)
scalars = st.sampled_from(("string", "integer", "number", "boolean"))


def described(kind: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": kind}, optional={"description": words, "default": st.integers(0, 9)})


properties = st.one_of(
    described(scalars),
    st.fixed_dictionaries({"type": st.just("string"), "enum": st.lists(names, min_size=1, max_size=5, unique=True)}),
    st.fixed_dictionaries({"type": st.just("array"), "items": described(scalars)}, optional={"description": words}),
    st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(names, described(scalars), max_size=3)}
    ),
)
schemas = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(names, properties, max_size=5)}
)
tools = st.lists(
    st.builds(ToolSchema, name=names, description=words, parameters=schemas),
    max_size=6,
    unique_by=lambda tool: tool.name,
)
calls = st.lists(st.tuples(names, st.dictionaries(names, words, max_size=3)), max_size=3)


@st.composite
def requests(draw: st.DrawFn) -> ChatRequest:
    messages = [PromptMessage(role="system", content=draw(words))]
    number = 0
    for asked, made, replied in draw(st.lists(st.tuples(words, calls, words), min_size=1, max_size=6)):
        messages.append(PromptMessage(role="user", content=asked))
        if made:
            written = tuple(
                FunctionCall(id=f"{number + n:09d}", name=name, arguments=json.dumps(arguments, ensure_ascii=False))
                for n, (name, arguments) in enumerate(made)
            )
            number += len(made)
            messages.append(PromptMessage(role="assistant", content=None, calls=written))
            messages += [PromptMessage(role="tool", content=replied, call_id=call.id) for call in written]
        messages.append(PromptMessage(role="assistant", content=replied))
    messages.append(PromptMessage(role="user", content="And now?"))
    return ChatRequest(model="gpt-4o", messages=tuple(messages), tools=tuple(draw(tools)))


@given(request=requests())
@settings(max_examples=80, deadline=None)
def test_our_count_is_never_under_the_servers_and_not_far_over_it(request: ChatRequest) -> None:
    body = request.body()
    check(body)
    theirs = prompt_tokens(segments(body))
    ours = count_request(EXACT, request)
    assert theirs <= ours
    made = sum(len(message.calls) for message in request.messages)
    described = sum(json.dumps(tool.parameters).count('"type"') for tool in request.tools)
    assert ours <= 1.15 * theirs + 12 * made + 25 * len(request.tools) + 12 * described + 30
    assert count_request(ESTIMATE, request) >= theirs


def test_in_a_conversation_of_ordinary_size_the_difference_is_a_few_percent() -> None:
    search = ToolSchema(
        name="conversation_search",
        description="Search everything that was ever said in this conversation. Returns the best with their dates.",
        parameters={
            "type": "object",
            "properties": {
                "query": {"type": "string", "description": "What to look for, in a few words."},
                "page": {"type": "integer", "description": "Which page of results, from 0.", "default": 0},
                "role": {"type": "string", "enum": ["user", "assistant"], "description": "Who said it."},
            },
            "required": ["query"],
        },
    )
    messages = [PromptMessage(role="system", content="You have a memory that outlives your window. " * 40)]
    for n in range(60):
        call = FunctionCall(
            id=f"{n:09d}", name="conversation_search", arguments=f'{{"query": "the trip of {1960 + n}"}}'
        )
        messages += [
            PromptMessage(
                role="user", content=f"What did I tell you about the trip in {1960 + n}? I forgot the town. " * 3
            ),
            PromptMessage(role="assistant", content=None, calls=(call,)),
            PromptMessage(
                role="tool", content="[m12 2023-05-08] user: we went to Lisbon with my sister. " * 8, call_id=call.id
            ),
            PromptMessage(role="assistant", content="You went to Lisbon with your sister, and liked the trams. " * 3),
        ]
    messages.append(PromptMessage(role="user", content="Thanks!"))
    request = ChatRequest(model="gpt-4o", messages=tuple(messages), tools=(search,))
    theirs = prompt_tokens(segments(request.body()))
    assert theirs <= count_request(EXACT, request) <= 1.04 * theirs


def test_a_message_costs_its_framing_its_role_and_its_text() -> None:
    assert count_message(EXACT, PromptMessage(role="user", content="hello world")) == PUBLISHED.message + 1 + 2
    assert count_tools(EXACT, ()) == 0
    assert count_request(EXACT, ChatRequest(model="m", messages=())) == PRIMING


def test_an_estimate_counts_schemas_as_the_json_that_templates_print() -> None:
    tool = ToolSchema(name="f", description="d", parameters={"type": "object", "properties": {}})
    assert count_tools(ESTIMATE, (tool,)) > count_tools(EXACT, (tool,))
