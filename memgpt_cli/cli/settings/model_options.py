"""The options of `memgpt models add`: what a profile says of a model and its server."""

from typing import Annotated

import typer

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.endpoints import Provider

ProviderOption = Annotated[Provider | None, typer.Option(help="The endpoint's API. Default: by base URL and model.")]

KeyVariable = Annotated[
    str | None,
    typer.Option(
        "--key-env",
        help="The environment variable that holds the key. Default: the key stored for the host.",
        metavar="VARIABLE",
    ),
]

ExtraBody = Annotated[
    str | None, typer.Option("--extra-body", metavar="JSON", help="Fields added to each request, as a JSON object.")
]

NoKey = Annotated[bool, typer.Option("--no-key", help="Send no key.")]

ProtocolOption = Annotated[Protocol | None, typer.Option(help="The protocol of agents created with it.")]

ReasoningEffort = Annotated[
    str | None, typer.Option("--reasoning-effort", help="Sent unchanged with each request.", metavar="EFFORT")
]

Images = Annotated[bool | None, typer.Option("--images/--no-images", help="Whether the model accepts pictures.")]

ContextLength = Annotated[
    int | None, typer.Option("--context", help="The model's own context length.", metavar="TOKENS")
]

InputPrice = Annotated[
    float | None, typer.Option("--price-input", help="US dollars per million prompt tokens.", metavar="USD")
]

CachedPrice = Annotated[
    float | None,
    typer.Option("--price-cached", help="The same for tokens from the provider's cache.", metavar="USD"),
]

OutputPrice = Annotated[
    float | None, typer.Option("--price-output", help="US dollars per million reply tokens.", metavar="USD")
]

ReplaceProfile = Annotated[bool, typer.Option("--replace", help="Replace the profile of this name.")]

MakeDefault = Annotated[bool, typer.Option("--default", help="Also make it the default model (model.name).")]
