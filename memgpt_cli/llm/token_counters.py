"""Token counters: exact if the model's own table is in the package, otherwise a stated over-estimate.

`main_context.tokens` adds the framing of messages and schemas; calibration corrects the error. Nothing is downloaded.
"""

import math
import re
import threading
from functools import cache
from typing import TYPE_CHECKING

from memgpt_cli.llm.rank_tables import CL100K, O200K, RankTable, read_ranks
from memgpt_cli.ports import TokenCounter

if TYPE_CHECKING:
    from tiktoken import Encoding

_PIECE = 4_096
"""Characters encoded at once. tiktoken 0.14 panics on a megabyte of blanks in one piece."""

_FORCED_CUT = 3
"""Added for each cut inside a word, where the halves could merge better separately than together."""

_SURE_CUT = re.compile(r"[^\W_](?=[ \n.,;:!?，。、；：！？])")
"""Every pattern of ours cuts between a letter or digit and one of these, so counting the parts is exact."""


class TableCounter:
    """Exact counts with a published table; `exact`: the table is the model's own."""

    exact = True

    def __init__(self, table: RankTable) -> None:
        self._table = table

    @property
    def name(self) -> str:
        """The table's name."""
        return self._table.name

    def count(self, text: str) -> int:
        """Return the tokens of `text`; names of special tokens are counted as plain text.

        Exact up to 4,096 characters and wherever a longer text can be cut between words; a longer run without such a
        place is over-counted by at most three tokens per 4,096 characters. Linear in time for any text.
        """
        encoding = _encoding(self._table)
        if len(text) <= _PIECE:
            return len(encoding.encode_ordinary(text))
        total = start = 0
        while start < len(text):
            end, sure = _cut(text, start)
            total += len(encoding.encode_ordinary(text[start:end])) + (0 if sure else _FORCED_CUT)
            start = end
        return min(total, utf8_length(text))


class EstimateCounter:
    """For models without a table: the o200k count, enlarged to cover the measured tokenizers.

    `max(1.35 x o200k, ascii / 4 + 0.4 x other bytes) + 0.6 x digits + 2.5 x astral characters`, limited by the bytes.
    1.35: capitals in Tekken need 1.32 times o200k, ordinary text at most 1.26. 0.6 a digit: Qwen, Mistral and Gemma use
    a token for each. 0.4 a byte: scripts that o200k packs well and others do not (Hindi, Thai). 2.5 an astral
    character: emoji are split into bytes. Measured over 25 kinds of text (docs/models.md): covers Qwen, Llama 3 and 4,
    DeepSeek and Mistral's Tekken in all of them; Llama 2 and Claude 2, of 2023, need up to 1.6 times as much in
    Chinese, Korean, Arabic and Thai. Preferred to a formula of bytes alone (ascii / 3 + other bytes / 2), which
    under-counts identifiers by half and varies between 0.5 and 6 times the true count, which calibration cannot
    correct.
    """

    name = "estimate"
    exact = False

    def __init__(self) -> None:
        self._base = table_counter(O200K)

    def count(self, text: str) -> int:
        """The estimate, in tokens."""
        total = utf8_length(text)
        ascii_bytes = _ascii_length(text)
        scaled = max(1.35 * self._base.count(text), ascii_bytes / 4 + 0.4 * (total - ascii_bytes))
        digits = sum(map(text.count, "0123456789"))
        astral = 0 if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2 - len(text)
        return min(total, math.ceil(scaled + 0.6 * digits + 2.5 * astral))


_O200K_MODELS = re.compile(r"(chat)?gpt-4o|gpt-4\.\d|gpt-5|gpt-oss|o[134](-|$)|offline$|scripted(:|$)")
_CL100K_MODELS = re.compile(r"gpt-4(-|$)|gpt-3\.?5|text-embedding-")


def counter_for(model: str) -> TokenCounter:
    """Return the counter for a model name, with or without a provider prefix: `openai/gpt-4o`, `ft:gpt-4o:me::1`."""
    name = model.lower()
    if not name.startswith("scripted:"):
        name = name.removeprefix("ft:").rsplit("/", 1)[-1]
    if _O200K_MODELS.match(name):
        return table_counter(O200K)
    if _CL100K_MODELS.match(name):
        return table_counter(CL100K)
    return EstimateCounter()


@cache
def table_counter(table: RankTable) -> TableCounter:
    """Return the shared counter of a table, which is read at the first count."""
    return TableCounter(table)


def utf8_length(text: str) -> int:
    """Return the UTF-8 bytes of `text`, an upper bound for any byte-level tokenizer; lone surrogates count three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _ascii_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("ascii", "ignore"))


def _cut(text: str, start: int) -> tuple[int, bool]:
    """Return the end of the piece that begins at `start`, and whether every pattern cuts there as well."""
    end = start + _PIECE
    if end >= len(text):
        return len(text), True
    last = None
    for last in _SURE_CUT.finditer(text, end - _PIECE // 4, end):  # noqa: B007 - the last one is wanted
        pass
    return (last.end(), True) if last else (end, False)


_loading = threading.Lock()
_encodings: dict[str, "Encoding"] = {}


def _encoding(table: RankTable) -> "Encoding":
    if (loaded := _encodings.get(table.name)) is not None:
        return loaded
    with _loading:  # two threads at once would build it twice
        if table.name not in _encodings:
            from tiktoken import Encoding

            _encodings[table.name] = Encoding(
                table.name, pat_str=table.pattern, mergeable_ranks=read_ranks(table), special_tokens={}
            )
    return _encodings[table.name]
