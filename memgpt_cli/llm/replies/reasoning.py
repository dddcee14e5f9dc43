"""The marks between which model families write their reasoning."""

from dataclasses import dataclass
from typing import Final

from memgpt_cli.llm.replies.marks import STRIPPED_CALLS


@dataclass(frozen=True, slots=True)
class Block:
    """How reasoning opens and closes. `in_words` marks look like words of a text: they need more evidence."""

    opening: str
    closing: str
    in_words: bool = False
    also: tuple[str, ...] = ()

    @property
    def ends(self) -> tuple[str, ...]:
        """The closing mark, and marks of calls that end the reasoning too."""
        return (self.closing, *self.also)


BLOCKS: Final = (
    Block("<think>", "</think>", in_words=True),
    Block("<thinking>", "</thinking>", in_words=True),
    Block("<thought>", "</thought>", in_words=True),
    Block("<reasoning>", "</reasoning>", in_words=True),
    Block("[THINK]", "[/THINK]", in_words=True),
    Block("<seed:think>", "</seed:think>"),
    Block("<longcat_think>", "</longcat_think>"),
    Block("<|begin_of_thought|>", "<|end_of_thought|>"),
    Block("<|START_THINKING|>", "<|END_THINKING|>"),
    Block("<|inner_prefix|>", "<|inner_suffix|>"),
    Block("<|channel>thought", "<channel|>"),
    Block("<|open|>think<|sep|>", "<|close|>think<|sep|>"),
    Block("◁think▷", "◁/think▷"),
    Block("<unused94>thought", "<unused95>"),
    Block("assistantanalysis", "assistantfinal", in_words=True, also=STRIPPED_CALLS),
    Block("Here is my thought process:", "Here is my response:", in_words=True),
)
"""DeepSeek, Qwen, GLM, Kimi, MiniMax, Hunyuan and most others; Magistral; Seed-OSS; LongCat; OpenThinker; Command A;
Apertus; Gemma 4; Kimi K3; Kimi VL; MedGemma; gpt-oss without its special tokens; Granite 3."""

BY_OPENING: Final = {block.opening: block for block in BLOCKS}
BY_CLOSING: Final = {block.closing: block for block in BLOCKS if block.opening != "Here is my thought process:"}
"""A closing alone means that the chat template opened the block in the prompt."""
