"""What the offline responder says, in English and Chinese. Nothing here decides anything."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from memgpt_cli.llm.offline import dates
from memgpt_cli.llm.offline.speech import ended
from memgpt_cli.llm.offline.talk import Talk

CONNECT_EN: Final = (
    "set OPENAI_API_KEY, or start `memgpt chat --model NAME --base-url URL` for Ollama, vLLM, LM Studio or any other"
    " compatible server"
)
CONNECT_ZH: Final = (
    "设置 OPENAI_API_KEY，或者用 `memgpt chat --model 模型名 --base-url 地址` 连接 Ollama、vLLM、LM Studio 等兼容的服务"
)

_WHO_EN: Final = (
    "I am the offline responder of memgpt: no language model, no network. I store what you tell me, word for word,"
    " and find it again"
    f" when you ask. To talk to a real language model with this same memory, {CONNECT_EN}."
)
_WHO_ZH: Final = (
    "我是 memgpt 的离线应答器：没有语言模型，也不联网。你告诉我的话我会原样存下来，你问的时候再找出来。"
    f"想让真正的语言模型使用同一份记忆，请{CONNECT_ZH}。"
)
_ENGLISH: Final[Mapping[Talk, str]] = {
    Talk.HOW_ARE_YOU: "I have no days of my own, but your memory is in order. What is new with you?",
    Talk.THANKS: "You're welcome.",
    Talk.FAREWELL: "Goodbye. Everything you told me is kept.",
    Talk.WHO: _WHO_EN,
    Talk.HELP: (
        'Tell me things ("My name is Ada", "I live in Lyon", "Remember that the spare key is with Ann") and ask'
        " about them later"
        ' ("Where do I live?", "When did I see the dentist?"). "What do you know about me?" shows your core memory.'
        " I have no language model,"
        f" so I cannot chat, write or reason; for that, {CONNECT_EN}."
    ),
    Talk.CONNECT: f"To connect a real language model, {CONNECT_EN}. It will use the memory that is already here.",
    Talk.CALCULATE: f"I have no language model and cannot calculate. I store what you tell me and find it again; for"
    f" more, {CONNECT_EN}.",
    Talk.CREATE: (
        f"That takes a language model, and I have none. I store what you tell me and find it again; to connect one,"
        f" {CONNECT_EN}."
    ),
    Talk.OPINION: "I have no language model, so no opinions, tastes or plans of my own. I can only store what you"
    " tell me and find it again.",
    Talk.WRONG: "Tell me what is right, and I will correct my note.",
    Talk.REMIND: "I have no alarm and cannot remind you, but I keep what you wrote; ask me about it any time.",
    Talk.FORGET_ALL: (
        "I have deleted nothing: that is for you to do, outside of the chat. `memgpt forget TEXT` purges whatever holds"
        " that text, `memgpt agent delete NAME` deletes this agent with all that it holds, and both ask"
        " before they do it."
        ' I can take single lines out of core memory: "forget my birthday".'
    ),
    Talk.AGREE: "All right.",
}
_CHINESE: Final[Mapping[Talk, str]] = {
    Talk.HOW_ARE_YOU: "我没有自己的生活，不过你的记忆都好好地存着。你最近有什么新鲜事？",
    Talk.THANKS: "不客气。",
    Talk.FAREWELL: "再见。你告诉我的都存着。",
    Talk.WHO: _WHO_ZH,
    Talk.HELP: (
        "你可以告诉我事情（“我叫小明”、“我住在上海”、“记住备用钥匙在小红那里”），以后再来问我（“我住在哪里？”、“我什么时候去看过牙医？”）。"
        f"问“你知道我什么”可以看到核心记忆。我没有语言模型，不能闲聊、写作或推理；需要的话请{CONNECT_ZH}。"
    ),
    Talk.CONNECT: f"要连接真正的语言模型，请{CONNECT_ZH}。它会使用这里已有的记忆。",
    Talk.CALCULATE: f"我没有语言模型，不会计算。我只能存下你说的话并找出来；需要更多请{CONNECT_ZH}。",
    Talk.CREATE: f"这需要语言模型，而我没有。我能存下你说的话并找出来；要连接模型请{CONNECT_ZH}。",
    Talk.OPINION: "我没有语言模型，所以没有自己的看法、喜好和打算。我只能存下你告诉我的话，再找出来。",
    Talk.WRONG: "请告诉我正确的内容，我会改正记录。",
    Talk.REMIND: "我没有闹钟，不能提醒你，但这句话已经存下来了，可以随时问我。",
    Talk.FORGET_ALL: (
        "我没有删除任何内容，这要由你自己在对话之外来做：`memgpt forget 文字` 彻底清除含有这段文字的一切，"
        "`memgpt agent delete 名字`"
        " 删除这个代理和它的全部记忆，两者执行前都会先问你。单独一条我可以从核心记忆中删去，比如“忘记我的生日”。"
    ),
    Talk.AGREE: "好的。",
}


_MOODS: Final = {"sad": ("I am sorry to hear that.", "听到这个很遗憾。"), "glad": ("Good to hear.", "真好。")}


def small_talk(kind: Talk, *, chinese: bool) -> str:
    """The reply to a kind of small talk that needs no memory; empty for the others."""
    return (_CHINESE if chinese else _ENGLISH).get(kind, "")


def greeting(name: str | None, *, known: bool, chinese: bool) -> str:
    """A greeting; to somebody unknown it says what this is."""
    if name:
        return f"你好，{name}。" if chinese else f"Hello, {name}."
    if known:
        return "你好。" if chinese else "Hello."
    if chinese:
        return "你好！我是离线应答器：没有语言模型，但会记住你告诉我的事，并在你问的时候找出来。怎么称呼你？"
    return (
        "Hello! I am the offline responder: I have no language model, but I keep what you tell me and find it again"
        " when you ask. What should I call you?"
    )


def quoted(texts: Sequence[str], *, chinese: bool) -> str:
    """Texts in quotation marks, one after the other."""
    return "、".join(f"“{text}”" for text in texts) if chinese else ", ".join(f'"{text}"' for text in texts)


def replaced(clause: str, old: str, *, chinese: bool) -> str:
    """A fact that took the place of an old one, as a clause."""
    return f"{clause}（替换了“{old}”）" if chinese else f'{clause} (in place of "{old}")'


def noted(clauses: str, *, chinese: bool) -> str:
    """What core memory holds from now on."""
    return f"{'记下了：' if chinese else 'Noted: '}{ended(clauses)}"


def known(clauses: str, *, chinese: bool) -> str:
    """What core memory held already."""
    return f"{'我已经知道' if chinese else 'I know already: '}{ended(clauses)}"


def archived(texts: Sequence[str], *, chinese: bool) -> str:
    """What went to archival storage."""
    listed = quoted(texts, chinese=chinese)
    return f"已存入归档记忆：{listed}。" if chinese else f"Kept in archival storage: {listed}."


def removed(lines: Sequence[str], *, chinese: bool) -> str:
    """What was taken out of core memory, and what that does not reach."""
    listed = quoted(lines, chinese=chinese)
    if chinese:
        return f"已从核心记忆中删去{listed}。原话仍在对话记录里，用 `memgpt forget` 可以彻底删除。"
    return (
        f"I took {listed} out of core memory. The words themselves stay in recall storage; `memgpt forget` purges them."
    )


def nothing_to_remove(*, chinese: bool) -> str:
    """Said when core memory holds nothing of what is to be forgotten."""
    if chinese:
        return "核心记忆里没有这一条。要彻底删除说过的话，请用 `memgpt forget`。"
    return "Core memory holds no such line. `memgpt forget` purges what was said."


def echo(said: str, *, chinese: bool) -> str:
    """What the person said last; empty when the window does not show it."""
    if not said:
        return (
            "窗口里看不到更早的话；换个问法，我可以去对话记录里找。"
            if chinese
            else "I do not see an earlier message here. Ask about its subject and I will search for it."
        )
    return f"你刚才说：“{said}”" if chinese else f'You just said: "{said}"'


def clock(at: datetime | None, *, chinese: bool) -> str:
    """The only time that is known here: that of the message."""
    if at is None:
        return "我没有时钟。" if chinese else "I have no clock."
    day = dates.day_in_words(at.date(), chinese=chinese)
    if chinese:
        return f"我没有时钟，但你的消息写于{day} {at:%H:%M}。"
    return f"I have no clock, but your message is stamped {at:%A}, {day}, {at:%H:%M}."


def is_acknowledgement(reply: str) -> bool:
    """Whether a reply only said that something is kept, so that the next need not explain it again."""
    return reply.startswith(("Got it", "好的"))


def nothing_found(*, chinese: bool, name_asked: bool = False) -> str:
    """The answer when memory holds nothing."""
    if name_asked:
        return "你还没有告诉我你的名字。" if chinese else "You have not told me your name yet."
    if chinese:
        return (
            "我没有找到能回答的内容：核心记忆、对话记录和归档里都没有。换个说法也许能找到。"
            "我没有语言模型，不能凭常识回答。"
        )
    return (
        "I found nothing that answers this, neither in core memory nor in what was said or stored. Other words may find"
        " more. Without a language model I cannot answer from general knowledge."
    )


def nearest(*, chinese: bool) -> str:
    """What stands before quotes that may not be the answer."""
    return "我不确定这是不是答案，最接近的是：" if chinese else "I am not sure this answers it; the nearest I found:"


def cannot_reason(*, chinese: bool) -> str:
    """The answer to a bare "why?"."""
    return (
        "我没有语言模型，不会推理；我只能找出说过的话。"
        if chinese
        else "I have no language model and cannot reason; I can only find what was said."
    )


def search_failed(*, chinese: bool) -> str:
    """Said when the search itself failed."""
    return "搜索没有成功，请再问一次。" if chinese else "The search failed, so I cannot say. Please ask again."


def no_room(*, chinese: bool) -> str:
    """Said when the results had to leave the window before they could be used."""
    return (
        "窗口太小，放不下搜索结果。请问得更具体一些，或者用更大的 --window。"
        if chinese
        else "The window is too small for what I found. Ask for less at a time, or use a larger --window."
    )


def acknowledged(speaker: str | None, *, mood: str, explain: bool, chinese: bool) -> str:
    """The reply to what stays in recall storage; `mood` is `sad`, `glad` or empty."""
    if mood and not speaker:
        feeling = _MOODS[mood][chinese]
        return f"{feeling}我存下来了。" if chinese else f"{feeling} I have kept it."
    if chinese:
        return "好的，我存下来了，以后可以问我。" if explain else "好的。"
    if explain:
        return "Got it. I keep every word; ask me about it any time."
    return f"Got it, {speaker}." if speaker else "Got it."


def paged_out(*, chinese: bool) -> str:
    """The reply to a message so long that it went to archival storage."""
    if chinese:
        return "这段文字很长，我已把它全部存入归档记忆。你可以就其中的内容提问。"
    return "That is a long text. All of it is in archival storage now; ask me about anything in it."


def nothing_to_answer() -> str:
    """Said when the program alone has spoken."""
    return "I am here. There is nothing to answer yet."


def empty_message(*, chinese: bool) -> str:
    """The reply to a message without a word."""
    if chinese:
        return "这条消息里没有可以记下的文字。告诉我一些事，或者问我。"
    return "Your message has no words that I could keep. Tell me something, or ask."
