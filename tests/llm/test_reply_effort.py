"""Reading a reply takes effort in proportion to its length, whatever it repeats and in whatever pieces it comes."""

import time

import pytest

from memgpt_cli.domain.chat import ToolSchema
from memgpt_cli.llm.replies.text import ReplyText

A = "core_memory_append"
TOOL = ToolSchema(
    name=A, description="Add to a block.", parameters={"type": "object", "properties": {"label": {"type": "string"}}}
)
SHORT, LONG = 1_500, 12_000
"""Characters. Effort in proportion to the length makes the second 8 times the first, quadratic effort 64 times."""

REPEATED = (
    *("a ", " ", "\n ", "{", "{\n", "[", "[\n", "<", "(", "`", "```", "```\n", "'", "\\"),
    *("<tool_call>", "</tool_call> a", "[TOOL_CALLS]", "<|channel|>", "<|start|>", "\n>>>", "<|im_end|> a", "<think>"),
    *(
        '{"name": ',
        '{"name": @\n',
        f'{{"name": "{A}", @\n',
        '{"a": 1}\n',
        f"[{A}(label=",
        "<function=x>",
        "<tool_call>{",
    ),
    *(f"<tool_call>{A}<arg_key>", f"<tool_call>{A}<arg_key>a</arg_key>", f"[TOOL_CALLS]{A}[ARGS]@", "</think>b "),
    *(f'<tool_call>{{"name": "{A}", "arguments": {{"label": "', "a functools[", "```json\n{", f"```tool_code\n{A}("),
)


def effort(unit: str, length: int, size: int) -> float:
    """CPU-seconds for a reply of `unit` repeated, then a word, `size` characters at a time."""
    text = (unit * (length // len(unit) + 1))[:length] + "word"
    reader = ReplyText([TOOL])
    begun = time.process_time()
    for at in range(0, len(text), size):
        list(reader.feed(text[at : at + size]))
    list(reader.finish())
    return time.process_time() - begun


@pytest.mark.parametrize("unit", REPEATED)
@pytest.mark.parametrize("size", [4, 10**9])
def test_effort_grows_with_the_length_of_a_reply(unit: str, size: int) -> None:
    ratios = []
    for _ in range(3):
        ratios.append(effort(unit, LONG, size) / max(effort(unit, SHORT, size), 0.002))
        if ratios[-1] < 24:
            return
    pytest.fail(f"{LONG // SHORT} times the length took {ratios} times the effort")
