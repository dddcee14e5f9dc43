"""Settings as values. The configuration adapter reads them from files and the environment; the core only uses them."""

from dataclasses import dataclass, field
from typing import Final, Literal
from zoneinfo import ZoneInfo

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.endpoints import AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Which model answers, where, and at what price (USD for a million tokens; None if unknown).

    `provider` is a `domain.endpoints.Provider` or "auto"; `key_env` names the environment variable of the key,
    `extra_body` is a JSON object of fields for each request. `reasoning_effort` is sent unchanged; None omits it.
    `context` is the model's own context length in tokens, if known; it may exceed the window. `images`: it accepts
    pictures.
    """

    name: str = "offline"
    base_url: str | None = None
    provider: str = AUTO
    key_env: str | None = None
    extra_body: str | None = None
    context: int | None = None
    images: bool = False
    reasoning_effort: str | None = None
    input_usd_per_million: float | None = None
    cached_usd_per_million: float | None = None
    cache_write_usd_per_million: float | None = None
    output_usd_per_million: float | None = None
    timeout_s: float = 600.0
    max_retries: int = 2


_RESERVED: Final = 8
_LARGEST_RESERVE: Final = 4_096
"""One token in so many of a window is reserved for the reply, up to this number, where no reserve is set."""


_WINDOW_FOR_FACTS: Final = 16_000
"""Below it, facts would take 4 to 10% of all spending (docs/facts.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSettings:
    """Main context. `window` (set by `source`) and `reserve` are tokens.

    `evict_at`, `message_share`, `result_share` and `summary_share` are shares of `window - reserve`. `pressure` and
    `target` are shares of the queue's space, which is the rest of it after the head. 0.7 is the paper's number; for the
    target the paper has one half, and docs/context.md says why it is lower here. `message_share` is the largest share
    of one message before it is paged to archival storage; `result_share` limits one function result. A `reserve` of 0
    means an eighth of the window, at most 4,096. With `summary_where` "in_place" the agent's own model is asked for a
    summary at the end of the prompt it has just seen, with "apart" in a separate prompt.
    """

    window: int = 32_768
    source: str = "default"
    reserve: int = 0
    pressure: float = 0.7
    evict_at: float = 1.0
    target: float = 0.4
    message_share: float = 0.25
    result_share: float = 0.15
    summary_share: float = 0.1
    summary_model: str | None = None
    summary_where: Literal["in_place", "apart"] = "in_place"

    @property
    def reserved(self) -> int:
        """Return the tokens reserved for the reply."""
        return self.reserve or min(_LARGEST_RESERVE, self.window // _RESERVED)

    def window_for(self, prompt: int) -> int:
        """Return the smallest window, in tokens, that has room for a prompt of this size beside the reserve."""
        if self.reserve:
            return prompt + self.reserve
        return min(prompt + _LARGEST_RESERVE, _RESERVED * (prompt - 1) // (_RESERVED - 1) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSettings:
    """Where facts come from besides commands. `at_eviction` "auto": in windows in which their cost is small.

    With `functions` the model may record and search facts; their schemas are in every prompt.
    """

    at_eviction: Literal["auto", "on", "off"] = "auto"
    functions: bool = False

    def asked_in(self, window: int) -> bool:
        """Whether the summary call of an eviction asks for facts in a window of so many tokens."""
        return self.at_eviction == "on" or (self.at_eviction == "auto" and window >= _WINDOW_FOR_FACTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """Limits of the agent loop (steps in a turn, consecutive failed calls), and the protocol of new agents."""

    protocol: Protocol = Protocol.NATIVE
    max_steps: int = 20
    max_failures: int = 3
    max_tokens_per_turn: int | None = None
    max_usd_per_day: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """Ranking weights. The defaults are the measured recipe (LoCoMo, conversations 0-4); see docs/search.md.

    `candidates` are taken from each leg. In more than `nearest_messages` messages, meaning only ranks twice as many
    candidates that words found: an index over more vectors takes 6 KB of memory for each.
    """

    page_size: int = 10
    candidates: int = 250
    nearest_messages: int = 50_000
    context_weight: float = 0.3
    lexical_weight: float = 1.0
    vector_weight: float = 0.75
    session_weight: float = 0.25
    speaker_weight: float = 0.5
    self_weight: float = 0.25
    when_weight: float = 0.5
    name_weight: float = 0.5
    date_weight: float = 0.5
    asking_weight: float = 0.25
    answer_weight: float = 0.25
    assistant_weight: float = 0.75
    clause_weight: float = 0.5
    session_gap_hours: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivalSettings:
    """Archival storage: tokens of a chunk, and the number of vectors up to which search is exact over SQLite."""

    chunk_tokens: int = 256
    exact_vectors: int = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderSettings:
    """Which embedder: `static` (in the package), `multilingual` and `minilm` (extras; ONNX files), or `openai`.

    `openai` is any /v1/embeddings endpoint. `model` None is the provider's default.
    """

    provider: str = "static"
    model: str | None = None
    base_url: str | None = None
    dimensions: int | None = None
    batch: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySettings:
    """Memory: the limit, in characters, of a new agent's blocks; whether the user confirms the model's writes."""

    block_limit: int = 2_000
    confirm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustSettings:
    """Which writes of the model to core memory wait for the person.

    `untrusted`: those that may go back to documents, imports or tools; `all` of them; or none (`off`).
    """

    hold: Literal["untrusted", "all", "off"] = "untrusted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, resolved. `agent` is the agent of a command that names none.

    `find_local`: the first chat without a model searches this machine for model servers.
    """

    agent: str = "default"
    model: ModelSettings = field(default_factory=ModelSettings)
    window: WindowSettings = field(default_factory=WindowSettings)
    facts: FactSettings = field(default_factory=FactSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    archival: ArchivalSettings = field(default_factory=ArchivalSettings)
    embedder: EmbedderSettings = field(default_factory=EmbedderSettings)
    memory: MemorySettings = field(default_factory=MemorySettings)
    trust: TrustSettings = field(default_factory=TrustSettings)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    find_local: bool = True
