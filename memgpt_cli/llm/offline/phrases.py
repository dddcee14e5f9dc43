"""The replies of the offline responder, in English and Chinese."""

from collections.abc import Sequence
from typing import Final

from memgpt_cli.llm.offline.hearing import Phatic

_MODEL: Final = " To use a language model, set OPENAI_API_KEY or pass `--model NAME --base-url URL` to `memgpt chat`."
_MODEL_ZH: Final = "要使用语言模型，请设置 OPENAI_API_KEY，或运行 `memgpt chat --model 模型名 --base-url 地址`。"


class Phrases(dict[str, str]):
    """The sentences of one language; `{}` is a quotation."""

    @property
    def chinese(self) -> bool:
        """Whether they are Chinese."""
        return self["marks"] == "“”"

    def quoted(self, texts: Sequence[str]) -> str:
        """Return texts in quotation marks, one after the other."""
        before, after = self["marks"][0], self["marks"][1]
        return ("、" if self.chinese else ", ").join(f"{before}{text}{after}" for text in texts)


ENGLISH: Final = Phrases(
    space=" ",
    marks='""',
    noted="Noted: {}",
    replaced="Noted: {} (in place of {})",
    archived="Kept in archival storage: {}",
    known="I know that already: {}",
    removed="Removed from core memory: {}. The message itself stays in recall storage; `memgpt forget` deletes it.",
    nothing_to_remove="Core memory has no such line. `memgpt forget TEXT` deletes what was said.",
    refused="I did not note it, because the change was not confirmed.",
    not_told="You have not told me.",
    search_failed="The search failed. Please ask again.",
    no_room="The window is too small for what I found. Ask for less at a time, or use a larger --window.",
    cannot="I am not a language model and cannot do that. I can only find what you told me.",
    hello="Hello.",
    first_hello="Hello! I am the offline responder, not a language model: I keep what you tell me and quote it when"
    " you ask."
    " What should I call you?",
    overview="Core memory says about you:\n\n{}\n\nEverything else you said is in recall storage; ask me about it.",
    nothing_known='Core memory has nothing about you yet. Tell me something, such as "My name is Ada".',
    echo='You just said: "{}"',
    clock="I have no clock. Your message is from {}.",
    no_clock="I have no clock.",
    quoted="I have the attached text. It stays in recall storage; ask me about it.",
    held="That waits for your review: memgpt review.",
    paged_out="That is a long text. All of it is in archival storage; ask me about it.",
    nothing_to_answer="There is nothing to answer yet.",
    empty="Your message has no words that I could keep. Tell me something, or ask.",
    got_it="Got it.",
    got_it_from="Got it, {}.",
    ask_me="I keep every word; ask me about it any time.",
    **{
        Phatic.HOW_ARE_YOU: "I am a program without moods. How are you?",
        Phatic.THANKS: "You're welcome.",
        Phatic.FAREWELL: "Goodbye. Everything you told me is kept.",
        Phatic.WHO: "I am the offline responder of memgpt, not a language model. I keep and quote your words." + _MODEL,
        Phatic.HELP: "Tell me things, then ask about them. I am not a language model: I only keep and quote." + _MODEL,
        Phatic.CANNOT: "I am not a language model and cannot do that. I only keep and quote what you tell me." + _MODEL,
        Phatic.FORGET_ALL: "I deleted nothing. Use `memgpt forget TEXT` or `memgpt agent delete NAME`; both ask first.",
        Phatic.AGREE: "All right.",
    },
)
CHINESE: Final = Phrases(
    space="",
    marks="“”",
    noted="记下了：{}",
    replaced="记下了：{}（替换了{}）",
    archived="已存入归档记忆：{}",
    known="我已经记下了：{}",
    removed="已从核心记忆中删去：{}。原话仍在对话记录里，`memgpt forget` 可以彻底删除。",
    nothing_to_remove="核心记忆里没有这一条。`memgpt forget 文字` 可以删除说过的话。",
    refused="这次修改没有得到确认，我没有记下。",
    not_told="你还没有告诉我。",
    search_failed="搜索没有成功，请再问一次。",
    no_room="窗口太小，放不下搜索结果。请问得更具体一些，或者用更大的 --window。",
    cannot="我不是语言模型，做不到这个。我只能找出你告诉过我的话。",
    hello="你好。",
    first_hello="你好！我是离线应答器，不是语言模型：我会存下你说的话，你问的时候原样引用。怎么称呼你？",
    overview="关于你，核心记忆里有：\n\n{}\n\n其余说过的话都在对话记录里，可以问我。",
    nothing_known="核心记忆里还没有关于你的内容。告诉我一些吧，比如“我叫小明”。",
    echo="你刚才说：“{}”",
    clock="我没有时钟。你的消息写于{}。",
    no_clock="我没有时钟。",
    quoted="附上的文字已存入对话记录，可以问我其中的内容。",
    held="这一条需要你确认：memgpt review。",
    paged_out="这段文字很长，已全部存入归档记忆。你可以就其中的内容提问。",
    nothing_to_answer="现在还没有要回答的内容。",
    empty="这条消息里没有可以记下的文字。告诉我一些事，或者问我。",
    got_it="好的。",
    got_it_from="好的，{}。",
    ask_me="我存下来了，以后可以问我。",
    **{
        Phatic.HOW_ARE_YOU: "我是程序，没有心情。你呢？",
        Phatic.THANKS: "不客气。",
        Phatic.FAREWELL: "再见。你告诉我的都存着。",
        Phatic.WHO: "我是 memgpt 的离线应答器，不是语言模型。我保存你说的话，并原样引用。" + _MODEL_ZH,
        Phatic.HELP: "告诉我事情，以后再来问。我不是语言模型，只会保存和引用你说的话。" + _MODEL_ZH,
        Phatic.CANNOT: "我不是语言模型，做不到这个。我只会保存和引用你说的话。" + _MODEL_ZH,
        Phatic.FORGET_ALL: "我没有删除任何内容。请用 `memgpt forget 文字` 或 `memgpt agent delete 名字`，都会先确认。",
        Phatic.AGREE: "好的。",
    },
)
