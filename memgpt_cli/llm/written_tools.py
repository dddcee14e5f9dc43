"""The text protocol for functions: calls, results and schemas as text, for a server without `tools`.

The form is that of Hermes and Qwen, which many models know: a call is a JSON object between `<tool_call>` and
`</tool_call>`, a result is between `<tool_response>` and `</tool_response>` in the next user message. `replies.text`
reads such calls.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Final

from memgpt_cli.domain.chat import PromptMessage, ToolSchema, arguments_object
from memgpt_cli.domain.messages import FunctionCall

STOP: Final = "<tool_response"
"""Where generation stops: a model that continues here invents the result."""

NO_CALLS_NOW: Final = "Answer in words now. Do not call a function."

_HOW: Final = """# Functions

You can call functions. To call one, write exactly this and stop:
<tool_call>
{"name": "FUNCTION", "arguments": {"ARGUMENT": "VALUE"}}
</tool_call>
Write one block for each call. The results come in the next message as <tool_response>; never write one yourself.
The functions, one JSON schema in each line:"""


def instructions(tools: Iterable[ToolSchema]) -> str:
    """Return the text about functions in the system message."""
    return "\n".join((_HOW, *(json.dumps(tool.to_wire()["function"], ensure_ascii=False) for tool in tools)))


def written(text: str | None, calls: Iterable[FunctionCall]) -> str:
    """Return a reply with its calls as text."""
    return "\n".join((*([text] if text else []), *(_call(call) for call in calls)))


def answered(calls: Sequence[FunctionCall], results: Sequence[PromptMessage]) -> str:
    """Return the results of these calls, in the same order, as the text of one user message."""
    pairs = zip(calls, results, strict=True)
    return "\n".join(
        f'<tool_response name="{call.name}">\n{escaped(result.content or "")}\n</tool_response>'
        for call, result in pairs
    )


def escaped(text: str) -> str:
    """Escape text that looks like a call or a result."""
    return text.replace("<tool_", "&lt;tool_").replace("</tool_", "&lt;/tool_")


def _call(call: FunctionCall) -> str:
    arguments = arguments_object(call.arguments) or {}
    written_call = json.dumps({"name": call.name, "arguments": arguments}, ensure_ascii=False)
    return f"<tool_call>\n{written_call}\n</tool_call>"
