"""All settings: key, type, range and meaning. Their defaults are in configs/default.toml."""

from collections.abc import Iterable
from typing import Final

from memgpt_cli.config.option import Option
from memgpt_cli.config.option_checks import is_extra_body, is_url, is_zone
from memgpt_cli.domain import names
from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.endpoints import AUTO, Provider

_URL: Final = "an address such as http://localhost:11434/v1, without a key in it"


def _share(key: str, help_text: str) -> Option:
    return Option(key=key, target=key, kind=float, low=0.01, high=1.0, help=help_text)


def _weight(key: str, help_text: str) -> Option:
    return Option(key=key, target=key, kind=float, low=0, high=10, harmless=True, help=help_text)


OPTIONS: Final[tuple[Option, ...]] = (
    Option(key="agent.name", target="agent", kind=str, help="The agent that is meant when a command names none."),
    Option(
        key="model.name",
        target="model.name",
        kind=str,
        help="The model that answers: a name the endpoint knows, `offline`, or `scripted:FILE`.",
    ),
    Option(
        key="model.base_url",
        target="model.base_url",
        kind=str,
        check=is_url,
        expects=_URL,
        help="The endpoint; unset, the provider's own.",
    ),
    Option(
        key="model.provider",
        target="model.provider",
        kind=str,
        choices=(AUTO, *Provider),
        help="The API that the endpoint speaks; `auto` decides by base URL and model.",
    ),
    Option(
        key="model.key_env",
        target="model.key_env",
        kind=str,
        help="The environment variable that holds the endpoint's key; unset, the provider's usual one.",
    ),
    Option(
        key="model.extra_body",
        target="model.extra_body",
        kind=str,
        check=is_extra_body,
        expects="a table, or a JSON object, without fields that the program itself sends (model, messages, tools, ...)",
        help="Fields added to each request as they stand, such as OpenRouter's `provider`.",
    ),
    Option(
        key="model.reasoning_effort",
        target="model.reasoning_effort",
        kind=str,
        help="Sent with each request as it stands; unset, what models.toml says of the model.",
    ),
    Option(
        key="model.images",
        target="model.images",
        kind=bool,
        help="Whether the model takes pictures: then /attach shows them to it.",
    ),
    Option(
        key="model.find_local",
        target="find_local",
        kind=bool,
        help="Whether the first chat without a model looks for model servers on this machine (loopback ports only).",
    ),
    Option(
        key="model.timeout",
        target="model.timeout_s",
        kind=float,
        low=1,
        high=86_400,
        help="Seconds that a server may stay silent.",
    ),
    Option(
        key="model.max_retries",
        target="model.max_retries",
        kind=int,
        low=0,
        high=20,
        help="Attempts after a connection error, 408, 409, 429 or 5xx.",
    ),
    Option(
        key="window.tokens",
        target="window.window",
        kind=int,
        low=512,
        high=10_000_000,
        help="The main context. Unset, the model's own context length, at most 32,768.",
    ),
    Option(
        key="window.reserve",
        target="window.reserve",
        kind=int,
        low=64,
        high=1_000_000,
        help="Tokens kept free for the reply. Unset, an eighth of the window, at most 4,096.",
    ),
    _share("window.pressure", "Share of the queue's space at which the model is warned."),
    _share("window.evict_at", "Share at which old turns are evicted."),
    _share("window.target", "Share of the queue's space that is left after an eviction."),
    _share("window.message_share", "The largest share one message may take before it is paged to archival storage."),
    _share("window.result_share", "The largest share one function result may take."),
    _share("window.summary_share", "The largest share the recursive summary may take."),
    Option(
        key="summary.model",
        target="window.summary_model",
        kind=str,
        help="A cheaper model for summaries; unset, the agent's own.",
    ),
    Option(
        key="summary.where",
        target="window.summary_where",
        kind=str,
        choices=("in_place", "apart"),
        help="Whether the agent's own model summarises at the end of its prompt (cached) or in a prompt of its own.",
    ),
    Option(
        key="facts.at_eviction",
        target="facts.at_eviction",
        kind=str,
        choices=("auto", "on", "off"),
        help="Whether the summary call of an eviction also asks for facts; auto: in windows of 16,000 tokens or more.",
    ),
    Option(
        key="facts.functions",
        target="facts.functions",
        kind=bool,
        help="Offer the model functions that record and search facts.",
    ),
    Option(
        key="loop.protocol",
        target="loop.protocol",
        kind=str,
        choices=tuple(Protocol),
        help="The protocol of new agents.",
    ),
    Option(key="loop.max_steps", target="loop.max_steps", kind=int, low=1, high=1_000, help="Model calls in one turn."),
    Option(
        key="loop.max_failures",
        target="loop.max_failures",
        kind=int,
        low=1,
        high=100,
        help="Failed function calls in a row that end a turn.",
    ),
    Option(
        key="budget.max_tokens_per_turn",
        target="loop.max_tokens_per_turn",
        kind=int,
        low=1,
        help="Tokens one turn may use, prompts and replies together.",
    ),
    Option(
        key="budget.max_usd_per_day",
        target="loop.max_usd_per_day",
        kind=float,
        low=0,
        help="US dollars a day over all agents.",
    ),
    Option(
        key="memory.block_limit",
        target="memory.block_limit",
        kind=int,
        low=1,
        high=1_000_000,
        help="Characters in each core memory block of a new agent.",
    ),
    Option(
        key="memory.confirm",
        target="memory.confirm",
        kind=bool,
        help="Ask before each write to memory that the model makes; without a terminal, refuse it.",
    ),
    Option(
        key="trust.hold",
        target="trust.hold",
        kind=str,
        choices=("untrusted", "all", "off"),
        help="Which writes of the model to core memory wait for your review: those that may come from documents,"
        " imports or tools; all; or none.",
    ),
    Option(
        key="search.page_size",
        target="search.page_size",
        kind=int,
        low=1,
        high=100,
        harmless=True,
        help="Hits on one page of results.",
    ),
    Option(
        key="search.candidates",
        target="search.candidates",
        kind=int,
        low=1,
        high=10_000,
        help="Candidates taken from each leg before they are fused.",
    ),
    Option(
        key="search.nearest_messages",
        target="search.nearest_messages",
        kind=int,
        low=0,
        high=10_000_000,
        help="Up to so many messages, meaning finds candidates by itself; above, it weighs those that words found.",
    ),
    _weight("search.context_weight", "Weight of the words around a message against its own."),
    _weight("search.lexical_weight", "Weight of the lexical leg."),
    _weight("search.vector_weight", "Weight of the vector leg."),
    _weight("search.session_weight", "Weight of the message's session."),
    _weight("search.speaker_weight", "Prior for the speaker that a question names."),
    _weight("search.self_weight", "Additional prior for that speaker's messages about themselves."),
    _weight("search.when_weight", "Prior for a time in the message when the question asks when."),
    _weight("search.name_weight", "Prior for a name in the message when the question asks who, where or which."),
    _weight("search.date_weight", "Prior for nearness to a date that the question names."),
    _weight("search.asking_weight", "What a message loses that only asks."),
    _weight("search.answer_weight", "Share of what a question scores that goes to the message after it."),
    _weight("search.assistant_weight", "What an assistant's message loses unless the question asks what it said."),
    _weight("search.clause_weight", "Weight of the best clause where a query asks several questions."),
    Option(
        key="search.session_gap_hours",
        target="search.session_gap_hours",
        kind=float,
        low=0.01,
        high=100_000,
        harmless=True,
        help="A longer silence begins a new session.",
    ),
    Option(
        key="archival.chunk_tokens",
        target="archival.chunk_tokens",
        kind=int,
        low=16,
        high=8_192,
        harmless=True,
        help="Tokens of a document's passages.",
    ),
    Option(
        key="archival.exact_vectors",
        target="archival.exact_vectors",
        kind=int,
        low=0,
        high=10_000_000,
        help="Up to this many vectors search is exact over SQLite; above, Chroma answers.",
    ),
    Option(
        key="embedder.provider",
        target="embedder.provider",
        kind=str,
        choices=("static", "multilingual", "minilm", "openai"),
        help="`static` is in the package; `multilingual` and `minilm` are extras, and `minilm` runs own ONNX files too;"
        " `openai` is any /v1/embeddings endpoint.",
    ),
    Option(
        key="embedder.model",
        target="embedder.model",
        kind=str,
        help="The embedding model; unset, the provider's usual one.",
    ),
    Option(
        key="embedder.base_url",
        target="embedder.base_url",
        kind=str,
        check=is_url,
        expects=_URL,
        help="The endpoint of provider `openai`; unset, OpenAI.",
    ),
    Option(
        key="embedder.dimensions",
        target="embedder.dimensions",
        kind=int,
        low=8,
        high=65_536,
        help="Dimensions to ask the endpoint for; unset, the model's own.",
    ),
    Option(
        key="embedder.batch",
        target="embedder.batch",
        kind=int,
        low=1,
        high=2_048,
        help="Texts in one request.",
    ),
    Option(
        key="display.timezone",
        target="zone",
        kind=str,
        check=is_zone,
        expects="`system` or a zone such as Europe/Berlin",
        harmless=True,
        help="The zone in which times are shown and dates are understood.",
    ),
)

BY_KEY: Final = {option.key: option for option in OPTIONS}
BY_VARIABLE: Final = {option.variable: option for option in OPTIONS}


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word most similar to this one; empty if none is similar."""
    return next(iter(names.nearest(word, known, most=1)), "")


def nearest_key(key: str) -> str:
    """Return the most similar known key, or one with the same ending (`batch`); empty if there is none."""
    last = key.rpartition(".")[2]
    return nearest(key, BY_KEY) or next((known for known in BY_KEY if known.rpartition(".")[2] == last), "")
