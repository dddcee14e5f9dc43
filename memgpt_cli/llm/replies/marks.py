"""Special tokens and tags of chat templates: those that open calls, and those without meaning in a reply."""

from itertools import product
from typing import Final

_BARS: Final = ("｜", "|")
_SPACES: Final = ("▁", "_", " ")


def _deepseek(words: str) -> tuple[str, ...]:
    """Return a DeepSeek token in all its spellings: `<｜tool▁calls▁begin｜>`."""
    return tuple(f"<{bar}{words.replace(' ', space)}{bar}>" for bar, space in product(_BARS, _SPACES))


CALL_OPENERS: Final = (
    *("<tool_call>", "<tool_calls>", "<function_call>", "<function_calls>", "<TOOLCALL>", "<longcat_tool_call>"),
    *(
        "<seed:tool_call>",
        "<minimax:tool_call>",
        "<|tool_call|>",
        "<|tool_calls|>",
        "<|tool_call>",
        "<|function_call|>",
    ),
    *("<start_function_call>", "<|tool_call_start|>", "<|tools_prefix|>", "<|START_ACTION|>", "<|plugin|>"),
    *("<|python_tag|>", "<|python_start|>", "[TOOL_CALLS]", "functools", "<|FunctionCallBegin|>"),
    *("<|tool_calls_section_begin|>", "<|tool_call_begin|>", "<|open|>tools<|sep|>", ">>>"),
    *_deepseek("tool calls begin"),
    *_deepseek("tool call begin"),
    *("<｜DSML｜function_calls>", "<｜DSML｜tool_calls>", "<|DSML|function_calls>", "<|DSML|tool_calls>"),
)
"""A call may follow them."""

ELEMENTS: Final = ("<function=", "<function name=", "<invoke ", "<｜DSML｜invoke", "<|DSML|invoke", "<steptml:invoke")
"""They begin a call."""

STRIPPED_CALLS: Final = ("assistantcommentary to=functions.", "commentary to=functions.")
"""The rest of the head of a gpt-oss call if the server drops the special tokens."""

STRIPPED_REASONING: Final = "analysis"
"""The rest of the head of its reasoning."""

ACTIONS: Final = ("Action: ```", "Action:\n```", "Action:```")
"""Command R writes its calls into a fence after them."""

XTML: Final = "<|open|>call"

CHANNELS: Final = ("<|channel|>", "<|start|>", "<|start|>assistant")

CALL_CLOSERS: Final = (
    *("</tool_call>", "</tool_calls>", "</function_call>", "</function_calls>", "</function>", "</parameter>"),
    *("</TOOLCALL>", "</longcat_tool_call>", "</seed:tool_call>", "</minimax:tool_call>", "</invoke>"),
    *("<|/tool_call|>", "<tool_call|>", "<|tool_call_end|>", "<end_function_call>", "<|tools_suffix|>"),
    *("<|END_ACTION|>", "<|action_start|>", "<|action_end|>", "<|python_end|>", "[/TOOL_CALLS]"),
    *("<|FunctionCallEnd|>", "<|tool_calls_section_end|>", "<|tool_call_end|>", "<|tool_call_argument_begin|>"),
    *("<|close|>call<|sep|>", "<|close|>tools<|sep|>", "</｜DSML｜invoke>", "</steptml:invoke>"),
    *("</｜DSML｜function_calls>", "</｜DSML｜tool_calls>", "</|DSML|function_calls>", "</|DSML|tool_calls>"),
    *_deepseek("tool calls end"),
    *_deepseek("tool call end"),
)
"""They end calls; alone they have no meaning."""

STRAY: Final = (
    *_deepseek("end of sentence"),
    *_deepseek("begin of sentence"),
    *("<｜Assistant｜>", "<|im_end|>", "<|im_start|>assistant", "<|im_start|>", "<|im_middle|>", "<|im_sep|>"),
    *("<|eot_id|>", "<|eom_id|>", "<|eot|>", "<|eom|>", "<|start_header_id|>assistant<|end_header_id|>"),
    *("<|begin_of_text|>", "<|end_of_text|>", "<|endoftext|>", "<end_of_turn>", "<start_of_turn>model", "<eos>"),
    *("<turn|>", "<|turn>model", "<bos>", "</s>", "<s>", "[/INST]", "[INST]", "<|return|>", "<|end|>", "<|call|>"),
    *("<|message|>", "<|constrain|>json", "<|constrain|>", "<|assistant|>", "<|endofturn|>"),
    *("<|END_OF_TURN_TOKEN|>", "<|END_RESPONSE|>", "<|START_RESPONSE|>", "<|CHATBOT_TOKEN|>", "<|assistant_end|>"),
    *("<|assistant_start|>", "<|end_of_role|>", "<|start_of_role|>assistant<|end_of_role|>", "<|stop|>"),
    *("<|begin_of_solution|>", "<|end_of_solution|>", "<answer>", "</answer>", "<|channel>", "[e~[", "[EOS]"),
    *("<seed:eos>", "<|hy_eos|>", "<|eos|>", "<|observation|>", "<|separator|>", ">>>all", "<|end_of_msg|>"),
    *("<|close|>message<|sep|>", "<|open|>response<|sep|>", "<|close|>response<|sep|>"),
)
"""They have no meaning at the edge of a reply."""

OTHERS_TURN: Final = (
    *("<|im_start|>user", "<|im_start|>system", "<|im_start|>tool", "<start_of_turn>user", "<|turn>user", "<|user|>"),
    *("<|start_header_id|>user<|end_header_id|>", "<｜User｜>", "<|start|>user", "<|USER_TOKEN|>", "<|user_start|>"),
    *("<|start_of_role|>user<|end_of_role|>", "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>"),
)
"""The model continues with the user's next message: the text from here on is not its reply."""
