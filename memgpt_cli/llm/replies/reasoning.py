"""The marks around the reasoning of model families."""

from dataclasses import dataclass
from typing import Final

from memgpt_cli.llm.replies.marks import STRIPPED_CALLS


@dataclass(frozen=True, slots=True)
class ReasoningBlock:
    """How reasoning opens and closes. `in_words` marks look like words of a text and need more evidence."""

    opening: str
    closing: str
    in_words: bool = False
    also: tuple[str, ...] = ()

    @property
    def ends(self) -> tuple[str, ...]:
        """Return the closing mark, and marks of calls that end the reasoning too."""
        return (self.closing, *self.also)


BLOCKS: Final = (
    ReasoningBlock("<think>", "</think>", in_words=True),
    ReasoningBlock("<thinking>", "</thinking>", in_words=True),
    ReasoningBlock("<thought>", "</thought>", in_words=True),
    ReasoningBlock("<reasoning>", "</reasoning>", in_words=True),
    ReasoningBlock("[THINK]", "[/THINK]", in_words=True),
    ReasoningBlock("<seed:think>", "</seed:think>"),
    ReasoningBlock("<longcat_think>", "</longcat_think>"),
    ReasoningBlock("<|begin_of_thought|>", "<|end_of_thought|>"),
    ReasoningBlock("<|START_THINKING|>", "<|END_THINKING|>"),
    ReasoningBlock("<|inner_prefix|>", "<|inner_suffix|>"),
    ReasoningBlock("<|channel>thought", "<channel|>"),
    ReasoningBlock("<|open|>think<|sep|>", "<|close|>think<|sep|>"),
    ReasoningBlock("◁think▷", "◁/think▷"),
    ReasoningBlock("<unused94>thought", "<unused95>"),
    ReasoningBlock("assistantanalysis", "assistantfinal", in_words=True, also=STRIPPED_CALLS),
    ReasoningBlock("Here is my thought process:", "Here is my response:", in_words=True),
)
"""DeepSeek, Qwen, GLM, Kimi, MiniMax, Hunyuan and most others; Magistral; Seed-OSS; LongCat; OpenThinker; Command A;
Apertus; Gemma 4; Kimi K3; Kimi VL; MedGemma; gpt-oss without its special tokens; Granite 3."""

BY_OPENING: Final = {block.opening: block for block in BLOCKS}
BY_CLOSING: Final = {block.closing: block for block in BLOCKS if block.opening != "Here is my thought process:"}
"""A closing alone means that the chat template opened the block in the prompt."""
